//! Resolution comments: what agents write down of how a case was solved.

use serde_json::Value;

use super::Case;
use super::update::check_changeable;
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{Faults, Key};
use crate::given::Given;
use crate::id::ResolutionCommentId;
use crate::item::plain::add_note;
use crate::limits;
use crate::version::Versioned;

/// Asks for a resolution comment on a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AddResolutionComment {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// Plain text, 1 byte to [`limits::RESOLUTION_COMMENT_BYTES_MAX`] bytes, not of white space alone.
    pub text: Given<String>,
}

/// A resolution comment before it is written down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResolutionComment<'a> {
    /// Its id.
    pub id: &'a ResolutionCommentId,
    /// What it says.
    pub text: &'a str,
    /// Who wrote it.
    pub by: &'a Actor,
    /// When.
    pub at: Moment,
}

/// Decides a resolution comment. `write` makes the entry of the list as clients see it, which is how the list is kept. A closed
/// case takes them: solving and explaining go together. `ids` must not end.
///
/// # Errors
/// All faults of the command; the case is deleted or merged; there is no room for another.
pub fn add_resolution_comment(
    actor: &Actor,
    before: &Versioned<Case>,
    command: &AddResolutionComment,
    write: impl Fn(ResolutionComment<'_>) -> Value,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Change, Faults> {
    let id = ResolutionCommentId::fresh(ids.next().expect("invariant: the source of ids does not end"));
    let mut faults = command.faults.clone();
    let mut after = before.value.clone();
    check_changeable(&before.value, &after.item, &mut faults);
    let text = match &command.text {
        Given::Value(text) if text.trim().is_empty() => {
            faults.invalid(Key::Text, "must not be empty");
            None
        }
        Given::Value(text) if text.len() > limits::RESOLUTION_COMMENT_BYTES_MAX => {
            let most = limits::RESOLUTION_COMMENT_BYTES_MAX;
            faults.invalid(Key::Text, format!("must be at most {most} bytes long"));
            None
        }
        Given::Value(text) => Some(text),
        Given::Absent | Given::Null => {
            faults.invalid(Key::Text, "is required");
            None
        }
        Given::Invalid => None,
    };
    if let Some(text) = text {
        let note = write(ResolutionComment { id: &id, text, by: actor, at: now });
        add_note(&mut after.item.resolution_comments, note, Key::ResolutionComments, &mut faults);
    }
    after.item.touch(actor, now);
    let record = RecordChange {
        before: Some(before.clone().map(Record::Case)),
        after: Record::Case(after),
        event: "case.updated",
    };
    faults.or(Change { records: vec![record] })
}
