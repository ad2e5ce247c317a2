//! Cases and tasks as resources of `/api/v1`: getting, changing, deleting and restoring one, and its history.

use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::server::{HOUR_MS, STREAM, Server};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

fn id(document: &Value) -> &str {
    document["_id"].as_str().unwrap()
}

fn now_iso(server: &Server) -> String {
    casement_domain::date::Moment::from_ms(server.now_ms()).iso()
}

#[tokio::test]
async fn a_document_is_got_by_id_and_by_reference_id_as_it_is_listed() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    let task = server.create_task(&case, json!({"name": "Call"})).await;
    let listed = server.post("getCases", json!({})).await.document()["results"][0].clone();
    for named in [id(&case), "CS000100"] {
        let answer = call(&server, "GET", &format!("cases/{named}")).send().await;
        assert_eq!(answer.header("etag"), Some("\"v2\""), "the task has changed its case");
        assert_eq!(answer.document(), listed, "{named}");
    }
    let listed = server.post("getTasks", json!({})).await.document()["results"][0].clone();
    for named in [id(&task), "TS000100"] {
        assert_eq!(get(&server, &format!("tasks/{named}")).await, listed, "{named}");
    }
    for absent in ["cases/CS000999", "cases/ci-1", "cases/TS000100", "tasks/CS000100", "cases/CS100"] {
        call(&server, "GET", absent).refused(404).await;
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_under_the_rules_of_updates() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One", "tags": ["a"]})).await;
    let path = format!("cases/{}", id(&case));
    let patch = |body: Value| call(&server, "PATCH", &path).json(&body);
    let answer = patch(json!({"name": "Two", "dueDate": null})).and_header("If-Match", "\"v1\"").send().await;
    assert_eq!(answer.header("etag"), Some("\"v2\""));
    let changed = answer.document();
    assert_eq!(
        (&changed["name"], &changed["tags"], &changed["ETA"]),
        (&json!("Two"), &json!(["a"]), &json!(""))
    );
    patch(json!({"name": "Three"})).and_header("If-Match", "\"v1\"").refused(412).await;
    let faults = patch(json!({"name": 5, "isActive": null, "_id": "ci-other"})).refused(400).await;
    assert_eq!(faults.len(), 2, "{faults:?}");
    patch(json!({"_id": "ci-other"})).refused(409).await;
    let named = call(&server, "PATCH", "cases/CS000100").json(&json!({"name": "Four"}));
    assert_eq!(named.and_header("Idempotency-Key", "k").send().await.document()["name"], "Four");
    let again = call(&server, "PATCH", "cases/CS000100").json(&json!({"name": "Four"}));
    let again = again.and_header("Idempotency-Key", "k").send().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(get(&server, &path).await["name"], "Four");
    call(&server, "PATCH", "cases/CS000999").json(&json!({"name": "x"})).refused(404).await;
}

#[tokio::test]
async fn a_deleted_document_is_kept_and_can_be_restored() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    let task = server.create_task(&case, json!({"name": "Call"})).await;
    let path = format!("cases/{}", id(&case));
    call(&server, "DELETE", &path).and_header("If-Match", "\"v1\"").refused(412).await;
    let deleted = call(&server, "DELETE", &path).and_header("Idempotency-Key", "k").send().await;
    assert_eq!((deleted.header("etag"), &deleted.document()["isActive"]), (Some("\"v3\""), &json!(false)));
    let again = call(&server, "DELETE", &path).and_header("Idempotency-Key", "k").send().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let twice = call(&server, "DELETE", &path).send().await;
    assert_eq!(twice.header("etag"), Some("\"v3\""), "there is nothing to change");
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], 0);
    assert_eq!(get(&server, "cases/CS000100").await["isActive"], false);
    call(&server, "DELETE", &format!("tasks/{}", id(&task))).refused(409).await;
    let restored = call(&server, "POST", "cases/CS000100/restore").send().await.document();
    assert_eq!(restored["isActive"], true);
    let deleted = call(&server, "DELETE", "tasks/TS000100").send().await.document();
    assert_eq!(deleted["isActive"], false);
    assert_eq!(get(&server, &path).await["taskIds"], json!([]));
    call(&server, "POST", "tasks/TS000100/restore").send().await.document();
    assert_eq!(get(&server, &path).await["taskIds"], json!([id(&task)]));
    call(&server, "POST", "cases/ci-1/restore").refused(404).await;
}

