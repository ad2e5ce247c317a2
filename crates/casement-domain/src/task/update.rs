//! Updating a task; contract section 9.

use super::create::{check_room, with_tasks};
use super::plan::{check_circle, check_ended};
use super::{CONVERSATION_TYPE, Task, reference_id};
use crate::actor::Actor;
use crate::case::update::{check_deleted, check_merged, event_of};
use crate::case::{self, Case};
use crate::change::{Change, Record, RecordChange};
use crate::customer::{CustomerInput, Found};
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::TaskTemplateId;
use crate::item::change::{Around, apply, customer_of};
use crate::item::due;
use crate::item::identity::{self, Identity};
use crate::item::input::UpdateInput;
use crate::item::merge::{self, Versions};
use crate::item::plain::{Mode, take};
use crate::version::Versioned;
use crate::workspace::Workspace;

/// Asks for a change of a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateTask {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The template by id or exact name.
    pub template: Given<String>,
    /// The template in the other spelling.
    pub template_alias: Given<String>,
    /// The keys shared with cases.
    pub input: UpdateInput,
}

impl UpdateTask {
    /// Tells whether the decision needs all tasks of the case: a restored task may wait for what waits for it by now.
    pub fn may_restore(&self, before: &Task) -> bool {
        !before.item.active && self.input.active.value() == Some(&true)
    }

    /// Tells whether the decision needs the tasks that the task depends on: only a command that sets a status may end it.
    pub fn may_end(&self, workspace: &Workspace) -> bool {
        let status = self.input.item.status.value().and_then(|reference| workspace.find_status(reference));
        status.is_some_and(|status| status.category.is_over())
    }

    /// Gives the customer whose profile the decision needs.
    pub fn customer(&self, before: &Task) -> Option<&CustomerInput> {
        customer_of(&before.item, &self.input)
    }
}

/// Decides an update of a task. `base` is the version that the client read, where it names an earlier one that is
/// known: only what the command changes of that version is laid over the stored task; a task that is deleted or restored changes its case too. `Ok(None)`: the command
/// changes nothing. `awaited` are the tasks that the stored one depends on, needed where [`UpdateTask::may_end`] says so. `ids` must
/// not end.
///
/// # Errors
/// All faults of the command.
#[expect(clippy::too_many_arguments, reason = "a decision names everything that it depends on")]
pub fn update_task(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Task>,
    base: Option<&Task>,
    case: &Versioned<Case>,
    awaited: &[Versioned<Task>],
    command: &UpdateTask,
    customers: &Found,
    zone: Zone,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Option<Change>, Faults> {
    let fresh = ids.next().expect("invariant: the source of ids does not end");
    let mut faults = command.faults.clone();
    let stored = &before.value;
    let base = base.unwrap_or(stored);
    check_identity(workspace, before, case, command, zone, &mut faults);
    identity::check_participants(&command.input.participants, &base.item, workspace, zone, &mut faults);
    let mut mine = base.clone();
    apply_template(&mut mine, command, workspace, &mut faults);
    let (fields_before, fields_after) = (base.fields(workspace), mine.fields(workspace));
    let around = Around { workspace, customers, fields_before, fields_after, zone, now, fresh };
    let changed = apply(&base.item, &command.input, around, &mut faults);
    mine.item = changed.item;
    let versions = Versions { base, mine: &mine, stored };
    let after = if base == stored { mine } else { merge(versions, workspace, now, &mut faults) };
    if after == *stored {
        return faults.or(None);
    }
    let mut records = settled(workspace, actor, before, after, Beside { case, awaited }, now, &mut faults);
    records.extend(changed.profile);
    faults.or(Some(Change { records }))
}

/// The documents beside a task that rules over it look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// Its case.
    pub(crate) case: &'a Versioned<Case>,
    /// The tasks that it depends on, and perhaps others.
    pub(crate) awaited: &'a [Versioned<Task>],
}

