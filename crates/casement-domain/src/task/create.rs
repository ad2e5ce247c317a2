//! Creating a task of a case; contract section 8.

use super::Task;
use super::plan::Plan;
use crate::actor::Actor;
use crate::case::Case;
use crate::case::reference_id;
use crate::case::update::check_merged;
use crate::change::{Change, Record, RecordChange};
use crate::customer::{CustomerInput, Found, resolve};
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::{FieldId, TaskId};
use crate::item::input::ItemInput;
use crate::item::new::{apply_texts, blank};
use crate::item::plain::Mode;
use crate::item::{assignment, due, fields, plain};
use crate::limits;
use crate::version::Versioned;
use crate::workspace::Workspace;
use crate::workspace::template::{DefaultAssignee, FIRST_VERSION, TaskTemplate};

/// Asks for a new task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateTask {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The id of the case.
    pub case: Given<String>,
    /// The reference id of the same case.
    pub case_reference: Given<String>,
    /// The template by id or exact name.
    pub template: Given<String>,
    /// The keys shared with cases.
    pub item: ItemInput,
    /// The e-mail address beside the customer.
    pub email: Given<String>,
    /// The phone number beside the customer.
    pub phone: Given<String>,
}

impl CreateTask {
    /// Gives the customer that the command names, for looking up the profiles that the decision needs.
    pub fn customer(&self) -> Option<CustomerInput> {
        resolve::of_create(&self.item, &self.email, &self.phone)
    }

    /// Places the command in a case that is named beside it: what it says of its case itself may only repeat that.
    pub fn within(mut self, id: &str, reference: &str) -> Self {
        let given = [
            (&mut self.case, id, Key::CaseOfTask),
            (&mut self.case_reference, reference, Key::CaseReference),
        ];
        for (given, own, key) in given {
            if given.value().is_some_and(|given| given != own) {
                self.faults.invalid(key, "names another case than the path");
            }
            *given = Given::Value(own.to_owned());
        }
        self
    }
}

/// What the template key of a command means.
enum Chosen<'a> {
    Template(&'a TaskTemplate),
    Custom,
    Unusable,
}

