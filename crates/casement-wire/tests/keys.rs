//! The keys and types of written documents; contract sections 3, 4 and 11.5.

use casement_domain::case::Case;
use casement_domain::task::Task;
use casement_wire::document::{select_columns, write_case, write_created_case, write_task};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::documents::{self, workspace};

/// Keys with their types: s text, i whole number, b boolean, o object, a array. Those with ? are not always there.
const SHARED: &str = "_id s, name s, lname s, desc s, tags a, userInfo o, sessIds a, convIds a, accountId s, iId s, \
    orgId s, status o, priority o, source s, conversationType s, fields a, participants a, queues a, refId s, \
    assigneeType s, currAssignee o, isActive b, attachments a, feedback a, resolutionCmts a, activityIds a, \
    commentIds a, createdBy o, updatedBy o, timestampValue i, dueDate i?, ETA s, isBreached b, channel a, \
    createdAt s, updatedAt s";
const CASE: &str = "caseTmp s, language s, supportCustomTasks b, taskIds a";
const TASK: &str = "caseId s, caseRefId s, taskTmp s, isCustTsk b";
const STATUS: &str = "_id s, name s, lname s, statusCategory s, type s, desc s, isEnabled b, isActive b";
const PRIORITY: &str = "_id s, name s, lname s, type s, desc s, color s, isEnabled b, isActive b, score i";
const USER: &str = "_id s, name s, emailId s?, phoneNumber s?";
const FIELD: &str = "_id s, show b, displayName s, lname s, desc s, isEnabled b, isActive b, metaData o, type s, \
    required b, dataType s, selectedValue ?";
const META: &str = "type s, displayName s, name s, description s, placeholder s, readOnly b, tooltipText s";
const PARTICIPANT: &str = "agentId s, aId s, name s, pStatus s, assignedAt s";
const ACTOR: &str = "name s, _id s, profImage s";
const QUEUE: &str = "_id s, name s";

fn check(object: &Value, described: &[&str]) {
    let object = object.as_object().unwrap();
    let rows: Vec<(&str, &str)> = described
        .iter()
        .flat_map(|part| part.split(", "))
        .map(|row| row.trim().split_once(' ').unwrap())
        .collect();
    for (key, sort) in &rows {
        let (sort, optional) = sort.strip_suffix('?').map_or((*sort, false), |sort| (sort, true));
        let Some(value) = object.get(*key) else {
            assert!(optional, "{key} is missing");
            continue;
        };
        let fits = match sort {
            "s" => value.is_string(),
            "i" => value.is_i64(),
            "b" => value.is_boolean(),
            "o" => value.is_object(),
            "a" => value.is_array(),
            _ => true,
        };
        assert!(fits, "{key} is {value}");
    }
    for key in object.keys() {
        assert!(rows.iter().any(|(known, _)| known == key), "{key} is not in the contract");
    }
}

