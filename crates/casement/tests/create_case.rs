//! Contract section 5: what createCase requires, takes and refuses, key by key.

use serde_json::{Value, json};

use crate::harness::server::{ABSENT, DAY_MS, DUE, START_MS, Server};

/// Sends the usual body with one key changed. Gives the fields at fault, none for a success.
async fn faults(server: &Server, key: &str, value: &Value) -> Vec<String> {
    let body = server.case_body(json!({key: value}));
    let before = server.events_total().await;
    let answer = server.post("createCase", body).await;
    match answer.status {
        200 => Vec::new(),
        status => {
            assert_eq!(server.events_total().await, before, "a refused case left something");
            answer.refused(status)
        }
    }
}

async fn assert_taken(server: &Server, key: &str, values: &[Value]) {
    for value in values {
        assert!(faults(server, key, value).await.is_empty(), "{key}: {value} must be taken");
    }
}

async fn assert_refused(server: &Server, key: &str, field: &str, values: &[Value]) {
    for value in values {
        assert_eq!(faults(server, key, value).await, [field], "{key}: {value} must be refused");
    }
}

#[tokio::test]
async fn each_required_key_is_missed_when_absent_and_when_null() {
    let server = Server::start().await;
    for key in ["caseTmp", "name", "desc", "userInfo", "source", "dueDate"] {
        assert_refused(&server, key, key, &[json!(ABSENT), json!(null)]).await;
    }
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], 0);
}

#[tokio::test]
async fn every_key_of_a_wrong_type_is_named() {
    let server = Server::start().await;
    let strings = ["caseTmp", "name", "desc", "source", "language", "emailId", "phoneNumber", "assigneeType"];
    for key in strings {
        assert_refused(&server, key, key, &[json!(7), json!(true), json!([]), json!({})]).await;
    }
    for key in ["tags", "fields", "channel", "queues", "sessIds", "convIds"] {
        assert_refused(&server, key, key, &[json!(7), json!("x"), json!(true), json!({})]).await;
        let entry = format!("{key}[0]");
        assert_refused(&server, key, &entry, &[json!([7]), json!([null]), json!([[]])]).await;
    }
    assert_refused(&server, "userInfo", "userInfo", &[json!(7), json!("u-1"), json!([])]).await;
    assert_refused(&server, "currAssignee", "currAssignee", &[json!(7), json!("a-1"), json!([])]).await;
    for key in ["status", "priority"] {
        assert_refused(&server, key, key, &[json!(7), json!(true), json!([]), json!({}), json!("")]).await;
        assert_refused(&server, key, key, &[json!({"_id": 7}), json!({"name": []})]).await;
    }
    assert_refused(&server, "dueDate", "dueDate", &[json!(true), json!([]), json!({})]).await;
}

#[tokio::test]
async fn null_means_absent_for_every_key_that_is_not_required() {
    let server = Server::start().await;
    let plain = server.create_case(json!({})).await;
    for key in [
        "priority",
        "status",
        "tags",
        "fields",
        "channel",
        "queues",
        "sessIds",
        "convIds",
        "language",
        "assigneeType",
        "currAssignee",
        "ETA",
    ] {
        let case = server.create_case(json!({key: null})).await;
        assert_eq!(case.get(key), plain.get(key), "{key}");
    }
}

#[tokio::test]
async fn the_template_is_named_by_id_or_exactly_by_name() {
    let server = Server::start().await;
    let id = server.workspace.case_templates[0].id.as_str();
    for right in [id, "General"] {
        assert_eq!(server.create_case(json!({"caseTmp": right})).await["caseTmp"], "General");
    }
    let wrong = [json!("general"), json!("General "), json!(""), json!("ctm-unknown"), json!("Follow-up")];
    assert_refused(&server, "caseTmp", "caseTmp", &wrong).await;
}

#[tokio::test]
async fn a_template_that_is_switched_off_is_a_422() {
    let server = Server::start().await;
    let template = server.case_template("Old", |template| template.active = false).await;
    for name in [template.id.as_str(), "Old"] {
        assert_eq!(
            server.refused("createCase", &server.case_body(json!({"caseTmp": name})), 422).await,
            ["caseTmp"]
        );
    }
    let with_400 = server.case_body(json!({"caseTmp": "Old", "source": 7}));
    let mut fields = server.refused("createCase", &with_400, 400).await;
    fields.sort();
    assert_eq!(fields, ["caseTmp", "source"]);
}

