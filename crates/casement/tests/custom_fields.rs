//! Custom fields over HTTP: the worked example of the pages, each format's answers and filters, all faults at once.

use casement_app::configuration::apply::{Run, apply};
use serde_json::{Value, json};

use crate::harness::server::{Server, update_of};

/// The page with the worked example.
const PAGE: &str = include_str!("../../../docs/configuration.md");

/// The JSON blocks of the page.
fn blocks() -> Vec<&'static str> {
    let begun = PAGE.split("```json\n").skip(1);
    begun.map(|block| block.split("```").next().unwrap()).collect()
}

/// A server with the example's configuration.
async fn configured() -> Server {
    let server = Server::start().await;
    configure(&server, blocks()[0]).await;
    server
}

async fn configure(server: &Server, document: &str) -> usize {
    apply(&server.app, None, document.as_bytes(), Run::Real).await.unwrap().len()
}

fn example() -> Value {
    serde_json::from_str(blocks()[1]).unwrap()
}

/// The example with some fields set otherwise; null leaves one out.
fn with(fields: &Value) -> Value {
    let mut body = example();
    let entries = body["fields"].as_array_mut().unwrap();
    for (name, value) in fields.as_object().unwrap() {
        entries.retain(|entry| entry["name"] != *name);
        if !value.is_null() {
            entries.push(json!({"name": name, "selectedValue": value}));
        }
    }
    body
}

fn value<'a>(document: &'a Value, name: &str) -> &'a Value {
    let fields = document["fields"].as_array().unwrap();
    &fields.iter().find(|field| field["displayName"] == name).unwrap()["selectedValue"]
}

