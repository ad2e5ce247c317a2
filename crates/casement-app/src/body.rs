//! Stored bodies: documents as JSON with a schema number.
//!
//! A body never holds what the commit assigns (number, sequence, version). Bodies of older schemas are brought up to
//! date by pure functions when they are read; a released schema number is never given another meaning.

use casement_domain::attachment::Attachment;
use casement_domain::attachment::usage::Usage;
use casement_domain::case::{self, Case};
use casement_domain::change::Record;
use casement_domain::comment::Comment;
use casement_domain::customer::Customer;
use casement_domain::date::Moment;
use casement_domain::list::row::Work;
use casement_domain::task::{self, Task};
use casement_domain::version::Versioned;
use casement_store::document::Document;
use casement_wire::member::Members;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::AppError;

/// The schema number of all bodies that this release writes, except those of apps.
pub const SCHEMA: u32 = 1;

/// The schema number of what is left of a purged document.
pub const PURGED_SCHEMA: u32 = 0;

/// What is left of a case, task, comment or attachment that was purged: its row, with id and number, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// When it was purged.
    pub purged_at: Moment,
}

/// The bytes that a body is given room for at first.
const BODY_BYTES: usize = 2048;

/// The kind of cases in the store.
pub const CASE: &str = "case";
/// The kind of tasks in the store.
pub const TASK: &str = "task";
/// The kind of customers in the store.
pub const CUSTOMER: &str = "customer";
/// The kind of attachments in the store.
pub const ATTACHMENT: &str = "attachment";
/// The kind of what a workspace's attachments take, in the store.
pub const USAGE: &str = "usage";
/// The kind of comments in the store; their parent is the case.
pub const COMMENT: &str = "comment";

/// Where a record is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its kind.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The document that it belongs to.
    pub parent: Option<String>,
    /// The counter that numbers it.
    pub counter: Option<&'static str>,
}

/// Tells where a record is kept.
pub fn place(record: &Record) -> Place {
    match record {
        Record::Case(case) => {
            Place { kind: CASE, id: case.id.to_string(), parent: None, counter: Some(case::COUNTER) }
        }
        Record::Task(task) => Place {
            kind: TASK,
            id: task.id.to_string(),
            parent: Some(task.case.to_string()),
            counter: Some(task::COUNTER),
        },
        Record::Customer(customer) => {
            Place { kind: CUSTOMER, id: customer.id.to_string(), parent: None, counter: None }
        }
        Record::Attachment(attachment) => Place {
            kind: ATTACHMENT,
            id: attachment.id.to_string(),
            parent: Some(attachment.case.to_string()),
            counter: None,
        },
        Record::Usage(_) => Place { kind: USAGE, id: Usage::ID.to_owned(), parent: None, counter: None },
        Record::Comment(comment) => Place {
            kind: COMMENT,
            id: comment.id.to_string(),
            parent: Some(comment.case.to_string()),
            counter: None,
        },
    }
}