/// Decides the creation of a task; the case gets it among its tasks. `case` is `None` when there is no case of the id
/// that the command gives. `ids` must not end.
///
/// # Errors
/// All faults of the command.
#[expect(clippy::too_many_arguments, reason = "a decision names everything that it depends on")]
pub fn create_task(
    workspace: &Workspace,
    actor: &Actor,
    case: Option<&Versioned<Case>>,
    command: &CreateTask,
    customers: &Found,
    zone: Zone,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Change, Faults> {
    let mut next = || ids.next().expect("invariant: the source of ids does not end");
    let mut faults = command.faults.clone();
    check_case(case, command, workspace, &mut faults);
    let chosen = choose_template(workspace, case, command, &mut faults);
    if command.item.customer.is_missing() {
        faults.invalid(Key::Customer, "is required");
    }
    if command.item.source.is_missing() {
        faults.invalid(Key::Source, "is required");
    }
    let customer = resolve::named(&command.item, &command.email, &command.phone, &mut faults);
    let mut item = blank(workspace, actor, now);
    let template = match chosen {
        Chosen::Template(template) => Some(template),
        Chosen::Custom | Chosen::Unusable => None,
    };
    let field_ids: Option<&[FieldId]> = match chosen {
        Chosen::Template(template) => Some(&template.fields),
        Chosen::Custom => Some(&[]),
        Chosen::Unusable => None,
    };
    let given = &command.item.fields;
    let system = fields::apply_new(&mut item, given, field_ids, workspace, zone, &mut faults);
    apply_texts(&mut item, &command.item, &system, &mut faults);
    if item.name.is_empty() && command.item.name.is_missing() {
        match template {
            Some(template) => item.name.clone_from(&template.name),
            None if matches!(chosen, Chosen::Custom) => {
                faults.invalid(Key::Name, "is required for a task without a template");
            }
            None => {}
        }
    }
    plain::apply(&mut item, &command.item, workspace, Mode::Create, &mut faults);
    due::apply(&mut item, &command.item, &system, zone, Mode::Create, &mut faults);
    if item.due.is_none() {
        item.due = template.and_then(|template| template.default_due_ms).map(|ms| now.plus_ms(ms));
    }
    let default = template.map_or(&DefaultAssignee::Unassigned, |template| &template.default_assignee);
    let assigned = assignment::of_new(&command.item, default, workspace, actor, &mut faults);
    assignment::assign(&mut item, assigned, now);
    due::settle_new(&mut item, workspace, now);
    let (Some(case), Some(customer)) = (case, customer) else { return Err(faults) };
    let customer = resolve::resolve(&customer, customers, next());
    item.customer = customer.snapshot;
    let task = Task {
        id: TaskId::fresh(next()),
        case: case.value.id.clone(),
        template: template.map(|template| template.id.clone()),
        template_version: template.map_or(FIRST_VERSION, |template| template.version),
        plan: Plan::default(),
        item,
    };
    let mut records = vec![
        RecordChange { before: None, after: Record::Task(task.clone()), event: "task.created" },
        with_tasks(case, actor, now, |tasks| tasks.push(task.id.clone())),
    ];
    records.extend(customer.profile);
    faults.or(Change { records })
}

/// Changes the tasks of a case, which is a change of the case.
pub(crate) fn with_tasks(
    case: &Versioned<Case>,
    actor: &Actor,
    now: Moment,
    change: impl FnOnce(&mut Vec<TaskId>),
) -> RecordChange {
    let mut after = case.value.clone();
    change(&mut after.tasks);
    after.item.touch(actor, now);
    RecordChange {
        before: Some(case.clone().map(Record::Case)),
        after: Record::Case(after),
        event: "case.updated",
    }
}

/// Makes a task of a template together with its case. It has the case's customer and source, and of its fields the
/// defaults: nobody was asked for the required ones.
pub fn of_template(
    workspace: &Workspace,
    actor: &Actor,
    case: &Case,
    template: &TaskTemplate,
    now: Moment,
    fresh: u128,
) -> Task {
    let mut item = blank(workspace, actor, now);
    item.name.clone_from(&template.name);
    item.customer = case.item.customer.clone();
    item.source.clone_from(&case.item.source);
    item.due = template.default_due_ms.map(|ms| now.plus_ms(ms));
    let assigned = assignment::of_default(&template.default_assignee, workspace, actor);
    assignment::assign(&mut item, assigned, now);
    due::settle_new(&mut item, workspace, now);
    fields::custom::fill(&mut item, &template.fields, workspace);
    Task {
        id: TaskId::fresh(fresh),
        case: case.id.clone(),
        template: Some(template.id.clone()),
        template_version: template.version,
        plan: Plan::default(),
        item,
    }
}

fn check_case(
    case: Option<&Versioned<Case>>,
    command: &CreateTask,
    workspace: &Workspace,
    faults: &mut Faults,
) {
    if command.case.is_missing() {
        faults.invalid(Key::CaseOfTask, "is required");
    }
    if command.case_reference.is_missing() {
        faults.invalid(Key::CaseReference, "is required");
    }
    if command.case.value().is_none() {
        return;
    }
    let Some(case) = case else {
        faults.add(FaultKind::NotFound, Key::CaseOfTask, "there is no such case");
        return;
    };
    if let Some(reference) = command.case_reference.value()
        && case.number.map(reference_id).as_deref() != Some(reference)
    {
        faults.invalid(Key::CaseReference, "names another case than the case id");
    }
    if case.value.merged_into.is_some() {
        check_merged(&case.value, Key::CaseOfTask, faults);
    } else if !case.value.item.active {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case is deleted and takes no new tasks");
    } else if case.value.item.is_closed(workspace) {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case is closed and takes no new tasks");
    } else {
        check_room(&case.value, Key::CaseOfTask, faults);
    }
}

/// Adds a fault when a case has as many tasks as one may have.
pub(crate) fn check_room(case: &Case, key: Key, faults: &mut Faults) {
    if case.tasks.len() >= limits::TASKS_PER_CASE_MAX {
        let message = format!("the case has {} tasks already, which is the most", limits::TASKS_PER_CASE_MAX);
        faults.add(FaultKind::Unprocessable, key, message);
    }
}

fn choose_template<'a>(
    workspace: &'a Workspace,
    case: Option<&Versioned<Case>>,
    command: &CreateTask,
    faults: &mut Faults,
) -> Chosen<'a> {
    match &command.template {
        Given::Invalid => Chosen::Unusable,
        Given::Absent | Given::Null => match case {
            Some(case) if case.value.supports_custom_tasks => Chosen::Custom,
            Some(_) => {
                faults.invalid(Key::Template, "is required: the case takes no tasks without a template");
                Chosen::Unusable
            }
            // Which case it is decides whether the template may be absent; an unknown one is told by itself.
            None if command.case.value().is_some() => Chosen::Custom,
            None => {
                faults.invalid(Key::Template, "is required where the case takes no tasks without a template");
                Chosen::Unusable
            }
        },
        Given::Value(text) => match workspace.find_task_template(text) {
            None => {
                faults.invalid(Key::Template, "there is no such task template");
                Chosen::Unusable
            }
            Some(template) if !template.active => {
                faults.add(FaultKind::Unprocessable, Key::Template, "the task template is switched off");
                Chosen::Template(template)
            }
            Some(template) => Chosen::Template(template),
        },
    }
}
