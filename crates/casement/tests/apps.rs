//! Apps over their life: keys that rotate, apps that are revoked, tokens that serve once.

use std::sync::Arc;

use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use casement_app::app::App;
use casement_app::installation::INSTALLATION;
use casement_app::jwt_app::create::{NewJwtApp, create_jwt_app};
use casement_app::jwt_app::error::JwtAppError;
use casement_app::jwt_app::list::list_jwt_apps;
use casement_app::jwt_app::revoke::revoke_jwt_app;
use casement_app::jwt_app::rotate::{Rotation, rotate_jwt_app};
use casement_app::jwt_app::{Algorithm, JwtApp};
use serde_json::{Value, json};

use crate::harness::forge::Pair;
use crate::harness::server::{DAY_MS, HOUR_MS, START_MS, STREAM, Server};
use crate::harness::token::{of, secret_of, signed};

/// The clock in seconds, as claims tell times.
const NOW_S: i64 = START_MS / 1000;

fn input(algorithm: Algorithm) -> NewJwtApp {
    NewJwtApp {
        name: "Website".to_owned(),
        streams: Vec::new(),
        algorithm,
        public_key: None,
        requires_expiry: false,
        enforces_jti: false,
    }
}

async fn once_app(server: &Server) -> JwtApp {
    let input = NewJwtApp { enforces_jti: true, ..input(Algorithm::Hs256) };
    create_jwt_app(&server.app, input).await.unwrap().app
}

async fn rotated(server: &Server, app: &JwtApp, grace_ms: i64) -> JwtApp {
    let rotation = Rotation { public_key: None, grace_ms };
    rotate_jwt_app(&server.app, app.client_id.as_str(), &rotation).await.unwrap().app
}

async fn status(server: &Server, token: &str) -> u16 {
    server.call("getCases").header("auth", token).send().await.status
}

/// A token that was not sent before, so that nothing is kept of it.
fn fresh(app: &JwtApp, number: u32) -> String {
    of(app, &json!({"number": number}))
}

#[tokio::test]
async fn two_secrets_are_good_during_a_rotation_and_the_former_ends_at_its_moment() {
    let server = Server::start().await;
    let former = create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap().app;
    let kept = fresh(&former, 0);
    assert_eq!(status(&server, &kept).await, 200);
    let current = rotated(&server, &former, HOUR_MS).await;
    assert_ne!(secret_of(&former), secret_of(&current));
    for token in [&kept, &fresh(&former, 1), &fresh(&current, 2)] {
        assert_eq!(status(&server, token).await, 200);
    }
    server.advance(HOUR_MS - 1);
    assert_eq!(status(&server, &kept).await, 200);
    server.advance(1);
    for token in [&kept, &fresh(&former, 1), &fresh(&former, 3)] {
        assert_eq!(status(&server, token).await, 401);
    }
    assert_eq!(status(&server, &fresh(&current, 2)).await, 200);
}

#[tokio::test]
async fn a_rotation_without_grace_ends_the_former_secret_for_the_next_request() {
    let server = Server::start().await;
    let former = create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap().app;
    let kept = fresh(&former, 0);
    assert_eq!(status(&server, &kept).await, 200);
    let current = rotated(&server, &former, 0).await;
    assert_eq!(status(&server, &kept).await, 401);
    assert_eq!(status(&server, &fresh(&current, 1)).await, 200);
}

#[tokio::test]
async fn a_second_rotation_ends_the_key_before_the_former_one() {
    let server = Server::start().await;
    let first = create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap().app;
    let second = rotated(&server, &first, DAY_MS).await;
    let third = rotated(&server, &second, DAY_MS).await;
    assert_eq!(status(&server, &fresh(&first, 0)).await, 401);
    assert_eq!(status(&server, &fresh(&second, 1)).await, 200);
    assert_eq!(status(&server, &fresh(&third, 2)).await, 200);
    assert_eq!(third.keys.current().0, 3);
}