#[tokio::test]
async fn a_page_of_a_history_ends_early_where_documents_are_large() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let path = format!("cases/{}", id(&case));
    // Each version shows 60 KB, so 4 MiB are some 70 of them.
    for version in 2..=90 {
        let body = json!({"desc": format!("{version} {}", "x".repeat(60_000))});
        call(&server, "PATCH", &path).json(&body).send().await.document();
    }
    let (mut versions, mut before) = (Vec::new(), String::new());
    loop {
        let page = get(&server, &format!("{path}/events?limit=100{before}")).await;
        let found: Vec<u64> = page["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["version"].as_u64().unwrap())
            .collect();
        assert!(!found.is_empty() && found.len() < 80, "{}", found.len());
        before = format!("&before={}", found.last().unwrap());
        versions.extend(found);
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!(versions, (1..=90).rev().collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_history_tells_who_changed_what_from_what_to_what_newest_first() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One", "priority": "Low"})).await;
    let path = format!("cases/{}", id(&case));
    for body in
        [json!({"name": "Two"}), json!({"priority": "High", "tags": ["a"]}), json!({"isActive": false})]
    {
        server.advance(HOUR_MS);
        call(&server, "PATCH", &path).json(&body).send().await.document();
    }
    let page = get(&server, &format!("{path}/events")).await;
    let told: Vec<(u64, &str, Vec<&str>)> = page["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let changes = event["changes"].as_array().unwrap().iter();
            let keys = changes.map(|change| change["key"].as_str().unwrap());
            (event["version"].as_u64().unwrap(), event["kind"].as_str().unwrap(), keys.collect())
        })
        .collect();
    let expected = vec![
        (4, "case.deleted", vec!["isActive"]),
        (3, "case.updated", vec!["tags", "priority"]),
        (2, "case.updated", vec!["name"]),
        (1, "case.created", vec![]),
    ];
    assert_eq!(told, expected);
    assert_eq!(page["hasMore"], false);
    insta::assert_json_snapshot!("case_history", page);
    let named = &page["results"][2];
    assert_eq!(named["changes"], json!([{"key": "name", "old": "One", "new": "Two"}]));
    assert_eq!(named["by"]["_id"], case["createdBy"]["_id"]);
    assert!(named["app"].as_str().unwrap().starts_with("cs-"));
    let priority = &page["results"][1]["changes"][1];
    assert_eq!((&priority["old"]["name"], &priority["new"]["name"]), (&json!("Low"), &json!("High")));

    let first = get(&server, &format!("{path}/events?limit=3")).await;
    assert_eq!((first["results"].as_array().unwrap().len(), &first["hasMore"]), (3, &json!(true)));
    let second = get(&server, &format!("{path}/events?limit=3&before=2")).await;
    assert_eq!((&second["results"][0], &second["hasMore"]), (&page["results"][3], &json!(false)));
    for before in 1..6 {
        let part = get(&server, &format!("{path}/events?before={before}")).await;
        let later = page["results"].as_array().unwrap().iter();
        let expected: Vec<&Value> = later.filter(|event| event["version"].as_u64() < Some(before)).collect();
        assert_eq!(part["results"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
    }
    let faults = call(&server, "GET", &format!("{path}/events?limit=101&before=x")).refused(400).await;
    assert_eq!(faults.len(), 2, "{faults:?}");
    call(&server, "GET", "cases/ci-1/events").refused(404).await;
}

#[tokio::test]
async fn a_document_is_shown_as_it_stood_at_any_moment() {
    let server = Server::start().await;
    let before = now_iso(&server);
    server.advance(HOUR_MS);
    let case = server.create_case(json!({"name": "One"})).await;
    let task = server.create_task(&case, json!({"name": "Call"})).await;
    let mut stood = Vec::new();
    for name in ["Two", "Three", "Four"] {
        // The task has changed its case a millisecond after it was made.
        server.advance(10);
        stood.push((now_iso(&server), get(&server, &format!("cases/{}", id(&case))).await));
        server.advance(HOUR_MS);
        let patch = call(&server, "PATCH", &format!("cases/{}", id(&case)));
        patch.json(&json!({"name": name})).send().await.document();
    }
    stood.push((now_iso(&server), get(&server, "cases/CS000100").await));
    for (at, expected) in stood {
        assert_eq!(get(&server, &format!("cases/CS000100?asOf={at}")).await, expected, "{at}");
    }
    server.advance(HOUR_MS);
    call(&server, "PATCH", "tasks/TS000100").json(&json!({"name": "Write"})).send().await.document();
    let then = casement_domain::date::Moment::from_ms(server.now_ms() - HOUR_MS).iso();
    assert_eq!(get(&server, &format!("tasks/TS000100?asOf={then}")).await["name"], task["name"]);
    call(&server, "GET", &format!("cases/CS000100?asOf={before}")).refused(404).await;
    call(&server, "GET", "cases/CS000100?asOf=yesterday").refused(400).await;
}

#[tokio::test]
async fn a_stream_of_another_app_is_refused_for_every_method() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    for (method, path) in [
        ("GET", format!("cases/{}", id(&case))),
        ("PATCH", format!("cases/{}", id(&case))),
        ("DELETE", format!("cases/{}", id(&case))),
        ("POST", format!("cases/{}/restore", id(&case))),
        ("GET", format!("cases/{}/events", id(&case))),
    ] {
        let path = format!("/api/v1/streams/st-other/{path}");
        server.call("").method(method).path(&path).json(&json!({})).refused(403).await;
    }
}
