//! Queues and agents.

use super::draft::{At, Draft, Meant, is_usable_id};
use super::fault::{ConfigurationFaults, EntryKey};
use super::input::{ConfigureAgent, ConfigureQueue};
use crate::actor::NO_AVATAR;
use crate::id::{AgentId, QueueId, UserId};
use crate::limits;
use crate::text::fold_email;
use crate::workspace::entries::{Agent, Queue};

/// Takes over one queue.
pub fn queue(
    draft: &mut Draft<Queue>,
    input: &ConfigureQueue,
    index: usize,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let (place, mut after) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            let id = id.map_or_else(|| QueueId::fresh(next()), QueueId::from_text);
            (None, Queue { id, name: String::new(), active: true })
        }
    };
    let mut at = At { list: draft.list, index, faults };
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    draft.put(place, after, index);
}

/// Takes over one agent.
pub fn agent(
    draft: &mut Draft<Agent>,
    input: &ConfigureAgent,
    index: usize,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, mut after) = match meant {
        Meant::Stored(place, before) => {
            if input.user.value().is_some_and(|user| user != before.user.as_str()) {
                at.fault(Some(EntryKey::User), "can't be changed");
            }
            (Some(place), before)
        }
        Meant::New(id) => {
            let user = input.user.value();
            if user.is_some_and(|user| !is_usable_id(user, "u-")) {
                let characters_max = limits::ID_CHARACTERS_MAX;
                at.fault(
                    Some(EntryKey::User),
                    format!(
                        "must be u-… of at most {characters_max} letters, digits, hyphens and underscores"
                    ),
                );
            }
            let id = id.map_or_else(|| AgentId::fresh(next()), AgentId::from_text);
            (None, new_agent(id, user.map_or_else(|| UserId::fresh(next()), UserId::from_text)))
        }
    };
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    at.text(&input.email, EntryKey::Email, &mut after.email);
    if after.email.chars().count() > limits::EMAIL_CHARACTERS_MAX {
        let characters_max = limits::EMAIL_CHARACTERS_MAX;
        at.fault(Some(EntryKey::Email), format!("must be at most {characters_max} characters long"));
    }
    at.text(&input.image, EntryKey::Image, &mut after.image);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    let others = || draft.entries.iter().filter(|other| other.id != after.id);
    if others().any(|other| other.user == after.user) {
        at.fault(Some(EntryKey::User), "another agent is this person already");
    }
    let has_email = |other: &Agent| fold_email(&other.email) == fold_email(&after.email);
    if input.email.value().is_some() && !after.email.is_empty() && others().any(has_email) {
        at.fault(Some(EntryKey::Email), "another agent has this address");
    }
    draft.put(place, after, index);
}

fn new_agent(id: AgentId, user: UserId) -> Agent {
    let (name, email) = (String::new(), String::new());
    Agent { id, user, name, email, image: NO_AVATAR.to_owned(), active: true }
}
