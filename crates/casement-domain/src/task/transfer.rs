//! Transferring a task.

use super::Task;
use super::update::check_case;
use crate::actor::Actor;
use crate::case::Case;
use crate::case::update::check_deleted;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::Faults;
use crate::item::due;
use crate::item::transfer::{Transfer, transfer};
use crate::version::Versioned;
use crate::workspace::Workspace;

/// Decides a transfer of a task. `Ok(None)`: it is there already, and nothing is noted.
///
/// # Errors
/// All faults of the command.
pub fn transfer_task(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Task>,
    case: &Versioned<Case>,
    command: &Transfer,
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = command.faults.clone();
    let stored = &before.value;
    let item = transfer(&stored.item, command, workspace, now, &mut faults);
    if item == stored.item {
        return faults.or(None);
    }
    let mut after = Task { item, ..stored.clone() };
    due::settle_changed(&stored.item, &mut after.item, workspace, now);
    check_deleted(&stored.item, &after.item, &mut faults);
    check_case(&case.value, workspace, &mut faults);
    after.item.touch(actor, now);
    let record = RecordChange {
        before: Some(before.clone().map(Record::Task)),
        after: Record::Task(after),
        event: "task.transferred",
    };
    faults.or(Some(Change { records: vec![record] }))
}
