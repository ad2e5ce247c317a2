//! The history of a document: its events, newest first, each with what it changed in the document's own keys.
//!
//! What changed is told by the documents before and after, so that keys and values are spelled as everywhere else.

use casement_domain::date::Moment;
use casement_domain::workspace::entries::Origin;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::spelling::origin;

/// Keys that change with every event, or that only repeat another key.
const UNTOLD: [&str; 4] = ["lname", "timestampValue", "updatedAt", "updatedBy"];
/// The key of the fields, of which only those that changed are told.
const FIELDS: &str = "fields";
/// The keys that are told of a field.
const FIELD_KEYS: [&str; 3] = ["_id", "displayName", "selectedValue"];

/// A page of a document's history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    /// Newest first.
    pub results: Vec<EventDoc>,
    /// Whether there are earlier ones: `before` the version of the last one here.
    pub has_more: bool,
}

/// What happened to a document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventDoc {
    /// Its place in the log of the workspace.
    #[schema(example = 1042)]
    pub sequence: u64,
    /// The version of the document after it.
    #[schema(example = 3)]
    pub version: u64,
    /// When, in ISO 8601.
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    pub at: String,
    /// Who did it.
    pub by: ById,
    /// The client id of the app that it came through; empty for the server itself.
    #[schema(example = "cs-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    pub app: String,
    /// What happened, such as `case.created`, `case.updated` or `case.deleted`.
    #[schema(example = "case.updated")]
    pub kind: String,
    /// What changed; empty for the making, `null` where the log no longer tells it.
    pub changes: Option<Vec<ChangeDoc>>,
    /// The note of a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Somebody, by id.
#[derive(Debug, Serialize, ToSchema)]
pub struct ById {
    /// The id.
    #[serde(rename = "_id")]
    pub id: String,
}

/// A key of a document that changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChangeDoc {
    /// The key. Of `fields` only those that changed are told.
    #[schema(example = "name")]
    key: String,
    /// Its value before; absent when it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    /// Its value after; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value>,
}

/// Gives a moment as an event tells it.
pub fn at(ms: i64) -> String {
    Moment::from_ms(ms).iso()
}

/// Gives what differs between two documents, in the order of the later one's keys.
pub fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<ChangeDoc> {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let keys = after.keys().chain(gone).filter(|key| !UNTOLD.contains(&key.as_str()));
    let differing = keys.filter_map(|key| {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            return None;
        }
        if key == FIELDS {
            return fields(old, new);
        }
        Some(ChangeDoc { key: key.clone(), old: old.cloned(), new: new.cloned() })
    });
    differing.collect()
}

/// Tells of two lists of fields only the custom ones whose value differs, and of these only what names and is their value:
/// title, description and due date have keys of their own.
fn fields(before: Option<&Value>, after: Option<&Value>) -> Option<ChangeDoc> {
    let of = |list: Option<&Value>| -> Vec<Map<String, Value>> {
        let entries = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
        let custom =
            entries.filter(|entry| entry.get("type").and_then(Value::as_str) == Some(origin(Origin::Custom)));
        let told = custom.map(|entry| {
            let kept =
                FIELD_KEYS.iter().filter_map(|key| Some(((*key).to_owned(), entry.get(*key)?.clone())));
            kept.collect::<Map<String, Value>>()
        });
        told.collect()
    };
    let (old, new) = (of(before), of(after));
    let only_in = |these: &[Map<String, Value>], those: &[Map<String, Value>]| {
        let differing = these.iter().filter(|entry| !those.contains(entry));
        Value::Array(differing.cloned().map(Value::Object).collect())
    };
    let (told_old, told_new) = (only_in(&old, &new), only_in(&new, &old));
    (told_old != told_new).then(|| ChangeDoc {
        key: FIELDS.to_owned(),
        old: Some(told_old),
        new: Some(told_new),
    })
}

/// Writes a page.
pub fn write_history(page: &HistoryPage) -> Vec<u8> {
    serde_json::to_vec(page).expect("invariant: texts and numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_differs_is_told_once_and_what_always_changes_is_not() {
        let field = |id: &str, origin: &str, value: Value| json!({"_id": id, "type": origin, "displayName": id, "selectedValue": value, "metaData": {}});
        let before = object(json!({"name": "a", "lname": "a", "updatedAt": "1", "due": 1, "tags": [],
            "fields": [field("title", "system", json!("a")), field("x", "custom", json!(1)), field("y", "custom", json!(2))]}));
        let after = object(json!({"name": "b", "lname": "b", "updatedAt": "2", "tags": [], "eta": null,
            "fields": [field("title", "system", json!("b")), field("x", "custom", json!(3)), field("y", "custom", json!(2))]}));
        let told = serde_json::to_value(changes(&before, &after)).unwrap();
        let expected = json!([
            {"key": "name", "old": "a", "new": "b"},
            {"key": "eta", "new": null},
            {"key": "fields", "old": [{"_id": "x", "displayName": "x", "selectedValue": 1}],
                "new": [{"_id": "x", "displayName": "x", "selectedValue": 3}]},
            {"key": "due", "old": 1},
        ]);
        assert_eq!(told, expected);
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn system_fields_repeat_keys_and_are_no_change_of_their_own() {
        let with =
            |value: &str| object(json!({"fields": [{"_id": "t", "type": "system", "selectedValue": value}]}));
        assert_eq!(changes(&with("a"), &with("b")), []);
    }
}
