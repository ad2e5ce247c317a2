//! Contract section 9: the writable, identity and derived keys of updates, each for itself.

use serde_json::{Value, json};

use crate::harness::server::{ACCOUNT, ORGANISATION, STREAM, Server, update_of};

/// The operations with a document each, so that every rule is seen on cases and on tasks.
async fn documents(server: &Server) -> [(&'static str, Value); 2] {
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({"dueDate": "2026-12-24"})).await;
    // A task changes its case: the case as it is now.
    let case = server.listed_case(&case["_id"]).await.unwrap();
    [("updateCase", case), ("updateTask", task)]
}

async fn assert_refused(
    server: &Server,
    (operation, document): &(&str, Value),
    body: Value,
    status: u16,
    field: &str,
) {
    let path = update_of(operation, document);
    assert_eq!(server.refused(&path, &body, status).await, [field], "{operation} {body}");
}

async fn updated(server: &Server, (operation, document): &(&str, Value), body: Value) -> Value {
    server.post(&update_of(operation, document), body).await.document()
}

#[tokio::test]
async fn each_plain_key_is_writable_and_the_rest_stays() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        let mut before = pair.1.clone();
        for (key, value) in [
            ("name", json!("New name")),
            ("desc", json!("New text")),
            ("tags", json!(["a", "b"])),
            ("source", json!("email")),
            ("sessIds", json!(["s1"])),
            ("convIds", json!(["c1", "c2"])),
            ("channel", json!(["chat"])),
            ("attachments", json!([{"url": "x", "n": [1, null]}, "y"])),
            ("feedback", json!([{"stars": 5}])),
            ("resolutionCmts", json!(["done"])),
        ] {
            let after = updated(&server, pair, json!({key: value})).await;
            assert_eq!(after[key], value, "{key}");
            for (other, value) in before.as_object().unwrap() {
                let follows = ["updatedAt", "updatedBy", "timestampValue", "lname", "fields", key];
                if !follows.contains(&other.as_str()) {
                    assert_eq!(after[other], *value, "{key} changed {other}");
                }
            }
            assert!(after["timestampValue"].as_i64() > before["timestampValue"].as_i64());
            before = after;
        }
        assert_eq!(before["lname"], "new name");
    }
}

#[tokio::test]
async fn the_language_is_a_key_of_cases_alone() {
    let server = Server::start().await;
    let [case, task] = documents(&server).await;
    assert_eq!(updated(&server, &case, json!({"language": "english"})).await["language"], "english");
    for wrong in [json!(""), json!(7), json!(null), json!("x".repeat(65))] {
        assert_refused(&server, &case, json!({"language": wrong}), 400, "language").await;
        assert_eq!(updated(&server, &task, json!({"language": wrong})).await, task.1);
    }
}

#[tokio::test]
async fn null_is_refused_where_it_clears_nothing() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        for key in [
            "name",
            "desc",
            "tags",
            "userInfo",
            "status",
            "priority",
            "source",
            "fields",
            "queues",
            "assigneeType",
            "isActive",
            "sessIds",
            "convIds",
            "channel",
            "attachments",
            "feedback",
            "resolutionCmts",
            "participants",
            "_id",
            "accountId",
            "iId",
            "lid",
            "orgId",
            "refId",
            "conversationType",
            "createdAt",
            "createdBy",
        ] {
            assert_refused(&server, pair, json!({key: null}), 400, key).await;
        }
    }
    let [case, task] = documents(&server).await;
    assert_refused(&server, &case, json!({"caseTmp": null}), 400, "caseTmp").await;
    for key in ["taskTmp", "caseTmp", "caseId", "caseRefId"] {
        assert_refused(&server, &task, json!({key: null}), 400, key).await;
    }
}

