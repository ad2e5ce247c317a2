//! Updating a task; contract sections 9 and 11.5.

use casement_domain::case::Case;
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::id::{TaskId, TaskTemplateId};
use casement_domain::limits;
use casement_domain::task::Task;
use casement_domain::task::update::UpdateTask;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use proptest::prelude::*;

use crate::documents;
use crate::world::{
    NOW, changed_case, decide_update_task, faults_of, given, invalid, made_task, named, set_status,
    stored_case, stored_task, workspace,
};

fn renamed() -> UpdateTask {
    let mut command = UpdateTask::default();
    command.input.item.name = given("Edited");
    command
}

fn activity(active: bool) -> UpdateTask {
    let mut command = UpdateTask::default();
    command.input.active = Given::Value(active);
    command
}

fn both(workspace: &Workspace) -> (Versioned<Case>, Versioned<Task>) {
    let mut case = stored_case(workspace);
    let task = stored_task(workspace, &mut case);
    (case, task)
}

#[test]
fn an_update_changes_the_task_and_not_its_case() {
    let workspace = workspace();
    let (case, task) = both(&workspace);
    let change = decide_update_task(&workspace, &task, &case, &renamed()).unwrap().unwrap();
    assert_eq!(change.records.len(), 1);
    assert_eq!((change.records[0].event, made_task(&change).item.name.as_str()), ("task.updated", "Edited"));
    assert!(
        made_task(&change).item.updated_at > NOW,
        "later than its making even when the clock stands still"
    );
}

#[test]
fn a_task_of_a_closed_or_deleted_case_can_not_change() {
    let workspace = workspace();
    let (mut case, mut task) = both(&workspace);
    let conflict = [(FaultKind::Conflict, Key::CaseOfTask, None)];
    let reopening = || {
        let mut command = UpdateTask::default();
        command.input.item.status = named("Open");
        command
    };
    set_status(&mut task.value.item, &workspace, "Resolved");
    set_status(&mut case.value.item, &workspace, "Resolved");
    assert!(decide_update_task(&workspace, &task, &case, &reopening()).is_ok(), "the case is only resolved");
    set_status(&mut case.value.item, &workspace, "Closed");
    for command in [renamed(), activity(false), reopening()] {
        assert_eq!(faults_of(decide_update_task(&workspace, &task, &case, &command)), conflict);
    }
    assert_eq!(
        decide_update_task(&workspace, &task, &case, &activity(true)),
        Ok(None),
        "no change, no conflict"
    );
    case.value.item.active = false;
    set_status(&mut case.value.item, &workspace, "Open");
    assert_eq!(faults_of(decide_update_task(&workspace, &task, &case, &renamed())), conflict);
}

#[test]
fn a_deleted_task_leaves_its_case_and_a_restored_one_is_appended() {
    let workspace = workspace();
    let (mut case, mut task) = both(&workspace);
    let other = TaskId::fresh(77);
    case.value.tasks.push(other.clone());
    let change = decide_update_task(&workspace, &task, &case, &activity(false)).unwrap().unwrap();
    assert_eq!(change.records[0].event, "task.deleted");
    assert_eq!(changed_case(&change).tasks, std::slice::from_ref(&other));
    assert!(changed_case(&change).item.updated_at > case.value.item.updated_at);
    (task.value, case.value) = (made_task(&change), changed_case(&change));
    let conflict = [(FaultKind::Conflict, Key::Active, None)];
    assert_eq!(faults_of(decide_update_task(&workspace, &task, &case, &renamed())), conflict);
    let change = decide_update_task(&workspace, &task, &case, &activity(true)).unwrap().unwrap();
    assert_eq!(change.records[0].event, "task.restored");
    assert_eq!(changed_case(&change).tasks, [other, task.value.id.clone()]);
}

#[test]
fn a_restored_task_must_find_room_in_its_case() {
    let workspace = workspace();
    let (mut case, mut task) = both(&workspace);
    task.value.item.active = false;
    case.value.tasks = (0..limits::TASKS_PER_CASE_MAX as u128).map(|id| TaskId::fresh(50_000 + id)).collect();
    let faults = faults_of(decide_update_task(&workspace, &task, &case, &activity(true)));
    assert_eq!(faults, [(FaultKind::Unprocessable, Key::Active, None)]);
}

