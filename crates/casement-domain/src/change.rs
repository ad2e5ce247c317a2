//! Changes: the documents that a decision writes, and what an event says about each.

use serde_json::{Map, Value};

use crate::attachment::Attachment;
use crate::attachment::usage::Usage;
use crate::case::Case;
use crate::comment::Comment;
use crate::customer::Customer;
use crate::list::row::Work;
use crate::task::Task;
use crate::version::Versioned;

/// One document that a decision makes or changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A case.
    Case(Case),
    /// A task.
    Task(Task),
    /// A customer's profile.
    Customer(Customer),
    /// An attachment.
    Attachment(Attachment),
    /// What the attachments of a workspace take.
    Usage(Usage),
    /// A comment on a case.
    Comment(Comment),
}

impl From<Work> for Record {
    fn from(work: Work) -> Self {
        match work {
            Work::Case(case) => Self::Case(case),
            Work::Task(task) => Self::Task(task),
        }
    }
}

/// A document before (unless it is new) and after a decision, and the name of the event that tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordChange {
    /// The document as it was read; `None` makes a new one.
    pub before: Option<Versioned<Record>>,
    /// The document as it shall be.
    pub after: Record,
    /// The event, such as `case.created`.
    pub event: &'static str,
}

/// What a decision wants to have committed together. The first record is the one that the command was about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// The documents to write.
    pub records: Vec<RecordChange>,
}

/// Tells what differs between two stored bodies, key by key: each changed key with its values `from` and `to`; a side
/// that is absent had no value.
pub fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut changes = Map::new();
    for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
        let (from, to) = (before.get(key), after.get(key));
        if from != to {
            let mut entry = Map::new();
            if let Some(from) = from {
                entry.insert("from".to_owned(), from.clone());
            }
            if let Some(to) = to {
                entry.insert("to".to_owned(), to.clone());
            }
            changes.insert(key.clone(), Value::Object(entry));
        }
    }
    changes
}

/// Takes an event's changes back: makes the body what it was before them.
pub fn undo(body: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (key, change) in changes {
        match change.get("from") {
            Some(from) => body.insert(key.clone(), from.clone()),
            None => body.remove(key),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn only_changed_keys_are_told_with_both_values() {
        let changes = differences(
            &object(json!({"name": "a", "gone": 1, "same": [1]})),
            &object(json!({"name": "b", "new": null, "same": [1]})),
        );
        assert_eq!(
            Value::Object(changes),
            json!({"name": {"from": "a", "to": "b"}, "gone": {"from": 1}, "new": {"to": null}})
        );
    }

    proptest! {
        #[test]
        fn an_old_body_is_the_new_one_with_its_changes_undone(
            before in prop::collection::btree_map("[a-d]", 0_i32..3, 0..4),
            after in prop::collection::btree_map("[a-d]", 0_i32..3, 0..4),
        ) {
            let before = object(json!(before));
            let after = object(json!(after));
            let changes = differences(&before, &after);
            let mut body = after.clone();
            undo(&mut body, &changes);
            prop_assert_eq!(body, before);
        }
    }
}
