//! Three-way merging: what a client changed against the version that it read, over what is stored now; contract
//! sections 9 and 11.2.
//!
//! A key that only one side changed takes that side's value. Tags, channels, sessions and conversations merge as sets,
//! fields by entry, the due date and the assignment as one value each, every other key whole. A key that both sides
//! changed differently is a fault that names it with both values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use serde::Serialize;
use serde_json::Value;

use super::{Assignment, WorkItem, assignment};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::id::FieldId;
use crate::workspace::Workspace;

/// Characters of a value that a message shows.
const SHOWN_CHARACTERS_MAX: usize = 200;

/// The three versions of one key.
#[derive(Debug)]
pub struct Versions<'a, T: ?Sized> {
    /// What the client read.
    pub base: &'a T,
    /// What the client made of it.
    pub mine: &'a T,
    /// What is stored now.
    pub stored: &'a T,
}

impl<T: ?Sized> Clone for Versions<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Versions<'_, T> {}

impl<T: PartialEq + Clone> Versions<'_, T> {
    /// Merges a key whole. `show` gives a value for the message.
    pub fn whole(self, key: Key, show: impl Fn(&T) -> Value, faults: &mut Faults) -> T {
        let Self { base, mine, stored } = self;
        if mine == base || mine == stored {
            return stored.clone();
        }
        if stored != base {
            conflict(key, &show(stored), &show(mine), faults);
        }
        mine.clone()
    }
}

impl Versions<'_, [String]> {
    /// Merges a set: what the client took away goes, what it added comes, in its order.
    fn set(self) -> Vec<String> {
        let Self { base, mine, stored } = self;
        if stored == base {
            return mine.to_vec();
        }
        let mut merged: Vec<String> =
            stored.iter().filter(|entry| mine.contains(entry) || !base.contains(entry)).cloned().collect();
        for entry in mine {
            if !base.contains(entry) && !merged.contains(entry) {
                merged.push(entry.clone());
            }
        }
        merged
    }
}

/// Merges an item; `now` is when a new turn of an agent begins.
pub fn items(
    versions: Versions<'_, WorkItem>,
    workspace: &Workspace,
    now: Moment,
    faults: &mut Faults,
) -> WorkItem {
    let Versions { base, mine, stored } = versions;
    let mut merged = stored.clone();
    merged.name = of(versions, |item| &item.name).whole(Key::Name, json, faults);
    merged.description = of(versions, |item| &item.description).whole(Key::Description, json, faults);
    merged.source = of(versions, |item| &item.source).whole(Key::Source, json, faults);
    merged.customer = of(versions, |item| &item.customer).whole(Key::Customer, json, faults);
    let status_name = |id: &_| json(&workspace.status(id).map_or("", |status| status.name.as_str()));
    merged.status = of(versions, |item| &item.status).whole(Key::Status, status_name, faults);
    let priority_name = |id: &_| json(&workspace.priority(id).map_or("", |priority| priority.name.as_str()));
    merged.priority = of(versions, |item| &item.priority).whole(Key::Priority, priority_name, faults);
    let due_text = |due: &Option<Moment>| due.map_or(Value::Null, |due| Value::String(due.iso()));
    merged.due = of(versions, |item| &item.due).whole(Key::DueDate, due_text, faults);
    merged.active = of(versions, |item| &item.active).whole(Key::Active, json, faults);
    merged.attachments = of(versions, |item| &item.attachments).whole(Key::Attachments, json, faults);
    merged.feedback = of(versions, |item| &item.feedback).whole(Key::Feedback, json, faults);
    merged.resolution_comments =
        of(versions, |item| &item.resolution_comments).whole(Key::ResolutionComments, json, faults);
    merged.tags = of(versions, |item| item.tags.as_slice()).set();
    merged.channels = of(versions, |item| item.channels.as_slice()).set();
    merged.session_ids = of(versions, |item| item.session_ids.as_slice()).set();
    merged.conversation_ids = of(versions, |item| item.conversation_ids.as_slice()).set();
    merged.field_values = fields(&base.field_values, &mine.field_values, &stored.field_values, faults);
    let assigned = assignments(of(versions, |item| &item.assignment), workspace, faults);
    assignment::assign(&mut merged, assigned, now);
    merged
}

