//! A document that was read may be sent back whole: it changes nothing but what the client changed; contract section 9.

use casement_domain::case::Case;
use casement_domain::case::update::update_case;
use casement_domain::change::{Change, Record};
use casement_domain::customer::Found;
use casement_domain::date::Zone;
use casement_domain::fault::Faults;
use casement_domain::task::Task;
use casement_domain::task::update::update_task;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_wire::case::read_update_case;
use casement_wire::document::{write_case, write_task};
use casement_wire::json::read_object;
use casement_wire::task::read_update_task;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

use crate::documents::{self, NOW, app_actor, workspace};

fn send_case(
    workspace: &Workspace,
    case: &Case,
    body: &Map<String, Value>,
) -> Result<Option<Change>, Faults> {
    let before = Versioned { version: 3, number: Some(123), value: case.clone() };
    let (actor, found, mut ids) = (app_actor(), Found::default(), 1_u128..);
    let command = read_update_case(body);
    // From a client far from UTC: what was written names its zone.
    let zone = Zone::from_javascript_minutes(-330).unwrap();
    update_case(workspace, &actor, &before, None, &command, &[], &found, zone, NOW, &mut ids)
}

fn send_task(
    workspace: &Workspace,
    task: &Task,
    body: &Map<String, Value>,
) -> Result<Option<Change>, Faults> {
    let mut case = case_of(task);
    case.value.item.active = true;
    let before = Versioned { version: 3, number: Some(456), value: task.clone() };
    let (actor, found, mut ids) = (app_actor(), Found::default(), 1_u128..);
    let command = read_update_task(body);
    let zone = Zone::from_javascript_minutes(480).unwrap();
    update_task(workspace, &actor, &before, None, &case, &[], &command, &found, zone, NOW, &mut ids)
}

fn case_of(task: &Task) -> Versioned<Case> {
    let case = Case {
        id: task.case.clone(),
        template: casement_domain::id::CaseTemplateId::from_text("ctm-general"),
        template_version: 1,
        item: casement_domain::item::WorkItem {
            status: workspace().default_status().unwrap().id.clone(),
            ..task.item.clone()
        },
        language: "en".to_owned(),
        supports_custom_tasks: true,
        tasks: vec![task.id.clone()],
        watchers: Vec::new(),
        links: Vec::new(),
        merged_into: None,
    };
    Versioned { version: 7, number: Some(123), value: case }
}

fn written_case(case: &Case) -> Map<String, Value> {
    read_object(&write_case(case, 123, &workspace())).unwrap()
}

fn written_task(task: &Task) -> Map<String, Value> {
    read_object(&write_task(task, 456, 123, &workspace())).unwrap()
}

fn first(change: Option<Change>) -> Record {
    change.unwrap().records[0].after.clone()
}

proptest! {
    #[test]
    fn a_case_that_is_sent_back_as_it_was_read_changes_nothing(case in documents::case()) {
        prop_assert_eq!(send_case(&workspace(), &case, &written_case(&case)), Ok(None));
    }

    #[test]
    fn a_task_that_is_sent_back_as_it_was_read_changes_nothing(task in documents::task()) {
        prop_assert_eq!(send_task(&workspace(), &task, &written_task(&task)), Ok(None));
    }

    #[test]
    fn the_answer_of_a_create_may_be_sent_back_too(case in documents::case(), task in documents::task()) {
        let bytes = casement_wire::document::write_created_case(&case, 123, &[(&task, 456)], &workspace());
        prop_assert_eq!(send_case(&workspace(), &case, &read_object(&bytes).unwrap()), Ok(None));
    }

    #[test]
    fn any_part_of_a_case_may_be_sent_back(case in documents::case(), kept in prop::collection::vec(any::<bool>(), 60)) {
        // Not the queues without the agent: they take the case from whoever has it.
        let mut body = written_case(&case);
        let queues = !case.item.assignment.queues.is_empty() && case.item.assignment.agent.is_some();
        let mut keep = kept.into_iter();
        body.retain(|key, _| keep.next().unwrap() || (queues && (key == "currAssignee" || key == "assigneeType")));
        prop_assert_eq!(send_case(&workspace(), &case, &body), Ok(None));
    }

    #[test]
    fn one_changed_key_of_a_whole_case_changes_that_key(mut case in documents::case(), which in 0..8_usize) {
        case.item.active = true;
        let workspace = workspace();
        let mut body = written_case(&case);
        let mut expected = case.clone();
        match which {
            0 => {
                body.insert("name".to_owned(), json!("Quite another"));
                expected.item.name = "Quite another".to_owned();
            }
            1 => {
                body.insert("desc".to_owned(), json!("Quite another"));
                expected.item.description = "Quite another".to_owned();
            }
            2 => {
                body.insert("ETA".to_owned(), json!("2031-01-01"));
                expected.item.due =
                    Some(casement_domain::date::Moment::from_ms(1_924_992_000_000 - 330 * 60_000));
            }
            3 => {
                body.insert("dueDate".to_owned(), Value::Null);
                expected.item.due = None;
            }
            4 => {
                body.insert("priority".to_owned(), json!("critical"));
                let priority = workspace.priorities.iter().find(|priority| priority.name == "Critical");
                expected.item.priority = priority.unwrap().id.clone();
            }
            5 => {
                body.insert("assigneeType".to_owned(), json!("unassigned"));
                expected.item.assignment = casement_domain::item::Assignment::default();
                for turn in &mut expected.item.participants {
                    turn.active &= case.item.assignment.agent.is_none();
                }
            }
            6 => {
                body.insert("fields".to_owned(), json!([{"displayName": "title", "selectedValue": "Quite another"}]));
                expected.item.name = "Quite another".to_owned();
            }
            _ => {
                body.insert("tags".to_owned(), json!(["quite", "another"]));
                expected.item.tags = vec!["quite".to_owned(), "another".to_owned()];
            }
        }
        let sent = send_case(&workspace, &case, &body);
        if expected == case {
            prop_assert_eq!(sent, Ok(None));
            return Ok(());
        }
        let Record::Case(mut after) = first(sent.unwrap()) else { panic!("not a case") };
        prop_assert!(after.item.updated_at > case.item.updated_at);
        after.item.updated_at = case.item.updated_at;
        after.item.breached = expected.item.breached;
        prop_assert_eq!(after, expected);
    }
}

#[test]
fn a_custom_field_s_value_survives_the_way_out_and_back_in_any_shape() {
    let workspace = workspace();
    for value in
        [json!(0.1), json!(-0.0), json!(1e300), json!(u64::MAX), json!(i64::MIN), json!("\u{7f}\u{2028}\"")]
    {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let mut case = documents::case().new_tree(&mut runner).unwrap().current();
        case.item.field_values.insert(casement_domain::id::FieldId::from_text("fd-colour"), value.clone());
        assert_eq!(send_case(&workspace, &case, &written_case(&case)), Ok(None), "{value}");
    }
}
