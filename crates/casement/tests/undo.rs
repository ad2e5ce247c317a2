//! Undoing one change by its event, and telling of each key who changed it last.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::server::{HOUR_MS, STREAM, Server, update_of};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

fn path_of(noun: &str, document: &Value) -> String {
    format!("{noun}/{}", document["_id"].as_str().unwrap())
}

async fn undone(server: &Server, path: &str, version: u64) -> Value {
    call(server, "POST", &format!("{path}/events/{version}/undo")).send().await.document()
}

#[tokio::test]
async fn undoing_a_change_takes_back_what_it_did_and_leaves_what_came_after() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One", "tags": ["a"], "priority": "High"})).await;
    let path = path_of("cases", &case);
    for body in [
        json!({"name": "Two", "tags": ["a", "b"], "status": "Resolved"}),
        json!({"desc": "described later", "tags": ["a", "b", "c"]}),
    ] {
        call(&server, "PATCH", &path).json(&body).send().await.document();
    }
    let after = undone(&server, &path, 2).await;
    assert_eq!((&after["name"], &after["desc"]), (&json!("One"), &json!("described later")));
    assert_eq!(after["tags"], json!(["a", "c"]), "what came after stays");
    assert_eq!(after["status"], case["status"], "the case is open again");
    let listed = server.post("getCases", json!({"name": "one"})).await.document();
    assert_eq!(listed["results"][0], after);
    let events = call(&server, "GET", &format!("{path}/events")).send().await.document();
    assert_eq!(events["results"][0]["kind"], "case.reopened");
    // A second time there is nothing left, and no event.
    let answer = call(&server, "POST", &format!("{path}/events/2/undo")).send().await;
    assert_eq!((answer.header("etag"), answer.document()), (Some("\"v4\""), after));
    // The undoing is a change like any other.
    assert_eq!(undone(&server, &path, 4).await["name"], "Two");
}

#[tokio::test]
async fn a_key_that_was_changed_again_is_a_conflict_that_names_both_values() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    let path = path_of("cases", &case);
    for name in ["Two", "Three"] {
        call(&server, "PATCH", &path).json(&json!({"name": name})).send().await.document();
    }
    let faults = call(&server, "POST", &format!("{path}/events/2/undo")).refused(409).await;
    assert_eq!(faults, ["name"]);
    assert_eq!(call(&server, "GET", &path).send().await.header("etag"), Some("\"v3\""));
}

#[tokio::test]
async fn only_a_change_that_the_log_tells_can_be_undone() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let path = path_of("cases", &case);
    call(&server, "POST", &format!("{path}/events/1/undo")).refused(409).await;
    for absent in ["0", "2", "99999999999999999999", "x", "+1", "-1"] {
        call(&server, "POST", &format!("{path}/events/{absent}/undo")).refused(404).await;
    }
    call(&server, "POST", "cases/ci-1/events/2/undo").refused(404).await;
    call(&server, "PATCH", &path).json(&json!({"name": "Two"})).send().await.document();
    call(&server, "POST", &format!("{path}/events/2/undo")).header("if-match", "\"v1\"").refused(412).await;
}

#[tokio::test]
async fn an_undoing_keeps_the_rules_of_updates() {
    let server = Server::start().await;
    server.status("Waiting", casement_domain::workspace::entries::Category::OnHold, true).await;
    let case = server.create_case(json!({"status": "Waiting"})).await;
    let path = path_of("cases", &case);
    call(&server, "PATCH", &path).json(&json!({"status": "Open"})).send().await.document();
    server.disabled_status("Waiting").await;
    let faults = call(&server, "POST", &format!("{path}/events/2/undo")).refused(422).await;
    assert_eq!(faults, ["status"]);
    // A deleted case is restored by the undoing of its deletion, and by nothing else changed.
    call(&server, "PATCH", &path).json(&json!({"name": "Two"})).send().await.document();
    call(&server, "DELETE", &path).send().await.document();
    call(&server, "POST", &format!("{path}/events/3/undo")).refused(409).await;
    assert_eq!(undone(&server, &path, 4).await["isActive"], true);
    // Nor is a case closed again over an open task.
    let closed = server.create_case(json!({})).await;
    let path = path_of("cases", &closed);
    for status in ["Closed", "Open"] {
        call(&server, "PATCH", &path).json(&json!({"status": status})).send().await.document();
    }
    server.create_task(&closed, json!({"name": "Call"})).await;
    let faults = call(&server, "POST", &format!("{path}/events/3/undo")).refused(409).await;
    assert_eq!(faults, ["status"]);
}

#[tokio::test]
async fn the_change_of_a_task_is_undone_too_with_the_list_of_its_case() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({"name": "Call"})).await;
    let path = path_of("tasks", &task);
    call(&server, "DELETE", &path).send().await.document();
    // A case without open tasks can be closed; one whose task is back can't.
    let case_path = path_of("cases", &case);
    let close = async |status: u16| {
        let answer = call(&server, "PATCH", &case_path).json(&json!({"status": "Closed"})).send().await;
        assert_eq!(answer.status, status);
    };
    assert_eq!(undone(&server, &path, 2).await["isActive"], true);
    close(409).await;
    call(&server, "DELETE", &path).send().await.document();
    close(200).await;
    call(&server, "POST", &format!("{path}/events/4/undo")).refused(409).await;
}

#[tokio::test]
async fn an_undoing_with_a_key_takes_effect_once() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    let path = path_of("cases", &case);
    call(&server, "PATCH", &path).json(&json!({"name": "Two"})).send().await.document();
    let undo =
        || call(&server, "POST", &format!("{path}/events/2/undo")).header("idempotency-key", "u-1").send();
    let first = undo().await.document();
    call(&server, "PATCH", &path).json(&json!({"name": "Two"})).send().await.document();
    let again = undo().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.document(), first);
    assert_eq!(call(&server, "GET", &path).send().await.document()["name"], "Two");
}

#[tokio::test]
async fn blame_tells_of_each_key_who_changed_it_last() {
    let server = Server::start().await;
    let ann = server.agent("Ann").await;
    server.custom_fields(&["Colour", "Size"]).await;
    let fields = json!([{"name": "Colour", "selectedValue": "red"}]);
    let case = server.create_case(json!({"name": "One", "fields": fields})).await;
    let path = path_of("cases", &case);
    server.advance(HOUR_MS);
    let change = json!({"name": "Two", "fields": [{"name": "Size", "selectedValue": "L"}]});
    server
        .call(&update_of("updateCase", &case))
        .acting_as(ann.user.as_str())
        .json(&change)
        .send()
        .await
        .document();
    server.advance(HOUR_MS);
    call(&server, "PATCH", &path).json(&json!({"priority": "High"})).send().await.document();
    let page = call(&server, "GET", &format!("{path}/blame")).send().await.document();
    insta::assert_json_snapshot!("case_blame", page);
    let shown = call(&server, "GET", &path).send().await.document();
    let told: BTreeSet<&str> =
        page["results"].as_array().unwrap().iter().map(|entry| entry["key"].as_str().unwrap()).collect();
    for key in &told {
        assert!(shown.get(key).is_some(), "{key} is no key of a case");
    }
    let task = json!({"name": "Call", "dueDate": "2030-01-31T12:00:00Z"});
    let task = server.create_task(&case, task).await;
    let page = call(&server, "GET", &format!("{}/blame", path_of("tasks", &task))).send().await.document();
    for entry in page["results"].as_array().unwrap() {
        assert!(task.get(entry["key"].as_str().unwrap()).is_some(), "{entry} is no key of a task");
    }
    call(&server, "GET", "cases/ci-1/blame").refused(404).await;
}
