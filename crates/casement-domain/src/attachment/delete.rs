//! Deleting an attachment: a trace stays, the bytes go later.

use super::Attachment;
use super::create::used;
use super::usage::Usage;
use crate::case::Case;
use crate::case::update::check_merged;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::version::Versioned;

/// Decides the deletion of an attachment; `None`: it is deleted already.
///
/// # Errors
/// Its case was merged or is deleted.
pub fn delete_attachment(
    attachment: &Versioned<Attachment>,
    case: &Case,
    usage: Option<&Versioned<Usage>>,
    now: Moment,
) -> Result<Option<Change>, Faults> {
    if attachment.value.deleted_at.is_some() {
        return Ok(None);
    }
    let mut faults = Faults::new();
    if case.merged_into.is_some() {
        check_merged(case, Key::CaseOfTask, &mut faults);
    } else if !case.item.active {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case is deleted and can't change");
    }
    faults.or(())?;
    let now = now.max(attachment.value.updated_at.plus_ms(1));
    let after = Attachment { deleted_at: Some(now), updated_at: now, ..attachment.value.clone() };
    let deleted = RecordChange {
        before: Some(attachment.clone().map(Record::Attachment)),
        after: Record::Attachment(after),
        event: "attachment.deleted",
    };
    let former = usage.map_or_else(Usage::default, |usage| usage.value);
    let freed = former.without(attachment.value.bytes);
    let mut records = vec![deleted];
    if freed != former {
        records.push(used(usage, freed));
    }
    Ok(Some(Change { records }))
}
