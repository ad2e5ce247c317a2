//! Commands and decisions in one workspace at one time, for the tests beside this module.

use casement_domain::actor::Actor;
use casement_domain::case::Case;
use casement_domain::case::create::{CreateCase, create_case};
use casement_domain::case::update::{UpdateCase, update_case};
use casement_domain::change::{Change, Record};
use casement_domain::customer::{Customer, CustomerInput, Found};
use casement_domain::date::{DateInput, Moment, Zone};
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::given::Given;
use casement_domain::item::WorkItem;
use casement_domain::item::input::ItemInput;
use casement_domain::task::Task;
use casement_domain::task::create::{CreateTask, create_task};
use casement_domain::task::update::{UpdateTask, update_task};
use casement_domain::version::Versioned;
use casement_domain::workspace::{Reference, Workspace};

pub use crate::documents::{NOW, app_actor, workspace};

pub fn given(text: &str) -> Given<String> {
    Given::Value(text.to_owned())
}

pub fn at(moment: Moment) -> Given<DateInput> {
    Given::Value(DateInput::Instant(moment))
}

pub fn named(name: &str) -> Given<Reference> {
    Given::Value(Reference::Either(name.to_owned()))
}

pub fn customer(id: Option<&str>, name: &str, email: &str, phone: &str) -> CustomerInput {
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    CustomerInput {
        id: id.map(str::to_owned),
        name: filled(name),
        email: filled(email),
        phone: filled(phone),
    }
}

/// A command that makes a case, due tomorrow.
pub fn create() -> CreateCase {
    CreateCase {
        template: given("General"),
        item: ItemInput {
            name: given("Printer on fire"),
            description: given("It burns."),
            customer: Given::Value(customer(None, "John", "john@example.com", "")),
            source: given("rtm"),
            due: at(NOW.plus_ms(86_400_000)),
            ..ItemInput::default()
        },
        ..CreateCase::default()
    }
}

/// A command that makes a task of the case that [`stored_case`] gives.
pub fn create_for(case: &Versioned<Case>) -> CreateTask {
    CreateTask {
        case: given(case.value.id.as_str()),
        case_reference: given("CS000100"),
        template: given("Follow-up"),
        item: ItemInput {
            customer: Given::Value(customer(Some("u-john"), "", "", "")),
            source: given("rtm"),
            ..ItemInput::default()
        },
        ..CreateTask::default()
    }
}

pub fn decide_create(workspace: &Workspace, command: &CreateCase) -> Result<Change, Faults> {
    decide_create_as(workspace, &app_actor(), command, &Found::default())
}

pub fn decide_create_as(
    workspace: &Workspace,
    actor: &Actor,
    command: &CreateCase,
    found: &Found,
) -> Result<Change, Faults> {
    create_case(workspace, actor, command, found, Zone::UTC, NOW, &mut (1_000_u128..))
}

pub fn decide_create_task(
    workspace: &Workspace,
    case: Option<&Versioned<Case>>,
    command: &CreateTask,
) -> Result<Change, Faults> {
    let found = Found::default();
    create_task(workspace, &app_actor(), case, command, &found, Zone::UTC, NOW, &mut (2_000_u128..))
}

pub fn decide_update(
    workspace: &Workspace,
    before: &Versioned<Case>,
    command: &UpdateCase,
    tasks: &[Versioned<Task>],
) -> Result<Option<Change>, Faults> {
    let (actor, found) = (app_actor(), Found::default());
    update_case(workspace, &actor, before, None, command, tasks, &found, Zone::UTC, NOW, &mut (3_000_u128..))
}

pub fn decide_update_task(
    workspace: &Workspace,
    before: &Versioned<Task>,
    case: &Versioned<Case>,
    command: &UpdateTask,
) -> Result<Option<Change>, Faults> {
    let (actor, found) = (app_actor(), Found::default());
    update_task(
        workspace,
        &actor,
        before,
        None,
        case,
        &[],
        command,
        &found,
        Zone::UTC,
        NOW,
        &mut (4_000_u128..),
    )
}

/// A stored case of the template General, number 100, made an hour ago.
pub fn stored_case(workspace: &Workspace) -> Versioned<Case> {
    let mut case = made_case(&decide_create(workspace, &create()).unwrap());
    let hour_ago = NOW.plus_ms(-3_600_000);
    case.item.created_at = hour_ago;
    case.item.updated_at = hour_ago;
    Versioned { version: 1, number: Some(100), value: case }
}

/// A stored task of the template Follow-up, number 100, in the given case.
pub fn stored_task(workspace: &Workspace, case: &mut Versioned<Case>) -> Versioned<Task> {
    let change = decide_create_task(workspace, Some(case), &create_for(case)).unwrap();
    let task = made_task(&change);
    case.value = changed_case(&change);
    Versioned { version: 1, number: Some(100), value: task }
}

/// The case that a change makes or changes first of all.
pub fn made_case(change: &Change) -> Case {
    match &change.records[0].after {
        Record::Case(case) => case.clone(),
        Record::Task(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_)
        | Record::Comment(_) => {
            panic!("not a case")
        }
    }
}

pub fn made_task(change: &Change) -> Task {
    match &change.records[0].after {
        Record::Task(task) => task.clone(),
        Record::Case(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_)
        | Record::Comment(_) => {
            panic!("not a task")
        }
    }
}

/// The case among the records of a change that is about a task.
pub fn changed_case(change: &Change) -> Case {
    let case = change.records.iter().skip(1).find_map(|record| match &record.after {
        Record::Case(case) => Some(case.clone()),
        Record::Task(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_)
        | Record::Comment(_) => None,
    });
    case.unwrap()
}

pub fn made_tasks(change: &Change) -> Vec<Task> {
    let tasks = change.records.iter().filter_map(|record| match &record.after {
        Record::Task(task) => Some(task.clone()),
        Record::Case(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_)
        | Record::Comment(_) => None,
    });
    tasks.collect()
}

pub fn made_customer(change: &Change) -> Option<Customer> {
    change.records.iter().find_map(|record| match &record.after {
        Record::Customer(customer) => Some(customer.clone()),
        Record::Case(_) | Record::Task(_) | Record::Attachment(_) | Record::Usage(_) | Record::Comment(_) => {
            None
        }
    })
}

/// The faults in the order of kinds and keys.
pub fn sorted(faults: &Faults) -> Vec<(FaultKind, Key, Option<usize>)> {
    let mut list: Vec<_> = faults.list().iter().map(|fault| (fault.kind, fault.key, fault.index)).collect();
    list.sort_unstable();
    list
}

pub fn faults_of<T>(decided: Result<T, Faults>) -> Vec<(FaultKind, Key, Option<usize>)> {
    decided.err().map(|faults| sorted(&faults)).unwrap_or_default()
}

/// One invalid key.
pub fn invalid(key: Key) -> Vec<(FaultKind, Key, Option<usize>)> {
    vec![(FaultKind::Invalid, key, None)]
}

/// Sets the status of an item by its name.
pub fn set_status(item: &mut WorkItem, workspace: &Workspace, name: &str) {
    let status = workspace.statuses.iter().find(|status| status.name == name).unwrap();
    item.status = status.id.clone();
}
