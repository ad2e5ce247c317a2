//! Undoing one change of a task.

use super::Task;
use super::plan::check_circle;
use super::update::{Beside, merge, settled};
use crate::actor::Actor;
use crate::case::Case;
use crate::change::Change;
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::item::merge::Versions;
use crate::item::undo::{Undone, check_usable};
use crate::version::Versioned;
use crate::workspace::Workspace;

/// Decides the undoing of a change; `siblings` are the tasks that the case lists. `Ok(None)`: all that it changed has been taken back already.
///
/// # Errors
/// Each key that was changed again since, and what the rules of updates refuse.
pub fn undo_task(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Task>,
    undone: Undone<'_, Task>,
    case: &Versioned<Case>,
    siblings: &[Versioned<Task>],
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = Faults::new();
    let stored = &before.value;
    if undone.former.case != undone.made.case {
        faults.add(FaultKind::Conflict, Key::Body, "the move of a task by a merge can't be undone");
        return Err(faults);
    }
    let versions = Versions { base: undone.made, mine: undone.former, stored };
    let after = merge(versions, workspace, now, &mut faults);
    if after == *stored {
        return faults.or(None);
    }
    check_circle(before, &after.plan, siblings, &mut faults);
    check_usable(&stored.item, &after.item, workspace, &mut faults);
    let records =
        settled(workspace, actor, before, after, Beside { case, awaited: siblings }, now, &mut faults);
    faults.or(Some(Change { records }))
}
