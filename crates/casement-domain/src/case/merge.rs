//! Merging two cases: one goes on, the other is kept as it was under its own id. The links of the one that goes on name every case
//! that was merged into it, also through others: what is under their ids is seen on it.

use serde::{Deserialize, Serialize};

use super::link::{Link, LinkKind};
use super::update::check_merged;
use super::{Case, reference_id};
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::CaseId;
use crate::limits;
use crate::task::Task;
use crate::version::Versioned;
use crate::workspace::Workspace;

/// The case that goes on in the place of a merged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedInto {
    /// Its id.
    pub case: CaseId,
    /// The number that its reference id shows, which never changes.
    pub number: u64,
}

impl MergedInto {
    /// Gives its reference id.
    pub fn reference(&self) -> String {
        reference_id(self.number)
    }
}

/// Asks that a case is merged into another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MergeCase {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The case that goes on, by id or reference id.
    pub into: Given<String>,
}

/// Decides the merge of a case into another, which is `None` where there is no such case. `tasks` are those that the merged case
/// lists: they move. The merged case is no longer listed, as if it were deleted, and can't change any more. Links of the one that
/// goes on with the cases that are `gone`, since they were purged, end.
///
/// # Errors
/// All that speaks against it.
#[expect(clippy::too_many_arguments, reason = "a decision names everything that it depends on")]
pub fn merge_cases(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Case>,
    into: Option<&Versioned<Case>>,
    command: &MergeCase,
    tasks: &[Versioned<Task>],
    gone: &[CaseId],
    now: Moment,
) -> Result<Change, Faults> {
    let mut faults = command.faults.clone();
    if command.into.is_missing() {
        faults.invalid(Key::Into, "is required");
    }
    let Some(into) = into else {
        if command.into.value().is_some() {
            faults.add(FaultKind::NotFound, Key::Into, "there is no such case");
        }
        return Err(faults);
    };
    check(workspace, &before.value, &into.value, &mut faults);
    let (mut merged, mut going_on) = (before.value.clone(), into.value.clone());
    going_on.tasks.append(&mut merged.tasks);
    going_on.links.push(Link { kind: LinkKind::Merged, case: merged.id.clone() });
    // Those that were merged into the merged case go on with it.
    going_on.links.extend(merged.absorbed().cloned().map(|case| Link { kind: LinkKind::Merged, case }));
    going_on.forget(gone);
    if going_on.links.len() > limits::CASE_LINKS_MAX {
        let message = format!(
            "the other case would have more than {} links, with those to each case that is merged into it",
            limits::CASE_LINKS_MAX
        );
        faults.add(FaultKind::Unprocessable, Key::Into, message);
    }
    let further = merged.watchers.iter().filter(|watcher| !into.value.watchers.contains(watcher));
    going_on.watchers.extend(further.cloned());
    if going_on.watchers.len() > limits::WATCHERS_MAX {
        let message = format!("both have more than {} watchers together", limits::WATCHERS_MAX);
        faults.add(FaultKind::Unprocessable, Key::Into, message);
    }
    merged.item.active = false;
    merged.merged_into =
        Some(MergedInto { case: going_on.id.clone(), number: into.number.unwrap_or_default() });
    going_on.item.touch(actor, now);
    merged.item.touch(actor, now);
    let record = |before: &Versioned<Case>, after: Case, event| RecordChange {
        before: Some(before.clone().map(Record::Case)),
        after: Record::Case(after),
        event,
    };
    let mut records = vec![record(into, going_on, "case.absorbed"), record(before, merged, "case.merged")];
    for task in tasks {
        let mut moved = Task { case: into.value.id.clone(), ..task.value.clone() };
        moved.item.touch(actor, now);
        records.push(RecordChange {
            before: Some(task.clone().map(Record::Task)),
            after: Record::Task(moved),
            event: "task.moved",
        });
    }
    faults.or(Change { records })
}

fn check(workspace: &Workspace, merged: &Case, into: &Case, faults: &mut Faults) {
    if merged.id == into.id {
        faults.invalid(Key::Into, "a case can't be merged into itself");
        return;
    }
    check_merged(merged, Key::Active, faults);
    if merged.merged_into.is_none() && !merged.item.active {
        faults.add(FaultKind::Conflict, Key::Active, "the case is deleted");
    }
    if into.merged_into.is_some() {
        check_merged(into, Key::Into, faults);
    } else if !into.item.active {
        faults.add(FaultKind::Conflict, Key::Into, "the other case is deleted");
    } else if into.item.is_closed(workspace) && !merged.tasks.is_empty() {
        faults.add(FaultKind::Conflict, Key::Into, "the other case is closed and takes no tasks");
    }
    if into.tasks.len() + merged.tasks.len() > limits::TASKS_PER_CASE_MAX {
        let message = format!("both have more than {} tasks together", limits::TASKS_PER_CASE_MAX);
        faults.add(FaultKind::Unprocessable, Key::Into, message);
    }
}
