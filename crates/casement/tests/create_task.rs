//! Contract sections 4 and 8: what createTask requires, takes and refuses.

use serde_json::{Value, json};

use crate::harness::server::{ABSENT, DAY_MS, START_MS, Server, keys};

async fn assert_refused(server: &Server, case: &Value, changes: Value, status: u16, fields: &[&str]) {
    let body = server.task_body(case, changes.clone());
    assert_eq!(server.refused("createTask", &body, status).await, fields, "{changes}");
}

#[tokio::test]
async fn each_required_key_is_missed_when_absent_when_null_and_of_a_wrong_type() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for key in ["caseId", "caseRefId", "userInfo", "source"] {
        for wrong in [json!(ABSENT), json!(null), json!(7), json!([])] {
            assert_refused(&server, &case, json!({key: wrong}), 400, &[key]).await;
        }
    }
    assert_refused(&server, &case, json!({"userInfo": {"name": "x"}}), 400, &["emailId"]).await;
    for key in ["name", "desc", "taskTmp", "emailId", "phoneNumber"] {
        assert_refused(&server, &case, json!({key: 7}), 400, &[key]).await;
    }
    assert_refused(&server, &case, json!({"source": ""}), 400, &["source"]).await;
    assert_refused(&server, &case, json!({"name": "  "}), 400, &["name"]).await;
    assert_refused(&server, &case, json!({"name": "x".repeat(513)}), 400, &["name"]).await;
    assert_refused(&server, &case, json!({"desc": "x".repeat(65_537)}), 400, &["desc"]).await;
    assert_eq!(server.post("getTasks", json!({})).await.document()["totalResults"], 0);
    let empty = server.refused("createTask", &json!({}), 400).await;
    for key in ["caseId", "caseRefId", "userInfo", "source"] {
        assert!(empty.iter().any(|field| field == key), "{empty:?}");
    }
}

#[tokio::test]
async fn id_and_reference_id_must_name_the_same_case() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let other = server.create_case(json!({})).await;
    for wrong in [other["refId"].clone(), json!("CS000999"), json!("cs000100"), json!("100"), json!("")] {
        assert_refused(&server, &case, json!({"caseRefId": wrong}), 400, &["caseRefId"]).await;
    }
}

#[tokio::test]
async fn an_unknown_case_is_a_404() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for id in ["ci-unknown", "CS000100", &"x".repeat(5000)] {
        assert_refused(&server, &case, json!({"caseId": id}), 404, &["caseId"]).await;
    }
}

#[tokio::test]
async fn a_closed_or_deleted_case_takes_no_new_tasks() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    assert_refused(&server, &case, json!({}), 409, &["caseId"]).await;
    server.update_case(&case, json!({"status": "Resolved"})).await;
    server.create_task(&case, json!({"status": "Closed"})).await;
    server.update_case(&case, json!({"isActive": false})).await;
    assert_refused(&server, &case, json!({}), 409, &["caseId"]).await;
}

#[tokio::test]
async fn the_template_is_named_by_id_or_exactly_by_name() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for right in [server.workspace.task_templates[0].id.as_str(), "Follow-up"] {
        let task = server.create_task(&case, json!({"taskTmp": right})).await;
        assert_eq!((&task["taskTmp"], &task["isCustTsk"]), (&json!("Follow-up"), &json!(false)));
    }
    for wrong in ["follow-up", "General", "ttm-unknown", ""] {
        assert_refused(&server, &case, json!({"taskTmp": wrong}), 400, &["taskTmp"]).await;
    }
    server.task_template("Off", |template| template.active = false).await;
    assert_refused(&server, &case, json!({"taskTmp": "Off"}), 422, &["taskTmp"]).await;
}

#[tokio::test]
async fn without_a_template_the_case_must_support_custom_tasks_and_a_name_is_required() {
    let server = Server::start().await;
    server.case_template("Strict", |template| template.custom_tasks = false).await;
    let strict = server.create_case(json!({"caseTmp": "Strict"})).await;
    assert_eq!(strict["supportCustomTasks"], false);
    let case = server.create_case(json!({})).await;
    for absent in [json!(ABSENT), json!(null)] {
        assert_refused(&server, &strict, json!({"taskTmp": absent}), 400, &["taskTmp"]).await;
        let task = server.create_task(&case, json!({"taskTmp": absent})).await;
        assert_eq!((&task["taskTmp"], &task["isCustTsk"]), (&json!(""), &json!(true)));
        for name in [json!(ABSENT), json!(null)] {
            assert_refused(&server, &case, json!({"taskTmp": absent, "name": name}), 400, &["name"]).await;
        }
    }
}

