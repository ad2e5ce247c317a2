//! The keys of a work item that stand for themselves: texts, lists, status and priority.

use serde_json::Value;

use super::WorkItem;
use super::input::{ItemInput, UpdateInput};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::limits;
use crate::workspace::Workspace;

/// What `null` means: in a create it is as if absent; in an update it is a fault wherever it clears nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A create.
    Create,
    /// An update.
    Update,
}

/// Gives the value of a key that `null` can't clear.
pub fn take<'a, T>(given: &'a Given<T>, key: Key, mode: Mode, faults: &mut Faults) -> Option<&'a T> {
    match (given, mode) {
        (Given::Value(value), Mode::Create | Mode::Update) => Some(value),
        (Given::Null, Mode::Update) => {
            faults.invalid(key, "must not be null");
            None
        }
        (Given::Null, Mode::Create) | (Given::Absent | Given::Invalid, Mode::Create | Mode::Update) => None,
    }
}

/// Checks a title: trimmed, 1 to 512 characters.
pub fn checked_name(text: &str, key: Key, faults: &mut Faults) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        faults.invalid(key, "must not be empty");
        return None;
    }
    is_within(trimmed, limits::NAME_CHARACTERS_MAX, key, faults).then(|| trimmed.to_owned())
}

/// Checks a description: at most 64 KiB.
pub fn checked_description(text: &str, key: Key, faults: &mut Faults) -> Option<String> {
    if text.len() > limits::DESCRIPTION_BYTES_MAX {
        faults.invalid(key, format!("must be at most {} bytes long", limits::DESCRIPTION_BYTES_MAX));
        return None;
    }
    Some(text.to_owned())
}

/// Checks a text of 1 to so many characters.
pub fn checked_text(text: &str, characters_max: usize, key: Key, faults: &mut Faults) -> Option<String> {
    if text.is_empty() {
        faults.invalid(key, "must not be empty");
        return None;
    }
    is_within(text, characters_max, key, faults).then(|| text.to_owned())
}

/// Checks the length of a text and adds a fault when it is too long.
pub fn is_within(text: &str, characters_max: usize, key: Key, faults: &mut Faults) -> bool {
    // A character has at most 4 bytes: short texts need no count.
    let fits = text.len() <= characters_max || text.chars().count() <= characters_max;
    if !fits {
        faults.invalid(key, format!("must be at most {characters_max} characters long"));
    }
    fits
}

/// Takes over source, tags, channels, links, status and priority where the request has them.
pub fn apply(item: &mut WorkItem, input: &ItemInput, workspace: &Workspace, mode: Mode, faults: &mut Faults) {
    if let Some(source) = take(&input.source, Key::Source, mode, faults)
        && let Some(source) = checked_text(source, limits::SOURCE_CHARACTERS_MAX, Key::Source, faults)
    {
        item.source = source;
    }
    let lists = [
        (&input.tags, Key::Tags, limits::TAGS_MAX, limits::TAG_CHARACTERS_MAX, &mut item.tags),
        (
            &input.session_ids,
            Key::SessionIds,
            limits::LINKS_MAX,
            limits::LINK_CHARACTERS_MAX,
            &mut item.session_ids,
        ),
        (
            &input.conversation_ids,
            Key::ConversationIds,
            limits::LINKS_MAX,
            limits::LINK_CHARACTERS_MAX,
            &mut item.conversation_ids,
        ),
        (&input.channels, Key::Channels, limits::LINKS_MAX, limits::LINK_CHARACTERS_MAX, &mut item.channels),
    ];
    for (given, key, entries_max, characters_max, target) in lists {
        if let Some(entries) = take(given, key, mode, faults)
            && are_texts_within(entries, entries_max, characters_max, key, faults)
        {
            target.clone_from(entries);
        }
    }
    apply_status(item, input, workspace, mode, faults);
    apply_priority(item, input, workspace, mode, faults);
}

