//! The control API through its router: what it takes, what it refuses, and what it can't be reached by.

use axum::body::Body;
use axum::http::Request;
use casement_api::control::router::control_router;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

use crate::harness::answer::Answer;
use crate::harness::server::{STREAM, Server};

async fn ask(server: &Server, method: &str, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
    let response = control_router(Arc::clone(&server.app)).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
}

async fn create(server: &Server, body: Value) -> Answer {
    ask(server, "POST", "/apps", body.to_string()).await
}

#[tokio::test]
async fn what_is_no_command_is_refused_and_nothing_is_made() {
    let server = Server::start().await;
    let before = server.store.workspaces().await.unwrap();
    for body in ["", "{", "[]", "null", "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"a\\u0000\"}"] {
        ask(&server, "POST", "/apps", body).await.refused(400);
    }
    for body in [
        json!({"name": "Web"}),
        json!({"algorithm": "hs256"}),
        json!({"name": 7, "algorithm": "hs256"}),
        json!({"name": "Web", "algorithm": "none"}),
        json!({"name": "Web", "algorithm": "HS256"}),
        json!({"name": "Web", "algorithm": "hs256", "clientSecret": "mine"}),
        json!({"name": "Web", "algorithm": "hs256", "streams": STREAM}),
        json!({"name": "Web", "algorithm": "hs256", "active": true}),
    ] {
        assert_eq!(create(&server, body.clone()).await.status, 400, "{body}");
    }
    let faults = json!({"name": " ", "algorithm": "rs256", "streams": ["st-unknown"]});
    assert_eq!(create(&server, faults).await.refused(400), ["name", "streams", "publicKey"]);
    let app = format!("/apps/{}", server.jwt.client_id);
    for grace in [json!(-1), json!(30 * 86_400 + 1), json!(i64::MAX), json!(i64::MIN)] {
        let body = json!({"graceSeconds": grace}).to_string();
        assert_eq!(ask(&server, "POST", &format!("{app}/rotate"), body).await.refused(400), ["graceSeconds"]);
    }
    for body in ["", "{}", "{\"graceSeconds\":1.5}", "{\"graceSeconds\":\"24h\"}"] {
        ask(&server, "POST", &format!("{app}/rotate"), body).await.refused(400);
    }
    ask(&server, "POST", "/apps", "x".repeat(1024 * 1024 + 1)).await.refused(413);
    ask(&server, "GET", "/nowhere", "").await.refused(404);
    ask(&server, "GET", "/apps/cs-unknown", "").await.refused(404);
    ask(&server, "DELETE", &app, "").await.refused(405);
    assert_eq!(server.store.workspaces().await.unwrap(), before);
}

#[tokio::test]
async fn the_longest_and_the_shortest_grace_are_taken() {
    let server = Server::start().await;
    let path = format!("/apps/{}/rotate", server.jwt.client_id);
    let rotate = async |seconds: i64| {
        ask(&server, "POST", &path, json!({"graceSeconds": seconds}).to_string()).await.json()
    };
    assert_eq!(rotate(30 * 86_400).await["formerKeyEndsAt"], "2026-12-22T10:00:00.000Z");
    assert_eq!(rotate(0).await.get("formerKeyEndsAt"), None);
}

#[tokio::test]
async fn neither_router_reaches_what_is_behind_the_other() {
    let server = Server::start().await;
    let api = format!("/caseManagement/api/public/analytics/{STREAM}/getCases");
    for path in [api.as_str(), "/healthz", "/readyz"] {
        ask(&server, "POST", path, "{}").await.refused(404);
    }
    let app = format!("/apps/{}", server.jwt.client_id);
    for path in ["/apps", &app, &format!("{app}/rotate"), &format!("{app}/revoke")] {
        for method in ["GET", "POST"] {
            server.call("").method(method).path(path).refused(404).await;
        }
    }
}

#[tokio::test]
async fn before_the_index_is_built_apps_are_listed_and_not_changed() {
    let server = Server::start_unready().await;
    assert_eq!(ask(&server, "GET", "/apps", "").await.json()["apps"].as_array().unwrap().len(), 1);
    create(&server, json!({"name": "Web", "algorithm": "hs256"})).await.refused(503);
    ask(&server, "POST", &format!("/apps/{}/revoke", server.jwt.client_id), "").await.refused(503);
}

#[tokio::test]
async fn a_configuration_is_shown_tried_and_applied_for_a_workspace_or_for_the_only_one() {
    let server = Server::start().await;
    let document = json!({"queues": [{"_id": "qu-returns", "name": "Returns"}]}).to_string();
    let own = format!("/configuration?stream={STREAM}");
    let before = server.events_total().await;
    let tried = ask(&server, "PUT", &format!("{own}&dryRun=true"), document.clone()).await.document();
    assert_eq!((&tried["dryRun"], &tried["added"][0]["_id"]), (&json!(true), &json!("qu-returns")));
    assert_eq!(server.events_total().await, before);
    let applied = ask(&server, "PUT", "/configuration", document).await.document();
    assert_eq!((&applied["dryRun"], &applied["added"]), (&json!(false), &tried["added"]));
    let shown = ask(&server, "GET", &own, "").await.document();
    assert_eq!(shown, ask(&server, "GET", "/configuration", "").await.document());
    let again = ask(&server, "PUT", &own, shown.to_string()).await.document();
    assert_eq!(again, json!({"dryRun": false, "added": [], "changed": []}));
}

#[tokio::test]
async fn a_configuration_with_faults_is_refused_with_every_path_and_changes_nothing() {
    let server = Server::start().await;
    let before = server.events_total().await;
    let document = json!({"fields": [{"name": "A", "format": "number", "patern": "a"}, {"format": "input"}]});
    let refused = ask(&server, "PUT", "/configuration", document.to_string()).await;
    assert_eq!(refused.refused(400), ["fields[0].patern", "fields[1].name"]);
    ask(&server, "PUT", "/configuration", "{").await.refused(400);
    assert!(ask(&server, "PUT", "/configuration?stream=st-none", "{}").await.status >= 400);
    assert!(ask(&server, "GET", "/configuration?stream=st-none", "").await.status >= 400);
    assert!(ask(&server, "PUT", "/configuration", " ".repeat(4 * 1024 * 1024 + 1)).await.status >= 400);
    assert_eq!(server.events_total().await, before);
}

#[tokio::test]
async fn a_configuration_is_not_applied_before_somebody_follows_the_log() {
    let server = Server::start_unready().await;
    let document = json!({"queues": [{"name": "Returns"}]}).to_string();
    ask(&server, "PUT", "/configuration", document).await.refused(503);
    assert_eq!(ask(&server, "GET", "/configuration", "").await.status, 200);
}
