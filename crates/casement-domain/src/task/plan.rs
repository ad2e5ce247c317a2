//! The plan of a task: which tasks must be over before it, whether its case can't be closed without it, and its checklist.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Task, reference_id};
use crate::actor::Actor;
use crate::case::Case;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::{CheckItemId, TaskId};
use crate::item::WorkItem;
use crate::limits;
use crate::version::Versioned;
use crate::workspace::Workspace;

/// The event that tells of a changed plan.
pub const PLANNED: &str = "task.planned";

/// The plan of a task; a task without one has the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The tasks of the same case that must be over before this one can be; at most [`limits::DEPENDENCIES_MAX`].
    pub depends_on: Vec<TaskId>,
    /// Whether the case can't be closed while the task is open, whatever its template says.
    pub required: bool,
    /// What is to be done, in order; at most [`limits::CHECKLIST_MAX`] items.
    pub checklist: Vec<CheckItem>,
}

/// One line of a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckItem {
    /// Its id.
    pub id: CheckItemId,
    /// What is to be done, 1 to 512 characters.
    pub text: String,
    /// Whether it is done.
    pub done: bool,
}

impl Plan {
    /// Tells whether there is nothing in it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Asks for a change of a task's plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanTask {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The tasks to wait for, by id or reference id.
    pub depends_on: Given<Vec<String>>,
    /// Whether the case can't be closed without it.
    pub required: Given<bool>,
    /// The checklist; it takes the place of the former one.
    pub checklist: Given<Vec<CheckInput>>,
}

/// One line of a request's checklist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckInput {
    /// The id of a line that there is; without one it is a new line.
    pub id: Option<String>,
    /// What is to be done; absent: as it was.
    pub text: Option<String>,
    /// Whether it is done; absent: as it was, of a new line not.
    pub done: Option<bool>,
}

