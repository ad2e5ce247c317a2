//! Reading bodies: every wrong type is named by its key and place, all at once; contract sections 5 to 9.

use casement_domain::date::{DateInput, Moment};
use casement_domain::fault::Faults;
use casement_domain::given::Given;
use casement_domain::item::input::AssigneeInput;
use casement_domain::workspace::Reference;
use casement_wire::case::{read_create, read_update_case};
use casement_wire::error::Problem;
use casement_wire::list::read_query;
use casement_wire::spelling::Noun;
use casement_wire::task;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other}"),
    }
}

/// The keys of the faults as the answer names them, in order.
fn named(faults: &Faults, noun: Noun) -> Vec<String> {
    let problem = Problem::of_faults(faults, noun);
    let mut keys: Vec<String> =
        problem.errors.into_iter().map(|entry| entry.field.unwrap_or_default()).collect();
    keys.sort_unstable();
    keys
}

/// A value of a wrong type for each key, with the name that the answer gives the fault.
fn wrong_values() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("name", json!(1), "name"),
        ("desc", json!(["x"]), "desc"),
        ("tags", json!("x"), "tags"),
        ("tags", json!(["x", 1]), "tags[1]"),
        ("tags", json!(["x", null]), "tags[1]"),
        ("sessIds", json!([{}]), "sessIds[0]"),
        ("convIds", json!([true]), "convIds[0]"),
        ("channel", json!({}), "channel"),
        ("channel", json!(["rtm", ["rtm"]]), "channel[1]"),
        ("userInfo", json!("u-1"), "userInfo"),
        ("userInfo", json!([]), "userInfo"),
        ("userInfo", json!({"_id": 5}), "userInfo._id"),
        ("userInfo", json!({"_id": "u", "name": false}), "userInfo.name"),
        ("userInfo", json!({"_id": "u", "emailId": {}}), "userInfo.emailId"),
        ("userInfo", json!({"_id": "u", "phoneNumber": 555}), "userInfo.phoneNumber"),
        ("status", json!(5), "status"),
        ("status", json!({}), "status"),
        ("status", json!({"_id": 5}), "status"),
        ("status", json!(""), "status"),
        ("priority", json!([]), "priority"),
        ("source", json!(null), "source"),
        ("source", json!(5), "source"),
        ("language", json!(5), "language"),
        ("fields", json!({}), "fields"),
        ("fields", json!([{"selectedValue": 1}]), "fields[0]"),
        ("fields", json!([{"_id": 1}]), "fields[0]"),
        ("fields", json!([{"_id": "fd-1"}, 5]), "fields[1]"),
        ("queues", json!("qu-1"), "queues"),
        ("queues", json!(["qu-1", {}]), "queues[1]"),
        ("assigneeType", json!("Agent"), "assigneeType"),
        ("assigneeType", json!("nobody"), "assigneeType"),
        ("assigneeType", json!(1), "assigneeType"),
        ("currAssignee", json!("a-1"), "currAssignee"),
        ("currAssignee", json!([]), "currAssignee"),
        ("currAssignee", json!({"role": "x"}), "currAssignee"),
        ("currAssignee", json!({"aId": 5}), "currAssignee"),
        ("dueDate", json!("tomorrow"), "dueDate"),
        ("dueDate", json!(1.5), "dueDate"),
        ("dueDate", json!(true), "dueDate"),
        ("dueDate", json!(""), "dueDate"),
        ("ETA", json!("soon"), "ETA"),
        ("ETA", json!(false), "ETA"),
    ]
}

#[test]
fn each_wrong_value_of_an_update_is_one_fault_that_names_it() {
    let own = [
        ("caseTmp", json!(5), "caseTmp"),
        ("isActive", json!("true"), "isActive"),
        ("isActive", json!(1), "isActive"),
        ("attachments", json!([1]), "attachments[0]"),
        ("feedback", json!({}), "feedback"),
        ("resolutionCmts", json!(["x", null]), "resolutionCmts[1]"),
        ("participants", json!({}), "participants"),
        ("participants", json!([{}, {"pStatus": "active"}]), "participants[1]"),
        ("participants", json!([{"assignedAt": "x"}]), "participants[0]"),
        ("_id", json!(5), "_id"),
        ("accountId", json!(5), "accountId"),
        ("iId", json!(5), "iId"),
        ("lid", json!(5), "lid"),
        ("orgId", json!(5), "orgId"),
        ("refId", json!(5), "refId"),
        ("conversationType", json!(5), "conversationType"),
        ("createdAt", json!("x"), "createdAt"),
        ("createdBy", json!("u-1"), "createdBy"),
        ("createdBy", json!({"_id": 5}), "createdBy"),
        ("timestampValue", json!("5"), "timestampValue"),
    ];
    for (key, value, expected) in wrong_values().into_iter().chain(own) {
        if value.is_null() {
            continue;
        }
        let command = read_update_case(&object(json!({key: value})));
        assert_eq!(named(&command.faults, Noun::Case), [expected], "{key}: {value}");
    }
}

