//! What bad input gets: every key of the contract with every sort of value, on every route that writes.
//!
//! The tables say by the sort of a key what must come; the test looks at the answer, at the whole document before and
//! after, and at the log of both workspaces. Nothing changes that may not, and a refusal names the key.

#[path = "bad_input/foreign.rs"]
mod foreign;
#[path = "bad_input/keys.rs"]
mod keys;

use serde_json::{Value, json};

use crate::harness::server::{DUE, Server, update_of};
use foreign::Foreign;
use keys::{Expected, Key, creates, updates};

/// What changes with every accepted change.
const STAMPS: [&str; 3] = ["timestampValue", "updatedAt", "updatedBy"];
/// What differs between two documents that were made alike.
const OWN: [&str; 4] = ["_id", "refId", "taskIds", "tasks"];

/// A workspace with an agent, a field and documents that use them, and another workspace with as much.
struct Stage {
    server: Server,
    foreign: Foreign,
}

impl Stage {
    async fn set() -> Self {
        let server = Server::start().await;
        server.custom_fields(&["Colour"]).await;
        server.agent("Ann").await;
        server.agent("Ben").await;
        server.queue("Second").await;
        let colour = casement_domain::id::FieldId::from_text("fd-Colour");
        server.case_template("Other", |template| template.fields.push(colour.clone())).await;
        server.task_template("OtherTask", |template| template.fields.push(colour)).await;
        let foreign = Foreign::make(&server).await;
        Self { server, foreign }
    }

    fn changes() -> Value {
        json!({"tags": ["t"], "currAssignee": {"name": "Ann"}, "queues": ["Default"], "channel": ["c"],
            "sessIds": ["s"], "convIds": ["v"], "fields": [{"name": "Colour", "selectedValue": "red"}],
            "dueDate": DUE})
    }

    /// A new case, and a new task of it.
    async fn documents(&self) -> [Value; 2] {
        let case = self.server.create_case(Self::changes()).await;
        let task = self.server.create_task(&case, Self::changes()).await;
        [self.server.update_case(&case, json!({})).await, task]
    }

    async fn events(&self) -> (u64, u64) {
        (self.server.events_total().await, self.foreign.events_total(&self.server).await)
    }

    /// Sends a body as bytes, since no value of JSON has a key twice.
    async fn post(&self, operation: &str, body: &str) -> crate::harness::answer::Answer {
        let answer = self.server.call(operation).bytes(body.to_owned()).send().await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(!text.contains(foreign::SECRET), "{operation} {body} tells of another workspace: {text}");
        answer
    }
}

/// Tells whether a fault names a key: itself, an entry or a part of it. A customer without an id needs an address, which
/// is a key of its own; two due dates that disagree are told as one.
fn names(field: &str, key: &str) -> bool {
    let is_one_value = [("userInfo", "emailId"), ("ETA", "dueDate")].contains(&(key, field));
    field.split(['.', '[']).next() == Some(key) || is_one_value
}

/// Leaves out keys of a document.
fn without(document: &Value, keys: &[&str]) -> Value {
    let mut document = document.clone();
    document.as_object_mut().unwrap().retain(|key, _| !keys.contains(&key.as_str()));
    document
}

/// Tries a value on one of two documents, which are left as they were unless the value changes something.
async fn check_update(
    stage: &Stage,
    documents: &[Value; 2],
    operation: &str,
    key: &Key,
    value: &Value,
    expected: &Expected,
) {
    let place = usize::from(operation == "updateTask");
    let (before, path) = (&documents[place], update_of(operation, &documents[place]));
    let events = stage.events().await;
    let body = json!({key.name: value}).to_string();
    stage.server.advance(1);
    let answer = stage.post(&path, &body).await;
    match expected {
        Expected::Refused(status) => {
            let fields = answer.refused(*status);
            assert!(fields.iter().any(|field| names(field, key.name)), "{operation} {body}: {fields:?}");
            assert_eq!(stage.events().await, events, "{operation} {body}");
        }
        Expected::Ignored => {
            assert_eq!(answer.document(), *before, "{operation} {body}");
            assert_eq!(stage.events().await, events, "{operation} {body}");
        }
        Expected::Changes(keys) => {
            let after = answer.document();
            let may = [&STAMPS[..], keys].concat();
            assert_eq!(without(&after, &may), without(before, &may), "{operation} {body}");
            assert_ne!(after[keys[0]], before[keys[0]], "{operation} {body} changed nothing");
            assert_eq!(stage.events().await.1, events.1, "{operation} {body} reached another workspace");
        }
    }
    if !matches!(expected, Expected::Changes(_)) {
        let now = stage.server.post(&path, json!({})).await.document();
        assert_eq!(now, *before, "{operation} {body}");
    }
    // The other document of the pair is never touched by an update.
    let other = &documents[1 - place];
    let other_path = update_of(["updateTask", "updateCase"][place], other);
    let other_now = stage.server.post(&other_path, json!({})).await.document();
    let kept = if key.name == "isActive" && matches!(expected, Expected::Changes(_)) {
        [&STAMPS[..], &["taskIds"]].concat()
    } else {
        Vec::new()
    };
    assert_eq!(without(&other_now, &kept), without(other, &kept), "{operation} {body}");
}