/// Decides a change of a task's plan. `siblings` are the tasks that the case lists. `Ok(None)`: the command changes nothing.
/// `ids` must not end.
///
/// # Errors
/// All faults of the command.
#[expect(clippy::too_many_arguments, reason = "a decision names everything that it depends on")]
pub fn plan_task(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Task>,
    case: &Versioned<Case>,
    siblings: &[Versioned<Task>],
    command: &PlanTask,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Option<Change>, Faults> {
    let mut faults = command.faults.clone();
    let mut after = before.value.clone();
    match &command.depends_on {
        Given::Value(named) => after.plan.depends_on = dependencies(before, siblings, named, &mut faults),
        Given::Null => after.plan.depends_on.clear(),
        Given::Absent | Given::Invalid => {}
    }
    match command.required {
        Given::Value(required) => after.plan.required = required,
        Given::Null => after.plan.required = false,
        Given::Absent | Given::Invalid => {}
    }
    match &command.checklist {
        Given::Value(lines) => {
            after.plan.checklist = checklist(&before.value.plan.checklist, lines, ids, &mut faults);
        }
        Given::Null => after.plan.checklist.clear(),
        Given::Absent | Given::Invalid => {}
    }
    if after == before.value {
        return faults.or(None);
    }
    check_circle(before, &after.plan, siblings, &mut faults);
    if !before.value.item.active {
        faults.add(
            FaultKind::Conflict,
            Key::Active,
            "the task is deleted and can be edited only when restored",
        );
    }
    if !case.value.item.active {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case of the task is deleted");
    } else if case.value.item.is_closed(workspace) {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case of the task is closed");
    }
    after.item.touch(actor, now);
    let record = RecordChange {
        before: Some(before.clone().map(Record::Task)),
        after: Record::Task(after),
        event: PLANNED,
    };
    faults.or(Some(Change { records: vec![record] }))
}

fn dependencies(
    before: &Versioned<Task>,
    siblings: &[Versioned<Task>],
    named: &[String],
    faults: &mut Faults,
) -> Vec<TaskId> {
    if named.len() > limits::DEPENDENCIES_MAX {
        faults.invalid(Key::DependsOn, format!("must name at most {} tasks", limits::DEPENDENCIES_MAX));
        return Vec::new();
    }
    let mut found: Vec<TaskId> = Vec::with_capacity(named.len());
    for (index, text) in named.iter().enumerate() {
        let is_named = |task: &&Versioned<Task>| {
            task.value.id.as_str() == text || task.number.map(reference_id).as_deref() == Some(text)
        };
        match siblings.iter().find(is_named) {
            None => {
                faults.add_at(FaultKind::Invalid, Key::DependsOn, index, "there is no such task of the case");
            }
            Some(task) if task.value.id == before.value.id => {
                faults.add_at(FaultKind::Invalid, Key::DependsOn, index, "a task can't wait for itself");
            }
            Some(task) if found.contains(&task.value.id) => {}
            Some(task) => found.push(task.value.id.clone()),
        }
    }
    found
}

/// Adds a fault when tasks would wait for one another by a plan.
pub(crate) fn check_circle(
    before: &Versioned<Task>,
    plan: &Plan,
    siblings: &[Versioned<Task>],
    faults: &mut Faults,
) {
    if let Some(way) = circle(&before.value.id, &plan.depends_on, siblings) {
        let message = format!("the tasks would wait for one another: {}", way.join(", "));
        faults.add(FaultKind::Conflict, Key::DependsOn, message);
    }
}

/// Finds a way from what a task would wait for back to the task, as reference ids.
fn circle(task: &TaskId, depends_on: &[TaskId], siblings: &[Versioned<Task>]) -> Option<Vec<String>> {
    let by_id: BTreeMap<&TaskId, &Versioned<Task>> =
        siblings.iter().map(|sibling| (&sibling.value.id, sibling)).collect();
    let mut seen: BTreeSet<&TaskId> = BTreeSet::new();
    // Each entry knows from which one it was reached.
    let mut reached: Vec<(&TaskId, Option<usize>)> = depends_on.iter().map(|id| (id, None)).collect();
    let mut next = 0;
    while let Some(&(id, _)) = reached.get(next) {
        if id == task {
            let mut way = Vec::new();
            let mut place = Some(next);
            while let Some((id, from)) = place.and_then(|place| reached.get(place)) {
                let number = by_id.get(id).and_then(|task| task.number);
                way.push(number.map_or_else(|| id.to_string(), reference_id));
                place = *from;
            }
            way.reverse();
            return Some(way);
        }
        if seen.insert(id)
            && let Some(sibling) = by_id.get(id)
        {
            reached.extend(sibling.value.plan.depends_on.iter().map(|id| (id, Some(next))));
        }
        next += 1;
    }
    None
}

fn checklist(
    before: &[CheckItem],
    lines: &[CheckInput],
    ids: &mut dyn Iterator<Item = u128>,
    faults: &mut Faults,
) -> Vec<CheckItem> {
    if lines.len() > limits::CHECKLIST_MAX {
        faults.invalid(Key::Checklist, format!("must have at most {} lines", limits::CHECKLIST_MAX));
        return Vec::new();
    }
    let mut after: Vec<CheckItem> = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let mut fault = |message: String| faults.add_at(FaultKind::Invalid, Key::Checklist, index, message);
        let known = line.id.as_deref().map(|id| before.iter().find(|item| item.id.as_str() == id));
        let mut item = match known {
            Some(None) => {
                fault("there is no line with this _id".to_owned());
                continue;
            }
            Some(Some(item)) if after.iter().any(|other| other.id == item.id) => {
                fault("the line stands twice".to_owned());
                continue;
            }
            Some(Some(item)) => item.clone(),
            None => {
                let fresh = ids.next().expect("invariant: the source of ids does not end");
                CheckItem { id: CheckItemId::fresh(fresh), text: String::new(), done: false }
            }
        };
        if let Some(text) = &line.text {
            text.trim().clone_into(&mut item.text);
        }
        if !(1..=limits::CHECK_TEXT_CHARACTERS_MAX).contains(&item.text.chars().count()) {
            fault(format!("needs a text of 1 to {} characters", limits::CHECK_TEXT_CHARACTERS_MAX));
        }
        item.done = line.done.unwrap_or(item.done);
        after.push(item);
    }
    after
}

/// Tells whether an update ends the work on a task.
pub fn ends(before: &WorkItem, after: &WorkItem, workspace: &Workspace) -> bool {
    after.is_over(workspace) && !before.is_over(workspace)
}

/// Adds a fault when the work on a task ends before its plan lets it. `awaited` are the tasks that it depends on; those that
/// are deleted are waited for no more.
pub(crate) fn check_ended(
    before: &Task,
    after: &Task,
    awaited: &[Versioned<Task>],
    workspace: &Workspace,
    faults: &mut Faults,
) {
    if !after.item.active || !ends(&before.item, &after.item, workspace) {
        return;
    }
    let is_open = |task: &&Versioned<Task>| {
        after.plan.depends_on.contains(&task.value.id)
            && task.value.item.active
            && !task.value.item.is_over(workspace)
    };
    let open: Vec<String> = awaited
        .iter()
        .filter(is_open)
        .map(|task| task.number.map(reference_id).unwrap_or_default())
        .collect();
    if !open.is_empty() {
        let message = format!("the task can't end before the tasks that it depends on: {}", open.join(", "));
        faults.add(FaultKind::Conflict, Key::Status, message);
    }
    let undone = after.plan.checklist.iter().filter(|item| !item.done).count();
    if undone > 0 {
        let message = format!("the task can't end while lines of its checklist are not done: {undone}");
        faults.add(FaultKind::Conflict, Key::Status, message);
    }
}