#[tokio::test]
async fn every_writable_key_of_a_wrong_type_or_length_is_named() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        for (key, wrong) in [
            ("name", json!(7)),
            ("name", json!(" ")),
            ("name", json!("x".repeat(513))),
            ("desc", json!([])),
            ("desc", json!("x".repeat(65_537))),
            ("source", json!("")),
            ("source", json!("x".repeat(129))),
            ("tags", json!("x")),
            ("tags", json!(vec!["x"; 101])),
            ("sessIds", json!(vec!["x"; 101])),
            ("convIds", json!({})),
            ("channel", json!(vec!["x"; 101])),
            ("userInfo", json!("x")),
            ("status", json!(7)),
            ("status", json!("none")),
            ("priority", json!({})),
            ("fields", json!({})),
            ("queues", json!("x")),
            ("assigneeType", json!("nobody")),
            ("currAssignee", json!([])),
            ("dueDate", json!("soon")),
            ("dueDate", json!("")),
            ("ETA", json!("soon")),
            ("ETA", json!(true)),
            ("isActive", json!("false")),
            ("isActive", json!(0)),
            ("attachments", json!({})),
            ("feedback", json!(vec!["x"; 101])),
            ("resolutionCmts", json!(["x".repeat(16 * 1024)])),
            ("timestampValue", json!("1")),
            ("timestampValue", json!(true)),
            ("timestampValue", json!({})),
            ("participants", json!({})),
            ("createdBy", json!("x")),
            ("createdAt", json!("soon")),
            ("_id", json!(7)),
            ("accountId", json!({})),
        ] {
            assert_refused(&server, pair, json!({key: wrong}), 400, key).await;
        }
        for (key, wrong, entry) in [
            ("tags", json!(["a", "x".repeat(65)]), "tags[1]"),
            ("sessIds", json!(["x".repeat(129)]), "sessIds[0]"),
            ("channel", json!([7]), "channel[0]"),
            ("attachments", json!(["a", 7]), "attachments[1]"),
            ("feedback", json!([null]), "feedback[0]"),
            ("resolutionCmts", json!([[]]), "resolutionCmts[0]"),
            ("queues", json!(["none"]), "queues[0]"),
            ("fields", json!([{"name": "none"}]), "fields[0]"),
            ("userInfo", json!({"emailId": 7}), "userInfo.emailId"),
        ] {
            assert_refused(&server, pair, json!({key: wrong}), 400, entry).await;
        }
        let (_, document) = pair;
        let listed = match pair.0 {
            "updateCase" => server.listed_case(&document["_id"]).await,
            _ => server.listed_task(&document["_id"]).await,
        };
        assert_eq!(listed.as_ref(), Some(document));
    }
}

#[tokio::test]
async fn kept_lists_have_100_entries_and_16_kib_in_all() {
    let server = Server::start().await;
    let [case, _] = documents(&server).await;
    for key in ["attachments", "feedback", "resolutionCmts"] {
        updated(&server, &case, json!({key: vec!["x"; 100]})).await;
        // Two quotes belong to each text.
        updated(&server, &case, json!({key: ["x".repeat(8190), "y".repeat(8190)]})).await;
        assert_refused(&server, &case, json!({key: ["x".repeat(8190), "y".repeat(8191)]}), 400, key).await;
    }
}

#[tokio::test]
async fn identity_keys_may_repeat_what_is_stored() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        let (_, document) = pair;
        let kind = document["conversationType"].as_str().unwrap().to_lowercase();
        for same in [
            json!({"_id": document["_id"]}),
            json!({"accountId": ACCOUNT}),
            json!({"iId": STREAM}),
            json!({"lid": STREAM}),
            json!({"orgId": ORGANISATION}),
            json!({"refId": document["refId"]}),
            json!({"conversationType": kind}),
            json!({"createdAt": document["createdAt"]}),
            json!({"createdAt": "2026-11-22T15:30:00+05:30"}),
            json!({"createdAt": crate::harness::server::START_MS}),
            json!({"createdBy": document["createdBy"]}),
            json!({"createdBy": {"_id": document["createdBy"]["_id"], "name": "renamed"}}),
            json!({"createdBy": {}}),
            json!({"createdBy": {"name": "x"}}),
        ] {
            assert_eq!(updated(&server, pair, same.clone()).await, *document, "{same}");
        }
    }
    let [_, task] = documents(&server).await;
    let same = json!({"caseId": task.1["caseId"], "caseRefId": task.1["caseRefId"]});
    assert_eq!(updated(&server, &task, same).await, task.1);
}

