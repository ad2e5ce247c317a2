//! Undoing one change of a case.

use super::Case;
use super::update::{check_changeable, check_open_tasks, event_of, merge};
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::item::due;
use crate::item::merge::Versions;
use crate::item::undo::{Undone, check_usable};
use crate::task::Task;
use crate::version::Versioned;
use crate::workspace::Workspace;

/// Decides the undoing of a change. `tasks` are those that the case lists, needed where the undoing closes or restores it.
/// `Ok(None)`: all that it changed has been taken back already.
///
/// # Errors
/// Each key that was changed again since, and what the rules of updates refuse.
pub fn undo_case(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Case>,
    undone: Undone<'_, Case>,
    tasks: &[Versioned<Task>],
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = Faults::new();
    let stored = &before.value;
    let Undone { former, made } = undone;
    let is_same = former.links == made.links
        && former.watchers == made.watchers
        && former.merged_into == made.merged_into
        && former.tasks == made.tasks;
    if !is_same {
        let message =
            "a change of links, watchers or the list of tasks, and a merge, can't be undone by its event";
        faults.add(FaultKind::Conflict, Key::Body, message);
        return Err(faults);
    }
    let versions = Versions { base: undone.made, mine: undone.former, stored };
    let mut after = merge(versions, workspace, now, &mut faults);
    if after == *stored {
        return faults.or(None);
    }
    due::settle_changed(&stored.item, &mut after.item, workspace, now);
    check_changeable(stored, &after.item, &mut faults);
    check_usable(&stored.item, &after.item, workspace, &mut faults);
    check_open_tasks(stored, &after, tasks, workspace, &mut faults);
    after.forget_tasks(stored, tasks);
    after.item.touch(actor, now);
    let event = event_of(&stored.item, &after.item, workspace).of_case();
    let record =
        RecordChange { before: Some(before.clone().map(Record::Case)), after: Record::Case(after), event };
    faults.or(Some(Change { records: vec![record] }))
}
