//! Requests at the same time: each is decided on what is stored, none is lost, none half done.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::harness::server::{ACCOUNT, STREAM, Server, update_of};
use crate::harness::token::of;

/// Sends requests at the same time and gives their statuses and bodies in no order.
async fn at_once(server: &Server, requests: Vec<(String, Value, Option<String>)>) -> Vec<(u16, Value)> {
    let token = of(&server.jwt, &json!({}));
    let mut sent = JoinSet::new();
    for (operation, body, if_match) in requests {
        let path = format!("/caseManagement/api/public/analytics/{STREAM}/{operation}");
        let mut request = Request::post(path).header("auth", &token).header("AccountId", ACCOUNT);
        if let Some(tag) = if_match {
            request = request.header("If-Match", tag);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let router = server.router.clone();
        sent.spawn(async move {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap())
        });
    }
    sent.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_updates_of_one_version_exactly_one_passes() {
    let server = Server::start().await;
    let created = server.post("createCase", server.case_body(json!({}))).await;
    let tag = created.header("etag").unwrap().to_owned();
    let path = update_of("updateCase", &created.document());
    let updates =
        (0..16).map(|number| (path.clone(), json!({"name": format!("n{number}")}), Some(tag.clone())));
    let answers = at_once(&server, updates.collect()).await;
    let count = |status: u16| answers.iter().filter(|(own, _)| *own == status).count();
    assert_eq!((count(200), count(412)), (1, 15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_different_keys_are_all_kept() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let path = update_of("updateCase", &case);
    let changes = [
        json!({"name": "New"}),
        json!({"desc": "New"}),
        json!({"tags": ["new"]}),
        json!({"source": "email"}),
        json!({"priority": "Low"}),
        json!({"queues": ["Default"]}),
        json!({"ETA": ""}),
        json!({"language": "de"}),
    ];
    let answers =
        at_once(&server, changes.iter().map(|change| (path.clone(), change.clone(), None)).collect()).await;
    let mut stamps: Vec<i64> =
        answers.iter().map(|(_, case)| case["timestampValue"].as_i64().unwrap()).collect();
    stamps.sort_unstable();
    stamps.dedup();
    assert_eq!(stamps.len(), changes.len());
    let after = server.listed_case(&case["_id"]).await.unwrap();
    assert_eq!(
        (&after["name"], &after["desc"], &after["tags"]),
        (&json!("New"), &json!("New"), &json!(["new"]))
    );
    assert_eq!((&after["priority"]["name"], &after["assigneeType"]), (&json!("Low"), &json!("queues")));
    assert_eq!(
        (&after["ETA"], &after["language"], &after["source"]),
        (&json!(""), &json!("de"), &json!("email"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_lists_every_task_that_was_made_at_once_and_no_other() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let body = server.task_body(&case, json!({}));
    let answers = at_once(&server, vec![("createTask".to_owned(), body, None); 24]).await;
    let mut made: Vec<String> =
        answers.iter().map(|(_, task)| task["_id"].as_str().unwrap().to_owned()).collect();
    let listed = server.listed_case(&case["_id"]).await.unwrap();
    let mut listed: Vec<String> =
        listed["taskIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    made.sort();
    listed.sort();
    assert_eq!(made, listed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_closed_or_gets_an_open_task_and_never_both() {
    let server = Server::start().await;
    for _ in 0..10 {
        let case = server.create_case(json!({})).await;
        let close = (update_of("updateCase", &case), json!({"status": "Closed"}), None);
        let add = ("createTask".to_owned(), server.task_body(&case, json!({})), None);
        let answers = at_once(&server, vec![close, add]).await;
        let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_new_address_makes_one_customer() {
    let server = Server::start().await;
    let body = |number: usize| {
        let email = if number.is_multiple_of(2) { "new@example.com" } else { "NEW@example.com" };
        server.case_body(json!({"userInfo": {}, "emailId": email}))
    };
    let answers =
        at_once(&server, (0..16).map(|number| ("createCase".to_owned(), body(number), None)).collect()).await;
    let mut customers: Vec<&Value> = answers.iter().map(|(_, case)| &case["userInfo"]["_id"]).collect();
    customers.dedup();
    assert_eq!(customers.len(), 1, "{customers:?}");
}
