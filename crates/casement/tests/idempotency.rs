//! Idempotency keys: a repeated write takes effect once and gets the first answer; contract section 11.9.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::harness::answer::Answer;
use crate::harness::server::{ACCOUNT, DAY_MS, STREAM, Server, update_of};
use crate::harness::token;

async fn send(server: &Server, operation: &str, key: &str, body: &Value) -> Answer {
    server.call(operation).header("Idempotency-Key", key).json(body).send().await
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

/// Sends a write twice with things happening in between, and holds the second answer against the first.
async fn same_answer(server: &Server, operation: &str, body: &Value, between: impl AsyncFnOnce(&Value)) {
    let first = send(server, operation, "k-1", body).await;
    assert!(!is_replayed(&first));
    between(&first.document()).await;
    let events = server.events_total().await;
    let second = send(server, operation, "k-1", body).await;
    assert!(is_replayed(&second), "{operation}");
    assert_eq!(second.json(), first.json(), "{operation}");
    assert_eq!(second.bytes, first.bytes, "{operation}");
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(server.events_total().await, events, "{operation}");
}

#[tokio::test]
async fn a_repeated_create_makes_one_case_and_shows_it_as_it_was_made() {
    let server = Server::start().await;
    let template = server.case_template("with tasks", async_tasks(&server)).await;
    let body = server.case_body(json!({"caseTmp": template.id}));
    same_answer(&server, "createCase", &body, async |case| {
        assert_eq!(case["tasks"].as_array().unwrap().len(), 1);
        server.advance(5);
        server.update_case(case, json!({"name": "Renamed", "priority": "High"})).await;
        server.update_task(&case["tasks"][0], json!({"name": "Renamed too"})).await;
        server.create_task(case, json!({})).await;
    })
    .await;
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], 1);
}

/// Lets a template make the built-in task with each case.
fn async_tasks(
    server: &Server,
) -> impl FnOnce(&mut casement_domain::workspace::template::CaseTemplate) + use<> {
    let task = server.workspace.task_templates[0].id.clone();
    move |template| template.tasks = vec![task]
}

#[tokio::test]
async fn a_repeated_update_shows_the_version_that_it_made() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let operation = update_of("updateCase", &case);
    same_answer(&server, &operation, &json!({"name": "Mine", "tags": ["a"]}), async |_| {
        for name in ["Theirs", "Theirs again"] {
            server.advance(5);
            server.update_case(&case, json!({"name": name, "tags": []})).await;
        }
    })
    .await;
    let listed = server.listed_case(&case["_id"]).await.unwrap();
    assert_eq!(listed["name"], "Theirs again");
}

#[tokio::test]
async fn repeated_writes_of_tasks_show_the_versions_that_they_made() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    same_answer(&server, "createTask", &server.task_body(&case, json!({})), async |task| {
        server.update_task(task, json!({"name": "Renamed"})).await;
    })
    .await;
    let task = server.create_task(&case, json!({})).await;
    let updated = send(&server, &update_of("updateTask", &task), "k-2", &json!({"name": "Mine"})).await;
    server.update_task(&task, json!({"name": "Theirs"})).await;
    let again = send(&server, &update_of("updateTask", &task), "k-2", &json!({"name": "Mine"})).await;
    assert_eq!(again.bytes, updated.bytes);
    assert_eq!(server.post("getTasks", json!({})).await.document()["totalResults"], 2);
}

#[tokio::test]
async fn an_update_that_changed_nothing_is_not_carried_out_later() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "Same"})).await;
    same_answer(&server, &update_of("updateCase", &case), &json!({"name": "Same"}), async |_| {
        server.update_case(&case, json!({"name": "Other"})).await;
    })
    .await;
    assert_eq!(server.listed_case(&case["_id"]).await.unwrap()["name"], "Other");
}

