//! Adding an attachment to a case.

use super::Attachment;
use super::kind::Image;
use super::name::FileName;
use super::usage::{NoRoom, Usage};
use crate::actor::Actor;
use crate::case::Case;
use crate::case::update::check_merged;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::id::AttachmentId;
use crate::limits;
use crate::version::Versioned;

/// Asks for a new attachment whose bytes are there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAttachment {
    /// Its id, under which the bytes are.
    pub id: AttachmentId,
    /// The name as the client told it.
    pub name: String,
    /// The media type as the client told it.
    pub media_type: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// Their SHA-256 in hexadecimal.
    pub hash: String,
    /// The sort of image that the first of them say.
    pub image: Option<Image>,
}

/// The attachments of a case that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Siblings {
    /// Those that are not deleted.
    pub kept: usize,
    /// All of them.
    pub all: usize,
    /// When the newest of all was added.
    pub newest: Option<Moment>,
}

/// The bits of an id behind its milliseconds; RFC 9562, section 5.7.
const RANDOM_BITS: u32 = 80;

/// Gives another id for an attachment where the newest of its case has overtaken it: the ids of a case are in the order in which
/// attachments were added, and its own was drawn when its bytes began to come. `fresh` is a 128-bit value for the new one.
pub fn id_behind(id: &AttachmentId, newest: Option<&AttachmentId>, fresh: u128) -> Option<AttachmentId> {
    let newest = newest.filter(|newest| *newest >= id)?;
    let drawn = AttachmentId::fresh(fresh);
    if drawn > *newest {
        return Some(drawn);
    }
    // Drawn by a clock that is ahead of this one: the millisecond after it, with bits that nobody else draws. An id that was
    // not made here has none.
    let digits: String = newest.as_str().strip_prefix("at-")?.split('-').collect();
    let value = u128::from_str_radix(&digits, 16).ok()?;
    let after = (value >> RANDOM_BITS) + 1;
    let fits = after >> (u128::BITS - RANDOM_BITS) == 0;
    fits.then(|| AttachmentId::fresh(after << RANDOM_BITS | fresh & ((1 << RANDOM_BITS) - 1)))
}

/// Why an attachment is not added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAdded {
    /// The command has faults.
    Faults(Faults),
    /// The room of the workspace is taken.
    NoRoom(NoRoom),
}

/// Decides the adding of an attachment to a case; the usage grows with it.
///
/// # Errors
/// The case was merged, is deleted or has as many as it may, or there is no room.
pub fn create_attachment(
    case: &Versioned<Case>,
    siblings: Siblings,
    usage: Option<&Versioned<Usage>>,
    bytes_max: u64,
    command: &CreateAttachment,
    actor: &Actor,
    now: Moment,
) -> Result<Change, NotAdded> {
    check_case(&case.value, siblings).map_err(NotAdded::Faults)?;
    let former = usage.map_or_else(Usage::default, |usage| usage.value);
    let grown = former.with(command.bytes, bytes_max).map_err(NotAdded::NoRoom)?;
    // Whoever has seen the newest finds this one behind it.
    let now = siblings.newest.map_or(now, |newest| now.max(newest.plus_ms(1)));
    let attachment = Attachment {
        id: command.id.clone(),
        case: case.value.id.clone(),
        name: FileName::of(&command.name),
        media_type: command.media_type.clone(),
        bytes: command.bytes,
        hash: command.hash.clone(),
        image: command.image,
        created_by: actor.clone(),
        created_at: now,
        deleted_at: None,
        updated_at: now,
    };
    let made =
        RecordChange { before: None, after: Record::Attachment(attachment), event: "attachment.created" };
    Ok(Change { records: vec![made, used(usage, grown)] })
}

/// Tells whether a case takes another attachment.
///
/// # Errors
/// It was merged, is deleted, or has as many as it may.
pub fn check_case(case: &Case, siblings: Siblings) -> Result<(), Faults> {
    let mut faults = Faults::new();
    if case.merged_into.is_some() {
        check_merged(case, Key::CaseOfTask, &mut faults);
    } else if !case.item.active {
        faults.add(FaultKind::Conflict, Key::CaseOfTask, "the case is deleted and takes no attachments");
    }
    if siblings.kept >= limits::CASE_ATTACHMENTS_MAX || siblings.all >= limits::CASE_ATTACHMENTS_EVER_MAX {
        let message = format!(
            "the case has as many attachments as it may: {}, and {} with those that were deleted",
            limits::CASE_ATTACHMENTS_MAX,
            limits::CASE_ATTACHMENTS_EVER_MAX
        );
        faults.add(FaultKind::Conflict, Key::Attachments, message);
    }
    faults.or(())
}

/// The change of what is used.
pub(super) fn used(before: Option<&Versioned<Usage>>, after: Usage) -> RecordChange {
    RecordChange {
        before: before.map(|before| before.clone().map(Record::Usage)),
        after: Record::Usage(after),
        event: if before.is_some() { "usage.updated" } else { "usage.created" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_that_was_overtaken_gets_an_id_behind_the_newest() {
        let id = |value: u128| AttachmentId::fresh(value);
        assert_eq!(id_behind(&id(5), None, 9), None);
        assert_eq!(id_behind(&id(5), Some(&id(4)), 9), None);
        assert_eq!(id_behind(&id(5), Some(&id(7)), 9), Some(id(9)));
        assert_eq!(id_behind(&id(9), Some(&id(9)), 11), Some(id(11)), "no two have the same");
        let ahead = (5 << RANDOM_BITS) | 9;
        let behind = |fresh: u128| id_behind(&id(5), Some(&id(ahead)), (4 << RANDOM_BITS) | fresh);
        assert_eq!(behind(7), Some(id((6 << RANDOM_BITS) | 7)), "by a clock that is behind");
        assert_ne!(behind(7), behind(8), "two that are overtaken at once");
        assert_eq!(id_behind(&id(5), Some(&AttachmentId::from_text("at-x")), 7), None);
        assert_eq!(id_behind(&id(5), Some(&id(u128::MAX)), 7), None);
    }
}