#[tokio::test]
async fn the_name_is_trimmed_and_has_1_to_512_characters() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "\u{3000}  Ünïcode Name \n"})).await;
    assert_eq!((case["name"].as_str(), case["lname"].as_str()), (Some("Ünïcode Name"), Some("ünïcode name")));
    let padded = format!("  {}  ", "x".repeat(512));
    assert_taken(
        &server,
        "name",
        &[json!("x"), json!("x".repeat(512)), json!("😀".repeat(512)), json!(padded)],
    )
    .await;
    let wrong = [json!(""), json!("  \t\u{a0}\u{2028}"), json!("x".repeat(513)), json!("😀".repeat(513))];
    assert_refused(&server, "name", "name", &wrong).await;
    assert_eq!(server.create_case(json!({"lname": "mine"})).await["lname"], "printer on fire");
}

#[tokio::test]
async fn the_description_may_be_empty_and_has_at_most_64_kib() {
    let server = Server::start().await;
    assert_taken(&server, "desc", &[json!(""), json!("x".repeat(65_536)), json!("é".repeat(32_768))]).await;
    assert_refused(&server, "desc", "desc", &[json!("x".repeat(65_537)), json!("é".repeat(32_769))]).await;
    assert_eq!(server.create_case(json!({"desc": " kept as it is "})).await["desc"], " kept as it is ");
}

#[tokio::test]
async fn source_and_language_have_their_lengths() {
    let server = Server::start().await;
    assert_taken(&server, "source", &[json!("x"), json!("é".repeat(128))]).await;
    assert_refused(&server, "source", "source", &[json!(""), json!("x".repeat(129))]).await;
    assert_taken(&server, "language", &[json!("english"), json!("é".repeat(64))]).await;
    assert_refused(&server, "language", "language", &[json!(""), json!("x".repeat(65))]).await;
}

#[tokio::test]
async fn lists_of_texts_have_their_limits() {
    let server = Server::start().await;
    for (key, characters_max) in [("tags", 64), ("sessIds", 128), ("convIds", 128), ("channel", 128)] {
        let longest = "é".repeat(characters_max);
        let full = vec![json!(longest); 100];
        assert_taken(&server, key, &[json!([]), json!(["a", "b"]), Value::Array(full.clone())]).await;
        let over = [full, vec![json!("x")]].concat();
        assert_refused(&server, key, key, &[Value::Array(over)]).await;
        let entry = format!("{key}[1]");
        assert_refused(
            &server,
            key,
            &entry,
            &[json!(["a", "x".repeat(characters_max + 1)]), json!(["a", ""])],
        )
        .await;
        assert_eq!(server.create_case(json!({key: ["b", "a", "b"]})).await[key], json!(["b", "a", "b"]));
    }
}