#[tokio::test]
async fn public_keys_rotate_like_secrets() {
    let server = Server::start().await;
    let (former, current) = (Pair::generate(), Pair::generate());
    let input = NewJwtApp { public_key: Some(former.jwk().to_string()), ..input(Algorithm::Rs256) };
    let app = create_jwt_app(&server.app, input).await.unwrap().app;
    let id = app.client_id.as_str();
    let token = |pair: &Pair, number: u32| {
        let claims = json!({"appId": id, "number": number}).to_string();
        pair.token(&RSA_PKCS1_SHA256, json!({"alg": "RS256"}).to_string(), claims)
    };
    assert_eq!(status(&server, &token(&former, 0)).await, 200);
    for public_key in [None, Some(former.pem()), Some(former.private_pem()), Some("x".to_owned())] {
        let rotation = Rotation { public_key, grace_ms: HOUR_MS };
        let outcome = rotate_jwt_app(&server.app, id, &rotation).await;
        assert!(matches!(outcome, Err(JwtAppError::Invalid(faults)) if faults.len() == 1));
    }
    let rotation = Rotation { public_key: Some(current.pem()), grace_ms: HOUR_MS };
    rotate_jwt_app(&server.app, id, &rotation).await.unwrap();
    assert_eq!(status(&server, &token(&former, 1)).await, 200);
    assert_eq!(status(&server, &token(&current, 2)).await, 200);
    server.advance(HOUR_MS);
    assert_eq!(status(&server, &token(&former, 1)).await, 401);
    assert_eq!(status(&server, &token(&current, 2)).await, 200);
}

#[tokio::test]
async fn a_revoked_app_is_refused_at_the_next_request_and_stays_so() {
    let server = Server::start().await;
    let app = create_jwt_app(&server.app, input(Algorithm::Hs512)).await.unwrap().app;
    let other = create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap().app;
    let kept = fresh(&app, 0);
    assert_eq!(status(&server, &kept).await, 200);
    let id = app.client_id.as_str();
    assert!(!revoke_jwt_app(&server.app, id).await.unwrap().active);
    for token in [&kept, &fresh(&app, 1)] {
        assert_eq!(status(&server, token).await, 401);
    }
    assert_eq!(status(&server, &fresh(&other, 0)).await, 200);
    let head = head(&server).await;
    assert!(!revoke_jwt_app(&server.app, id).await.unwrap().active);
    let rotation = Rotation { public_key: None, grace_ms: 0 };
    let outcome = rotate_jwt_app(&server.app, id, &rotation).await;
    assert!(matches!(outcome, Err(JwtAppError::Conflict(_))));
    for unknown in ["cs-unknown", "", "cs/..", &"x".repeat(5000)] {
        let outcome = revoke_jwt_app(&server.app, unknown).await;
        assert!(matches!(outcome, Err(JwtAppError::NotFound)), "{unknown}");
    }
    assert_eq!(self::head(&server).await, head);
    assert_eq!(list_jwt_apps(&server.app).len(), 3);
}

async fn head(server: &Server) -> u64 {
    server.store.workspace(INSTALLATION).await.unwrap().unwrap().head
}

#[tokio::test]
async fn events_of_apps_tell_what_changed_and_no_secret() {
    let server = Server::start().await;
    let first = create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap().app;
    let second = rotated(&server, &first, HOUR_MS).await;
    let third = rotated(&server, &second, HOUR_MS).await;
    let id = first.client_id.as_str();
    revoke_jwt_app(&server.app, id).await.unwrap();
    let events = server.store.document_events(INSTALLATION, id, 0, 100).await.unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["app.created", "app.rotated", "app.rotated", "app.revoked"]);
    assert_eq!(events[0].changes, None);
    let told = |at: usize| serde_json::from_slice::<Value>(events[at].changes.as_ref().unwrap()).unwrap();
    assert_eq!(told(1)["key_number"], json!({"from": 1, "to": 2}));
    assert_eq!(told(1)["former_ends_at"], json!({"to": START_MS + HOUR_MS}));
    assert_eq!(told(3), json!({"active": {"from": true, "to": false}}));
    for event in &events {
        let changes = String::from_utf8_lossy(event.changes.as_deref().unwrap_or_default()).into_owned();
        for app in [&first, &second, &third] {
            assert!(!changes.contains(secret_of(app)), "{changes}");
        }
    }
}