/// Settles what follows from a change of a task, checks it, and gives the documents to write: the task, and its case where its
/// list of tasks changes.
pub(crate) fn settled(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Task>,
    mut after: Task,
    beside: Beside<'_>,
    now: Moment,
    faults: &mut Faults,
) -> Vec<RecordChange> {
    let stored = &before.value;
    let Beside { case, awaited } = beside;
    due::settle_changed(&stored.item, &mut after.item, workspace, now);
    check_deleted(&stored.item, &after.item, faults);
    check_ended(stored, &after, awaited, workspace, faults);
    if after.item.active && !stored.item.active {
        check_circle(before, &after.plan, awaited, faults);
    }
    check_case(&case.value, workspace, faults);
    if after.item.active && !stored.item.active {
        check_room(&case.value, Key::Active, faults);
    }
    after.item.touch(actor, now);
    let mut records = vec![RecordChange {
        before: Some(before.clone().map(Record::Task)),
        event: event_of(&stored.item, &after.item, workspace).of_task(),
        after: Record::Task(after.clone()),
    }];
    match (stored.item.active, after.item.active) {
        (true, false) => {
            records.push(with_tasks(case, actor, now, |tasks| tasks.retain(|task| *task != after.id)));
        }
        (false, true) => records.push(with_tasks(case, actor, now, |tasks| tasks.push(after.id.clone()))),
        (true, true) | (false, false) => {}
    }
    records
}

/// Adds a fault when the case of a task lets its tasks not change.
pub(crate) fn check_case(case: &Case, workspace: &Workspace, faults: &mut Faults) {
    if case.merged_into.is_some() {
        check_merged(case, Key::CaseOfTask, faults);
    } else if !case.item.active {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case of the task is deleted");
    } else if case.item.is_closed(workspace) {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case of the task is closed");
    }
}

/// Merges what a client made of the version that it read with what is stored now.
pub(crate) fn merge(
    versions: Versions<'_, Task>,
    workspace: &Workspace,
    now: Moment,
    faults: &mut Faults,
) -> Task {
    let Versions { base, mine, stored } = versions;
    let items = Versions { base: &base.item, mine: &mine.item, stored: &stored.item };
    let template_name = |(id, _): &(Option<TaskTemplateId>, u32)| {
        let template = id.as_ref().and_then(|id| workspace.task_template(id));
        merge::json(&template.map_or("", |template| template.name.as_str()))
    };
    // A template and its version are one value: a merged task keeps to a version that it had on one side.
    let (base_template, mine_template, stored_template) =
        (base.template_at(), mine.template_at(), stored.template_at());
    let templates = Versions { base: &base_template, mine: &mine_template, stored: &stored_template };
    let (template, template_version) = templates.whole(Key::Template, template_name, faults);
    Task {
        id: stored.id.clone(),
        case: stored.case.clone(),
        plan: Versions { base: &base.plan, mine: &mine.plan, stored: &stored.plan }.whole(
            Key::Checklist,
            merge::json,
            faults,
        ),
        template,
        template_version,
        item: merge::items(items, workspace, now, faults),
    }
}

fn check_identity(
    workspace: &Workspace,
    before: &Versioned<Task>,
    case: &Versioned<Case>,
    command: &UpdateTask,
    zone: Zone,
    faults: &mut Faults,
) {
    let stored = &before.value;
    let reference = before.number.map(reference_id).unwrap_or_default();
    let case_reference = case.number.map(case::reference_id).unwrap_or_default();
    let identity = Identity {
        id: stored.id.as_str(),
        reference: &reference,
        conversation_type: CONVERSATION_TYPE,
        case: Some(stored.case.as_str()),
        case_reference: Some(&case_reference),
    };
    identity::check(&command.input.identity, identity, &stored.item, workspace, zone, faults);
}

fn apply_template(task: &mut Task, command: &UpdateTask, workspace: &Workspace, faults: &mut Faults) {
    let plain = take(&command.template, Key::Template, Mode::Update, faults);
    let alias = take(&command.template_alias, Key::CaseTemplateOfTask, Mode::Update, faults);
    let (text, key) = match (plain, alias) {
        (Some(plain), Some(alias)) if plain != alias => {
            faults.invalid(
                Key::CaseTemplateOfTask,
                "names another template than the other spelling of the key",
            );
            return;
        }
        (Some(plain), _) => (plain, Key::Template),
        (None, Some(alias)) => (alias, Key::CaseTemplateOfTask),
        (None, None) => return,
    };
    let current = task.template.as_ref().and_then(|id| workspace.task_template(id));
    if current.map_or("", |template| template.name.as_str()) == text {
        return;
    }
    match workspace.find_task_template(text) {
        None => faults.invalid(key, "there is no such task template"),
        Some(template) if task.template.as_ref() == Some(&template.id) => {}
        Some(template) if !template.active => {
            faults.add(FaultKind::Unprocessable, key, "the task template is switched off");
        }
        Some(template) => {
            task.template = Some(template.id.clone());
            task.template_version = template.version;
        }
    }
}
