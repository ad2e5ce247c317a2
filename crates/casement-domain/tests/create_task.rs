//! Creating a task; contract sections 4, 8 and 11.5.

use casement_domain::case::Case;
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::id::{AgentId, CaseTemplateId, TaskId};
use casement_domain::item::input::FieldInput;
use casement_domain::limits;
use casement_domain::task::create::CreateTask;
use casement_domain::version::Versioned;
use casement_domain::workspace::Reference;
use casement_domain::workspace::Workspace;
use serde_json::json;

use crate::world::{
    NOW, at, changed_case, create_for, customer, decide_create_task, faults_of, given, invalid,
    made_customer, made_task, set_status, stored_case, workspace,
};

fn gap<T>(null: bool) -> Given<T> {
    if null { Given::Null } else { Given::Absent }
}

/// Takes one required key away; `null` says how.
type Removal = (Key, fn(&mut CreateTask, bool));

fn strict_case(workspace: &Workspace) -> Versioned<Case> {
    let mut case = stored_case(workspace);
    case.value.template = CaseTemplateId::from_text("ctm-prompt");
    case.value.supports_custom_tasks = false;
    case
}

#[test]
fn each_required_key_that_is_missing_or_null_is_one_fault() {
    let rows: [Removal; 5] = [
        (Key::CaseOfTask, |command, null| command.case = gap(null)),
        (Key::CaseReference, |command, null| command.case_reference = gap(null)),
        (Key::Template, |command, null| command.template = gap(null)),
        (Key::Customer, |command, null| command.item.customer = gap(null)),
        (Key::Source, |command, null| command.item.source = gap(null)),
    ];
    let workspace = workspace();
    let case = strict_case(&workspace);
    for (key, remove) in rows {
        for null in [false, true] {
            let mut command = create_for(&case);
            remove(&mut command, null);
            let case = command.case.value().map(|_| &case);
            assert_eq!(
                faults_of(decide_create_task(&workspace, case, &command)),
                invalid(key),
                "{key:?} {null}"
            );
        }
    }
}

#[test]
fn an_empty_command_is_told_every_required_key() {
    let faults = faults_of(decide_create_task(&workspace(), None, &CreateTask::default()));
    let keys: Vec<Key> = faults.iter().map(|(_, key, _)| *key).collect();
    let mut expected = [Key::CaseOfTask, Key::CaseReference, Key::Template, Key::Customer, Key::Source];
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn an_unknown_case_is_not_found_and_other_faults_stand_beside_it() {
    let workspace = workspace();
    let mut command = create_for(&stored_case(&workspace));
    assert_eq!(
        faults_of(decide_create_task(&workspace, None, &command)),
        [(FaultKind::NotFound, Key::CaseOfTask, None)]
    );
    command.item.source = Given::Absent;
    assert_eq!(
        faults_of(decide_create_task(&workspace, None, &command)),
        [(FaultKind::Invalid, Key::Source, None), (FaultKind::NotFound, Key::CaseOfTask, None)]
    );
}

#[test]
fn the_reference_must_name_the_same_case() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    for wrong in ["CS000101", "cs000100", "", "TS000100"] {
        let mut command = create_for(&case);
        command.case_reference = given(wrong);
        assert_eq!(
            faults_of(decide_create_task(&workspace, Some(&case), &command)),
            invalid(Key::CaseReference),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_closed_or_deleted_case_takes_no_tasks_and_a_resolved_one_does() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let command = create_for(&case);
    let conflict = [(FaultKind::Conflict, Key::CaseOfTask, None)];
    set_status(&mut case.value.item, &workspace, "Resolved");
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), []);
    set_status(&mut case.value.item, &workspace, "Closed");
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), conflict);
    case.value.item.active = false;
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), conflict);
    set_status(&mut case.value.item, &workspace, "Open");
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), conflict);
}

