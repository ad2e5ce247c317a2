//! Standard responses.

use super::draft::{At, Draft, Meant};
use super::fault::{ConfigurationFaults, EntryKey};
use super::input::ConfigureStandardResponse;
use crate::id::StandardResponseId;
use crate::rich_text::TextFormat;
use crate::workspace::response::{StandardResponse, check};

/// Takes over one standard response.
pub fn standard_response(
    draft: &mut Draft<StandardResponse>,
    input: &ConfigureStandardResponse,
    index: usize,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, mut after) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            if input.text.is_missing() {
                at.fault(Some(EntryKey::Text), "is required for a new entry");
            }
            let id = id.map_or_else(|| StandardResponseId::fresh(next()), StandardResponseId::from_text);
            (None, new_response(id))
        }
    };
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    at.take(&input.format, EntryKey::Format, &mut after.format);
    if !input.text.is_missing() || place.is_some() {
        at.take(&input.text, EntryKey::Text, &mut after.text);
    }
    if input.text.value().is_some()
        && let Err(sentences) = check(after.format, &after.text)
    {
        for sentence in sentences {
            at.fault(Some(EntryKey::Text), sentence);
        }
    }
    at.take(&input.enabled, EntryKey::Enabled, &mut after.enabled);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    draft.put(place, after, index);
}

fn new_response(id: StandardResponseId) -> StandardResponse {
    StandardResponse {
        id,
        name: String::new(),
        format: TextFormat::Markdown,
        text: String::new(),
        enabled: true,
        active: true,
    }
}
