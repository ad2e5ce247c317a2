//! The versions of templates that documents keep to.

use casement_domain::case::Case;
use casement_domain::case::update::UpdateCase;
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::id::FieldId;
use casement_domain::item::input::FieldInput;
use casement_domain::limits;
use casement_domain::task::Task;
use casement_domain::task::update::UpdateTask;
use casement_domain::version::Versioned;
use casement_domain::workspace::template::FIRST_VERSION;
use casement_domain::workspace::{Reference, Workspace};
use serde_json::json;

use crate::world::*;

fn ids(fields: &[FieldId]) -> Vec<&str> {
    fields.iter().map(|field| field.as_str()).collect()
}

/// The workspace after a change of the template General: no more Size, Colour first, tasks may stay open.
fn changed(before: &Workspace) -> Workspace {
    let mut after = before.clone();
    let former = &before.case_templates[0];
    let template = &mut after.case_templates[0];
    template.fields = vec![FieldId::from_text("fd-colour")];
    template.closes_with_open_tasks = true;
    template.custom_tasks = false;
    template.succeed(former);
    let former = &before.task_templates[0];
    after.task_templates[0].fields.truncate(1);
    after.task_templates[0].succeed(former);
    after
}

fn sets(field: &str) -> UpdateCase {
    let mut command = UpdateCase::default();
    let entry = FieldInput { field: Reference::Id(field.to_owned()), value: Given::Value(json!("5")) };
    command.input.item.fields = Given::Value(vec![entry]);
    command
}

#[test]
fn a_change_of_what_documents_keep_to_makes_the_next_version() {
    let workspace = workspace();
    let before = &workspace.case_templates[0];
    let mut after = before.clone();
    after.name = "Another".to_owned();
    after.default_due_ms = Some(1);
    after.active = false;
    after.succeed(before);
    assert_eq!((after.version, after.former.len()), (FIRST_VERSION, 0), "nothing that documents keep to");
    let changed = changed(&workspace);
    let template = &changed.case_templates[0];
    assert_eq!((template.version, template.former.len()), (2, 1));
    assert_eq!((template.former[0].version, &template.former[0].fields), (1, &before.fields));
    assert!(template.former[0].custom_tasks && !template.former[0].closes_with_open_tasks);
    assert_eq!((changed.task_templates[0].version, changed.task_templates[0].former.len()), (2, 1));
}

#[test]
fn a_case_keeps_to_the_version_that_it_was_made_with() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let task = stored_task(&workspace, &mut case);
    let changed = changed(&workspace);
    let all = ids(&workspace.case_templates[0].fields).join(" ");
    assert_eq!(ids(case.value.fields(&changed)).join(" "), all);
    assert!(case.value.supports_custom_tasks);
    assert_eq!(task.value.fields(&changed).len(), workspace.task_templates[0].fields.len());
    // The field that later cases lack may still be set.
    assert_eq!(faults_of(decide_update(&changed, &case, &sets("fd-size"), &[])), []);
    // Nor does the case close with open tasks, as later ones do.
    let mut close = UpdateCase::default();
    close.input.item.status = named("Closed");
    let faults = faults_of(decide_update(&changed, &case, &close, std::slice::from_ref(&task)));
    assert_eq!(faults, [(FaultKind::Conflict, Key::Status, None)]);
    let made = made_case(&decide_create(&changed, &create()).unwrap());
    assert_eq!((made.template_version, ids(made.fields(&changed))), (2, vec!["fd-colour"]));
    assert!(!made.supports_custom_tasks);
    let made = Versioned { version: 1, number: Some(101), value: made };
    assert_eq!(
        faults_of(decide_update(&changed, &made, &sets("fd-size"), &[])),
        [(FaultKind::Invalid, Key::Fields, Some(0))]
    );
    assert_eq!(faults_of(decide_update(&changed, &made, &close, &[task])), []);
}

#[test]
fn an_update_with_another_template_takes_its_current_version_and_the_same_one_changes_nothing() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let changed = changed(&workspace);
    let to = |template: &str| UpdateCase { template: given(template), ..UpdateCase::default() };
    for same in ["General", "ctm-general"] {
        assert_eq!(decide_update(&changed, &case, &to(same), &[]), Ok(None));
    }
    let after = |before: &Versioned<Case>, template: &str| Versioned {
        version: before.version + 1,
        number: before.number,
        value: made_case(&decide_update(&changed, before, &to(template), &[]).unwrap().unwrap()),
    };
    let away = after(&case, "Lenient");
    assert_eq!((away.value.template.as_str(), away.value.template_version), ("ctm-lenient", 1));
    let back = after(&away, "General");
    assert_eq!((back.value.template.as_str(), back.value.template_version), ("ctm-general", 2));
    assert!(!back.value.supports_custom_tasks);
}

#[test]
fn a_task_with_another_template_takes_its_current_version() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let task = stored_task(&workspace, &mut case);
    let changed = changed(&workspace);
    let to = |template: &str| UpdateTask { template: given(template), ..UpdateTask::default() };
    let updated = |before: &Versioned<Task>, template: &str| {
        let change = decide_update_task(&changed, before, &case, &to(template)).unwrap().unwrap();
        Versioned { version: 2, number: before.number, value: made_task(&change) }
    };
    assert_eq!(decide_update_task(&changed, &task, &case, &to("Follow-up")), Ok(None));
    let back = updated(&updated(&task, "Call"), "Follow-up");
    assert_eq!((back.value.template_version, back.value.fields(&changed).len()), (2, 1));
}

#[test]
fn past_the_kept_versions_the_oldest_is_dropped_and_its_documents_follow_the_oldest_that_is_kept() {
    let workspace = workspace();
    let mut template = workspace.case_templates[0].clone();
    let colour = FieldId::from_text("fd-colour");
    for round in 0..=limits::TEMPLATE_VERSIONS_MAX {
        let before = template.clone();
        template.fields = vec![colour.clone(); round + 1];
        template.succeed(&before);
    }
    assert_eq!(template.former.len(), limits::TEMPLATE_VERSIONS_MAX);
    assert_eq!(usize::try_from(template.version).unwrap(), limits::TEMPLATE_VERSIONS_MAX + 2);
    assert_eq!(template.fields_at(1).len(), 1, "version 1 is gone and follows version 2");
    assert_eq!(template.fields_at(2).len(), 1);
    assert_eq!(template.fields_at(3).len(), 2);
    assert_eq!(template.fields_at(template.version), template.fields);
}

#[test]
fn a_stored_document_without_a_version_has_the_first() {
    let workspace = workspace();
    let case = stored_case(&workspace).value;
    let body = serde_json::to_value(&case).unwrap();
    assert!(body.get("template_version").is_none());
    assert_eq!(serde_json::from_value::<Case>(body).unwrap(), case);
}