#[tokio::test]
async fn the_due_date_is_iso_8601_or_milliseconds_and_may_be_past() {
    let server = Server::start().await;
    for (date, eta) in [
        (json!("2026-12-24T18:00:00.000Z"), "2026-12-24T18:00:00.000Z"),
        (json!("2026-12-24T18:00:00.123999Z"), "2026-12-24T18:00:00.123Z"),
        (json!("2026-12-24T18:00Z"), "2026-12-24T18:00:00.000Z"),
        (json!("2026-12-24T23:30:00+05:30"), "2026-12-24T18:00:00.000Z"),
        (json!("2026-12-24T18:00:00"), "2026-12-24T18:00:00.000Z"),
        (json!("2026-12-24"), "2026-12-24T00:00:00.000Z"),
        (json!(1_748_491_380_000_i64), "2025-05-29T04:03:00.000Z"),
        (json!(1_748_491_380_000.0), "2025-05-29T04:03:00.000Z"),
        (json!(-1), "1969-12-31T23:59:59.999Z"),
        (json!("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000Z"),
        (json!("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z"),
    ] {
        let case = server.create_case(json!({"dueDate": date})).await;
        assert_eq!(case["ETA"], eta, "{date}");
        assert!(case["dueDate"].is_i64());
        let shown =
            case["fields"].as_array().unwrap().iter().find(|field| field["displayName"] == "Due Date");
        assert_eq!(shown.unwrap()["selectedValue"], eta);
    }
    let wrong = [
        json!(""),
        json!("tomorrow"),
        json!("2026-13-01"),
        json!("2026-02-30"),
        json!("24.12.2026"),
        json!("2026-12-24T25:00:00Z"),
        json!("1748491380000"),
        json!(1.5),
        json!(1e300),
        json!(253_402_300_800_000_i64),
        json!(-62_135_596_800_001_i64),
        json!("0000-06-01"),
        json!("10000-01-01T00:00:00Z"),
        json!("2026-12-24T18:00:00[Europe/Berlin]"),
        json!(u64::MAX),
    ];
    assert_refused(&server, "dueDate", "dueDate", &wrong).await;
}

#[tokio::test]
async fn a_date_without_a_zone_is_in_the_zone_of_the_request() {
    let server = Server::start().await;
    for (date, eta) in [
        ("2026-12-24", "2026-12-23T18:30:00.000Z"),
        ("2026-12-24T09:00:00", "2026-12-24T03:30:00.000Z"),
        ("2026-12-24T09:00:00Z", "2026-12-24T09:00:00.000Z"),
    ] {
        let body = server.case_body(json!({"dueDate": date}));
        let call = server.call("createCase").header("X-Timezone-Offset", "-330").json(&body);
        assert_eq!(call.send().await.document()["ETA"], eta, "{date}");
    }
}

#[tokio::test]
async fn the_due_date_may_be_given_as_eta_or_by_its_field() {
    let server = Server::start().await;
    let other = "2026-12-24T18:00:00.000Z";
    let field = |value: &str| json!([{"displayName": "Due Date", "selectedValue": value}]);
    assert_eq!(server.create_case(json!({"dueDate": ABSENT, "ETA": other})).await["ETA"], other);
    assert_eq!(server.create_case(json!({"dueDate": ABSENT, "fields": field(other)})).await["ETA"], other);
    assert_eq!(server.create_case(json!({"ETA": DUE, "fields": field(DUE)})).await["ETA"], DUE);
    for wrong in [json!({"ETA": other}), json!({"fields": field(other)})] {
        assert_eq!(server.refused("createCase", &server.case_body(wrong), 400).await, ["dueDate"]);
    }
    let none = server.case_body(json!({"dueDate": ABSENT, "ETA": ""}));
    assert_eq!(server.refused("createCase", &none, 400).await, ["dueDate"]);
}

#[tokio::test]
async fn a_template_may_supply_the_due_date() {
    let server = Server::start().await;
    server.case_template("Dated", |template| template.default_due_ms = Some(2 * DAY_MS)).await;
    let case = server.create_case(json!({"caseTmp": "Dated", "dueDate": ABSENT})).await;
    assert_eq!(case["dueDate"], START_MS + 2 * DAY_MS);
    assert_eq!(server.create_case(json!({"caseTmp": "Dated"})).await["ETA"], DUE);
}

#[tokio::test]
async fn a_new_case_has_the_defaults() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    assert_eq!((&case["status"]["name"], &case["priority"]["name"]), (&json!("Open"), &json!("Medium")));
    assert_eq!((&case["assigneeType"], &case["currAssignee"]), (&json!("unassigned"), &json!({})));
    for key in [
        "tags",
        "sessIds",
        "convIds",
        "participants",
        "queues",
        "taskIds",
        "tasks",
        "attachments",
        "feedback",
        "resolutionCmts",
        "activityIds",
        "commentIds",
        "channel",
    ] {
        assert_eq!(case[key], json!([]), "{key}");
    }
    assert_eq!((&case["isActive"], &case["isBreached"]), (&json!(true), &json!(false)));
    assert_eq!(case["supportCustomTasks"], true);
    assert_eq!(case["createdAt"], "2026-11-22T10:00:00.000Z");
    assert_eq!((&case["updatedAt"], &case["timestampValue"]), (&case["createdAt"], &json!(START_MS)));
}

#[tokio::test]
async fn the_language_is_the_bodys_then_the_headers_then_english() {
    let server = Server::start().await;
    assert_eq!(server.create_case(json!({})).await["language"], "en");
    let with = |header: &str, changes: Value| {
        server.call("createCase").header("bot-language", header).json(&server.case_body(changes)).send()
    };
    assert_eq!(with("de", json!({})).await.document()["language"], "de");
    assert_eq!(with("de", json!({"language": "english"})).await.document()["language"], "english");
    assert_eq!(with("de", json!({"language": null})).await.document()["language"], "de");
    for unusable in ["", "é", &"x".repeat(65)] {
        assert_eq!(with(unusable, json!({})).await.document()["language"], "en");
    }
}

#[tokio::test]
async fn status_and_priority_are_named_by_id_or_name_in_any_case() {
    let server = Server::start().await;
    server.disabled_status("Frozen").await;
    for (key, entry, id) in [
        ("status", "Resolved", json!(server.workspace.statuses[3].id)),
        ("priority", "Critical", json!(server.workspace.priorities[3].id)),
    ] {
        for right in [
            json!(entry),
            json!(entry.to_uppercase()),
            id.clone(),
            json!({"_id": id}),
            json!({"name": entry.to_lowercase()}),
            json!({"_id": id, "name": "Open", "score": "x"}),
            json!({"_id": null, "name": entry}),
        ] {
            assert_eq!(server.create_case(json!({key: right})).await[key]["name"], entry, "{right}");
        }
        let wrong = [json!("Nothing"), json!({"_id": entry}), json!({"_id": "x-unknown", "name": entry})];
        assert_refused(&server, key, key, &wrong).await;
    }
    assert_eq!(
        server.refused("createCase", &server.case_body(json!({"status": "frozen"})), 422).await,
        ["status"]
    );
}

#[tokio::test]
async fn a_case_made_with_a_past_due_date_is_breached_unless_it_is_resolved() {
    let server = Server::start().await;
    let past = "2026-11-22T09:59:59.999Z";
    assert_eq!(server.create_case(json!({"dueDate": past})).await["isBreached"], true);
    assert_eq!(server.create_case(json!({"dueDate": START_MS + 1})).await["isBreached"], false);
    for status in ["Resolved", "Closed"] {
        assert_eq!(server.create_case(json!({"dueDate": past, "status": status})).await["isBreached"], false);
    }
    let future = server.create_case(json!({"isBreached": true})).await;
    assert_eq!(future["isBreached"], false);
}

#[tokio::test]
async fn the_templates_tasks_are_made_with_the_case() {
    let server = Server::start().await;
    let first = server.task_template("First", |template| template.default_due_ms = Some(DAY_MS)).await;
    let second = server.task_template("Second", |_| {}).await;
    let off = server.task_template("Off", |template| template.active = false).await;
    server.case_template("Busy", |template| template.tasks = vec![first.id, off.id, second.id]).await;
    let case = server.create_case(json!({"caseTmp": "Busy"})).await;
    let tasks = case["tasks"].as_array().unwrap();
    let names: Vec<&Value> = tasks.iter().map(|task| &task["name"]).collect();
    assert_eq!(names, ["First", "Second"]);
    assert_eq!(case["taskIds"], json!([tasks[0]["_id"], tasks[1]["_id"]]));
    for task in tasks {
        assert_eq!((&task["caseId"], &task["caseRefId"]), (&case["_id"], &case["refId"]));
        assert_eq!((&task["userInfo"], &task["source"]), (&case["userInfo"], &case["source"]));
        assert_eq!(task["isCustTsk"], false);
        assert_eq!(server.listed_task(&task["_id"]).await.as_ref(), Some(task));
        let events = server.events_of(task["_id"].as_str().unwrap()).await;
        assert_eq!(events.len(), 1);
    }
    assert_eq!((&tasks[0]["refId"], &tasks[1]["refId"]), (&json!("TS000100"), &json!("TS000101")));
    assert_eq!(tasks[0]["dueDate"], START_MS + DAY_MS);
    assert!(server.listed_case(&case["_id"]).await.unwrap().get("tasks").is_none());
}

#[tokio::test]
async fn custom_fields_are_set_by_id_or_name() {
    let server = Server::start().await;
    server.custom_fields(&["Colour", "Size"]).await;
    server.custom_field("Elsewhere").await;
    let value = json!(" red\n");
    let fields =
        json!([{"_id": "fd-Colour", "selectedValue": value}, {"name": "SIZE", "selectedValue": "0"}]);
    let case = server.create_case(json!({"fields": fields})).await;
    let shown = |case: &Value, name: &str| {
        let fields = case["fields"].as_array().unwrap();
        fields.iter().find(|field| field["displayName"] == name).unwrap().get("selectedValue").cloned()
    };
    assert_eq!(shown(&case, "Colour"), Some(value));
    assert_eq!(shown(&case, "Size"), Some(json!("0")));
    let custom = case["fields"].as_array().unwrap().iter().find(|field| field["_id"] == "fd-Size").unwrap();
    assert_eq!(custom["type"], "custom");
    let plain = server.create_case(json!({})).await;
    assert_eq!(shown(&plain, "Colour"), None);
    let big = |bytes: usize| json!([{"_id": "fd-Size", "selectedValue": "x".repeat(bytes - 2)}]);
    assert_taken(&server, "fields", &[big(32_768)]).await;
    assert_refused(&server, "fields", "fields[0]", &[big(32_769)]).await;
    for wrong in [
        json!([{"_id": "fd-unknown", "selectedValue": 1}]),
        json!([{"name": "Unknown", "selectedValue": 1}]),
        json!([{"selectedValue": 1}]),
        json!([{"_id": 7}]),
        json!([{"_id": "fd-Elsewhere", "selectedValue": 1}]),
        json!([{"displayName": "Title", "selectedValue": 7}]),
    ] {
        assert_refused(&server, "fields", "fields[0]", &[wrong]).await;
    }
    let many: Vec<Value> = (0..201).map(|_| json!({"_id": "fd-Size"})).collect();
    assert_refused(&server, "fields", "fields", &[json!(many)]).await;
}

#[tokio::test]
async fn a_system_field_that_disagrees_with_its_key_is_refused() {
    let server = Server::start().await;
    for (field, key) in [("Title", "name"), ("Description", "desc")] {
        let fields = json!([{"displayName": field, "selectedValue": "Something else"}]);
        assert_eq!(
            server.refused("createCase", &server.case_body(json!({"fields": fields})), 400).await,
            [key]
        );
    }
    let fields = json!([{"displayName": "Title", "selectedValue": " Printer on fire "}]);
    assert_eq!(server.create_case(json!({"fields": fields})).await["name"], "Printer on fire");
}

#[tokio::test]
async fn each_document_has_one_event_that_holds_no_values() {
    let server = Server::start().await;
    let before = server.events_total().await;
    let case = server.create_case(json!({})).await;
    // The case and its new customer.
    assert_eq!(server.events_total().await, before + 2);
    let events = server.events_of(case["_id"].as_str().unwrap()).await;
    assert_eq!((events.len(), events[0].kind.as_str(), &events[0].changes), (1, "case.created", &None));
    server.create_case(json!({})).await;
    assert_eq!(server.events_total().await, before + 3);
    assert_eq!(server.store.verify(crate::harness::server::STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn faults_of_all_keys_are_told_together_also_when_the_template_is_unknown() {
    let server = Server::start().await;
    let body = server.case_body(json!({
        "caseTmp": "nothing", "name": "", "dueDate": ABSENT, "source": "", "tags": ["", "a", ""], "status": "nothing",
        "queues": ["nothing"], "currAssignee": {"aId": "nothing"}, "language": "",
        "userInfo": {"name": "x".repeat(513)},
    }));
    let mut fields = server.refused("createCase", &body, 400).await;
    fields.sort();
    assert_eq!(
        fields,
        [
            "caseTmp",
            "currAssignee",
            "dueDate",
            "language",
            "name",
            "queues[0]",
            "source",
            "status",
            "tags[0]",
            "tags[2]",
            "userInfo.name",
        ]
    );
}
