//! Rates: each app has its own, tells what is left, and a 429 says when to come back.

use std::num::NonZeroU32;
use std::sync::Arc;

use casement_api::api::{Api, ApiOptions};
use casement_api::rate::Rate;
use casement_api::router::router_of;
use casement_domain::id::AppId;
use serde_json::json;

use crate::harness::configuration::jwt_app;
use crate::harness::server::{START_MS, STREAM, Server};
use crate::harness::token;

async fn limited(burst: u32) -> Server {
    let mut server = Server::start().await;
    let number = |number| NonZeroU32::new(number).unwrap();
    // So slow that nothing comes back while a test runs.
    let rate = Rate { per_second: number(1), burst: number(burst) };
    let options = ApiOptions { rate, ..ApiOptions::default() };
    server.router = router_of(Api::new(Arc::clone(&server.app), &options));
    server
}

#[tokio::test]
async fn an_app_past_its_rate_gets_a_429_that_says_when_to_come_back() {
    let server = limited(3).await;
    for left in ["2", "1", "0"] {
        let answer = server.post("getCases", json!({})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("ratelimit-remaining"), Some(left));
    }
    for operation in ["getCases", "createCase", "updateTask/ti-x"] {
        let answer = server.post(operation, json!({})).await;
        answer.refused(429);
        assert_eq!(answer.header("ratelimit-remaining"), Some("0"));
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a_429_leaves_a_token_that_serves_once_as_it_was() {
    let server = limited(1).await;
    let mut once = jwt_app("cs-once", "once", &[STREAM]);
    once.enforces_jti = true;
    server.register(&once).await;
    let token = |id: &str| token::of(&once, &json!({"jti": id, "exp": START_MS / 1000 + 60}));
    let list = async |token: &str| server.call("getCases").header("auth", token).send().await.status;
    assert_eq!(list(&token("a")).await, 200);
    assert_eq!(list(&token("b")).await, 429);
    // Another server of the same data knows nothing of the rate.
    let server = server.restarted().await;
    let list = async |token: &str| server.call("getCases").header("auth", token).send().await.status;
    assert_eq!(list(&token("a")).await, 401);
    assert_eq!(list(&token("b")).await, 200);
}

#[tokio::test]
async fn every_request_with_a_valid_token_counts_and_no_other() {
    let server = limited(2).await;
    for _ in 0..5 {
        let refused = server.call("getCases").header("auth", "wrong").send().await;
        refused.refused(401);
        assert_eq!(refused.header("ratelimit-limit"), None);
    }
    // A stream that is not the app's, then a body that is no JSON.
    server.call("getCases").stream("st-nowhere").send().await.refused(403);
    server.call("createCase").bytes("{").send().await.refused(400);
    server.post("getCases", json!({})).await.refused(429);
}

#[tokio::test]
async fn one_app_does_not_use_up_the_rate_of_another() {
    let server = limited(1).await;
    let mut second = server.jwt.clone();
    second.client_id = AppId::from_text("cs-second");
    server.register(&second).await;
    server.post("getCases", json!({})).await.document();
    server.post("getCases", json!({})).await.refused(429);
    let of_second = server.call("getCases").header("auth", &token::of(&second, &json!({})));
    of_second.json(&json!({})).send().await.document();
}