#[tokio::test]
async fn a_token_stays_verified_while_another_app_changes() {
    let server = Server::start().await;
    let before = server.app.jwt_app(server.jwt.client_id.as_str()).unwrap();
    create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap();
    let after = server.app.jwt_app(server.jwt.client_id.as_str()).unwrap();
    assert!(Arc::ptr_eq(&before, &after));
}

#[tokio::test]
async fn a_token_id_serves_once_whatever_becomes_of_the_request() {
    let server = Server::start().await;
    let (app, other) = (once_app(&server).await, once_app(&server).await);
    let token = |app: &JwtApp, id: &str, expires: i64| of(app, &json!({"jti": id, "exp": expires}));
    let first = token(&app, "a", NOW_S + 60);
    assert_eq!(status(&server, &first).await, 200);
    assert_eq!(status(&server, &first).await, 401);
    assert_eq!(status(&server, &token(&app, "a", NOW_S + 61)).await, 401);
    // Another id, and the same id of another app.
    assert_eq!(status(&server, &token(&app, "A", NOW_S + 60)).await, 200);
    assert_eq!(status(&server, &token(&other, "a", NOW_S + 60)).await, 200);
    // The longest, and one that looks like two parts of a key.
    for id in ["x".repeat(256), "é".repeat(128), format!("{}:a", other.client_id), "a:b".to_owned()] {
        assert_eq!(status(&server, &token(&app, &id, NOW_S + 60)).await, 200, "{id}");
        assert_eq!(status(&server, &token(&app, &id, NOW_S + 60)).await, 401, "{id}");
    }
    // A 400 and a 403 use an id up; a 404 and a 405 come before the token is looked at.
    let refused = token(&app, "b", NOW_S + 60);
    server.call("createCase").header("auth", &refused).bytes("{").refused(400).await;
    server.call("createCase").header("auth", &refused).bytes("{").refused(401).await;
    let denied = token(&app, "c", NOW_S + 60);
    server.call("getCases").stream("st-unknown").header("auth", &denied).refused(403).await;
    assert_eq!(status(&server, &denied).await, 401);
    let unrouted = token(&app, "d", NOW_S + 60);
    server.call("getNothing").header("auth", &unrouted).refused(404).await;
    server.call("getCases").method("PUT").header("auth", &unrouted).refused(405).await;
    assert_eq!(status(&server, &unrouted).await, 200);
    // What serves once makes no event.
    assert_eq!(head(&server).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_id_serves_once_among_requests_at_the_same_moment() {
    let server = Arc::new(Server::start().await);
    let app = once_app(&server).await;
    for round in 0..4 {
        let token = of(&app, &json!({"jti": format!("round {round}"), "exp": NOW_S + 60}));
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (server, token) = (Arc::clone(&server), token.clone());
            asked.spawn(async move {
                let body = server.case_body(json!({}));
                server.call("createCase").header("auth", &token).json(&body).send().await.status
            });
        }
        let mut statuses = asked.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1], statuses[63]), (200, 401, 401));
    }
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], 4);
}

#[tokio::test]
async fn a_token_id_is_free_again_once_every_token_of_it_has_expired() {
    let server = Server::start().await;
    let app = once_app(&server).await;
    let token = |expires: i64| of(&app, &json!({"jti": "a", "exp": expires}));
    assert_eq!(status(&server, &token(NOW_S + 10)).await, 200);
    // The token itself is good until its expiry and the leeway; so long its id is taken.
    server.advance(70_000 - 1);
    assert_eq!(status(&server, &token(NOW_S + 10)).await, 401);
    assert_eq!(status(&server, &token(NOW_S + 500)).await, 401);
    server.advance(1);
    assert_eq!(status(&server, &token(NOW_S + 10)).await, 401);
    assert_eq!(status(&server, &token(NOW_S + 500)).await, 200);
    assert_eq!(status(&server, &token(NOW_S + 500)).await, 401);
}

