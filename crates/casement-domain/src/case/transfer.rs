//! Transferring a case.

use super::Case;
use super::update::check_changeable;
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::Faults;
use crate::item::due;
use crate::item::transfer::{Transfer, transfer};
use crate::version::Versioned;
use crate::workspace::Workspace;

/// Decides a transfer of a case. `Ok(None)`: it is there already, and nothing is noted.
///
/// # Errors
/// All faults of the command.
pub fn transfer_case(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Case>,
    command: &Transfer,
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = command.faults.clone();
    let stored = &before.value;
    let item = transfer(&stored.item, command, workspace, now, &mut faults);
    if item == stored.item {
        return faults.or(None);
    }
    let mut after = Case { item, ..stored.clone() };
    due::settle_changed(&stored.item, &mut after.item, workspace, now);
    check_changeable(stored, &after.item, &mut faults);
    after.item.touch(actor, now);
    let record = RecordChange {
        before: Some(before.clone().map(Record::Case)),
        after: Record::Case(after),
        event: "case.transferred",
    };
    faults.or(Some(Change { records: vec![record] }))
}
