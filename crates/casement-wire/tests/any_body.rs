//! Any body against any document: never a panic, and what is accepted keeps the invariants of stored documents.

use casement_domain::case::create::create_case;
use casement_domain::case::update::update_case;
use casement_domain::change::Record;
use casement_domain::customer::Found;
use casement_domain::date::Zone;
use casement_domain::item::WorkItem;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_wire::case::{read_create, read_update_case};
use casement_wire::document::write_case;
use casement_wire::json::read_object;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::documents::{self, NOW, app_actor, workspace};

const KEYS: [&str; 34] = [
    "_id",
    "accountId",
    "assigneeType",
    "attachments",
    "caseTmp",
    "channel",
    "convIds",
    "createdAt",
    "createdBy",
    "currAssignee",
    "desc",
    "dueDate",
    "ETA",
    "emailId",
    "feedback",
    "fields",
    "iId",
    "isActive",
    "language",
    "lid",
    "name",
    "orgId",
    "participants",
    "phoneNumber",
    "priority",
    "queues",
    "refId",
    "resolutionCmts",
    "sessIds",
    "source",
    "status",
    "tags",
    "timestampValue",
    "userInfo",
];

/// Gives values that some key takes and others refuse.
fn value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1_748_519_000_000_i64),
        json!(1.5),
        json!(i64::MAX),
        json!(""),
        json!("x"),
        json!(" General "),
        json!("General"),
        json!("Prompt"),
        json!("Off"),
        json!("agent"),
        json!("queues"),
        json!("unassigned"),
        json!("Closed"),
        json!("high"),
        json!("2025-05-29"),
        json!("9999-12-31T23:59:59.999-23:59"),
        json!([]),
        json!(["x"]),
        json!(["x", 1]),
        json!(["qu-q", "Second"]),
        json!([{"_id": "qu-r"}]),
        json!([{"displayName": "Colour", "selectedValue": {"a": [null]}}]),
        json!([{"name": "title", "selectedValue": "x"}, {"name": "Due Date", "selectedValue": ""}]),
        json!({}),
        json!({"_id": "sts-waiting"}),
        json!({"_id": "u-1", "name": "N", "emailId": "e@x"}),
        json!({"emailId": "e@x"}),
        json!({"aId": "a-a"}),
        json!({"name": "ben agent"}),
    ])
}

fn body() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((prop::sample::select(KEYS.to_vec()), value()), 0..12)
        .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn check(item: &WorkItem, workspace: &Workspace) -> Result<(), TestCaseError> {
    prop_assert!(!item.name.is_empty() && item.name == item.name.trim());
    prop_assert!(!item.source.is_empty());
    prop_assert!(workspace.status(&item.status).is_some() && workspace.priority(&item.priority).is_some());
    prop_assert!(item.due.is_none_or(|due| due.is_in_range()));
    prop_assert!(!item.customer.id.as_str().is_empty());
    let active: Vec<_> =
        item.participants.iter().filter(|turn| turn.active).map(|turn| &turn.agent).collect();
    prop_assert_eq!(active, item.assignment.agent.iter().collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_an_update_accepts_is_a_whole_case_that_may_be_sent_back(case in documents::case(), body in body()) {
        let workspace = workspace();
        let command = read_update_case(&body);
        let before = Versioned { version: 3, number: Some(123), value: case };
        let (actor, found, mut ids) = (app_actor(), Found::default(), 1_u128..);
        let zone = Zone::from_javascript_minutes(-330).unwrap();
        let decided =
            update_case(&workspace, &actor, &before, None, &command, &[], &found, zone, NOW, &mut ids);
        let Ok(Some(change)) = decided else { return Ok(()) };
        let Record::Case(after) = change.records[0].after.clone() else { panic!("not a case") };
        check(&after.item, &workspace)?;
        prop_assert_ne!(&after, &before.value);
        prop_assert!(after.item.updated_at > before.value.item.updated_at);
        prop_assert_eq!(&after.id, &before.value.id);
        prop_assert_eq!(&after.item.created_by, &before.value.item.created_by);
        prop_assert_eq!(after.item.created_at, before.value.item.created_at);
        let again = read_update_case(&read_object(&write_case(&after, 123, &workspace)).unwrap());
        let stored = Versioned { version: 4, number: Some(123), value: after };
        let decided = update_case(&workspace, &actor, &stored, None, &again, &[], &found, zone, NOW, &mut ids);
        prop_assert_eq!(decided, Ok(None));
    }

    #[test]
    fn what_a_create_accepts_is_a_whole_case_that_may_be_sent_back(body in body()) {
        let workspace = workspace();
        let mut whole = read_object(
            json!({"caseTmp": "General", "name": "N", "desc": "", "userInfo": {"_id": "u-1"}, "source": "rtm",
                "dueDate": "2025-05-30"})
            .to_string()
            .as_bytes(),
        )
        .unwrap();
        whole.extend(body);
        let command = read_create(&whole, Some("de"));
        let (actor, found, mut ids) = (app_actor(), Found::default(), 1_u128..);
        let decided = create_case(&workspace, &actor, &command, &found, Zone::UTC, NOW, &mut ids);
        let Ok(change) = decided else { return Ok(()) };
        let Record::Case(case) = change.records[0].after.clone() else { panic!("not a case") };
        check(&case.item, &workspace)?;
        let again = read_update_case(&read_object(&write_case(&case, 123, &workspace)).unwrap());
        let stored = Versioned { version: 1, number: Some(123), value: case };
        let decided = update_case(&workspace, &actor, &stored, None, &again, &[], &found, Zone::UTC, NOW, &mut ids);
        prop_assert_eq!(decided, Ok(None));
    }
}