#[tokio::test]
async fn a_different_identity_is_a_409_that_names_the_key() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        for (key, other) in [
            ("_id", json!("ci-other")),
            ("_id", json!("")),
            ("accountId", json!("6639f7bd58c97ffac0300002")),
            ("iId", json!("st-other")),
            ("lid", json!("st-other")),
            ("orgId", json!("o-other")),
            ("refId", json!("CS000999")),
            ("conversationType", json!("chat")),
            ("createdAt", json!("2026-11-22T10:00:00.001Z")),
            ("createdBy", json!({"_id": "u-other"})),
        ] {
            assert_refused(&server, pair, json!({key: other, "name": "New"}), 409, key).await;
        }
    }
    let [case, task] = documents(&server).await;
    let other = server.create_case(json!({})).await;
    assert_refused(&server, &task, json!({"caseId": other["_id"]}), 409, "caseId").await;
    assert_refused(&server, &task, json!({"caseRefId": other["refId"]}), 409, "caseRefId").await;
    // A case has no case: the keys are unknown there.
    assert_eq!(updated(&server, &case, json!({"caseId": "x", "caseRefId": 7})).await, case.1);
    let path = update_of("updateTask", &task.1);
    let fields = server.refused(&path, &json!({"_id": "x", "refId": "y", "orgId": "z"}), 409).await;
    assert_eq!(fields, ["_id", "orgId", "refId"]);
}

#[tokio::test]
async fn derived_keys_are_accepted_and_ignored_whatever_they_hold() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        for key in [
            "lname",
            "updatedAt",
            "updatedBy",
            "isBreached",
            "taskIds",
            "tasks",
            "activityIds",
            "commentIds",
            "supportCustomTasks",
            "isCustTsk",
        ] {
            for value in [json!(null), json!(7), json!("x"), json!(true), json!([]), json!({"a": 1})] {
                assert_eq!(updated(&server, pair, json!({key: value})).await, pair.1, "{key} {value}");
            }
        }
    }
}

#[tokio::test]
async fn the_stamp_names_a_version_and_is_never_stored() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        for stamp in
            [json!(null), json!(1), json!(-5), json!(1.5), json!(u64::MAX), pair.1["timestampValue"].clone()]
        {
            assert_eq!(updated(&server, pair, json!({"timestampValue": stamp})).await, pair.1, "{stamp}");
        }
    }
}