#[tokio::test]
async fn a_key_of_another_request_is_refused() {
    let server = Server::start().await;
    let body = server.case_body(json!({}));
    let case = send(&server, "createCase", "k", &body).await.document();
    let other = [
        ("createCase".to_owned(), server.case_body(json!({"name": "Another"}))),
        // The same JSON in other bytes is another body.
        ("createCase".to_owned(), server.case_body(json!({"another": 1}))),
        (update_of("updateCase", &case), body),
        ("createTask".to_owned(), server.task_body(&case, json!({}))),
    ];
    for (operation, body) in other {
        let call = server.call(&operation).header("Idempotency-Key", "k").json(&body);
        assert_eq!(call.refused(422).await, ["Idempotency-Key"], "{operation}");
    }
}

#[tokio::test]
async fn each_app_and_each_workspace_has_keys_of_its_own() {
    let server = Server::start().await;
    let made = server.another_workspace(ACCOUNT, "st-another").await;
    let mut second = server.jwt.clone();
    second.client_id = casement_domain::id::AppId::from_text("cs-second");
    second.streams.push(made.workspace.stream.clone());
    server.register(&second).await;
    let body = server.case_body(json!({"caseTmp": "General"}));
    let token = token::of(&second, &json!({}));
    let first = send(&server, "createCase", "k", &body).await.document();
    let of_second =
        server.call("createCase").header("auth", &token).header("Idempotency-Key", "k").json(&body);
    let of_second = of_second.send().await.document();
    assert_ne!(of_second["_id"], first["_id"]);
    let elsewhere = server.call("createCase").header("auth", &token).header("Idempotency-Key", "k");
    let elsewhere = elsewhere.stream("st-another").json(&body).send().await.document();
    assert_ne!(elsewhere["_id"], of_second["_id"]);
}

#[tokio::test]
async fn a_refusal_is_an_outcome_too() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    let close = json!({"status": "Closed"});
    let operation = update_of("updateCase", &case);
    let first = send(&server, &operation, "close", &close).await;
    assert_eq!(first.refused(409), ["status"]);
    server.update_task(&task, json!({"status": "Closed"})).await;
    assert_eq!(send(&server, &operation, "close", &close).await.bytes, first.bytes);
    assert_eq!(send(&server, &operation, "close again", &close).await.document()["status"]["name"], "Closed");

    let invalid = send(&server, "createCase", "invalid", &json!({"name": 5})).await;
    assert_eq!(send(&server, "createCase", "invalid", &json!({"name": 5})).await.bytes, invalid.bytes);
    let fixed = server.case_body(json!({}));
    send(&server, "createCase", "invalid", &fixed).await.refused(422);

    for _ in 0..2 {
        send(&server, "updateCase/ci-nowhere", "nowhere", &json!({"name": "x"})).await.refused(404);
        let call = server.call(&operation).header("If-Match", "\"v1\"").header("Idempotency-Key", "match");
        call.json(&json!({"name": "x"})).send().await.refused(412);
    }
}

#[tokio::test]
async fn what_was_refused_before_it_was_looked_at_is_not_kept() {
    let server = Server::start().await;
    let body = server.case_body(json!({}));
    let call = || server.call("createCase").header("Idempotency-Key", "k");
    call().header("auth", "wrong").json(&body).refused(401).await;
    call().header("AccountId", "wrong").json(&body).refused(403).await;
    call().header("Content-Type", "text/plain").json(&body).refused(415).await;
    call().bytes("{").refused(400).await;
    call().bytes(vec![b' '; 1024 * 1024 + 1]).refused(413).await;
    assert!(!is_replayed(&call().json(&body).send().await));
}

#[tokio::test]
async fn a_store_that_takes_no_writes_leaves_the_key_free() {
    let server = Server::start().await;
    server.store.set_database_pages_max(Some(1));
    let body = server.case_body(json!({"desc": "x".repeat(60_000)}));
    let mut tried = 0;
    let key = loop {
        let key = format!("k-{tried}");
        let answer = send(&server, "createCase", &key, &body).await;
        if answer.status == 503 {
            break key;
        }
        tried += 1;
        assert!(tried < 1000, "the quota does not bite");
    };
    server.store.set_database_pages_max(None);
    let made = loop {
        let answer = send(&server, "createCase", &key, &body).await;
        if answer.status == 200 {
            break answer;
        }
        answer.refused(503);
        tokio::task::yield_now().await;
    };
    assert!(!is_replayed(&made));
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], tried + 1);
}