#[tokio::test]
async fn a_token_id_that_served_has_served_after_a_restart_too() {
    let server = Server::start().await;
    let app = once_app(&server).await;
    let token = |id: &str| of(&app, &json!({"jti": id, "exp": NOW_S + 60}));
    assert_eq!(status(&server, &token("a")).await, 200);
    let server = server.restarted().await;
    assert_eq!(status(&server, &token("a")).await, 401);
    assert_eq!(status(&server, &token("b")).await, 200);
    assert_eq!(status(&server, &token("b")).await, 401);
}

#[tokio::test]
async fn keys_and_revocations_are_as_they_were_after_a_restart() {
    let server = Server::start().await;
    let pair = Pair::generate();
    let of_rsa = NewJwtApp { public_key: Some(pair.pem()), ..input(Algorithm::Rs256) };
    create_jwt_app(&server.app, of_rsa).await.unwrap();
    let first = create_jwt_app(&server.app, input(Algorithm::Hs512)).await.unwrap().app;
    rotated(&server, &first, HOUR_MS).await;
    let revoked = create_jwt_app(&server.app, input(Algorithm::Hs256)).await.unwrap().app;
    revoke_jwt_app(&server.app, revoked.client_id.as_str()).await.unwrap();
    let before = list_jwt_apps(&server.app);
    let server = server.restarted().await;
    assert_eq!(list_jwt_apps(&server.app), before);
    assert_eq!(status(&server, &of(&first, &json!({"alg": 1}))).await, 200);
    assert_eq!(status(&server, &of(&revoked, &json!({}))).await, 401);
}

#[tokio::test]
async fn a_store_that_takes_no_writes_lets_no_token_serve_that_serves_once() {
    let server = Server::start().await;
    let app = once_app(&server).await;
    let refused_token = of(&app, &json!({"jti": "a", "exp": NOW_S + 60}));
    server.store.close().await;
    server.call("getCases").header("auth", &refused_token).send().await.refused(503);
    // Others read on.
    assert_eq!(status(&server, &of(&server.jwt, &json!({}))).await, 200);
}

#[tokio::test]
async fn before_the_index_is_built_a_token_that_serves_once_is_not_used_up() {
    let server = Server::start_unready().await;
    let installation = server.app.installation();
    let mut once = (**installation.apps.values().next().unwrap()).clone();
    once.enforces_jti = true;
    // Without a follower nothing can be registered: the use case is asked itself.
    let outcome = casement_app::jwt_app::token_id::use_token_id(
        &server.app,
        &once,
        casement_app::jwt_app::token_id::TokenUse {
            id: "a",
            ends_at: casement_domain::date::Moment::from_ms(START_MS + 1000),
            now: casement_domain::date::Moment::from_ms(START_MS),
        },
    )
    .await;
    assert!(matches!(outcome, Err(casement_app::error::AppError::Unavailable(_))));
}

#[tokio::test]
async fn an_app_of_the_first_release_still_signs() {
    let server = Server::start().await;
    let body = json!({
        "client_id": "cs-old", "name": "Old", "user": "u-old", "account": server.jwt.account,
        "algorithm": "hs256", "secret": "an old secret", "scopes": ["case-management-configuration"],
        "streams": [STREAM], "requires_expiry": false, "active": true,
    });
    server.register_body("cs-old", &body).await;
    let token = signed(jsonwebtoken::Algorithm::HS256, "an old secret", &json!({"appId": "cs-old"}));
    assert_eq!(status(&server, &token).await, 200);
    let app: Arc<App> = Arc::clone(&server.app);
    let rotation = Rotation { public_key: None, grace_ms: HOUR_MS };
    let rotated = rotate_jwt_app(&app, "cs-old", &rotation).await.unwrap();
    assert_eq!(status(&server, &token).await, 200);
    assert_eq!(status(&server, &of(&rotated.app, &json!({}))).await, 200);
}