fn messages(answer: &Value) -> Vec<(&str, u64)> {
    let errors = answer["errors"].as_array().unwrap();
    errors.iter().map(|error| (error["msg"].as_str().unwrap(), error["code"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn the_example_of_the_pages_works_as_it_stands() {
    let server = configured().await;
    assert_eq!(configure(&server, blocks()[0]).await, 0, "a second time changes nothing");
    let created = server.post("createCase", example()).await;
    insta::assert_json_snapshot!("case_with_every_format", created.json());
    let case = created.document();
    assert_eq!(case["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(value(&case, "Condition"), "New");
    assert_eq!(value(&case, "Sales channel"), "web");
    let listed = server.listed_case(&case["_id"]).await.unwrap();
    assert_eq!(listed["fields"], case["fields"]);
}

#[tokio::test]
async fn a_whole_document_with_every_format_is_sent_back_and_changes_nothing() {
    let server = configured().await;
    let case = server.post("createCase", example()).await.document();
    let before = server.events_total().await;
    let answer = server.update_case(&case, case.clone()).await;
    assert_eq!(answer["timestampValue"], case["timestampValue"]);
    assert_eq!(server.events_total().await, before);
}

#[tokio::test]
async fn broken_rules_are_a_422_with_every_fault_and_the_messages_of_the_configuration() {
    let server = configured().await;
    let before = server.events_total().await;
    let body = with(
        &json!({"Serial number": "x", "Amount": 10_000.001, "Colour": "Mauve", "Parts": ["Lid", "Lid"],
        "Terms accepted": null, "Call back at": "call me", "Second contact": "jane", "Shop": "http://example.com",
        "Bought on": "2019-12-31", "Sales channel": "phone"}),
    );
    let answer = server.post("createCase", body).await;
    let fields = answer.refused(422);
    assert!(fields.iter().all(|field| field.starts_with("fields")), "{fields:?}");
    insta::assert_json_snapshot!("refused_422_fields", answer.json());
    assert_eq!(server.events_total().await, before);
}

#[tokio::test]
async fn a_wrong_type_is_a_400_and_broken_rules_stand_beside_it() {
    let server = configured().await;
    let mut body = with(&json!({"Serial number": 7, "Amount": -1}));
    body["source"] = json!("");
    let answer = server.post("createCase", body).await;
    answer.refused(400);
    let answer = answer.json();
    assert_eq!(
        messages(&answer),
        [
            ("fields[8]: the field \"Serial number\" must be a string", 4003),
            ("fields[9]: the field \"Amount\" must be 0 to 10000", 4022),
            ("source: must not be empty", 4003),
        ]
    );
}

#[tokio::test]
async fn an_update_checks_what_it_changes_and_clears_what_may_be_cleared() {
    let server = configured().await;
    let case = server.post("createCase", example()).await.document();
    let set = |name: &str, value: Value| json!({"fields": [{"name": name, "selectedValue": value}]});
    for (name, given, kept) in [
        ("Amount", json!(20.0), json!(20)),
        ("Parts", json!(["Base"]), json!(["Base"])),
        ("Bought on", json!("2026-10-02T02:00:00+02:00"), json!("2026-10-02T00:00:00.000Z")),
        ("Notes", json!(""), Value::Null),
        ("Call back at", Value::Null, Value::Null),
    ] {
        let after = server.update_case(&case, set(name, given.clone())).await;
        assert_eq!(value(&after, name), &kept, "{name} {given}");
    }
    let path = update_of("updateCase", &case);
    for (name, wrong) in [
        ("Serial number", Value::Null),
        ("Terms accepted", json!(false)),
        ("Sales channel", Value::Null),
        ("Colour", json!("Mauve")),
    ] {
        assert_eq!(server.refused(&path, &set(name, wrong), 422).await, ["fields[0]"], "{name}");
    }
    assert_eq!(server.refused(&path, &set("Colour", json!(["Red"])), 400).await, ["fields[0]"]);
}

#[tokio::test]
async fn rules_that_come_later_leave_older_cases_alone() {
    let server = configured().await;
    let case = server.post("createCase", example()).await.document();
    let later = json!({"fields": [
        {"name": "Notes", "maxLength": 3, "required": true},
        {"name": "Colour", "options": ["Green"]},
        {"name": "Amount", "active": false},
    ]});
    assert_eq!(configure(&server, &later.to_string()).await, 3);
    let whole = server.listed_case(&case["_id"]).await.unwrap();
    let mut changed = whole.clone();
    changed["name"] = json!("Renamed");
    let after = server.update_case(&case, changed).await;
    assert_eq!((&after["name"], value(&after, "Colour")), (&json!("Renamed"), &json!("Blue")));
    let path = update_of("updateCase", &case);
    for (name, wrong) in
        [("Notes", json!("long")), ("Notes", Value::Null), ("Colour", json!("Red")), ("Amount", json!(1))]
    {
        let body = json!({"fields": [{"name": name, "selectedValue": wrong}]});
        assert_eq!(server.refused(&path, &body, 422).await, ["fields[0]"], "{name}");
    }
}

#[tokio::test]
async fn each_format_is_found_by_its_value() {
    let server = configured().await;
    let wanted = server.post("createCase", example()).await.document();
    let other = with(
        &json!({"Serial number": "XY99", "Notes": null, "Amount": 5, "Colour": "Red", "Parts": ["Base"],
        "Condition": "Used", "Call back at": "112", "Second contact": null, "Shop": "https://other.example.com",
        "Bought on": "2026-10-03"}),
    );
    server.post("createCase", other).await.document();
    for (name, value, expected) in [
        ("Serial number", json!("AB1234"), 1),
        ("Notes", json!("It fell.\nTwice."), 1),
        ("Amount", json!(19.99), 1),
        ("Amount", json!(5.0), 1),
        ("Amount", json!("5"), 0),
        ("Colour", json!("Blue"), 1),
        ("Parts", json!(["Lid", "Cable"]), 1),
        ("Parts", json!(["Cable", "Lid"]), 0),
        ("Condition", json!("New"), 1),
        ("Terms accepted", json!(true), 2),
        ("Call back at", json!("+49 30 123456"), 1),
        ("Second contact", json!("jane@example.com"), 1),
        ("Shop", json!("https://shop.example.com/"), 1),
        ("Bought on", json!("2026-10-01T00:00:00.000Z"), 1),
        ("Bought on", json!("2026-10-01T05:30+05:30"), 1),
        ("Bought on", json!(1_790_812_800_000_i64), 1),
        ("Bought on", json!("2026-10-01"), 1),
        ("Bought on", json!("soon"), 0),
        ("Sales channel", json!("web"), 2),
    ] {
        let filter = json!({"customFields": [{"name": name, "value": value}]});
        let page = server.post("getCases", filter.clone()).await.document();
        assert_eq!(page["totalResults"], expected, "{filter}");
        if expected == 1 && name != "Amount" {
            assert_eq!(page["results"][0]["_id"], wanted["_id"], "{filter}");
        }
    }
    let abroad = server.call("getCases").header("X-Timezone-Offset", "-330");
    let filter = json!({"customFields": [{"name": "Bought on", "value": "2026-10-01"}]});
    assert_eq!(abroad.json(&filter).send().await.document()["totalResults"], 0, "midnight is elsewhere");
}

#[tokio::test]
async fn a_task_obeys_the_rules_of_its_fields_too() {
    let server = configured().await;
    let more = json!({
        "fields": [{"_id": "fd-steps", "name": "Steps", "format": "number", "decimals": 0, "required": true}],
        "taskTemplates": [{"name": "Measure", "fields": ["Title", "Steps"]}],
    });
    configure(&server, &more.to_string()).await;
    let case = server.create_case(json!({})).await;
    let body = |fields: Value| server.task_body(&case, json!({"taskTmp": "Measure", "fields": fields}));
    assert_eq!(server.refused("createTask", &body(json!([])), 422).await, ["fields"]);
    let half = json!([{"name": "Steps", "selectedValue": 1.5}]);
    assert_eq!(server.refused("createTask", &body(half), 422).await, ["fields[0]"]);
    let task =
        server.post("createTask", body(json!([{"name": "Steps", "selectedValue": 2}]))).await.document();
    assert_eq!(value(&task, "Steps"), 2);
    let cleared = json!({"fields": [{"name": "Steps", "selectedValue": null}]});
    assert_eq!(server.refused(&update_of("updateTask", &task), &cleared, 422).await, ["fields[0]"]);
}

#[tokio::test]
async fn whoever_merges_sends_back_what_was_read_and_conflicts_only_in_the_same_field() {
    let server = configured().await;
    let read = server.post("createCase", example()).await.document();
    server.advance(1000);
    server.update_case(&read, json!({"fields": [{"name": "Amount", "selectedValue": 1}]})).await;
    server.advance(1000);
    let mine = |name: &str, value: Value| {
        let mut body = read.clone();
        let fields = body["fields"].as_array_mut().unwrap();
        let field = fields.iter_mut().find(|field| field["displayName"] == name).unwrap();
        field["selectedValue"] = value;
        body
    };
    let merged = server.update_case(&read, mine("Colour", json!("Red"))).await;
    assert_eq!((value(&merged, "Amount"), value(&merged, "Colour")), (&json!(1), &json!("Red")));
    let path = update_of("updateCase", &read);
    assert_eq!(server.refused(&path, &mine("Amount", json!(2)), 409).await, ["fields"]);
}