#[tokio::test]
async fn a_key_that_can_not_be_kept_is_refused_and_not_ignored() {
    let server = Server::start().await;
    let body = server.case_body(json!({}));
    for key in ["", "é", "tab\tbed", &"k".repeat(256)] {
        let call = server.call("createCase").header("Idempotency-Key", key).json(&body);
        assert_eq!(call.refused(400).await, ["Idempotency-Key"], "{key:?}");
    }
    let twice = server.call("createCase").header("Idempotency-Key", "a").and_header("Idempotency-Key", "a");
    assert_eq!(twice.json(&body).refused(400).await, ["Idempotency-Key"]);
    for key in ["k", "\"quoted key\"", "k:1:2", &"k".repeat(255)] {
        assert!(!is_replayed(&send(&server, "createCase", key, &body).await), "{key}");
        assert!(is_replayed(&send(&server, "createCase", key, &body).await), "{key}");
    }
}

#[tokio::test]
async fn a_key_is_kept_for_seven_days() {
    let server = Server::start().await;
    let body = server.case_body(json!({}));
    let first = send(&server, "createCase", "k", &body).await;
    server.advance(7 * DAY_MS - 1);
    assert_eq!(send(&server, "createCase", "k", &body).await.bytes, first.bytes);
    server.advance(1);
    let second = send(&server, "createCase", "k", &body).await;
    assert!(!is_replayed(&second));
    assert_ne!(second.document()["_id"], first.document()["_id"]);
    assert_eq!(send(&server, "createCase", "k", &body).await.bytes, second.bytes);
}

#[tokio::test]
async fn ended_keys_are_swept_and_others_are_not() {
    let server = Server::start().await;
    let body = server.case_body(json!({}));
    for number in 0..3 {
        send(&server, "createCase", &format!("k-{number}"), &body).await.document();
    }
    server.advance(6 * DAY_MS);
    send(&server, "createCase", "late", &body).await.document();
    assert_eq!(casement_app::sweep::sweep(&server.app).await.unwrap(), 0);
    server.advance(DAY_MS);
    assert_eq!(casement_app::sweep::sweep(&server.app).await.unwrap(), 3);
    assert_eq!(casement_app::sweep::sweep(&server.app).await.unwrap(), 0);
    assert!(is_replayed(&send(&server, "createCase", "late", &body).await));
}

/// Sends one request many times at once and gives the answers' statuses and bodies.
async fn many(server: &Server, operation: &str, key: &str, body: &Value) -> Vec<(u16, Vec<u8>)> {
    let token = token::of(&server.jwt, &json!({}));
    let mut sent = JoinSet::new();
    for _ in 0..64 {
        let path = format!("/caseManagement/api/public/analytics/{STREAM}/{operation}");
        let request = Request::post(path).header("auth", &token).header("AccountId", ACCOUNT);
        let request = request.header("Idempotency-Key", key).body(Body::from(body.to_string())).unwrap();
        let router = server.router.clone();
        sent.spawn(async move {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            (parts.status.as_u16(), body.collect().await.unwrap().to_bytes().to_vec())
        });
    }
    sent.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_equal_requests_at_once_one_takes_effect_and_all_get_its_answer() {
    let server = Server::start().await;
    let answers = many(&server, "createCase", "k", &server.case_body(json!({}))).await;
    assert!(answers.iter().all(|answer| answer.0 == 200 && *answer == answers[0]), "{answers:?}");
    let listed = server.post("getCases", json!({})).await.document();
    assert_eq!(listed["totalResults"], 1);
    let case = &listed["results"][0];
    let answers = many(&server, "createTask", "t", &server.task_body(case, json!({}))).await;
    assert!(answers.iter().all(|answer| answer.0 == 200 && *answer == answers[0]));
    let answers = many(&server, &update_of("updateCase", case), "u", &json!({"name": "New"})).await;
    assert!(answers.iter().all(|answer| answer.0 == 200 && *answer == answers[0]));
    let events = server.events_of(case["_id"].as_str().unwrap()).await;
    assert_eq!(events.len(), 3, "made, a task more, renamed");
}