#[test]
fn the_template_is_spelled_either_way_and_both_must_agree() {
    let workspace = workspace();
    let (case, task) = both(&workspace);
    let command = |plain: Given<String>, alias: Given<String>| UpdateTask {
        template: plain,
        template_alias: alias,
        ..UpdateTask::default()
    };
    let template = |plain, alias| {
        let change = decide_update_task(&workspace, &task, &case, &command(plain, alias)).unwrap().unwrap();
        made_task(&change).template
    };
    let call = Some(TaskTemplateId::from_text("ttm-call"));
    assert_eq!(template(given("Call"), Given::Absent), call);
    assert_eq!(template(Given::Absent, given("ttm-call")), call);
    assert_eq!(template(given("Call"), given("Call")), call);
    let faults =
        |plain, alias| faults_of(decide_update_task(&workspace, &task, &case, &command(plain, alias)));
    assert_eq!(faults(given("Call"), given("Follow-up")), invalid(Key::CaseTemplateOfTask));
    assert_eq!(faults(Given::Absent, given("General")), invalid(Key::CaseTemplateOfTask));
    assert_eq!(faults(given("Nothing"), Given::Absent), invalid(Key::Template));
    assert_eq!(faults(given("Old"), Given::Absent), [(FaultKind::Unprocessable, Key::Template, None)]);
    assert_eq!(faults(Given::Null, Given::Absent), invalid(Key::Template));
    assert_eq!(faults(Given::Absent, Given::Null), invalid(Key::CaseTemplateOfTask));
}

#[test]
fn a_custom_task_keeps_its_empty_template_and_may_get_one() {
    let workspace = workspace();
    let (case, mut task) = both(&workspace);
    task.value.template = None;
    let command = |template: &str| UpdateTask { template: given(template), ..UpdateTask::default() };
    assert_eq!(decide_update_task(&workspace, &task, &case, &command("")), Ok(None));
    let change = decide_update_task(&workspace, &task, &case, &command("Call")).unwrap().unwrap();
    assert_eq!(made_task(&change).template, Some(TaskTemplateId::from_text("ttm-call")));
    task.value.template = Some(TaskTemplateId::from_text("ttm-call"));
    assert_eq!(faults_of(decide_update_task(&workspace, &task, &case, &command(""))), invalid(Key::Template));
}

#[test]
fn the_unchanged_template_is_accepted_when_it_is_switched_off() {
    let workspace = workspace();
    let (case, mut task) = both(&workspace);
    task.value.template = Some(TaskTemplateId::from_text("ttm-old"));
    for spelled in ["Old", "ttm-old"] {
        let command = UpdateTask { template: given(spelled), ..UpdateTask::default() };
        assert_eq!(decide_update_task(&workspace, &task, &case, &command), Ok(None));
    }
}

#[test]
fn a_task_that_leaves_the_end_is_reopened() {
    let workspace = workspace();
    let (case, mut task) = both(&workspace);
    set_status(&mut task.value.item, &workspace, "Closed");
    let mut command = UpdateTask::default();
    command.input.item.status = named("In-Progress");
    let change = decide_update_task(&workspace, &task, &case, &command).unwrap().unwrap();
    assert_eq!(change.records[0].event, "task.reopened");
}

proptest! {
    #[test]
    fn any_task_is_deleted_and_restored_as_it_was(value in documents::task()) {
        let workspace = workspace();
        let (mut case, _) = both(&workspace);
        case.value.id = value.case.clone();
        case.value.tasks = vec![value.id.clone()];
        let mut task = Versioned { version: 1, number: Some(100), value };
        task.value.item.active = true;
        prop_assert_eq!(decide_update_task(&workspace, &task, &case, &UpdateTask::default()), Ok(None));
        let before = task.value.clone();
        for active in [false, true] {
            let change = decide_update_task(&workspace, &task, &case, &activity(active)).unwrap().unwrap();
            (task.value, case.value) = (made_task(&change), changed_case(&change));
            prop_assert_eq!(case.value.tasks.len(), usize::from(active));
        }
        prop_assert!(task.value.item.updated_at > before.item.updated_at);
        task.value.item.updated_at = before.item.updated_at;
        task.value.item.updated_by = before.item.updated_by.clone();
        task.value.item.breached = before.item.breached;
        prop_assert_eq!(&task.value, &before);
    }
}