async fn check_create(
    stage: &Stage,
    case: &Value,
    operation: &str,
    key: &Key,
    value: Option<&Value>,
    expected: &Expected,
) {
    let control_body = match operation {
        "createCase" => stage.server.case_body(Stage::changes()),
        // A custom task has no fields: a body that may lose its template names none.
        _ => stage.server.task_body(case, without(&Stage::changes(), &["fields"])),
    };
    let mut body = control_body.clone();
    match value {
        Some(value) => body[key.name] = value.clone(),
        None => {
            body.as_object_mut().unwrap().shift_remove(key.name);
        }
    }
    let events = stage.events().await;
    let answer = stage.post(operation, &body.to_string()).await;
    match expected {
        Expected::Refused(status) => {
            let fields = answer.refused(*status);
            assert!(fields.iter().any(|field| names(field, key.name)), "{operation} {body}: {fields:?}");
            assert_eq!(stage.events().await, events, "{operation} {body}");
        }
        Expected::Ignored | Expected::Changes(_) => {
            let made = answer.document();
            let control = stage.post(operation, &control_body.to_string()).await.document();
            let may = match expected {
                Expected::Changes(keys) => [&OWN[..], keys].concat(),
                Expected::Ignored | Expected::Refused(_) => OWN.to_vec(),
            };
            assert_eq!(without(&made, &may), without(&control, &may), "{operation} {body}");
            if let Expected::Changes(keys) = expected {
                assert_ne!(made[keys[0]], control[keys[0]], "{operation} {body} changed nothing");
            }
            assert_ne!(made["_id"], json!("x"), "{operation} {body}");
            assert_eq!(stage.events().await.1, events.1, "{operation} {body} reached another workspace");
        }
    }
}

async fn check_duplicates(stage: &Stage, operation: &str, keys: &[Key]) {
    for key in keys {
        let body = format!("{{\"{0}\": null, \"{0}\": \"x\"}}", key.name);
        let events = stage.events().await;
        let answer = stage.post(operation, &body).await;
        assert_eq!(answer.refused(400), [key.name], "{operation} {body}");
        assert_eq!(stage.events().await, events, "{operation} {body}");
    }
}

/// Tries every key with every value on an update.
async fn check_updates(operation: &str) {
    let stage = Stage::set().await;
    let mut documents = stage.documents().await;
    let place = usize::from(operation == "updateTask");
    let keys = updates(operation, &stage.foreign);
    for key in &keys {
        for (value, expected) in key.cases() {
            check_update(&stage, &documents, operation, key, &value, &expected).await;
            if matches!(expected, Expected::Changes(_)) {
                documents = stage.documents().await;
            }
        }
    }
    let path = update_of(operation, &documents[place]);
    check_duplicates(&stage, &path, &keys).await;
    assert_eq!(stage.server.post(&path, json!({})).await.document(), documents[place]);
}

/// Tries every key with every value on a create.
async fn check_creates(operation: &str) {
    let stage = Stage::set().await;
    let keys = creates(operation, &stage.foreign);
    for key in &keys {
        // A case takes 200 tasks.
        let [case, _] = stage.documents().await;
        // In a create `null` is as if absent.
        check_create(&stage, &case, operation, key, None, &key.null).await;
        for (value, expected) in key.cases() {
            check_create(&stage, &case, operation, key, Some(&value), &expected).await;
        }
    }
    check_duplicates(&stage, operation, &keys).await;
}

#[tokio::test]
async fn every_key_of_update_case_with_every_sort_of_value_changes_only_what_it_may() {
    check_updates("updateCase").await;
}

#[tokio::test]
async fn every_key_of_update_task_with_every_sort_of_value_changes_only_what_it_may() {
    check_updates("updateTask").await;
}

#[tokio::test]
async fn every_key_of_create_case_with_every_sort_of_value_changes_only_what_it_may() {
    check_creates("createCase").await;
}

#[tokio::test]
async fn every_key_of_create_task_with_every_sort_of_value_changes_only_what_it_may() {
    check_creates("createTask").await;
}

#[tokio::test]
async fn a_document_of_another_stream_is_answered_as_an_absent_one_on_every_route() {
    let stage = Stage::set().await;
    let [case, _] = stage.documents().await;
    let bodies =
        [json!({}), json!({"name": "New"}), json!({"name": 7, "status": "none"}), json!({"isActive": false})];
    let mut pairs = Vec::new();
    for body in &bodies {
        for (operation, foreign, absent) in [
            ("updateCase", &stage.foreign.case, "ci-absent"),
            ("updateTask", &stage.foreign.task, "ti-absent"),
            // An id of the other sort is as unknown.
            ("updateCase", &stage.foreign.task, "ci-absent"),
            ("updateTask", &stage.foreign.case, "ti-absent"),
        ] {
            let of = |id: &str| (format!("{operation}/{id}"), body.clone());
            pairs.push((of(foreign["_id"].as_str().unwrap()), of(absent)));
        }
    }
    for reference in [&stage.foreign.case["refId"], &case["refId"], &json!("CS999999")] {
        let of = |id: &Value| {
            let body = stage
                .server
                .task_body(&json!({"_id": id, "refId": reference}), json!({"taskTmp": "Follow-up"}));
            ("createTask".to_owned(), body)
        };
        pairs.push((of(&stage.foreign.case["_id"]), of(&json!("ci-absent"))));
    }
    let events = stage.events().await;
    for ((foreign, foreign_body), (absent, absent_body)) in pairs {
        for if_match in [None, Some("*"), Some("\"v1\"")] {
            let foreign = stage.foreign.sent(&stage.server, &foreign, &foreign_body, if_match).await;
            let absent = stage.foreign.sent(&stage.server, &absent, &absent_body, if_match).await;
            foreign.refused(404);
            assert_eq!((foreign.bytes, foreign.headers), (absent.bytes, absent.headers), "{foreign_body}");
        }
    }
    // In lists the other stream's ids match nothing, as unknown ones do.
    for filter in [json!({"caseId": stage.foreign.case["_id"]}), json!({"caseId": "ci-absent"})] {
        let listed = stage.server.post("getTasks", filter).await.document();
        assert_eq!(listed["totalResults"], 0);
    }
    assert_eq!(stage.events().await, events);
}
