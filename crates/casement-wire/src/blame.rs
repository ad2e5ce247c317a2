//! Who changed each key of a document last.

use std::collections::BTreeMap;

use casement_domain::id::FieldId;
use casement_domain::workspace::Workspace;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::history::{ById, at};
use crate::spelling::Noun;

/// The keys of a stored document and those of the wire that show them. What changes with every event, and what never does,
/// is left out.
const KEYS: [(&str, &[&str]); 18] = [
    ("name", &["name"]),
    ("description", &["desc"]),
    ("tags", &["tags"]),
    ("customer", &["userInfo"]),
    ("session_ids", &["sessIds"]),
    ("conversation_ids", &["convIds"]),
    ("status", &["status"]),
    ("priority", &["priority"]),
    ("source", &["source"]),
    ("assignment", &["assigneeType", "currAssignee", "queues"]),
    ("participants", &["participants"]),
    ("active", &["isActive"]),
    ("attachments", &["attachments"]),
    ("feedback", &["feedback"]),
    ("resolution_comments", &["resolutionCmts"]),
    ("channels", &["channel"]),
    ("due", &["dueDate", "ETA"]),
    ("breached", &["isBreached"]),
];
/// Those that only cases have.
const CASE_KEYS: [(&str, &[&str]); 1] = [("language", &["language"])];
/// The key of a stored document that holds the values of custom fields.
const FIELD_VALUES: &str = "field_values";
/// The key of a stored document that holds its template.
const TEMPLATE: &str = "template";

/// The last change of each key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Blame {
    /// In the order of the document's keys, custom fields last.
    pub results: Vec<BlamedKey>,
}

/// A key of a document, or one of its custom fields, with its last change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlamedKey {
    /// The key; `fields` for a custom field.
    #[schema(example = "name")]
    key: &'static str,
    /// The custom field.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<BlamedField>,
    /// The version that the change made.
    #[schema(example = 3)]
    version: u64,
    /// When, in ISO 8601.
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    at: String,
    /// Who did it.
    by: ById,
    /// The client id of the app that it came through; empty for the server itself.
    #[schema(example = "cs-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    app: String,
}

/// A custom field.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BlamedField {
    /// Its id.
    #[serde(rename = "_id")]
    id: String,
    /// The name that is displayed.
    display_name: String,
}

/// A change, as far as blame tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version that it made.
    pub version: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who did it.
    pub by: String,
    /// The app's client id.
    pub app: String,
}

/// The last change of what is stored under each key; filled from the newest event to the oldest.
#[derive(Debug, Default)]
pub struct Latest {
    keys: BTreeMap<String, Change>,
    fields: BTreeMap<String, Change>,
}

impl Latest {
    /// Takes an event that is older than those before: `changes` tells for each stored key its values `from` and `to`.
    pub fn take(&mut self, change: &Change, changes: &serde_json::Map<String, Value>) {
        for (key, values) in changes {
            if key == FIELD_VALUES {
                for field in changed_fields(values) {
                    self.fields.entry(field).or_insert_with(|| change.clone());
                }
            } else if !self.keys.contains_key(key) {
                self.keys.insert(key.clone(), change.clone());
            }
        }
    }

    /// Writes what was taken; `made` is the making of the document, to which everything goes back that no event changed, `fields`
    /// those that it shows.
    pub fn write(&self, made: &Change, noun: Noun, fields: &[FieldId], workspace: &Workspace) -> Vec<u8> {
        let told = |key: &'static str, field: Option<BlamedField>, change: Option<&Change>| {
            let Change { version, at_ms, by, app } = change.unwrap_or(made).clone();
            BlamedKey { key, field, version, at: at(at_ms), by: ById { id: by }, app }
        };
        let (template_key, further): (_, &[_]) = match noun {
            Noun::Case => ("caseTmp", &CASE_KEYS),
            Noun::Task => ("taskTmp", &[]),
        };
        let mut results = vec![told(template_key, None, self.keys.get(TEMPLATE))];
        for (stored, shown) in KEYS.iter().chain(further) {
            results.extend(shown.iter().map(|key| told(key, None, self.keys.get(*stored))));
        }
        let custom = fields.iter().filter_map(|id| workspace.field(id)).filter(|field| field.is_custom());
        results.extend(custom.map(|field| {
            let blamed = BlamedField { id: field.id.to_string(), display_name: field.name.clone() };
            told("fields", Some(blamed), self.fields.get(field.id.as_str()))
        }));
        serde_json::to_vec(&Blame { results }).expect("invariant: texts and numbers are always JSON")
    }
}

/// Gives the fields whose value differs between the two sides of a change.
fn changed_fields(values: &Value) -> Vec<String> {
    let side = |key: &str| values.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let (from, to) = (side("from"), side("to"));
    let all = from.keys().chain(to.keys().filter(|key| !from.contains_key(*key)));
    all.filter(|key| from.get(*key) != to.get(*key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_differ_are_told_and_others_not() {
        let values = json!({"from": {"a": 1, "b": 2, "c": 3}, "to": {"a": 1, "b": 3, "d": 4}});
        assert_eq!(changed_fields(&values), ["b", "c", "d"]);
        assert_eq!(changed_fields(&json!({"to": {"a": 1}})), ["a"]);
    }
}
