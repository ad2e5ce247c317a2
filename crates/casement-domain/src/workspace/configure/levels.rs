//! Statuses and priorities. Those that came with the workspace can be switched off and on, nothing else.

use super::draft::{At, Draft, Meant};
use super::fault::{ConfigurationFaults, EntryKey};
use super::input::{ConfigurePriority, ConfigureStatus};
use crate::given::Given;
use crate::id::{PriorityId, StatusId};
use crate::workspace::entries::{Category, Origin, Priority, Status};

/// What a system entry says when more than its switch would change.
const SYSTEM: &str = "came with the workspace and can only be enabled or not";

/// Takes over one status.
pub fn status(
    draft: &mut Draft<Status>,
    input: &ConfigureStatus,
    index: usize,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, before) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            if input.category.is_missing() {
                at.fault(Some(EntryKey::Category), "is required for a new entry");
            }
            let id = id.map_or_else(|| StatusId::fresh(next()), StatusId::from_text);
            (None, new_status(id, *input.category.value().unwrap_or(&Category::Open)))
        }
    };
    let mut after = before.clone();
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    at.text(&input.description, EntryKey::Description, &mut after.description);
    at.take(&input.enabled, EntryKey::Enabled, &mut after.enabled);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    if input.category.value().is_some_and(|category| *category != before.category) {
        // The deadlines of documents follow from it; they would have to be worked out anew.
        at.fault(Some(EntryKey::Category), "can't be changed; add another status");
    }
    if input.category == Given::Null {
        at.fault(Some(EntryKey::Category), "must not be null");
    }
    if before.origin == Origin::System && (Status { enabled: before.enabled, ..after.clone() }) != before {
        at.fault(None, SYSTEM);
    }
    draft.put(place, after, index);
}

fn new_status(id: StatusId, category: Category) -> Status {
    Status {
        id,
        name: String::new(),
        category,
        origin: Origin::Custom,
        description: String::new(),
        enabled: true,
        active: true,
    }
}

/// Takes over one priority.
pub fn priority(
    draft: &mut Draft<Priority>,
    input: &ConfigurePriority,
    index: usize,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, before) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            if input.score.is_missing() {
                at.fault(Some(EntryKey::Score), "is required for a new entry");
            }
            (None, new_priority(id.map_or_else(|| PriorityId::fresh(next()), PriorityId::from_text)))
        }
    };
    let mut after = before.clone();
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    at.text(&input.description, EntryKey::Description, &mut after.description);
    at.take(&input.color, EntryKey::Color, &mut after.color);
    at.take(&input.score, EntryKey::Score, &mut after.score);
    at.take(&input.enabled, EntryKey::Enabled, &mut after.enabled);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    if after.color != before.color && !is_color(&after.color) {
        at.fault(Some(EntryKey::Color), "must be a colour such as #16A34A");
    }
    if before.origin == Origin::System && (Priority { enabled: before.enabled, ..after.clone() }) != before {
        at.fault(None, SYSTEM);
    }
    draft.put(place, after, index);
}

fn new_priority(id: PriorityId) -> Priority {
    Priority {
        id,
        name: String::new(),
        color: "#64748B".to_owned(),
        score: 0,
        origin: Origin::Custom,
        description: String::new(),
        enabled: true,
        active: true,
    }
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.chars().all(|character| character.is_ascii_hexdigit())
}
