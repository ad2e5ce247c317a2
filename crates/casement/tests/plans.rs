//! Plans of tasks: what they depend on, whether their case needs them, their checklists, and what follows for closing.

use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::server::{STREAM, Server, update_of};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn planned(server: &Server, task: &Value, body: Value) -> Value {
    let path = format!("tasks/{}/plan", id(task));
    call(server, "PATCH", &path).json(&body).send().await.document()
}

fn id(document: &Value) -> &str {
    document["_id"].as_str().unwrap()
}

async fn case_with_tasks(server: &Server, names: &[&str]) -> (Value, Vec<Value>) {
    let case = server.create_case(json!({})).await;
    let mut tasks = Vec::new();
    for name in names {
        tasks.push(server.create_task(&case, json!({"name": name})).await);
    }
    (case, tasks)
}

#[tokio::test]
async fn a_task_ends_only_after_those_that_it_depends_on() {
    let server = Server::start().await;
    let (case, tasks) = case_with_tasks(&server, &["Order", "Pay", "Send"]).await;
    let plan =
        planned(&server, &tasks[2], json!({"dependsOn": ["TS000100", id(&tasks[1]), "TS000101"]})).await;
    insta::assert_json_snapshot!("task_plan", plan);
    let resolve = update_of("updateTask", &tasks[2]);
    let answer = server.post(&resolve, json!({"status": "Resolved"})).await;
    assert_eq!(answer.refused(409), ["status"]);
    assert!(answer.json().to_string().contains("TS000100, TS000101"), "{}", answer.json());
    // Another change of it is nobody's business, and a deleted task is waited for no more.
    server.update_task(&tasks[2], json!({"priority": "High"})).await;
    server.update_task(&tasks[0], json!({"status": "Resolved"})).await;
    call(&server, "DELETE", &format!("tasks/{}", id(&tasks[1]))).send().await.document();
    server.update_task(&tasks[2], json!({"status": "Resolved"})).await;
    // What it waited for may be opened again; that opens nothing else.
    server.update_task(&tasks[0], json!({"status": "Open"})).await;
    let page = call(&server, "GET", &format!("cases/{}/plan", id(&case))).send().await.document();
    let shown: Vec<(&Value, &Value)> =
        page["results"].as_array().unwrap().iter().map(|task| (&task["refId"], &task["isOver"])).collect();
    assert_eq!(shown, [(&json!("TS000100"), &json!(false)), (&json!("TS000102"), &json!(true))]);
}

#[tokio::test]
async fn tasks_never_wait_for_one_another() {
    let server = Server::start().await;
    let (case, tasks) = case_with_tasks(&server, &["A", "B", "C"]).await;
    planned(&server, &tasks[0], json!({"dependsOn": ["TS000101"]})).await;
    planned(&server, &tasks[1], json!({"dependsOn": ["TS000102"]})).await;
    let path = format!("tasks/{}/plan", id(&tasks[2]));
    let answer = call(&server, "PATCH", &path).json(&json!({"dependsOn": ["TS000100"]})).send().await;
    assert_eq!(answer.refused(409), ["dependsOn"]);
    assert!(answer.json().to_string().contains("TS000100, TS000101, TS000102"), "{}", answer.json());
    // The case's plan puts each behind what it waits for.
    let page = call(&server, "GET", &format!("cases/{}/plan", id(&case))).send().await.document();
    let order: Vec<&str> =
        page["results"].as_array().unwrap().iter().map(|task| task["refId"].as_str().unwrap()).collect();
    assert_eq!(order, ["TS000102", "TS000101", "TS000100"]);
    // Nor by a task that comes back.
    call(&server, "DELETE", &format!("tasks/{}", id(&tasks[1]))).send().await.document();
    planned(&server, &tasks[2], json!({"dependsOn": ["TS000100"]})).await;
    let restore = call(&server, "POST", &format!("tasks/{}/restore", id(&tasks[1]))).send().await;
    assert_eq!(restore.refused(409), ["dependsOn"]);
    planned(&server, &tasks[2], json!({"dependsOn": []})).await;
    call(&server, "POST", &format!("tasks/{}/restore", id(&tasks[1]))).send().await.document();
    // Nor by way of an undoing: B waits for nothing, C for A, and then B's former plan comes back.
    planned(&server, &tasks[1], json!({"dependsOn": null})).await;
    planned(&server, &tasks[2], json!({"dependsOn": ["TS000100"]})).await;
    let undo = format!("tasks/{}/events/5/undo", id(&tasks[1]));
    assert_eq!(call(&server, "POST", &undo).send().await.refused(409), ["dependsOn"]);
}