#[tokio::test]
async fn a_new_task_has_the_defaults() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for absent in [json!(ABSENT), json!(null)] {
        let task = server.create_task(&case, json!({"name": absent, "desc": absent})).await;
        assert_eq!(
            (&task["name"], &task["lname"], &task["desc"]),
            (&json!("Follow-up"), &json!("follow-up"), &json!(""))
        );
        assert_eq!((&task["status"]["name"], &task["priority"]["name"]), (&json!("Open"), &json!("Medium")));
        assert_eq!((&task["ETA"], task.get("dueDate")), (&json!(""), None));
        assert_eq!((&task["assigneeType"], &task["currAssignee"]), (&json!("unassigned"), &json!({})));
        assert_eq!(task["conversationType"], "TASK");
    }
    let task = server.create_task(&case, json!({"userInfo": {"_id": "u-customer"}})).await;
    assert_eq!(task["userInfo"]["name"], "John");
}

#[tokio::test]
async fn a_task_has_the_keys_of_the_contract_and_none_of_a_case_alone() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task =
        server.create_task(&case, json!({"language": "de", "taskIds": ["x"], "caseTmp": "General"})).await;
    for key in ["caseTmp", "language", "supportCustomTasks", "tasks", "taskIds"] {
        assert!(task.get(key).is_none(), "{key}");
    }
    let own = ["caseId", "caseRefId", "taskTmp", "isCustTsk"];
    for key in keys(&task) {
        assert!(own.contains(&key) || case.get(key).is_some(), "{key}");
    }
    assert_eq!((&task["caseId"], &task["caseRefId"]), (&case["_id"], &case["refId"]));
}

#[tokio::test]
async fn a_new_task_changes_its_case_in_the_same_transaction() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    server.advance(1000);
    let before = server.events_total().await;
    let first = server.create_task(&case, json!({})).await;
    let second = server.create_task(&case, json!({})).await;
    assert_eq!(server.events_total().await, before + 4);
    let listed = server.listed_case(&case["_id"]).await.unwrap();
    assert_eq!(listed["taskIds"], json!([first["_id"], second["_id"]]));
    assert_eq!(listed["timestampValue"], START_MS + 1001);
    assert_eq!(listed["updatedBy"], second["createdBy"]);
    let events = server.events_of(case["_id"].as_str().unwrap()).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["case.created", "case.updated", "case.updated"]);
}

#[tokio::test]
async fn optional_keys_follow_the_rules_of_create_case() {
    let server = Server::start().await;
    server.custom_fields(&["Colour"]).await;
    server.queue("Second").await;
    let case = server.create_case(json!({})).await;
    let task = server
        .create_task(
            &case,
            json!({
                "desc": "why", "dueDate": "2026-12-24", "priority": "high", "status": {"name": "on-hold"}, "tags": ["t"],
                "fields": [{"_id": "fd-Colour", "selectedValue": "red"}], "channel": ["chat"], "queues": ["second"],
                "sessIds": ["s"], "convIds": ["c"],
            }),
        )
        .await;
    assert_eq!(task["ETA"], "2026-12-24T00:00:00.000Z");
    assert_eq!((&task["priority"]["name"], &task["status"]["name"]), (&json!("High"), &json!("On-Hold")));
    assert_eq!((&task["tags"], &task["channel"]), (&json!(["t"]), &json!(["chat"])));
    assert_eq!((&task["sessIds"], &task["convIds"]), (&json!(["s"]), &json!(["c"])));
    assert_eq!((&task["assigneeType"], &task["queues"][0]["name"]), (&json!("queues"), &json!("Second")));
    let values: Vec<(&str, Option<&Value>)> = task["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["displayName"].as_str().unwrap(), field.get("selectedValue")))
        .collect();
    assert_eq!(
        values,
        [
            ("Title", Some(&json!("Call back"))),
            ("Description", Some(&json!("why"))),
            ("Due Date", Some(&json!("2026-12-24T00:00:00.000Z"))),
            ("Colour", Some(&json!("red"))),
        ]
    );
    for (changes, field) in [
        (json!({"dueDate": "soon"}), "dueDate"),
        (json!({"priority": "none"}), "priority"),
        (json!({"tags": [""]}), "tags[0]"),
        (json!({"queues": ["none"]}), "queues[0]"),
        (json!({"currAssignee": {"aId": "none"}}), "currAssignee"),
    ] {
        assert_refused(&server, &case, changes, 400, &[field]).await;
    }
}

#[tokio::test]
async fn a_task_template_may_supply_the_due_date() {
    let server = Server::start().await;
    server.task_template("Dated", |template| template.default_due_ms = Some(DAY_MS)).await;
    let case = server.create_case(json!({})).await;
    assert_eq!(server.create_task(&case, json!({"taskTmp": "Dated"})).await["dueDate"], START_MS + DAY_MS);
    let given = server.create_task(&case, json!({"taskTmp": "Dated", "dueDate": START_MS + 1})).await;
    assert_eq!(given["dueDate"], START_MS + 1);
}

#[tokio::test]
async fn the_contact_of_a_tasks_customer_may_stand_inside_or_beside() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let beside = json!({"userInfo": {}, "emailId": "JOHN.DOE@example.com"});
    assert_eq!(server.create_task(&case, beside).await["userInfo"]["_id"], "u-customer");
    let inside = json!({"userInfo": {"phoneNumber": "9023980000"}});
    assert_eq!(server.create_task(&case, inside).await["userInfo"]["_id"], "u-customer");
}
