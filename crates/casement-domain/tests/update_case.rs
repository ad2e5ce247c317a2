//! Updating a case; contract sections 9 and 11.

use casement_domain::case::Case;
use casement_domain::case::update::{UpdateCase, update_case};
use casement_domain::customer::{Customer, CustomerInput, Found};
use casement_domain::date::{Moment, Zone};
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::id::{CaseTemplateId, UserId};
use casement_domain::item::input::FieldInput;
use casement_domain::task::Task;
use casement_domain::version::Versioned;
use casement_domain::workspace::{Reference, Workspace};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{
    NOW, app_actor, create_for, customer, decide_create_task, decide_update, faults_of, given, invalid,
    made_case, made_customer, made_task, named, set_status, stored_case, workspace,
};

/// Sets one key to null.
type Nulled = (Key, fn(&mut UpdateCase));
/// The statuses of tasks, and whether each is deleted.
type Tasks<'a> = &'a [(&'a str, bool)];

fn with_status(name: &str) -> UpdateCase {
    let mut command = UpdateCase::default();
    command.input.item.status = named(name);
    command
}

fn renamed(name: &str) -> UpdateCase {
    let mut command = UpdateCase::default();
    command.input.item.name = given(name);
    command
}

fn updated(workspace: &Workspace, case: &Versioned<Case>, command: &UpdateCase) -> Case {
    made_case(&decide_update(workspace, case, command, &[]).unwrap().unwrap())
}

#[test]
fn an_empty_update_changes_nothing() {
    let workspace = workspace();
    assert_eq!(decide_update(&workspace, &stored_case(&workspace), &UpdateCase::default(), &[]), Ok(None));
}

#[test]
fn an_update_changes_its_keys_and_leaves_the_others() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let after = updated(&workspace, &case, &renamed("  Other "));
    let mut expected = case.value.clone();
    expected.item.name = "Other".to_owned();
    expected.item.updated_at = NOW;
    assert_eq!(after, expected);
}

#[test]
fn null_is_refused_for_every_key_that_it_does_not_clear() {
    let rows: [Nulled; 17] = [
        (Key::Name, |command| command.input.item.name = Given::Null),
        (Key::Description, |command| command.input.item.description = Given::Null),
        (Key::Tags, |command| command.input.item.tags = Given::Null),
        (Key::Customer, |command| command.input.item.customer = Given::Null),
        (Key::Status, |command| command.input.item.status = Given::Null),
        (Key::Priority, |command| command.input.item.priority = Given::Null),
        (Key::Language, |command| command.language = Given::Null),
        (Key::Source, |command| command.input.item.source = Given::Null),
        (Key::Fields, |command| command.input.item.fields = Given::Null),
        (Key::Queues, |command| command.input.item.queues = Given::Null),
        (Key::AssigneeType, |command| command.input.item.assignee_kind = Given::Null),
        (Key::Active, |command| command.input.active = Given::Null),
        (Key::SessionIds, |command| command.input.item.session_ids = Given::Null),
        (Key::ConversationIds, |command| command.input.item.conversation_ids = Given::Null),
        (Key::Channels, |command| command.input.item.channels = Given::Null),
        (Key::Attachments, |command| command.input.attachments = Given::Null),
        (Key::Template, |command| command.template = Given::Null),
    ];
    let workspace = workspace();
    for (key, set) in rows {
        let mut command = UpdateCase::default();
        set(&mut command);
        assert_eq!(
            faults_of(decide_update(&workspace, &stored_case(&workspace), &command, &[])),
            invalid(key)
        );
    }
    let mut command = UpdateCase::default();
    command.input.feedback = Given::Null;
    command.input.resolution_comments = Given::Null;
    let mut both = [invalid(Key::Feedback), invalid(Key::ResolutionComments)].concat();
    both.sort_unstable();
    assert_eq!(faults_of(decide_update(&workspace, &stored_case(&workspace), &command, &[])), both);
}

#[test]
fn notes_are_taken_up_to_their_limits() {
    let workspace = workspace();
    let faults = |entries: Vec<Value>| {
        let mut command = UpdateCase::default();
        command.input.attachments = Given::Value(entries);
        faults_of(decide_update(&workspace, &stored_case(&workspace), &command, &[]))
    };
    assert_eq!(faults(vec![json!("x"); 100]), []);
    assert_eq!(faults(vec![json!("x"); 101]), invalid(Key::Attachments));
    assert_eq!(faults(vec![json!("x".repeat(16 * 1024 - 2))]), []);
    assert_eq!(faults(vec![json!("x".repeat(16 * 1024 - 1))]), invalid(Key::Attachments));
}

#[test]
fn a_field_value_is_set_cleared_or_left() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let fields = |entries: Vec<(&str, Given<Value>)>| {
        let mut command = UpdateCase::default();
        let entries = entries
            .into_iter()
            .map(|(name, value)| FieldInput { field: Reference::Name(name.to_owned()), value });
        command.input.item.fields = Given::Value(entries.collect());
        command
    };
    let set = fields(vec![("COLOUR", Given::Value(json!("red"))), ("Size", Given::Value(json!("5")))]);
    case.value = updated(&workspace, &case, &set);
    assert_eq!(case.value.item.field_values.len(), 2);
    let left = fields(vec![("Colour", Given::Absent), ("Size", Given::Value(json!("5")))]);
    assert_eq!(decide_update(&workspace, &case, &left, &[]), Ok(None));
    case.value = updated(&workspace, &case, &fields(vec![("Colour", Given::Null)]));
    let kept: Vec<&str> = case.value.item.field_values.keys().map(|field| field.as_str()).collect();
    assert_eq!(kept, ["fd-size"]);
    let too_long = fields(vec![("Size", Given::Value(json!("x".repeat(32 * 1024))))]);
    assert_eq!(
        faults_of(decide_update(&workspace, &case, &too_long, &[])),
        [(FaultKind::Invalid, Key::Fields, Some(0))]
    );
}