#[test]
fn each_wrong_value_of_a_create_is_one_fault_that_names_it() {
    let own = [
        ("caseTmp", json!([]), "caseTmp"),
        ("emailId", json!(5), "emailId"),
        ("phoneNumber", json!(5), "phoneNumber"),
    ];
    for (key, value, expected) in wrong_values().into_iter().chain(own) {
        let command = read_create(&object(json!({key: value})), None);
        if value.is_null() {
            assert!(command.faults.is_empty(), "null is absent in a create: {key}");
            continue;
        }
        assert_eq!(named(&command.faults, Noun::Case), [expected], "{key}: {value}");
    }
}

#[test]
fn all_wrong_values_of_a_body_are_told_together() {
    let body = json!({"name": 1, "tags": [1, "x", 2], "userInfo": {"_id": 1, "emailId": 2}, "caseId": 5, "caseRefId": [],
        "taskTmp": {}, "queues": [{}]});
    let command = task::read_create(&object(body));
    let expected = [
        "caseId",
        "caseRefId",
        "name",
        "queues[0]",
        "tags[0]",
        "tags[2]",
        "taskTmp",
        "userInfo._id",
        "userInfo.emailId",
    ];
    assert_eq!(named(&command.faults, Noun::Task), expected);
}

#[test]
fn derived_and_unknown_keys_are_ignored_whatever_they_hold() {
    let mut body = Map::new();
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
        "unknown",
        "name ",
        "Name",
    ] {
        for value in [json!(null), json!(5), json!({"x": []})] {
            body.insert(key.to_owned(), value);
            assert_eq!(read_update_case(&body), read_update_case(&Map::new()), "{key}");
            assert_eq!(task::read_update_task(&body), task::read_update_task(&Map::new()), "{key}");
            assert_eq!(read_create(&body, None), read_create(&Map::new(), None), "{key}");
        }
    }
}

#[test]
fn the_base_version_is_a_number_or_null() {
    for fine in [json!(1_748_520_000_000_i64), json!(1.5), json!(-1), json!(null)] {
        assert!(read_update_case(&object(json!({"timestampValue": fine}))).faults.is_empty());
    }
    for wrong in [json!("1"), json!(true), json!({}), json!([])] {
        assert_eq!(
            named(&read_update_case(&object(json!({"timestampValue": wrong}))).faults, Noun::Case),
            ["timestampValue"]
        );
    }
}

#[test]
fn entries_are_named_by_id_else_by_name_or_by_a_string() {
    let rows = [
        (json!({"_id": "sts-1", "name": "Open"}), Reference::Id("sts-1".to_owned())),
        (json!({"name": "Open", "statusCategory": 5}), Reference::Name("Open".to_owned())),
        (json!({"_id": "", "name": "Open"}), Reference::Name("Open".to_owned())),
        (json!({"_id": null, "name": "Open"}), Reference::Name("Open".to_owned())),
        (json!("Open"), Reference::Either("Open".to_owned())),
    ];
    for (value, expected) in rows {
        let command = read_update_case(&object(json!({"status": value})));
        assert_eq!(command.input.item.status, Given::Value(expected), "{value}");
    }
}

#[test]
fn an_agent_is_named_by_profile_else_by_person_else_by_name() {
    let rows = [
        (json!({}), None),
        (
            json!({"aId": "a-1", "agentId": "u-1", "name": "N"}),
            Some(AssigneeInput::Profile("a-1".to_owned())),
        ),
        (json!({"aId": "", "agentId": "u-1", "name": "N"}), Some(AssigneeInput::User("u-1".to_owned()))),
        (json!({"name": "N"}), Some(AssigneeInput::Name("N".to_owned()))),
    ];
    for (value, expected) in rows {
        let command = read_update_case(&object(json!({"currAssignee": value})));
        assert_eq!(command.input.item.assignee, Given::Value(expected), "{value}");
    }
    assert_eq!(read_update_case(&object(json!({"currAssignee": null}))).input.item.assignee, Given::Null);
}