/// Gives the body of a record as a tree, for telling what changed.
pub fn tree(record: &Record) -> Map<String, Value> {
    let value = match record {
        Record::Case(case) => serde_json::to_value(case),
        Record::Task(task) => serde_json::to_value(task),
        Record::Customer(customer) => serde_json::to_value(customer),
        Record::Attachment(attachment) => serde_json::to_value(attachment),
        Record::Usage(usage) => serde_json::to_value(usage),
        Record::Comment(comment) => serde_json::to_value(comment),
    };
    match value {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// Gives the bytes of a body.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BODY_BYTES);
    serde_json::to_writer(&mut bytes, value).expect("invariant: a body is always JSON");
    bytes
}

/// Gives the bytes of a record's body.
pub fn encode_record(record: &Record) -> Vec<u8> {
    match record {
        Record::Case(case) => encode(case),
        Record::Task(task) => encode(task),
        Record::Customer(customer) => encode(customer),
        Record::Attachment(attachment) => encode(attachment),
        Record::Usage(usage) => encode(usage),
        Record::Comment(comment) => encode(comment),
    }
}

/// Tells what differs between two bodies, as the bytes of what [`casement_domain::change::differences`] gives for their
/// trees. The bodies must come from [`encode`].
pub fn changes(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut changes = Vec::with_capacity(BODY_BYTES);
    changes.push(b'{');
    let mut add = |key: &[u8], from: Option<&[u8]>, to: Option<&[u8]>| {
        if from == to {
            return;
        }
        changes.extend_from_slice(if changes.len() > 1 { b",\"" } else { b"\"" });
        changes.extend_from_slice(key);
        changes.extend_from_slice(b"\":{");
        if let Some(from) = from {
            changes.extend_from_slice(b"\"from\":");
            changes.extend_from_slice(from);
        }
        if let Some(to) = to {
            changes.extend_from_slice(if from.is_some() { b",\"to\":" } else { b"\"to\":" });
            changes.extend_from_slice(to);
        }
        changes.push(b'}');
    };
    let former: Vec<(&[u8], &[u8])> = Members::of(before).collect();
    let latter: Vec<(&[u8], &[u8])> = Members::of(after).collect();
    let value =
        |members: &[(&[u8], &'_ [u8])], key: &[u8]| members.iter().position(|(known, _)| *known == key);
    for (key, from) in &former {
        let to = value(&latter, key).and_then(|place| latter.get(place));
        add(key, Some(from), to.map(|(_, to)| *to));
    }
    for (key, to) in &latter {
        if value(&former, key).is_none() {
            add(key, None, Some(to));
        }
    }
    changes.push(b'}');
    changes
}

/// Reads what is left of a purged document; `None`: it was not purged.
///
/// # Errors
/// As [`decode`].
pub fn decode_purged(document: &Document) -> Result<Option<Purged>, AppError> {
    let is_purged = document.schema == PURGED_SCHEMA;
    is_purged.then(|| Ok(decode_of(document, &[PURGED_SCHEMA])?.value)).transpose()
}

/// Reads the body of a document of a kind that may be purged; `None`: it was, and to whoever asks there is no such document.
fn decode_kept<T: DeserializeOwned>(document: &Document) -> Result<Option<Versioned<T>>, AppError> {
    if document.schema == PURGED_SCHEMA { Ok(None) } else { decode(document).map(Some) }
}

/// Reads a body.
///
/// # Errors
/// The body is of a newer schema or damaged.
pub fn decode<T: DeserializeOwned>(document: &Document) -> Result<Versioned<T>, AppError> {
    decode_of(document, &[SCHEMA])
}

/// Reads a body of one of some schemas.
///
/// # Errors
/// As [`decode`].
pub fn decode_of<T: DeserializeOwned>(
    document: &Document,
    schemas: &[u32],
) -> Result<Versioned<T>, AppError> {
    if !schemas.contains(&document.schema) {
        let reason = format!("{} {} has schema {}", document.kind, document.id, document.schema);
        return Err(AppError::Failed(reason));
    }
    let value = serde_json::from_slice(&document.body).map_err(|error| {
        AppError::Failed(format!("{} {} is damaged: {error}", document.kind, document.id))
    })?;
    Ok(Versioned { version: document.version, number: document.number, value })
}

/// Reads the body of a case; `None`: it was purged.
///
/// # Errors
/// As [`decode`].
pub fn decode_case(document: &Document) -> Result<Option<Versioned<Case>>, AppError> {
    decode_kept(document)
}

/// Reads the body of a task; `None`: it was purged.
///
/// # Errors
/// As [`decode`].
pub fn decode_task(document: &Document) -> Result<Option<Versioned<Task>>, AppError> {
    decode_kept(document)
}

/// Reads the body of a case or task; `None`: it was purged.
///
/// # Errors
/// As [`decode`].
pub fn decode_work(document: &Document) -> Result<Option<Work>, AppError> {
    Ok(if document.kind == CASE {
        decode_case(document)?.map(|case| Work::Case(case.value))
    } else {
        decode_task(document)?.map(|task| Work::Task(task.value))
    })
}

/// Reads a document that there may be.
pub(crate) fn found<T>(
    document: Option<&Document>,
    decode: impl Fn(&Document) -> Result<Option<T>, AppError>,
) -> Result<Option<T>, AppError> {
    document.map_or(Ok(None), decode)
}

/// Reads the body of an attachment; `None`: it was purged.
///
/// # Errors
/// As [`decode`].
pub fn decode_attachment(document: &Document) -> Result<Option<Versioned<Attachment>>, AppError> {
    decode_kept(document)
}

/// Reads the body of a comment; `None`: it was purged.
///
/// # Errors
/// As [`decode`].
pub fn decode_comment(document: &Document) -> Result<Option<Versioned<Comment>>, AppError> {
    decode_kept(document)
}

/// Reads the body of a customer.
///
/// # Errors
/// As [`decode`].
pub fn decode_customer(document: &Document) -> Result<Versioned<Customer>, AppError> {
    decode(document)
}

#[cfg(test)]
mod tests {
    use casement_domain::change::differences;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_body() -> impl Strategy<Value = Map<String, Value>> {
        let value = prop_oneof![
            (0_i64..3).prop_map(Value::from),
            "[a\"\\\\,}]{0,3}".prop_map(Value::from),
            prop::collection::vec(0_i64..2, 0..2).prop_map(|list| json!({"list": list})),
        ];
        prop::collection::btree_map("[a-e]", value, 0..5).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn changes_are_those_of_the_trees(before in any_body(), after in any_body()) {
            let expected = encode(&differences(&before, &after));
            let found = changes(&encode(&before), &encode(&after));
            prop_assert_eq!(String::from_utf8(found), String::from_utf8(expected));
        }
    }
}
