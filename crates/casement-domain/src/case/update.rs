//! Updating a case; contract section 9.

use super::{CONVERSATION_TYPE, Case, reference_id};
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::customer::{CustomerInput, Found};
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::CaseTemplateId;
use crate::item::change::{Around, apply, customer_of};
use crate::item::identity::{self, Identity};
use crate::item::input::UpdateInput;
use crate::item::merge::{self, Versions};
use crate::item::plain::{Mode, checked_text, take};
use crate::item::{WorkItem, due};
use crate::limits;
use crate::task::{self, Task};
use crate::version::Versioned;
use crate::workspace::Workspace;
use crate::workspace::entries::Category;

/// Asks for a change of a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateCase {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The template by id or exact name.
    pub template: Given<String>,
    /// The language.
    pub language: Given<String>,
    /// The keys shared with tasks.
    pub input: UpdateInput,
}

impl UpdateCase {
    /// Tells whether the decision needs the case's tasks: only a command that sets a status may close the case.
    pub fn may_close(&self, workspace: &Workspace) -> bool {
        let status = self.input.item.status.value().and_then(|reference| workspace.find_status(reference));
        status.is_some_and(|status| status.category == Category::Closed)
    }

    /// Tells whether the decision needs the case's tasks since it may restore the case.
    pub fn may_restore(&self, before: &Case) -> bool {
        !before.item.active && self.input.active.value() == Some(&true)
    }

    /// Gives the customer whose profile the decision needs.
    pub fn customer(&self, before: &Case) -> Option<&CustomerInput> {
        customer_of(&before.item, &self.input)
    }
}