#[test]
fn a_system_field_counts_only_where_it_differs_from_the_stored_value() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let with = |name: Given<String>, title: Value| {
        let mut command = UpdateCase::default();
        command.input.item.name = name;
        command.input.item.fields = Given::Value(vec![FieldInput {
            field: Reference::Name("Title".to_owned()),
            value: Given::Value(title),
        }]);
        command
    };
    let name = |command: &UpdateCase| updated(&workspace, &case, command).item.name;
    assert_eq!(name(&with(Given::Absent, json!("New"))), "New");
    assert_eq!(name(&with(given("New"), json!("Printer on fire"))), "New");
    assert_eq!(name(&with(given("Printer on fire"), json!("New"))), "New");
    assert_eq!(name(&with(given("New"), json!(" New "))), "New");
    let refused = |command: &UpdateCase| faults_of(decide_update(&workspace, &case, command, &[]));
    assert_eq!(refused(&with(given("New"), json!("Newer"))), invalid(Key::Name));
    assert_eq!(refused(&with(Given::Absent, json!(5))), [(FaultKind::Invalid, Key::Fields, Some(0))]);
}

#[test]
fn a_template_change_keeps_the_values_and_moves_the_custom_task_support() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    case.value.item.field_values.insert(casement_domain::id::FieldId::from_text("fd-colour"), json!("red"));
    let command = |template: &str| UpdateCase { template: given(template), ..UpdateCase::default() };
    let after = updated(&workspace, &case, &command("Prompt"));
    assert_eq!(after.template.as_str(), "ctm-prompt");
    assert!(!after.supports_custom_tasks && after.tasks.is_empty());
    assert_eq!(after.item.field_values, case.value.item.field_values);
    assert_eq!(after.item.due, case.value.item.due);
    let planned = decide_update(&workspace, &case, &command("Planned"), &[]).unwrap().unwrap();
    assert_eq!(planned.records.len(), 1, "a new template makes no tasks");
    assert_eq!(faults_of(decide_update(&workspace, &case, &command("Nothing"), &[])), invalid(Key::Template));
    assert_eq!(
        faults_of(decide_update(&workspace, &case, &command("Off"), &[])),
        [(FaultKind::Unprocessable, Key::Template, None)]
    );
    case.value.template = CaseTemplateId::from_text("ctm-off");
    assert_eq!(decide_update(&workspace, &case, &command("Off"), &[]), Ok(None), "the unchanged name");
    assert_eq!(decide_update(&workspace, &case, &command("ctm-off"), &[]), Ok(None), "the unchanged id");
}

/// Makes tasks with these statuses; `deleted` says which of them are.
fn tasks(workspace: &Workspace, case: &Versioned<Case>, statuses: Tasks) -> Vec<Versioned<Task>> {
    let tasks = statuses.iter().enumerate().map(|(index, (status, deleted))| {
        let change = decide_create_task(workspace, Some(case), &create_for(case)).unwrap();
        let mut task = made_task(&change);
        set_status(&mut task.item, workspace, status);
        task.item.active = !deleted;
        Versioned { version: 1, number: Some(100 + index as u64), value: task }
    });
    tasks.collect()
}