#[tokio::test]
async fn the_stamp_grows_strictly_also_when_the_clock_stands_or_goes_back() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let mut last = case["timestampValue"].as_i64().unwrap();
    for (number, step) in [0, 0, 1000, -5000, 0, 60_000].into_iter().enumerate() {
        server.advance(step);
        let after = server.update_case(&case, json!({"name": format!("Name {number}")})).await;
        let stamp = after["timestampValue"].as_i64().unwrap();
        assert!(stamp > last, "{stamp} after {last}");
        assert_eq!(after["createdAt"], case["createdAt"]);
        last = stamp;
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_event() {
    let server = Server::start().await;
    for pair in &documents(&server).await {
        let before = server.events_total().await;
        server.advance(1000);
        for same in [
            json!({}),
            json!({"unknown": 1}),
            json!({"name": pair.1["name"]}),
            json!({"status": "OPEN", "priority": {"name": "medium"}}),
            json!({"isActive": true}),
            json!({"tags": [], "queues": [], "currAssignee": {}, "assigneeType": "unassigned"}),
        ] {
            assert_eq!(updated(&server, pair, same).await, pair.1);
        }
        assert_eq!(server.events_total().await, before);
    }
}

#[tokio::test]
async fn every_answer_can_be_sent_back_whole_and_changes_nothing() {
    let server = Server::start().await;
    server.custom_fields(&["Colour"]).await;
    let agent = server.agent("Ann").await;
    let busy = server.task_template("Busy", |_| {}).await;
    server.case_template("Full", |template| template.tasks = vec![busy.id]).await;
    let full = json!({
        "fields": [{"_id": "fd-Colour", "selectedValue": "a [1]"}], "tags": ["t"], "currAssignee": {"aId": agent.id},
        "queues": ["Default"], "channel": ["c"], "status": "On-Hold",
    });
    let mut cases = vec![
        server.create_case(json!({})).await,
        server.create_case(json!({"caseTmp": "Full", "desc": ""})).await,
        server.create_case(full.clone()).await,
        server.create_case(json!({"queues": ["Default"]})).await,
        server.create_case(json!({"dueDate": "2020-01-01", "userInfo": {"phoneNumber": "1"}})).await,
    ];
    let bare = server.create_case(json!({})).await;
    cases.push(server.update_case(&bare, json!({"ETA": "", "feedback": [{"a": 1}]})).await);
    cases.push(server.update_case(&bare, json!({"currAssignee": {"name": "ann"}})).await);
    cases.push(server.update_case(&bare, json!({"currAssignee": {}, "isActive": false})).await);
    let mut tasks = Vec::new();
    for changes in
        [json!({}), full, json!({"taskTmp": "<absent>"}), json!({"dueDate": "2020-01-01", "desc": "x"})]
    {
        tasks.push(server.create_task(&cases[0], changes).await);
    }
    let gone = server.create_task(&cases[0], json!({})).await;
    tasks.push(server.update_task(&gone, json!({"isActive": false})).await);
    let before = server.events_total().await;
    server.advance(1000);
    // Of a document that changed twice only the last answer is what is stored.
    for case in cases.iter().filter(|case| case["_id"] != bare["_id"]).chain(cases.last()) {
        let again = server.update_case(case, case.clone()).await;
        assert_eq!(again["timestampValue"], server_stamp(&server, case).await);
        assert_eq!(again["name"], case["name"]);
    }
    for task in &tasks {
        assert_eq!(server.update_task(task, task.clone()).await, *task);
    }
    for listed in server.post("getCases", json!({})).await.document()["results"].as_array().unwrap() {
        assert_eq!(server.update_case(listed, listed.clone()).await, *listed);
    }
    assert_eq!(server.events_total().await, before);
}

/// Gives the stamp that is stored, by an update of nothing.
async fn server_stamp(server: &Server, case: &Value) -> Value {
    server.update_case(case, json!({})).await["timestampValue"].clone()
}

#[tokio::test]
async fn a_whole_document_with_one_change_changes_that_alone() {
    let server = Server::start().await;
    let agent = server.agent("Ann").await;
    let case = server.create_case(json!({"queues": ["Default"]})).await;
    for (key, value) in [
        ("name", json!("Other")),
        ("desc", json!("Other")),
        ("tags", json!(["x"])),
        ("status", json!({"name": "On-Hold"})),
        ("dueDate", json!(1_900_000_000_000_i64)),
        ("ETA", json!("2031-01-01T00:00:00.000Z")),
        ("currAssignee", json!({"aId": agent.id})),
        ("queues", json!([])),
        ("isActive", json!(false)),
    ] {
        let mut whole = server.update_case(&case, json!({})).await;
        if whole["isActive"] == true {
            whole[key] = value.clone();
            let after = server.update_case(&case, whole).await;
            match key {
                "status" => assert_eq!(after[key]["name"], value["name"]),
                "currAssignee" => assert_eq!(after[key]["aId"], value["aId"]),
                _ => assert_eq!(after[key], value, "{key}"),
            }
        }
    }
}
