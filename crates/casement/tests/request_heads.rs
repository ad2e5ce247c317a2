//! Routes, methods, the limits of a request's head, and the headers of every answer.

use serde_json::json;

use crate::harness::answer::Answer;
use crate::harness::call::Call;
use crate::harness::server::{STREAM, Server};

const OPERATIONS: [&str; 6] =
    ["createCase", "getCases", "updateCase/ci-x", "createTask", "getTasks", "updateTask/ti-x"];

/// The request line is the method, the target and the version.
fn with_line_of(call: Call<'_>, bytes: usize) -> Call<'_> {
    let start = format!("/caseManagement/api/public/analytics/{STREAM}/getCases?x=");
    let rest = bytes - "POST ".len() - start.len() - " HTTP/1.1".len();
    call.path(&format!("{start}{}", "y".repeat(rest)))
}

fn assert_has_fixed_headers(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(!answer.header("x-request-id").unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_route_is_a_404_with_and_without_a_token() {
    let server = Server::start().await;
    for path in [
        "/",
        "/caseManagement/api/public/analytics",
        "/caseManagement/api/public/analytics/st-x",
        "/caseManagement/api/public/analytics/st-x/deleteCase",
        "/caseManagement/api/public/analytics/st-x/createCase/",
        "/caseManagement/api/public/analytics/st-x/updateCase",
        "/caseManagement/api/public/analytics/st-x/updateCase/",
        "/caseManagement/api/public/analytics/st-x/updateCase/ci-x/more",
        "/casemanagement/api/public/analytics/st-x/createCase",
        "//caseManagement/api/public/analytics/st-x/createCase",
    ] {
        assert_eq!(server.call("").path(path).refused(404).await, [""], "{path}");
        server.call("").path(path).bare().refused(404).await;
        server.call("").path(path).method("GET").refused(404).await;
    }
}

#[tokio::test]
async fn another_method_is_a_405_that_names_the_right_one() {
    let server = Server::start().await;
    for operation in OPERATIONS {
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let answer = server.call(operation).method(method).send().await;
            answer.refused(405);
            assert_eq!(answer.header("allow"), Some("POST"), "{operation} {method}");
        }
        assert_eq!(server.call(operation).method("HEAD").send().await.status, 405);
    }
    let answer = server.call("").path("/healthz").method("POST").send().await;
    answer.refused(405);
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn a_request_line_over_8_kib_is_a_414() {
    let server = Server::start().await;
    with_line_of(server.call("getCases"), 8192).send().await.document();
    assert_eq!(with_line_of(server.call("getCases"), 8193).refused(414).await, [""]);
    with_line_of(server.call("getCases"), 20_000).bare().refused(414).await;
}

#[tokio::test]
async fn headers_over_32_kib_or_over_a_hundred_are_a_431() {
    let server = Server::start().await;
    let many = |count: usize| {
        (0..count).fold(server.call("getCases"), |call, number| call.header(&format!("x-{number}"), "1"))
    };
    // The call has three headers of its own.
    many(97).send().await.document();
    assert_eq!(many(98).refused(431).await, [""]);
    server.call("getCases").header("x-long", &"x".repeat(31 * 1024)).send().await.document();
    server.call("getCases").header("x-long", &"x".repeat(33 * 1024)).refused(431).await;
    server.call("getCases").header("Content-Length", "2").bytes("{}").send().await.document();
}

#[tokio::test]
async fn every_answer_has_an_id_and_the_headers_that_keep_it_safe() {
    let server = Server::start().await;
    assert_has_fixed_headers(&server.call("getCases").send().await);
    assert_has_fixed_headers(&server.call("nonsense").send().await);
    assert_has_fixed_headers(&server.call("getCases").bare().send().await);
    assert_has_fixed_headers(&server.call("getCases").method("GET").send().await);
    assert_has_fixed_headers(&with_line_of(server.call("getCases"), 9000).send().await);
    let named = |id: &'static str| server.call("getCases").header("X-Request-Id", id).send();
    assert_eq!(named("my-id_1.2").await.header("x-request-id"), Some("my-id_1.2"));
    for wrong in ["", "a b", "<script>", "é"] {
        assert_ne!(named(wrong).await.header("x-request-id"), Some(wrong));
    }
}

#[tokio::test]
async fn an_unusual_zone_is_utc_and_never_an_error() {
    let server = Server::start().await;
    for zone in ["", "nonsense", "1e3", "99999999999", "-2147483648", "2147483647", "1440", "-1440", "330.5"]
    {
        let body = server.case_body(json!({"dueDate": "2026-12-24"}));
        let case =
            server.call("createCase").header("X-Timezone-Offset", zone).json(&body).send().await.document();
        assert_eq!(case["ETA"], "2026-12-24T00:00:00.000Z", "{zone}");
    }
}

#[tokio::test]
async fn a_document_id_of_any_shape_is_looked_up_and_not_found() {
    let server = Server::start().await;
    for id in ["ci-x", "%00", "ci-%2e%2e", "a%2Fb", "%E2%98%83", &"x".repeat(3000)] {
        let call = server.call(&format!("updateCase/{id}")).json(&json!({"name": "New"}));
        assert_eq!(call.refused(404).await, [""], "{id}");
    }
}

#[tokio::test]
async fn health_and_readiness_are_public() {
    let server = Server::start().await;
    let get = |path: &'static str| server.call("").bare().method("GET").path(path).send();
    assert_eq!(get("/healthz").await.document(), json!({"status": "ok"}));
    assert_eq!(
        get("/readyz").await.document(),
        json!({"status": "ready", "index": "ready", "search": "ready", "store": "ready"})
    );
}

#[tokio::test]
async fn before_the_index_is_built_requests_are_told_to_try_again() {
    let server = Server::start_unready().await;
    let get = |path: &'static str| server.call("").bare().method("GET").path(path).send();
    assert_eq!(get("/healthz").await.status, 200);
    let readiness = get("/readyz").await;
    assert_eq!((readiness.status, &readiness.json()["index"]), (503, &json!("building")));
    assert_eq!((&readiness.json()["search"], &readiness.json()["percent"]), (&json!("building"), &json!(0)));
    for operation in OPERATIONS {
        server.call(operation).json(&json!({})).refused(503).await;
    }
    server.call("getCases").bare().refused(401).await;
}
