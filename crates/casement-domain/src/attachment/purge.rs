//! What the purge of attachments leaves of the room that they took.

use super::Attachment;
use super::create::used;
use super::usage::Usage;
use crate::change::{Change, RecordChange};
use crate::version::Versioned;

/// Gives the room of purged attachments back; those that were deleted before take none.
pub fn free_room(attachments: &[Attachment], usage: Option<&Versioned<Usage>>) -> Change {
    let former = usage.map_or_else(Usage::default, |usage| usage.value);
    let kept = attachments.iter().filter(|attachment| attachment.deleted_at.is_none());
    let freed = kept.fold(former, |usage, attachment| usage.without(attachment.bytes));
    let records: Vec<RecordChange> = (freed != former).then(|| used(usage, freed)).into_iter().collect();
    Change { records }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::tests::attachment;
    use crate::change::Record;
    use crate::date::Moment;

    #[test]
    fn only_what_was_not_deleted_gives_room_back() {
        let usage = Versioned { version: 3, number: None, value: Usage { attachments: 2, bytes: 30 } };
        let of = |bytes, deleted_at| Attachment { bytes, deleted_at, ..attachment() };
        let (kept, deleted) = (of(10, None), of(7, Some(Moment::from_ms(2_000))));
        let change = free_room(&[kept, deleted.clone()], Some(&usage));
        let after = change.records.into_iter().map(|record| record.after).collect::<Vec<Record>>();
        assert_eq!(after, [Record::Usage(Usage { attachments: 1, bytes: 20 })]);
        assert_eq!(free_room(&[deleted], Some(&usage)), Change::default());
    }
}