fn of<'a, T: ?Sized>(
    versions: Versions<'a, WorkItem>,
    part: impl Fn(&'a WorkItem) -> &'a T,
) -> Versions<'a, T> {
    Versions { base: part(versions.base), mine: part(versions.mine), stored: part(versions.stored) }
}

fn fields(
    base: &BTreeMap<FieldId, Value>,
    mine: &BTreeMap<FieldId, Value>,
    stored: &BTreeMap<FieldId, Value>,
    faults: &mut Faults,
) -> BTreeMap<FieldId, Value> {
    let ids: BTreeSet<&FieldId> = base.keys().chain(mine.keys()).chain(stored.keys()).collect();
    let mut merged = BTreeMap::new();
    for id in ids {
        let (base, mine, stored) = (base.get(id).cloned(), mine.get(id).cloned(), stored.get(id).cloned());
        let show = |value: &Option<Value>| value.clone().unwrap_or(Value::Null);
        let versions = Versions { base: &base, mine: &mine, stored: &stored };
        if let Some(value) = versions.whole(Key::Fields, show, faults) {
            merged.insert(id.clone(), value);
        }
    }
    merged
}

/// Merges the assignment as one value; a conflict names the agent where that is what differs, else the queues.
fn assignments(versions: Versions<'_, Assignment>, workspace: &Workspace, faults: &mut Faults) -> Assignment {
    let Versions { mine, stored, .. } = versions;
    let agent = |assignment: &Assignment| {
        let agent = assignment.agent.as_ref().and_then(|id| workspace.agent(id));
        agent.map_or(Value::Null, |agent| Value::String(agent.name.clone()))
    };
    let queues = |assignment: &Assignment| {
        let queues = assignment.queues.iter().filter_map(|id| workspace.queue(id));
        Value::Array(queues.map(|queue| Value::String(queue.name.clone())).collect())
    };
    if mine.agent == stored.agent {
        versions.whole(Key::Queues, queues, faults)
    } else {
        versions.whole(Key::Assignee, agent, faults)
    }
}

/// Gives a value for a message.
pub fn json<T: Serialize + ?Sized + Debug>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn conflict(key: Key, stored: &Value, mine: &Value, faults: &mut Faults) {
    let message = format!(
        "was changed by somebody else since it was read: it is {} now, the request says {}",
        shown(stored),
        shown(mine)
    );
    faults.add(FaultKind::Conflict, key, message);
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARACTERS_MAX {
        return text;
    }
    let mut short: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn merged_set(base: &[&str], mine: &[&str], stored: &[&str]) -> Vec<String> {
        let owned =
            |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<String>>();
        let (base, mine, stored) = (owned(base), owned(mine), owned(stored));
        Versions { base: base.as_slice(), mine: mine.as_slice(), stored: stored.as_slice() }.set()
    }

    #[test]
    fn sets_take_what_either_side_added_and_lose_what_either_took_away() {
        assert_eq!(merged_set(&["a"], &["a", "b"], &["a", "c"]), ["a", "c", "b"]);
        assert_eq!(merged_set(&["a", "b"], &["a"], &["a", "b", "c"]), ["a", "c"]);
        assert_eq!(merged_set(&["a", "b"], &["a", "b"], &["b"]), ["b"]);
        assert_eq!(merged_set(&[], &["x"], &["x"]), ["x"]);
    }

    #[test]
    fn a_key_that_both_changed_differently_is_a_fault_with_both_values() {
        let mut faults = Faults::new();
        let versions = Versions { base: &"a".to_owned(), mine: &"m".to_owned(), stored: &"s".to_owned() };
        versions.whole(Key::Name, json, &mut faults);
        let fault = &faults.list()[0];
        assert_eq!((fault.kind, fault.key), (FaultKind::Conflict, Key::Name));
        assert!(fault.message.contains("\"s\" now") && fault.message.contains("\"m\""), "{}", fault.message);
    }

    proptest! {
        #[test]
        fn a_key_that_one_side_left_alone_is_the_other_sides(base in 0_i32..3, mine in 0_i32..3, stored in 0_i32..3) {
            let mut faults = Faults::new();
            let merged = Versions { base: &base, mine: &mine, stored: &stored }.whole(Key::Name, json, &mut faults);
            if mine == base {
                prop_assert_eq!(merged, stored);
            } else {
                prop_assert_eq!(merged, mine);
            }
            prop_assert_eq!(faults.is_empty(), mine == base || stored == base || mine == stored);
        }
    }
}