#[tokio::test]
async fn two_plans_at_once_make_no_circle() {
    let server = Server::start().await;
    for _ in 0..10 {
        let (_, tasks) = case_with_tasks(&server, &["A", "B"]).await;
        let wait = |one: &Value, other: &Value| {
            let body = json!({"dependsOn": [id(other)]});
            call(&server, "PATCH", &format!("tasks/{}/plan", id(one))).json(&body).send()
        };
        let (one, other) = tokio::join!(wait(&tasks[0], &tasks[1]), wait(&tasks[1], &tasks[0]));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test]
async fn a_checklist_is_done_before_its_task_ends() {
    let server = Server::start().await;
    let (_, tasks) = case_with_tasks(&server, &["Pack"]).await;
    let plan = planned(&server, &tasks[0], json!({"checklist": [{"text": " Box "}, {"text": "Tape"}]})).await;
    assert_eq!((&plan["isBlocked"], &plan["checklist"][0]["text"]), (&json!(true), &json!("Box")));
    let resolve = update_of("updateTask", &tasks[0]);
    assert_eq!(server.post(&resolve, json!({"status": "Closed"})).await.refused(409), ["status"]);
    // Lines are known by their ids: the rest of a line stays, and those that are not named go.
    let (box_id, tape_id) = (&plan["checklist"][0]["_id"], &plan["checklist"][1]["_id"]);
    let lines = json!({"checklist": [{"_id": tape_id, "isDone": true}, {"text": "Stamp", "isDone": true}]});
    let plan = planned(&server, &tasks[0], lines).await;
    assert_eq!((&plan["checklist"][0]["text"], &plan["checklist"][0]["_id"]), (&json!("Tape"), tape_id));
    assert_eq!((&plan["isBlocked"], plan["checklist"].as_array().unwrap().len()), (&json!(false), 2));
    let path = format!("tasks/{}/plan", id(&tasks[0]));
    let gone = call(&server, "PATCH", &path).json(&json!({"checklist": [{"_id": box_id}]}));
    assert_eq!(gone.refused(400).await, ["checklist[0]"]);
    server.update_task(&tasks[0], json!({"status": "Closed"})).await;
}

#[tokio::test]
async fn a_case_is_not_closed_over_a_required_task() {
    let server = Server::start().await;
    server.case_template("Loose", |template| template.closes_with_open_tasks = true).await;
    let case = server.create_case(json!({"caseTmp": "Loose"})).await;
    let tasks = [
        server.create_task(&case, json!({"name": "Optional"})).await,
        server.create_task(&case, json!({"name": "Needed"})).await,
    ];
    planned(&server, &tasks[1], json!({"isRequired": true})).await;
    let close = update_of("updateCase", &case);
    let answer = server.post(&close, json!({"status": "Closed"})).await;
    assert_eq!(answer.refused(409), ["status"]);
    let told = answer.json().to_string();
    assert!(told.contains("TS000101") && !told.contains("TS000100"), "{told}");
    planned(&server, &tasks[1], json!({"isRequired": null})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    let path = format!("tasks/{}/plan", id(&tasks[1]));
    call(&server, "PATCH", &path).json(&json!({"isRequired": true})).refused(409).await;
}

#[tokio::test]
async fn every_fault_of_a_plan_is_named() {
    let server = Server::start().await;
    let (_, tasks) = case_with_tasks(&server, &["A"]).await;
    let (_, others) = case_with_tasks(&server, &["Elsewhere"]).await;
    let path = format!("tasks/{}/plan", id(&tasks[0]));
    let body = json!({
        "dependsOn": [id(&others[0]), "TS000100", "TS000999", 1],
        "isRequired": "yes",
        "checklist": [{"text": ""}, {"text": "x".repeat(513)}, 5, {"text": "a", "isDone": 1}],
    });
    let faults = call(&server, "PATCH", &path).json(&body).refused(400).await;
    assert_eq!(faults, ["dependsOn[3]", "isRequired", "checklist[2]", "checklist[3]"]);
    let body = json!({
        "dependsOn": [id(&others[0]), "TS000100", "TS000999"],
        "checklist": [{"text": ""}, {"text": "x".repeat(513)}, {"_id": "ck-1"}],
    });
    let faults = call(&server, "PATCH", &path).json(&body).refused(400).await;
    assert_eq!(
        faults,
        ["dependsOn[0]", "dependsOn[1]", "dependsOn[2]", "checklist[0]", "checklist[1]", "checklist[2]"]
    );
    let many: Vec<Value> = (0..101).map(|line| json!({"text": line.to_string()})).collect();
    let body = json!({"dependsOn": vec!["TS000101"; 51], "checklist": many});
    assert_eq!(call(&server, "PATCH", &path).json(&body).refused(400).await, ["dependsOn", "checklist"]);
    call(&server, "PATCH", "tasks/ti-1/plan").json(&json!({})).refused(404).await;
    call(&server, "GET", "tasks/ti-1/plan").refused(404).await;
    call(&server, "GET", "cases/ci-1/plan").refused(404).await;
}

#[tokio::test]
async fn a_plan_is_changed_once_and_under_its_version() {
    let server = Server::start().await;
    let (_, tasks) = case_with_tasks(&server, &["A"]).await;
    let path = format!("tasks/{}/plan", id(&tasks[0]));
    let body = json!({"isRequired": true});
    let send = || call(&server, "PATCH", &path).header("idempotency-key", "p-1").json(&body).send();
    let first = send().await;
    planned(&server, &tasks[0], json!({"isRequired": false})).await;
    let again = send().await;
    assert_eq!((again.header("idempotent-replayed"), again.document()), (Some("true"), first.document()));
    assert_eq!(call(&server, "GET", &path).send().await.document()["isRequired"], false);
    // What changes nothing makes no version.
    let same = call(&server, "PATCH", &path).json(&json!({"isRequired": false})).send().await;
    assert_eq!(same.header("etag"), Some("\"v3\""));
    call(&server, "PATCH", &path).header("if-match", "\"v2\"").json(&body).refused(412).await;
    // The public API shows a task as before.
    let listed = server.post("getTasks", json!({})).await.document()["results"][0].clone();
    assert!(listed.get("plan").is_none() && listed.get("checklist").is_none());
}