/// Takes over the lists that are kept as sent.
pub fn apply_notes(item: &mut WorkItem, input: &UpdateInput, faults: &mut Faults) {
    let lists = [
        (&input.attachments, Key::Attachments, &mut item.attachments),
        (&input.feedback, Key::Feedback, &mut item.feedback),
        (&input.resolution_comments, Key::ResolutionComments, &mut item.resolution_comments),
    ];
    for (given, key, target) in lists {
        // What is stored may have grown past what an update can bring: sent back as it is, it is no change.
        if let Some(entries) = take(given, key, Mode::Update, faults)
            && entries != target
            && are_notes_within(entries, key, faults)
        {
            target.clone_from(entries);
        }
    }
}

/// Adds an entry to a list that is kept as clients see it.
pub fn add_note(notes: &mut Vec<Value>, note: Value, key: Key, faults: &mut Faults) {
    let bytes: usize = notes.iter().chain([&note]).map(|entry| entry.to_string().len()).sum();
    if notes.len() >= limits::NOTES_MAX || bytes > limits::ADDED_NOTES_BYTES_MAX {
        let (most, bytes_max) = (limits::NOTES_MAX, limits::ADDED_NOTES_BYTES_MAX);
        let message =
            format!("there is no room for another: {most} entries and {bytes_max} bytes are the most");
        faults.add(FaultKind::Unprocessable, key, message);
        return;
    }
    notes.push(note);
}

fn are_texts_within(
    entries: &[String],
    entries_max: usize,
    characters_max: usize,
    key: Key,
    faults: &mut Faults,
) -> bool {
    if entries.len() > entries_max {
        faults.invalid(key, format!("must have at most {entries_max} entries"));
        return false;
    }
    let mut fit = true;
    for (index, entry) in entries.iter().enumerate() {
        if entry.is_empty() || entry.chars().count() > characters_max {
            faults.add_at(
                FaultKind::Invalid,
                key,
                index,
                format!("must be 1 to {characters_max} characters long"),
            );
            fit = false;
        }
    }
    fit
}

fn are_notes_within(entries: &[Value], key: Key, faults: &mut Faults) -> bool {
    if entries.len() > limits::NOTES_MAX {
        faults.invalid(key, format!("must have at most {} entries", limits::NOTES_MAX));
        return false;
    }
    let bytes: usize = entries.iter().map(|entry| entry.to_string().len()).sum();
    if bytes > limits::NOTES_BYTES_MAX {
        faults.invalid(key, format!("must be at most {} bytes long in all", limits::NOTES_BYTES_MAX));
        return false;
    }
    true
}

fn apply_status(
    item: &mut WorkItem,
    input: &ItemInput,
    workspace: &Workspace,
    mode: Mode,
    faults: &mut Faults,
) {
    let Some(reference) = take(&input.status, Key::Status, mode, faults) else { return };
    match workspace.find_status(reference) {
        None => faults.invalid(Key::Status, format!("there is no status {:?}", reference.text())),
        Some(status) if status.id == item.status => {}
        Some(status) if !status.is_usable() => {
            faults.add(
                FaultKind::Unprocessable,
                Key::Status,
                format!("the status {:?} is switched off", status.name),
            );
        }
        Some(status) => item.status = status.id.clone(),
    }
}

fn apply_priority(
    item: &mut WorkItem,
    input: &ItemInput,
    workspace: &Workspace,
    mode: Mode,
    faults: &mut Faults,
) {
    let Some(reference) = take(&input.priority, Key::Priority, mode, faults) else { return };
    match workspace.find_priority(reference) {
        None => faults.invalid(Key::Priority, format!("there is no priority {:?}", reference.text())),
        Some(priority) if priority.id == item.priority => {}
        Some(priority) if !priority.is_usable() => faults.add(
            FaultKind::Unprocessable,
            Key::Priority,
            format!("the priority {:?} is switched off", priority.name),
        ),
        Some(priority) => item.priority = priority.id.clone(),
    }
}
