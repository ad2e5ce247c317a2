//! Contract sections 9 and 11.5: statuses, open tasks, deletion and restoring, and what they do to tasks.

use serde_json::{Value, json};

use crate::harness::server::{Server, update_of};

async fn kinds(server: &Server, document: &Value) -> Vec<String> {
    let events = server.events_of(document["_id"].as_str().unwrap()).await;
    events.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn any_enabled_status_may_follow_any_other() {
    let server = Server::start().await;
    server.disabled_status("Frozen").await;
    let case = server.create_case(json!({})).await;
    let names = ["Open", "In-Progress", "On-Hold", "Resolved", "Closed"];
    for from in names {
        for to in names {
            server.update_case(&case, json!({"status": from})).await;
            let after = server.update_case(&case, json!({"status": {"name": to.to_lowercase()}})).await;
            assert_eq!(after["status"]["name"], to);
        }
    }
    let path = update_of("updateCase", &case);
    assert_eq!(server.refused(&path, &json!({"status": "Frozen"}), 422).await, ["status"]);
}

#[tokio::test]
async fn the_id_of_a_status_or_priority_decides_and_other_sub_keys_are_ignored() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let hold = &server.workspace.statuses[2];
    let status =
        json!({"_id": hold.id, "name": "Closed", "statusCategory": "closed", "isActive": 7, "lname": null});
    assert_eq!(server.update_case(&case, json!({"status": status})).await["status"]["name"], "On-Hold");
    let low = &server.workspace.priorities[0];
    let priority = json!({"_id": low.id, "name": "Critical", "score": 99, "color": "#000000"});
    let after = server.update_case(&case, json!({"priority": priority})).await;
    assert_eq!((&after["priority"]["name"], &after["priority"]["score"]), (&json!("Low"), &json!(5)));
}

#[tokio::test]
async fn leaving_resolved_or_closed_counts_as_a_reopening() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for status in ["Resolved", "Closed", "In-Progress", "Open", "Closed", "Resolved", "On-Hold"] {
        server.update_case(&case, json!({"status": status})).await;
    }
    assert_eq!(
        kinds(&server, &case).await,
        [
            "case.created",
            "case.updated",
            "case.updated",
            "case.reopened",
            "case.updated",
            "case.updated",
            "case.updated",
            "case.reopened",
        ]
    );
}

#[tokio::test]
async fn a_case_with_an_open_task_can_not_be_closed() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let first = server.create_task(&case, json!({})).await;
    let second = server.create_task(&case, json!({"status": "On-Hold"})).await;
    let resolved = server.create_task(&case, json!({"status": "Resolved"})).await;
    let path = update_of("updateCase", &case);
    let answer = server.post(&path, json!({"status": "Closed"})).await;
    assert_eq!(answer.refused(409), ["status"]);
    let message = answer.json()["errors"][0]["msg"].as_str().unwrap().to_owned();
    for (task, named) in [(&first, true), (&second, true), (&resolved, false)] {
        assert_eq!(message.contains(task["refId"].as_str().unwrap()), named, "{message}");
    }
    assert_eq!(server.listed_case(&case["_id"]).await.unwrap()["status"]["name"], "Open");
    server.update_case(&case, json!({"status": "Resolved"})).await;
    server.refused(&path, &json!({"status": "Closed"}), 409).await;
    server.update_task(&first, json!({"status": "Closed"})).await;
    server.update_task(&second, json!({"isActive": false})).await;
    assert_eq!(server.update_case(&case, json!({"status": "Closed"})).await["status"]["name"], "Closed");
}

#[tokio::test]
async fn a_template_may_allow_closing_with_open_tasks() {
    let server = Server::start().await;
    server.case_template("Loose", |template| template.closes_with_open_tasks = true).await;
    let case = server.create_case(json!({"caseTmp": "Loose"})).await;
    let task = server.create_task(&case, json!({})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    let path = update_of("updateTask", &task);
    server.refused(&path, &json!({"name": "New"}), 409).await;
    server.refused(&path, &json!({"status": "Closed"}), 409).await;
    server.refused(&path, &json!({"isActive": false}), 409).await;
    // What changes nothing is no change.
    assert_eq!(server.update_task(&task, json!({"name": task["name"]})).await, task);
    server.update_case(&case, json!({"status": "Open"})).await;
    assert_eq!(server.update_task(&task, json!({"name": "New"})).await["name"], "New");
}

#[tokio::test]
async fn a_closed_case_can_be_edited_and_reopened() {
    let server = Server::start().await;
    let case = server.create_case(json!({"status": "Closed"})).await;
    assert_eq!(server.update_case(&case, json!({"desc": "later"})).await["desc"], "later");
    assert_eq!(server.update_case(&case, json!({"status": "Open"})).await["status"]["name"], "Open");
}

#[tokio::test]
async fn a_deleted_case_is_kept_and_not_listed_and_can_be_restored() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let path = update_of("updateCase", &case);
    let deleted = server.update_case(&case, json!({"isActive": false})).await;
    assert_eq!(deleted["isActive"], false);
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], 0);
    assert_eq!(server.refused(&path, &json!({"name": "New"}), 409).await, ["isActive"]);
    assert_eq!(server.refused(&path, &json!({"name": "New", "isActive": false}), 409).await, ["isActive"]);
    assert_eq!(server.update_case(&case, json!({"isActive": false, "name": case["name"]})).await, deleted);
    let restored = server.update_case(&case, json!({"isActive": true, "name": "New"})).await;
    assert_eq!((&restored["isActive"], &restored["name"]), (&json!(true), &json!("New")));
    assert_eq!(server.listed_case(&case["_id"]).await, Some(restored));
    assert_eq!(kinds(&server, &case).await, ["case.created", "case.deleted", "case.restored"]);
}

