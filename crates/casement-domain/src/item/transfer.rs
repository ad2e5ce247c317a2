//! Transfers: a case or task goes to an agent, to a queue or to nobody, under the rules of an update's assignment.

use super::input::{AssigneeInput, ItemInput};
use super::{AssigneeKind, TransferNote, WorkItem, assignment};
use crate::date::Moment;
use crate::fault::{Faults, Key};
use crate::given::Given;
use crate::limits;
use crate::workspace::{Reference, Workspace};

/// Asks that a case or task goes to somebody else. One of agent, queue and nobody must be given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transfer {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The agent who gets it.
    pub agent: Given<AssigneeInput>,
    /// The queue that gets it: it leaves its agent and its other queues.
    pub queue: Given<Reference>,
    /// True: it leaves its agent and its queues.
    pub nobody: Given<bool>,
    /// What the next one should know: 1 to 2 000 characters after trimming.
    pub note: Given<String>,
}

/// Gives the item after a transfer. Faults are added to the list; the item is then of no use.
pub(crate) fn transfer(
    item: &WorkItem,
    command: &Transfer,
    workspace: &Workspace,
    now: Moment,
    faults: &mut Faults,
) -> WorkItem {
    let mut input = ItemInput::default();
    let mut named = 0;
    if let Given::Value(agent) = &command.agent {
        input.assignee = Given::Value(Some(agent.clone()));
        named += 1;
    }
    if let Given::Value(queue) = &command.queue {
        input.queues = Given::Value(vec![queue.clone()]);
        named += 1;
    }
    if command.nobody == Given::Value(true) {
        input.assignee_kind = Given::Value(AssigneeKind::Unassigned);
        named += 1;
    }
    let unread = command.agent == Given::Invalid
        || command.queue == Given::Invalid
        || command.nobody == Given::Invalid;
    if named != 1 && !unread {
        faults.invalid(Key::Body, "must name one of agent, queue and nobody");
    }
    let note = checked_note(&command.note, faults);
    let mut found = Faults::new();
    let assigned = assignment::of_changed(&item.assignment, &input, workspace, &mut found);
    for fault in found.list() {
        let key = match fault.key {
            Key::Assignee => Key::Agent,
            Key::Queues => Key::Queue,
            other => other,
        };
        faults.add(fault.kind, key, fault.message.as_str());
    }
    let mut after = item.clone();
    assignment::assign(&mut after, assigned, now);
    if note.is_some() || after != *item {
        after.transfer = note.map(|note| TransferNote { note, at: now });
    }
    after
}

fn checked_note(given: &Given<String>, faults: &mut Faults) -> Option<String> {
    let note = given.value()?.trim();
    if note.is_empty() {
        faults.invalid(Key::Note, "must not be empty");
    } else if note.chars().count() > limits::TRANSFER_NOTE_CHARACTERS_MAX {
        let message = format!("must have at most {} characters", limits::TRANSFER_NOTE_CHARACTERS_MAX);
        faults.invalid(Key::Note, message);
    }
    Some(note.to_owned())
}