#[test]
fn a_case_takes_tasks_up_to_the_limit() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let command = create_for(&case);
    case.value.tasks = (1..limits::TASKS_PER_CASE_MAX as u128).map(TaskId::fresh).collect();
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), []);
    case.value.tasks.push(TaskId::fresh(7_777));
    assert_eq!(
        faults_of(decide_create_task(&workspace, Some(&case), &command)),
        [(FaultKind::Unprocessable, Key::CaseOfTask, None)]
    );
}

#[test]
fn a_template_is_named_by_id_or_by_its_exact_name() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let faults = |template: &str| {
        let mut command = create_for(&case);
        command.template = given(template);
        faults_of(decide_create_task(&workspace, Some(&case), &command))
    };
    for known in ["Follow-up", "ttm-follow-up"] {
        assert_eq!(faults(known), []);
    }
    for unknown in ["follow-up", "General", ""] {
        assert_eq!(faults(unknown), invalid(Key::Template), "{unknown:?}");
    }
    assert_eq!(faults("Old"), [(FaultKind::Unprocessable, Key::Template, None)]);
}

#[test]
fn a_task_takes_name_due_date_and_assignee_of_its_template() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let mut command = create_for(&case);
    command.template = given("Call");
    let task = made_task(&decide_create_task(&workspace, Some(&case), &command).unwrap());
    assert_eq!((task.item.name.as_str(), task.item.description.as_str()), ("Call", ""));
    assert_eq!(task.item.due, Some(NOW.plus_ms(60_000)));
    assert_eq!(task.item.assignment.agent, Some(AgentId::from_text("a-b")));
    command.item.name = given("Ring");
    command.item.due = at(NOW.plus_ms(-1));
    let task = made_task(&decide_create_task(&workspace, Some(&case), &command).unwrap());
    assert_eq!(task.item.name, "Ring");
    assert!(task.item.breached);
}

#[test]
fn a_custom_task_needs_a_name_and_a_case_that_supports_it() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let mut command = create_for(&case);
    command.template = Given::Absent;
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), invalid(Key::Name));
    command.item.name = given("By hand");
    let task = made_task(&decide_create_task(&workspace, Some(&case), &command).unwrap());
    assert_eq!((task.template, task.item.name.as_str()), (None, "By hand"));
    let strict = strict_case(&workspace);
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&strict), &command)), invalid(Key::Template));
}

#[test]
fn the_case_gets_the_task_as_its_last_and_is_changed_by_it() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    case.value.tasks = vec![TaskId::fresh(1)];
    let change = decide_create_task(&workspace, Some(&case), &create_for(&case)).unwrap();
    let (task, after) = (made_task(&change), changed_case(&change));
    assert_eq!(after.tasks, [TaskId::fresh(1), task.id]);
    assert_eq!(after.item.updated_at, NOW);
    let events: Vec<&str> = change.records.iter().map(|record| record.event).collect();
    assert_eq!(events, ["task.created", "case.updated", "customer.created"]);
}

#[test]
fn a_customer_needs_an_id_or_an_address_inside_or_beside() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let mut command = create_for(&case);
    command.item.customer = Given::Value(customer(None, "John", "", ""));
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), invalid(Key::Email));
    command.phone = given("555");
    let change = decide_create_task(&workspace, Some(&case), &command).unwrap();
    assert_eq!(made_customer(&change).unwrap().phone.as_deref(), Some("555"));
    command.phone = Given::Invalid;
    command.faults.invalid(Key::Phone, "must be a string");
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), invalid(Key::Phone));
}

#[test]
fn an_unknown_template_says_nothing_about_the_custom_fields() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let mut command = create_for(&case);
    command.template = given("Nothing");
    command.item.fields = Given::Value(vec![FieldInput {
        field: Reference::Name("Colour".to_owned()),
        value: Given::Value(json!("red")),
    }]);
    assert_eq!(faults_of(decide_create_task(&workspace, Some(&case), &command)), invalid(Key::Template));
}
