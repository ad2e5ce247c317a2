//! The keys that never change after creation: an update may repeat them, and nothing else; contract section 9.

use super::WorkItem;
use super::input::{IdentityInput, ParticipantInput};
use crate::date::Zone;
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::workspace::Workspace;

/// What is stored of the identity of a document.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The document's id.
    pub id: &'a str,
    /// Its reference id.
    pub reference: &'a str,
    /// Its sort, as the wire calls it.
    pub conversation_type: &'a str,
    /// For a task: the id of its case.
    pub case: Option<&'a str>,
    /// For a task: the reference id of its case.
    pub case_reference: Option<&'a str>,
}

/// Adds a fault for each identity key that is null or differs from what is stored.
pub fn check(
    input: &IdentityInput,
    stored: Identity<'_>,
    item: &WorkItem,
    workspace: &Workspace,
    zone: Zone,
    faults: &mut Faults,
) {
    let exact = [
        (&input.id, Key::Id, Some(stored.id)),
        (&input.account, Key::Account, Some(workspace.account.as_str())),
        (&input.stream, Key::Stream, Some(workspace.stream.as_str())),
        (&input.stream_alias, Key::StreamAlias, Some(workspace.stream.as_str())),
        (&input.organisation, Key::Organisation, Some(workspace.organisation.as_str())),
        (&input.reference, Key::ReferenceId, Some(stored.reference)),
        (&input.case, Key::CaseOfTask, stored.case),
        (&input.case_reference, Key::CaseReference, stored.case_reference),
    ];
    for (given, key, stored) in exact {
        // A case has no case of its own: the key is then unknown and ignored, like any other.
        if let Some(stored) = stored {
            compare(given, key, |value| value == stored, faults);
        }
    }
    compare(
        &input.conversation_type,
        Key::ConversationType,
        |value| value.eq_ignore_ascii_case(stored.conversation_type),
        faults,
    );
    compare(&input.created_at, Key::CreatedAt, |date| date.moment(zone) == Some(item.created_at), faults);
    compare(
        &input.created_by,
        Key::CreatedBy,
        |id| id.as_deref().is_none_or(|id| id == item.created_by.id.as_str()),
        faults,
    );
}

fn compare<T>(given: &Given<T>, key: Key, is_same: impl Fn(&T) -> bool, faults: &mut Faults) {
    match given {
        Given::Absent | Given::Invalid => {}
        Given::Null => faults.invalid(key, "must not be null"),
        Given::Value(value) if is_same(value) => {}
        Given::Value(_) => {
            faults.add(FaultKind::Conflict, key, "differs from the stored value and can't be changed")
        }
    }
}

/// Adds a fault when the participants differ from what is stored: they follow from the assignment.
pub fn check_participants(
    given: &Given<Vec<ParticipantInput>>,
    item: &WorkItem,
    workspace: &Workspace,
    zone: Zone,
    faults: &mut Faults,
) {
    match given {
        Given::Absent | Given::Invalid => {}
        Given::Null => faults.invalid(Key::Participants, "must not be null"),
        Given::Value(entries) => {
            let same = entries.len() == item.participants.len()
                && entries.iter().zip(&item.participants).all(|(entry, stored)| {
                    let user = workspace.agent(&stored.agent).map(|agent| agent.user.as_str());
                    entry.agent.as_deref().is_none_or(|id| id == stored.agent.as_str())
                        && entry.user.as_deref().is_none_or(|id| user == Some(id))
                        && entry.active.is_none_or(|active| active == stored.active)
                        && entry.assigned_at.is_none_or(|date| date.moment(zone) == Some(stored.assigned_at))
                });
            if !same {
                faults.invalid(Key::Participants, "follows from the assignment and can't be set");
            }
        }
    }
}
