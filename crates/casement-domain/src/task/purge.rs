//! Purging a task: leaving nothing of what it said.

use super::Task;
use crate::fault::{FaultKind, Faults, Key};

/// Decides whether a task may be purged by itself: only what is deleted, whatever its case is.
///
/// # Errors
/// It is not deleted.
pub fn purge_task(task: &Task) -> Result<(), Faults> {
    let mut faults = Faults::new();
    if task.item.active {
        let message = "the task is not deleted: delete it first, a purge can't be taken back";
        faults.add(FaultKind::Conflict, Key::Active, message);
    }
    faults.or(())
}
