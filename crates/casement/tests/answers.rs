//! The answers as they are on the wire: one success of each operation, one refusal of each status.

use axum::body::Body;
use serde_json::{Value, json};

use crate::harness::answer::Answer;
use crate::harness::server::{DAY_MS, HOUR_MS, Server, update_of};

/// What a snapshot shows of an answer.
fn shown(answer: &Answer) -> Value {
    let mut headers = serde_json::Map::new();
    for name in ["content-type", "etag", "www-authenticate", "allow", "retry-after"] {
        if let Some(value) = answer.header(name) {
            headers.insert(name.to_owned(), value.into());
        }
    }
    json!({"status": answer.status, "headers": headers, "body": answer.json()})
}

/// A server with a template that makes a task, an agent, and a custom field.
async fn furnished() -> Server {
    let server = Server::start().await;
    server.agent("Ann").await;
    server.custom_fields(&["Colour"]).await;
    let inspect = server.task_template("Inspect", |template| template.default_due_ms = Some(DAY_MS)).await;
    server.case_template("Repair", |template| template.tasks = vec![inspect.id]).await;
    server
}

#[tokio::test]
async fn each_operation_answers_as_its_snapshot_shows() {
    let server = furnished().await;
    let body = server.case_body(json!({
        "currAssignee": {"name": "Ann"}, "queues": ["Default"], "tags": ["vip"], "priority": "High", "channel": ["chat"],
        "fields": [{"name": "Colour", "selectedValue": "red"}],
    }));
    let created = server.call("createCase").acting_as("u-Ann").json(&body).send().await;
    insta::assert_json_snapshot!("create_case", shown(&created));
    let case = created.document();
    let repair = server.post("createCase", server.case_body(json!({"caseTmp": "Repair"}))).await;
    insta::assert_json_snapshot!("create_case_with_a_task", shown(&repair));

    server.advance(HOUR_MS);
    let task = server.post("createTask", server.task_body(&case, json!({}))).await;
    insta::assert_json_snapshot!("create_task", shown(&task));
    let task = task.document();

    server.advance(HOUR_MS);
    let change = json!({"status": "In-Progress", "currAssignee": {}, "ETA": "", "feedback": [{"stars": 5}]});
    let updated = server.post(&update_of("updateCase", &case), change).await;
    insta::assert_json_snapshot!("update_case", shown(&updated));
    let change = json!({"name": "Task Testing", "dueDate": "2026-12-24", "caseTmp": "Inspect"});
    let updated = server.post(&update_of("updateTask", &task), change).await;
    insta::assert_json_snapshot!("update_task", shown(&updated));

    let listed = server.post("getCases", json!({"limit": 1})).await;
    insta::assert_json_snapshot!("get_cases", shown(&listed));
    let columns =
        json!({"selectedColumns": ["name", "refId", "caseRefId", "ETA"], "sortBy": {"refId": "asc"}});
    let listed = server.post("getTasks", columns).await;
    insta::assert_json_snapshot!("get_tasks_with_columns", shown(&listed));
    let listed = server.post("getTasks", json!({"name": "testing"})).await;
    insta::assert_json_snapshot!("get_tasks", shown(&listed));
}

#[tokio::test]
async fn each_status_is_refused_as_its_snapshot_shows() {
    let server = furnished().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    server.case_template("Old", |template| template.active = false).await;
    let update = update_of("updateCase", &case);
    let many = |count: usize| {
        (0..count).fold(server.call("getCases"), |call, number| call.header(&format!("x-{number}"), "1"))
    };
    let faults = json!({"name": "", "tags": ["a", ""], "caseTmp": "Old", "dueDate": "soon", "emailId": 7});
    for (name, answer) in [
        ("400", server.post("createCase", server.case_body(faults)).await),
        ("400_json", server.call("createCase").bytes(r#"{"name": "a", "name": "\u0000"}"#).send().await),
        ("400_account", server.call("getCases").without("AccountId").send().await),
        ("401", server.call("getCases").without("auth").send().await),
        ("403", server.call("getCases").stream("st-other").send().await),
        ("403_account", server.call("getCases").header("AccountId", "other").send().await),
        ("404", server.post("updateTask/ti-unknown", json!({})).await),
        ("404_route", server.call("deleteCase").send().await),
        ("405", server.call("createCase").method("GET").send().await),
        ("409", server.post(&update, json!({"refId": "CS000999", "orgId": "o-other"})).await),
        ("409_open_tasks", server.post(&update, json!({"status": "Closed"})).await),
        ("412", server.call(&update).header("If-Match", "\"v99\"").json(&json!({"name": "x"})).send().await),
        ("413", server.call("createCase").body(Body::from(vec![b' '; 1024 * 1024 + 1])).send().await),
        ("414", server.call(&format!("getCases?{}", "x".repeat(9000))).send().await),
        ("415", server.call("createCase").header("Content-Type", "text/xml").bytes("<a/>").send().await),
        ("422", server.post("createCase", server.case_body(json!({"caseTmp": "Old"}))).await),
        ("431", many(101).send().await),
    ] {
        insta::assert_json_snapshot!(format!("refused_{name}"), shown(&answer));
        let status: u16 = name.split('_').next().unwrap().parse().unwrap();
        answer.refused(status);
    }
    assert_eq!(server.listed_task(&task["_id"]).await, Some(task));
    // Last, since the clock of the server's waits stands still from here on.
    tokio::time::pause();
    let answer = server.call("createCase").body(crate::slow_bodies::endless()).send().await;
    insta::assert_json_snapshot!("refused_408", shown(&answer));
    answer.refused(408);
}

#[tokio::test]
async fn an_unready_server_refuses_as_its_snapshot_shows() {
    let server = Server::start_unready().await;
    let answer = server.call("getCases").send().await;
    insta::assert_json_snapshot!("refused_503", shown(&answer));
    answer.refused(503);
}