#[test]
fn closing_a_case_with_an_open_task_is_refused_and_names_the_tasks() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let rows: [(Tasks, &[&str]); 6] = [
        (&[], &[]),
        (&[("Resolved", false), ("Closed", false)], &[]),
        (&[("Open", true)], &[]),
        (&[("Open", false)], &["TS000100"]),
        (
            &[("Resolved", false), ("Waiting", false), ("Open", true), ("In-Progress", false)],
            &["TS000101", "TS000103"],
        ),
        (&[("On-Hold", false)], &["TS000100"]),
    ];
    for (statuses, open) in rows {
        let command = with_status("Closed");
        assert!(command.may_close(&workspace));
        let decided = decide_update(&workspace, &case, &command, &tasks(&workspace, &case, statuses));
        match decided {
            Ok(change) => {
                assert!(open.is_empty() && change.is_some(), "{statuses:?}");
            }
            Err(faults) => {
                assert_eq!(
                    faults_of(Err::<(), _>(faults.clone())),
                    [(FaultKind::Conflict, Key::Status, None)]
                );
                let message = &faults.list()[0].message;
                assert!(open.iter().all(|task| message.contains(task)) && !open.is_empty(), "{message}");
            }
        }
    }
}

#[test]
fn a_template_may_allow_closing_with_open_tasks_and_resolving_is_always_free() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let tasks = tasks(&workspace, &case, &[("Open", false)]);
    assert!(decide_update(&workspace, &case, &with_status("Resolved"), &tasks).is_ok());
    case.value.template = CaseTemplateId::from_text("ctm-lenient");
    assert!(decide_update(&workspace, &case, &with_status("Closed"), &tasks).is_ok());
}

#[test]
fn any_enabled_status_may_follow_any_other_and_leaving_the_end_is_a_reopening() {
    let workspace = workspace();
    let names = ["Open", "In-Progress", "On-Hold", "Resolved", "Closed", "Waiting"];
    for from in names {
        for to in names.into_iter().filter(|to| *to != from) {
            let mut case = stored_case(&workspace);
            set_status(&mut case.value.item, &workspace, from);
            let change = decide_update(&workspace, &case, &with_status(to), &[]).unwrap().unwrap();
            let over = |name: &str| name == "Resolved" || name == "Closed";
            let expected = if over(from) && !over(to) { "case.reopened" } else { "case.updated" };
            assert_eq!(change.records[0].event, expected, "{from} to {to}");
        }
    }
}

#[test]
fn a_closed_case_can_be_edited() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    set_status(&mut case.value.item, &workspace, "Closed");
    assert_eq!(updated(&workspace, &case, &renamed("Edited")).item.name, "Edited");
}

#[test]
fn the_status_it_has_stays_acceptable_when_it_is_switched_off() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let off = [(FaultKind::Unprocessable, Key::Status, None)];
    assert_eq!(faults_of(decide_update(&workspace, &case, &with_status("Retired"), &[])), off);
    set_status(&mut case.value.item, &workspace, "Retired");
    assert_eq!(decide_update(&workspace, &case, &with_status("Retired"), &[]), Ok(None));
}

fn activity(active: bool) -> UpdateCase {
    let mut command = UpdateCase::default();
    command.input.active = Given::Value(active);
    command
}

#[test]
fn a_case_is_deleted_and_restored_and_only_a_restoring_update_edits_a_deleted_one() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let change = decide_update(&workspace, &case, &activity(false), &[]).unwrap().unwrap();
    assert_eq!(change.records[0].event, "case.deleted");
    case.value = made_case(&change);
    assert!(!case.value.item.active);
    assert_eq!(decide_update(&workspace, &case, &activity(false), &[]), Ok(None));
    let conflict = [(FaultKind::Conflict, Key::Active, None)];
    assert_eq!(faults_of(decide_update(&workspace, &case, &renamed("Edited"), &[])), conflict);
    assert_eq!(
        decide_update(&workspace, &case, &renamed("Printer on fire"), &[]),
        Ok(None),
        "no change, no conflict"
    );
    let mut restoring = activity(true);
    restoring.input.item.name = given("Edited");
    let change = decide_update(&workspace, &case, &restoring, &[]).unwrap().unwrap();
    assert_eq!(change.records[0].event, "case.restored");
    assert_eq!(made_case(&change).item.name, "Edited");
}