fn check_item(document: &Value) {
    check(&document["status"], &[STATUS]);
    check(&document["priority"], &[PRIORITY]);
    check(&document["userInfo"], &[USER]);
    check(&document["createdBy"], &[ACTOR]);
    check(&document["updatedBy"], &[ACTOR]);
    for field in document["fields"].as_array().unwrap() {
        check(field, &[FIELD]);
        check(&field["metaData"], &[META]);
        let own = ["Title", "Description", "Due Date"].contains(&field["displayName"].as_str().unwrap());
        assert_eq!(field["type"], if own { "system" } else { "custom" });
    }
    for participant in document["participants"].as_array().unwrap() {
        check(participant, &[PARTICIPANT]);
        assert!(participant["pStatus"] == "ACTIVE" || participant["pStatus"] == "INACTIVE");
    }
    for queue in document["queues"].as_array().unwrap() {
        check(queue, &[QUEUE]);
    }
    let assigned = document["assigneeType"] == "agent";
    check(&document["currAssignee"], if assigned { &["aId s, name s, agentId s"] } else { &["aId s?"] });
    assert_eq!(document["currAssignee"].as_object().unwrap().is_empty(), !assigned);
    assert_eq!(document["lname"], document["name"].as_str().unwrap().to_lowercase());
    assert_eq!(document["activityIds"].as_array().unwrap().len(), 0);
    assert_eq!(document["commentIds"].as_array().unwrap().len(), 0);
    for key in ["createdAt", "updatedAt", "ETA"] {
        let text = document[key].as_str().unwrap();
        let none = key == "ETA" && document.get("dueDate").is_none();
        assert_eq!(text.is_empty(), none, "{key}");
        assert!(none || (text.len() == 24 && text.ends_with('Z')), "{text}");
    }
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn written_case(case: &Case) -> Value {
    read(&write_case(case, 100, &workspace()))
}

fn written_task(task: &Task) -> Value {
    read(&write_task(task, 1_000_000, 100, &workspace()))
}

fn shown(document: &Value, field: &str) -> Option<Value> {
    let fields = document["fields"].as_array().unwrap();
    let field = fields.iter().find(|entry| entry["displayName"] == field).unwrap();
    field.get("selectedValue").cloned()
}

proptest! {
    #[test]
    fn a_case_has_the_keys_and_types_of_the_contract(case in documents::case()) {
        let document = written_case(&case);
        check(&document, &[SHARED, CASE]);
        check_item(&document);
        prop_assert_eq!(document["refId"].as_str(), Some("CS000100"));
        prop_assert_eq!(document["conversationType"].as_str(), Some("CASE"));
        prop_assert_eq!(document["caseTmp"].as_str(), Some("General"));
        prop_assert_eq!(shown(&document, "Title"), Some(document["name"].clone()));
        prop_assert_eq!(shown(&document, "Description"), Some(document["desc"].clone()));
        prop_assert_eq!(shown(&document, "Due Date"), document.get("dueDate").map(|_| document["ETA"].clone()));
        let ids: Vec<&str> = document["fields"].as_array().unwrap().iter().map(|field| field["_id"].as_str().unwrap()).collect();
        let template: Vec<String> = workspace().case_templates[0].fields.iter().map(|field| field.to_string()).collect();
        prop_assert_eq!(ids, template, "in the template's order");
    }

    #[test]
    fn a_task_has_the_keys_and_types_of_the_contract(task in documents::task()) {
        let document = written_task(&task);
        check(&document, &[SHARED, TASK]);
        check_item(&document);
        prop_assert_eq!(document["refId"].as_str(), Some("TS1000000"));
        prop_assert_eq!(document["conversationType"].as_str(), Some("TASK"));
        prop_assert_eq!(document["caseRefId"].as_str(), Some("CS000100"));
        let custom = task.template.is_none();
        prop_assert_eq!(document["isCustTsk"].as_bool(), Some(custom));
        prop_assert_eq!(document["taskTmp"].as_str(), Some(if custom { "" } else { "Follow-up" }));
        if !custom {
            prop_assert_eq!(shown(&document, "Title"), Some(document["name"].clone()));
            let described = task.item.description.as_str();
            let expected = (!described.is_empty()).then(|| Value::from(described));
            prop_assert_eq!(shown(&document, "Description"), expected);
        }
    }

    #[test]
    fn the_answer_of_a_create_is_the_listed_case_and_its_tasks(case in documents::case(), task in documents::task()) {
        let mut created = read(&write_created_case(&case, 100, &[(&task, 1_000_000)], &workspace()));
        let tasks = created.as_object_mut().unwrap().remove("tasks");
        prop_assert_eq!(created, written_case(&case));
        prop_assert_eq!(tasks, Some(Value::Array(vec![written_task(&task)])));
    }

    #[test]
    fn selected_columns_are_those_keys_and_the_id(case in documents::case(), chosen in prop::collection::vec(any::<bool>(), 40)) {
        let bytes = write_case(&case, 100, &workspace());
        let all: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
        let mut columns: Vec<String> =
            all.keys().zip(chosen).filter(|(_, chosen)| *chosen).map(|(key, _)| key.clone()).collect();
        columns.push("nothing".to_owned());
        let selected = read(&select_columns(&bytes, &columns.iter().map(String::as_bytes).collect()));
        for (key, value) in &all {
            let expected = (key == "_id" || columns.contains(key)).then_some(value);
            prop_assert_eq!(selected.get(key), expected);
        }
        prop_assert_eq!(selected.get("nothing"), None);
    }
}
