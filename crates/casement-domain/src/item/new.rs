//! A new work item: what it is before anything was said, and its texts from the keys that say them.

use std::collections::BTreeMap;

use super::input::ItemInput;
use super::{Assignment, WorkItem, due, fields, plain};
use crate::actor::Actor;
use crate::customer::CustomerSnapshot;
use crate::date::Moment;
use crate::fault::{Faults, Key};
use crate::workspace::Workspace;

/// Makes an item that nothing was said about yet.
pub fn blank(workspace: &Workspace, actor: &Actor, now: Moment) -> WorkItem {
    let status = workspace.default_status().map(|status| status.id.clone());
    let priority = workspace.default_priority().map(|priority| priority.id.clone());
    WorkItem {
        name: String::new(),
        description: String::new(),
        tags: Vec::new(),
        customer: CustomerSnapshot::unknown(),
        session_ids: Vec::new(),
        conversation_ids: Vec::new(),
        status: status.expect("invariant: a workspace has a usable open status"),
        priority: priority.expect("invariant: a workspace has a usable priority"),
        source: String::new(),
        field_values: BTreeMap::new(),
        assignment: Assignment::default(),
        participants: Vec::new(),
        active: true,
        attachments: Vec::new(),
        feedback: Vec::new(),
        resolution_comments: Vec::new(),
        channels: Vec::new(),
        due: None,
        breached: false,
        created_by: actor.clone(),
        created_at: now,
        updated_by: actor.clone(),
        updated_at: now,
        transfer: None,
    }
}

/// Takes over name and description from the plain keys and the system fields.
pub fn apply_texts(
    item: &mut WorkItem,
    input: &ItemInput,
    system: &fields::SystemValues,
    faults: &mut Faults,
) {
    let mut names = Vec::new();
    for (text, key) in [(input.name.value(), Key::Name), (system.name.as_ref(), Key::Fields)] {
        // An empty title among the fields says nothing about a new item.
        if let Some(text) = text.filter(|text| key == Key::Name || !text.trim().is_empty()) {
            names.extend(plain::checked_name(text, key, faults));
        }
    }
    match due::reconcile(&item.name, &names) {
        Ok(name) => item.name = name.unwrap_or_default(),
        Err(due::Disagreement) => faults.invalid(Key::Name, "differs from the title among the fields"),
    }
    let mut descriptions = Vec::new();
    for (text, key) in
        [(input.description.value(), Key::Description), (system.description.as_ref(), Key::Fields)]
    {
        descriptions.extend(text.and_then(|text| plain::checked_description(text, key, faults)));
    }
    match due::reconcile(&item.description, &descriptions) {
        Ok(description) => item.description = description.unwrap_or_default(),
        Err(due::Disagreement) => {
            faults.invalid(Key::Description, "differs from the description among the fields")
        }
    }
}