#[test]
fn parts_of_the_customer_overlay_the_snapshot_and_another_id_resolves_anew() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let with = |input: CustomerInput| {
        let mut command = UpdateCase::default();
        command.input.item.customer = Given::Value(input);
        command
    };
    let own = case.value.item.customer.id.clone();
    let change =
        decide_update(&workspace, &case, &with(customer(None, "", "", "555")), &[]).unwrap().unwrap();
    assert_eq!(change.records.len(), 1, "an overlay leaves the profile");
    case.value = made_case(&change);
    let snapshot = &case.value.item.customer;
    assert_eq!((&snapshot.id, snapshot.name.as_str()), (&own, "John"));
    assert_eq!(
        (snapshot.email.as_deref(), snapshot.phone.as_deref()),
        (Some("john@example.com"), Some("555"))
    );
    let emptied = CustomerInput { name: Some(String::new()), ..CustomerInput::default() };
    assert_eq!(updated(&workspace, &case, &with(emptied)).item.customer.name, "");

    let known = Customer {
        id: UserId::from_text("u-k"),
        name: "Known".to_owned(),
        email: Some("k@example.com".to_owned()),
        phone: None,
    };
    let found =
        Found { by_id: Some(Versioned { version: 2, number: None, value: known }), ..Found::default() };
    let command = with(customer(Some("u-k"), "", "", "777"));
    assert_eq!(command.customer(&case.value).and_then(|customer| customer.id.as_deref()), Some("u-k"));
    let decided = update_case(
        &workspace,
        &app_actor(),
        &case,
        None,
        &command,
        &[],
        &found,
        Zone::UTC,
        NOW,
        &mut (9_000_u128..),
    );
    let change = decided.unwrap().unwrap();
    let snapshot = made_case(&change).item.customer;
    assert_eq!((snapshot.id.as_str(), snapshot.name.as_str()), ("u-k", "Known"));
    assert_eq!(snapshot.phone.as_deref(), Some("777"));
    assert_eq!(made_customer(&change).unwrap().phone.as_deref(), Some("777"), "an empty value is filled");
}

#[test]
fn faults_of_several_kinds_are_all_on_the_list() {
    let workspace = workspace();
    let mut command = with_status("Nothing");
    command.template = given("Off");
    command.input.identity.stream = given("st-other");
    let mut expected = vec![
        (FaultKind::Invalid, Key::Status, None),
        (FaultKind::Unprocessable, Key::Template, None),
        (FaultKind::Conflict, Key::Stream, None),
    ];
    expected.sort_unstable();
    assert_eq!(faults_of(decide_update(&workspace, &stored_case(&workspace), &command, &[])), expected);
}

fn command() -> impl Strategy<Value = UpdateCase> {
    let statuses = prop::sample::select(vec!["Open", "Resolved", "Closed", "Waiting"]);
    prop_oneof![
        "[a-c]".prop_map(|name| renamed(&name)),
        statuses.prop_map(with_status),
        any::<bool>().prop_map(activity),
        (-1000_i64..1000).prop_map(|offset_ms| {
            let mut command = UpdateCase::default();
            command.input.item.due = crate::world::at(NOW.plus_ms(offset_ms));
            command
        }),
    ]
}

proptest! {
    #[test]
    fn each_accepted_change_is_later_than_the_last_whatever_the_clock_says(
        steps in prop::collection::vec((command(), -5_i64..5), 1..30)
    ) {
        let workspace = workspace();
        let mut case = stored_case(&workspace);
        let mut now = NOW;
        for (command, moved_ms) in steps {
            now = Moment::from_ms(now.ms() + moved_ms);
            let found = Found::default();
            let (actor, mut ids) = (app_actor(), 1_u128..);
            let decided =
                update_case(&workspace, &actor, &case, None, &command, &[], &found, Zone::UTC, now, &mut ids);
            if let Ok(Some(change)) = decided {
                let after = made_case(&change);
                prop_assert!(after.item.updated_at > case.value.item.updated_at);
                prop_assert!(after.item.updated_at >= now);
                prop_assert_eq!(after.item.created_at, case.value.item.created_at);
                prop_assert_eq!(&after.id, &case.value.id);
                prop_assert!(change.records[0].before.as_ref().is_some_and(|before| before.version == case.version));
                case = Versioned { version: case.version + 1, number: case.number, value: after };
                // The same command again says nothing new.
                let again = update_case(
                    &workspace, &actor, &case, None, &command, &[], &found, Zone::UTC, now, &mut ids,
                );
                prop_assert_eq!(again, Ok(None));
            }
        }
    }
}