/// Decides an update of a case. `base` is the version that the client read, where it names an earlier one that is
/// known: only what the command changes of that version is laid over the stored case. `tasks` are those that the case lists, needed where [`UpdateCase::may_close`] or
/// [`UpdateCase::may_restore`] says so.
/// `Ok(None)`: the command changes nothing. `ids` must not end.
///
/// # Errors
/// All faults of the command.
#[expect(clippy::too_many_arguments, reason = "a decision names everything that it depends on")]
pub fn update_case(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Case>,
    base: Option<&Case>,
    command: &UpdateCase,
    tasks: &[Versioned<Task>],
    customers: &Found,
    zone: Zone,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Option<Change>, Faults> {
    let fresh = ids.next().expect("invariant: the source of ids does not end");
    let mut faults = command.faults.clone();
    let stored = &before.value;
    let base = base.unwrap_or(stored);
    check_identity(workspace, before, base, command, zone, &mut faults);
    let mut mine = base.clone();
    apply_template(&mut mine, &command.template, workspace, &mut faults);
    let (fields_before, fields_after) = (base.fields(workspace), mine.fields(workspace));
    let around = Around { workspace, customers, fields_before, fields_after, zone, now, fresh };
    let changed = apply(&base.item, &command.input, around, &mut faults);
    mine.item = changed.item;
    if let Some(language) = take(&command.language, Key::Language, Mode::Update, &mut faults) {
        let language = checked_text(language, limits::LANGUAGE_CHARACTERS_MAX, Key::Language, &mut faults);
        mine.language = language.unwrap_or_default();
    }
    let versions = Versions { base, mine: &mine, stored };
    let mut after = if base == stored { mine } else { merge(versions, workspace, now, &mut faults) };
    if after == *stored {
        return faults.or(None);
    }
    due::settle_changed(&stored.item, &mut after.item, workspace, now);
    check_changeable(stored, &after.item, &mut faults);
    check_open_tasks(stored, &after, tasks, workspace, &mut faults);
    after.forget_tasks(stored, tasks);
    after.item.touch(actor, now);
    let event = event_of(&stored.item, &after.item, workspace).of_case();
    let mut records = vec![RecordChange {
        before: Some(before.clone().map(Record::Case)),
        after: Record::Case(after),
        event,
    }];
    records.extend(changed.profile);
    faults.or(Some(Change { records }))
}

impl Case {
    /// Takes out the tasks that are there no more, where the case is restored: a purge of it that broke off has taken them.
    pub(crate) fn forget_tasks(&mut self, before: &Self, tasks: &[Versioned<Task>]) {
        if self.item.active && !before.item.active {
            self.tasks.retain(|id| tasks.iter().any(|task| task.value.id == *id));
        }
    }
}

/// Merges what a client made of the version that it read with what is stored now.
pub(crate) fn merge(
    versions: Versions<'_, Case>,
    workspace: &Workspace,
    now: Moment,
    faults: &mut Faults,
) -> Case {
    let Versions { base, mine, stored } = versions;
    let items = Versions { base: &base.item, mine: &mine.item, stored: &stored.item };
    let template_name = |(id, _): &(CaseTemplateId, u32)| {
        merge::json(&workspace.case_template(id).map_or("", |template| template.name.as_str()))
    };
    // A template and its version are one value: a merged case keeps to a version that it had on one side.
    let (base_template, mine_template, stored_template) =
        (base.template_at(), mine.template_at(), stored.template_at());
    let templates = Versions { base: &base_template, mine: &mine_template, stored: &stored_template };
    let languages = Versions { base: &base.language, mine: &mine.language, stored: &stored.language };
    let (template, template_version) = templates.whole(Key::Template, template_name, faults);
    let supports_custom_tasks =
        if (&template, template_version) == (&stored.template, stored.template_version) {
            stored.supports_custom_tasks
        } else {
            mine.supports_custom_tasks
        };
    Case {
        id: stored.id.clone(),
        item: merge::items(items, workspace, now, faults),
        language: languages.whole(Key::Language, merge::json, faults),
        supports_custom_tasks,
        tasks: stored.tasks.clone(),
        watchers: stored.watchers.clone(),
        links: stored.links.clone(),
        merged_into: stored.merged_into.clone(),
        template,
        template_version,
    }
}

fn check_identity(
    workspace: &Workspace,
    before: &Versioned<Case>,
    base: &Case,
    command: &UpdateCase,
    zone: Zone,
    faults: &mut Faults,
) {
    let stored = &before.value;
    let reference = before.number.map(reference_id).unwrap_or_default();
    let identity = Identity {
        id: stored.id.as_str(),
        reference: &reference,
        conversation_type: CONVERSATION_TYPE,
        case: None,
        case_reference: None,
    };
    identity::check(&command.input.identity, identity, &stored.item, workspace, zone, faults);
    identity::check_participants(&command.input.participants, &base.item, workspace, zone, faults);
}

fn apply_template(case: &mut Case, given: &Given<String>, workspace: &Workspace, faults: &mut Faults) {
    let Some(text) = take(given, Key::Template, Mode::Update, faults) else { return };
    // The name of the template that the case has stays acceptable, also when another one got the same name.
    let current = workspace.case_template(&case.template).filter(|current| current.name == *text);
    match current.or_else(|| workspace.find_case_template(text)) {
        None => faults.invalid(Key::Template, "there is no such case template"),
        Some(template) if template.id == case.template => {}
        Some(template) if !template.active => {
            faults.add(FaultKind::Unprocessable, Key::Template, "the case template is switched off");
        }
        Some(template) => {
            case.template = CaseTemplateId::clone(&template.id);
            case.template_version = template.version;
            case.supports_custom_tasks = template.custom_tasks;
        }
    }
}

/// Adds a fault when a case is changed that was merged into another.
pub(crate) fn check_merged(case: &Case, key: Key, faults: &mut Faults) {
    if let Some(into) = &case.merged_into {
        let message = format!("the case was merged into {}, which goes on in its place", into.reference());
        faults.add(FaultKind::Conflict, key, message);
    }
}

/// Adds a fault when a case can't change at all: it was merged, or is deleted and stays so.
pub(crate) fn check_changeable(before: &Case, after: &WorkItem, faults: &mut Faults) {
    if before.merged_into.is_some() {
        check_merged(before, Key::Active, faults);
    } else {
        check_deleted(&before.item, after, faults);
    }
}

/// Adds a fault when a deleted item is edited by a command that does not restore it.
pub(crate) fn check_deleted(before: &WorkItem, after: &WorkItem, faults: &mut Faults) {
    if !before.active && !after.active {
        faults.add(
            FaultKind::Conflict,
            Key::Active,
            "the document is deleted and can be edited only when restored",
        );
    }
}

/// Adds a fault when a case is closed whose open tasks don't let it.
pub(crate) fn check_open_tasks(
    before: &Case,
    after: &Case,
    tasks: &[Versioned<Task>],
    workspace: &Workspace,
    faults: &mut Faults,
) {
    let closes = after.item.is_closed(workspace) && !before.item.is_closed(workspace);
    let template = workspace.case_template(&after.template);
    let allowed = template.is_some_and(|template| template.closes_with_open_tasks_at(after.template_version));
    if !closes {
        return;
    }
    let open: Vec<String> = tasks
        .iter()
        .filter(|task| task.value.plan.required || !allowed)
        .filter(|task| task.value.item.active && !task.value.item.is_over(workspace))
        .map(|task| task.number.map(task::reference_id).unwrap_or_default())
        .collect();
    if !open.is_empty() {
        let message = format!("the case can't be closed while tasks are open: {}", open.join(", "));
        faults.add(FaultKind::Conflict, Key::Status, message);
    }
}

/// What sort of change an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpdateEvent {
    Deleted,
    Restored,
    Reopened,
    Updated,
}

impl UpdateEvent {
    pub(crate) fn of_case(self) -> &'static str {
        match self {
            Self::Deleted => "case.deleted",
            Self::Restored => "case.restored",
            Self::Reopened => "case.reopened",
            Self::Updated => "case.updated",
        }
    }

    pub(crate) fn of_task(self) -> &'static str {
        match self {
            Self::Deleted => "task.deleted",
            Self::Restored => "task.restored",
            Self::Reopened => "task.reopened",
            Self::Updated => "task.updated",
        }
    }
}

/// Names the change; leaving resolved or closed for another category counts as a reopening.
pub(crate) fn event_of(before: &WorkItem, after: &WorkItem, workspace: &Workspace) -> UpdateEvent {
    match (before.active, after.active) {
        (true, false) => UpdateEvent::Deleted,
        (false, true) => UpdateEvent::Restored,
        (true, true) | (false, false) if before.is_over(workspace) && !after.is_over(workspace) => {
            UpdateEvent::Reopened
        }
        (true, true) | (false, false) => UpdateEvent::Updated,
    }
}