#[test]
fn dates_are_read_as_text_or_milliseconds_and_an_empty_eta_as_none() {
    let instant = |ms: i64| DateInput::Instant(Moment::from_ms(ms));
    let rows = [
        (json!("2025-05-29T12:00:00Z"), instant(1_748_520_000_000)),
        (json!(1_748_520_000_000_i64), instant(1_748_520_000_000)),
        (json!(1.74852e12), instant(1_748_520_000_000)),
        (json!(-1), instant(-1)),
        (json!(0), instant(0)),
    ];
    for (value, expected) in rows {
        let item = read_create(&object(json!({"dueDate": value, "ETA": value})), None).item;
        assert_eq!((item.due, item.eta), (Given::Value(expected), Given::Value(Some(expected))), "{value}");
    }
    let item = read_create(&object(json!({"ETA": ""})), None).item;
    assert_eq!(item.eta, Given::Value(None));
}

#[test]
fn empty_parts_of_a_customer_count_as_absent_and_an_empty_name_stays() {
    let body = json!({"userInfo": {"_id": "", "name": "", "emailId": "", "phoneNumber": null}});
    let command = read_create(&object(body), None);
    let customer = command.item.customer.value().unwrap();
    assert_eq!((&customer.id, &customer.email, &customer.phone), (&None, &None, &None));
    assert_eq!(customer.name.as_deref(), Some(""));
}

#[test]
fn each_wrong_value_of_a_list_is_one_fault_that_names_it() {
    let rows = [
        ("searchText", json!(5), "searchText"),
        ("name", json!([]), "name"),
        ("unresolved", json!("true"), "unresolved"),
        ("unassigned", json!(0), "unassigned"),
        ("mycase", json!({}), "mycase"),
        ("mytask", json!("yes"), "mytask"),
        ("priority", json!("High"), "priority"),
        ("priority", json!([5]), "priority[0]"),
        ("status", json!({}), "status"),
        ("channel", json!(["rtm", null]), "channel[1]"),
        ("queues", json!([{"_id": "qu-1"}]), "queues[0]"),
        ("agents", json!(true), "agents"),
        ("startDate", json!(5), "startDate"),
        ("endDate", json!("2025-02-30"), "endDate"),
        ("dueDate", json!("x"), "dueDate"),
        ("sortBy", json!(5), "sortBy"),
        ("sortBy", json!("colour"), "sortBy"),
        ("sortBy", json!(["name"]), "sortBy"),
        ("sortBy", json!({"name": "ASC"}), "sortBy"),
        ("sortBy", json!({"name": null}), "sortBy"),
        ("skip", json!(-1), "skip"),
        ("skip", json!(1.5), "skip"),
        ("skip", json!("0"), "skip"),
        ("limit", json!(0), "limit"),
        ("limit", json!(501), "limit"),
        ("limit", json!("50"), "limit"),
        ("customFields", json!({}), "customFields"),
        ("customFields", json!([{"value": 1}]), "customFields[0]"),
        ("customFields", json!([{"name": "x"}]), "customFields[0]"),
        ("ETAlist", json!("today"), "ETAlist"),
        ("ETAlist", json!(["today", "Tomorrow"]), "ETAlist[1]"),
        ("selectedColumns", json!("name"), "selectedColumns"),
        ("selectedColumns", json!(["name", 1]), "selectedColumns[1]"),
        ("caseId", json!(5), "caseId"),
        ("caseRefId", json!([]), "caseRefId"),
    ];
    for (key, value, expected) in rows {
        let body = object(json!({key: value}));
        assert_eq!(named(&read_query(&body, Noun::Task).faults, Noun::Task), [expected], "{key}: {value}");
    }
    let body = object(json!({"mytask": "yes", "caseId": 5, "caseRefId": 5}));
    assert!(read_query(&body, Noun::Case).faults.is_empty(), "keys of getTasks are unknown to getCases");
}

#[test]
fn numbers_of_a_page_are_taken_at_their_edges() {
    let read = |body: Value| {
        let query = read_query(&object(body), Noun::Case);
        assert!(query.faults.is_empty());
        (query.skip, query.limit)
    };
    assert_eq!(read(json!({})), (0, 50));
    assert_eq!(read(json!({"skip": 0, "limit": 1})), (0, 1));
    assert_eq!(read(json!({"skip": 2.0, "limit": 500})), (2, 500));
    assert_eq!(read(json!({"skip": i64::MAX})), (i64::MAX as u64, 50));
}

#[test]
fn mytask_and_mycase_both_ask_for_the_acting_user_s_tasks() {
    for key in ["mytask", "mycase"] {
        assert!(read_query(&object(json!({key: true})), Noun::Task).mine);
        assert!(!read_query(&object(json!({key: false})), Noun::Task).mine);
    }
}
