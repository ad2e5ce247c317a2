//! Purging a case: leaving nothing of what it said.

use super::Case;
use crate::fault::{FaultKind, Faults, Key};

/// Decides whether a case may be purged: only what is deleted, or was merged into another case.
///
/// # Errors
/// It is neither.
pub fn purge_case(case: &Case) -> Result<(), Faults> {
    let mut faults = Faults::new();
    if case.item.active {
        let message = "the case is not deleted: delete it first, a purge can't be taken back";
        faults.add(FaultKind::Conflict, Key::Active, message);
    }
    faults.or(())
}