#[tokio::test]
async fn tasks_of_a_deleted_case_are_not_listed_and_do_not_change() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let other = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    let kept = server.create_task(&other, json!({})).await;
    server.update_case(&case, json!({"isActive": false})).await;
    let listed = server.post("getTasks", json!({})).await.document();
    assert_eq!((&listed["totalResults"], &listed["results"][0]["_id"]), (&json!(1), &kept["_id"]));
    for filter in [json!({"caseId": case["_id"]}), json!({"caseRefId": case["refId"]})] {
        assert_eq!(server.post("getTasks", filter).await.document()["totalResults"], 0);
    }
    server.refused(&update_of("updateTask", &task), &json!({"name": "New"}), 409).await;
    server.update_case(&case, json!({"isActive": true})).await;
    assert_eq!(server.listed_task(&task["_id"]).await, Some(task));
}

#[tokio::test]
async fn a_deleted_task_leaves_its_case_and_a_restored_one_is_appended() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let first = server.create_task(&case, json!({})).await;
    let second = server.create_task(&case, json!({})).await;
    let before = server.events_total().await;
    let deleted = server.update_task(&first, json!({"isActive": false})).await;
    assert_eq!((&deleted["isActive"], server.events_total().await), (&json!(false), before + 2));
    let listed = server.listed_case(&case["_id"]).await.unwrap();
    assert_eq!(listed["taskIds"], json!([second["_id"]]));
    assert_eq!(server.listed_task(&first["_id"]).await, None);
    assert_eq!(
        server.refused(&update_of("updateTask", &first), &json!({"name": "New"}), 409).await,
        ["isActive"]
    );
    server.update_task(&first, json!({"isActive": true})).await;
    let restored = server.listed_case(&case["_id"]).await.unwrap();
    assert_eq!(restored["taskIds"], json!([second["_id"], first["_id"]]));
    assert!(restored["timestampValue"].as_i64() > listed["timestampValue"].as_i64());
    assert_eq!(kinds(&server, &first).await, ["task.created", "task.deleted", "task.restored"]);
}

#[tokio::test]
async fn a_task_has_the_lifecycle_of_a_case() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    for status in ["Closed", "Open", "Resolved", "In-Progress"] {
        assert_eq!(server.update_task(&task, json!({"status": status})).await["status"]["name"], status);
    }
    assert_eq!(
        kinds(&server, &task).await,
        ["task.created", "task.updated", "task.reopened", "task.updated", "task.reopened"]
    );
}

#[tokio::test]
async fn reference_ids_begin_at_100_and_have_neither_gaps_nor_repeats() {
    let server = Server::start().await;
    let first = server.create_case(json!({})).await;
    assert_eq!(first["refId"], "CS000100");
    server.refused("createCase", &server.case_body(json!({"name": ""})), 400).await;
    assert_eq!(server.create_case(json!({})).await["refId"], "CS000101");
    server.update_case(&first, json!({"isActive": false})).await;
    assert_eq!(server.create_case(json!({})).await["refId"], "CS000102");
    assert_eq!(
        server.create_task(&server.create_case(json!({})).await, json!({})).await["refId"],
        "TS000100"
    );
    let bodies: Vec<Value> =
        (0..30).map(|number| server.case_body(json!({"name": format!("n{number}")}))).collect();
    let mut writes = tokio::task::JoinSet::new();
    for body in bodies {
        let router = server.router.clone();
        let token = crate::harness::token::of(&server.jwt, &json!({}));
        let path =
            format!("/caseManagement/api/public/analytics/{}/createCase", crate::harness::server::STREAM);
        let request = axum::http::Request::post(path)
            .header("auth", token)
            .body(axum::body::Body::from(body.to_string()));
        writes.spawn(tower::ServiceExt::oneshot(router, request.unwrap()));
    }
    while let Some(written) = writes.join_next().await {
        assert_eq!(written.unwrap().unwrap().status(), 200);
    }
    let page = server.post("getCases", json!({"sortBy": {"refId": "asc"}, "limit": 500})).await.document();
    let numbers: Vec<String> = page["results"].as_array().unwrap()[2..]
        .iter()
        .map(|case| case["refId"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (103..134).map(|number| format!("CS{number:06}")).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn ids_have_the_prefix_of_their_sort() {
    let server = Server::start().await;
    let case = server.create_case(json!({"userInfo": {}, "queues": ["Default"]})).await;
    let task = server.create_task(&case, json!({})).await;
    for (id, prefix) in [
        (&case["_id"], "ci-"),
        (&task["_id"], "ti-"),
        (&case["status"]["_id"], "sts-"),
        (&case["priority"]["_id"], "pr-"),
        (&case["fields"][0]["_id"], "fd-"),
        (&case["userInfo"]["_id"], "u-"),
        (&case["queues"][0]["_id"], "qu-"),
        (&case["createdBy"]["_id"], "u-"),
    ] {
        let id = id.as_str().unwrap();
        let groups: Vec<usize> = id.strip_prefix(prefix).unwrap().split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
        assert!(id[prefix.len()..].chars().all(|digit| matches!(digit, '-' | '0'..='9' | 'a'..='f')), "{id}");
    }
}
