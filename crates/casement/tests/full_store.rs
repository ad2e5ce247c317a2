//! A store that takes no writes: 503 with `Retry-After`, reads go on, and once there is room writes do too.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::server::Server;

/// How long a test waits for the store to notice that there is room again.
const WAIT_MAX: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_full_store_refuses_writes_and_answers_reads() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    server.store.set_database_pages_max(Some(1));
    let body = server.case_body(json!({"desc": "x".repeat(60_000)}));
    let mut made = 1;
    let refused = loop {
        let answer = server.post("createCase", body.clone()).await;
        if answer.status != 200 {
            break answer;
        }
        made += 1;
        assert!(made < 1000, "the quota does not bite");
    };
    refused.refused(503);
    server
        .refused(
            &crate::harness::server::update_of("updateCase", &case),
            &json!({"desc": "y".repeat(60_000)}),
            503,
        )
        .await;
    let listed = server.post("getCases", json!({"limit": 1})).await.document();
    assert_eq!(listed["totalResults"], made);
    let ready = server.call("").bare().method("GET").path("/readyz").send().await.document();
    assert_eq!((&ready["status"], &ready["store"]), (&json!("ready"), &json!("full")));

    server.store.set_database_pages_max(None);
    let began = Instant::now();
    let again = loop {
        let answer = server.post("createCase", body.clone()).await;
        if answer.status == 200 || began.elapsed() > WAIT_MAX {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(again.document()["refId"], format!("CS{:06}", 100 + made));
}
