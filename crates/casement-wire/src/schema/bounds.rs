//! Completes the description of the bodies with what types can't say: lengths, choices, what may be null.
//!
//! The numbers are the limits that the rules use. It works on the description as JSON, by the keys' spellings, so that
//! each bound stands once and holds for every body that has the key.

use casement_domain::date::{MOMENT_MAX, MOMENT_MIN};
use casement_domain::limits;
use casement_domain::list::grouping::Grouping;
use serde_json::{Map, Value, json};

use crate::list::SORT_FIELDS;
use crate::search::grouping_name;

/// The bodies of creates and updates.
const WRITES: [&str; 4] = ["CreateCaseBody", "UpdateCaseBody", "CreateTaskBody", "UpdateTaskBody"];
/// The bodies of updates, where `null` is a fault unless it clears something.
const UPDATES: [&str; 3] = ["UpdateCaseBody", "UpdateTaskBody", "UpdateCommentBody"];
/// The bodies of comments.
const COMMENTS: [&str; 2] = ["CreateCommentBody", "UpdateCommentBody"];
/// The keys that `null` clears, and the one that it leaves absent; contract sections 9 and 11.2.
const NULLABLE: [&str; 4] = ["dueDate", "ETA", "currAssignee", "timestampValue"];
/// The bodies of lists.
const LISTS: [&str; 2] = ["CaseListBody", "TaskListBody"];
/// The pages of lists, and what they list.
const PAGES: [(&str, &str); 2] = [("CasePage", "CaseDoc"), ("TaskPage", "TaskDoc")];

/// The bodies and pages of `/api/v1` that have all keys of one of the public API, and more.
const EXTENDED: [(&str, &str); 6] = [
    ("CaseSearchBody", "CaseListBody"),
    ("TaskSearchBody", "TaskListBody"),
    ("CaseCountBody", "CaseListBody"),
    ("TaskCountBody", "TaskListBody"),
    ("CaseSearchPage", "CasePage"),
    ("TaskSearchPage", "TaskPage"),
];

/// The keys that name the case of a task.
const OF_CASE: [&str; 2] = ["caseId", "caseRefId"];

/// Gives the body of splitComment the keys of createCase's, without those that are required.
fn describe_split(schemas: &mut Map<String, Value>) {
    let Some(properties) = schemas.get("CreateCaseBody").and_then(|body| body.get("properties")).cloned()
    else {
        return;
    };
    if let Some(body) = schemas.get_mut("SplitCommentBody").and_then(Value::as_object_mut) {
        body.insert("properties".to_owned(), properties);
        body.insert("example".to_owned(), json!({"name": "Refund", "dueDate": "2026-01-31T12:00:00.000Z"}));
    }
}

/// Completes the description of the API.
pub fn complete(description: &mut Value) {
    complete_headers(description);
    let Some(schemas) = description.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    for name in WRITES {
        for (key, bound) in bounds_of_writes() {
            bind(property(schemas, name, key), bound);
        }
    }
    describe_split(schemas);
    for name in COMMENTS {
        for (key, bound) in bounds_of_comments() {
            bind(property(schemas, name, key), bound);
        }
    }
    for name in UPDATES {
        let keys = schemas.get_mut(name).and_then(|body| body.get_mut("properties")?.as_object_mut());
        for (key, property) in keys.into_iter().flatten() {
            if !NULLABLE.contains(&key.as_str()) {
                take_null(property);
            }
        }
    }
    for name in LISTS {
        for (key, bound) in bounds_of_lists() {
            bind(property(schemas, name, key), bound);
        }
    }
    for (name, document) in PAGES {
        let results = property(schemas, name, "results");
        bind(results, json!({"items": whole_or_selected(document)}));
    }
    for name in ["CaseListBody", "TaskListBody"] {
        let text = property(schemas, name, "searchText");
        bind(text, json!({"maxLength": limits::SEARCH_TEXT_CHARACTERS_MAX}));
    }
    for (name, base) in EXTENDED {
        extend(schemas, name, base);
        bind(property(schemas, name, "q"), json!({"maxLength": limits::EXPRESSION_CHARACTERS_MAX}));
        bind(property(schemas, name, "cursor"), json!({"maxLength": limits::CURSOR_CHARACTERS_MAX}));
        let groupings: Vec<&str> = Grouping::ALL.map(grouping_name).to_vec();
        bind(property(schemas, name, "by"), json!({"items": {"enum": groupings}}));
    }
    for key in ["attachments", "feedback", "resolutionCmts"] {
        bind(property(schemas, "ItemDoc", key), json!({"items": note()}));
    }
    for (name, bound) in bounds_of_parts() {
        if let Some(schema) = schemas.get_mut(name) {
            bind(Some(schema), bound);
        }
    }
    without_case(schemas);
}

/// Describes the body of a task whose case stands in the path: that of createTask without the case.
fn without_case(schemas: &mut Map<String, Value>) {
    let (Some(mut whole), Some(body)) =
        (schemas.get("CreateTaskBody").cloned(), schemas.get_mut("PostTaskBody"))
    else {
        return;
    };
    if let (Some(whole), Some(description)) = (whole.as_object_mut(), body.get("description")) {
        whole.insert("description".to_owned(), description.clone());
    }
    if let Some(keys) = whole.get_mut("properties").and_then(Value::as_object_mut) {
        keys.retain(|key, _| !OF_CASE.contains(&key.as_str()));
    }
    if let Some(required) = whole.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|key| !OF_CASE.iter().any(|own| key == own));
    }
    *body = whole;
}

/// Bounds the header that is checked; contract section 11.9.
fn complete_headers(description: &mut Value) {
    let paths = description.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    let operations = paths.filter_map(|(_, methods)| methods.as_object_mut()).flat_map(Map::values_mut);
    let parameters =
        operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    for parameter in parameters {
        let bound = match parameter["name"].as_str() {
            Some("Idempotency-Key") => {
                json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"})
            }
            Some("visibility") => json!({"type": "string", "enum": ["internal", "public"]}),
            Some("asOf") => json!({"type": "string", "format": "date-time"}),
            _ => continue,
        };
        bind(parameter.get_mut("schema"), bound);
    }
}

/// Gives a schema the keys of another, before its own.
fn extend(schemas: &mut Map<String, Value>, name: &str, base: &str) {
    let Some(base) = schemas.get(base).cloned() else { return };
    let Some(schema) = schemas.get_mut(name) else { return };
    for part in ["properties", "required"] {
        let own = schema.get(part).cloned();
        match (base.get(part).cloned(), own) {
            (Some(Value::Object(mut all)), Some(Value::Object(own))) => {
                all.extend(own);
                schema[part] = Value::Object(all);
            }
            (Some(all), None) => schema[part] = all,
            _ => {}
        }
    }
}

fn property<'a>(schemas: &'a mut Map<String, Value>, name: &str, key: &str) -> Option<&'a mut Value> {
    schemas.get_mut(name)?.get_mut("properties")?.get_mut(key)
}

/// Lays a bound over a schema: objects are merged, anything else is replaced, and null takes away.
fn bind(schema: Option<&mut Value>, bound: Value) {
    let Some(schema) = schema else { return };
    match (schema, bound) {
        (Value::Object(schema), Value::Object(bound)) => {
            for (key, bound) in bound {
                if bound.is_null() {
                    schema.shift_remove(&key);
                } else {
                    bind(Some(schema.entry(key).or_insert_with(|| json!({}))), bound);
                }
            }
        }
        (schema, bound) => *schema = bound,
    }
}

/// Takes null from what a property may be.
fn take_null(property: &mut Value) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            property["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(choices)) = property.get_mut("oneOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = choices.as_slice() {
            *property = only.clone();
        }
    }
}

fn text(characters_max: usize) -> Value {
    json!({"minLength": 1, "maxLength": characters_max})
}

fn texts(entries_max: usize, characters_max: usize) -> Value {
    json!({"maxItems": entries_max, "items": text(characters_max)})
}

fn note() -> Value {
    json!({"type": null, "anyOf": [{"type": "object"}, {"type": "string"}]})
}

fn bounds_of_writes() -> Vec<(&'static str, Value)> {
    let name = json!({"minLength": 1, "maxLength": limits::NAME_CHARACTERS_MAX, "pattern": "\\S"});
    let links = || texts(limits::LINKS_MAX, limits::LINK_CHARACTERS_MAX);
    let notes = || json!({"maxItems": limits::NOTES_MAX, "items": note()});
    vec![
        ("caseTmp", json!({"minLength": 1})),
        ("taskTmp", json!({"minLength": 1})),
        ("name", name),
        ("desc", json!({"maxLength": limits::DESCRIPTION_BYTES_MAX})),
        ("source", text(limits::SOURCE_CHARACTERS_MAX)),
        ("language", text(limits::LANGUAGE_CHARACTERS_MAX)),
        ("tags", texts(limits::TAGS_MAX, limits::TAG_CHARACTERS_MAX)),
        ("sessIds", links()),
        ("convIds", links()),
        ("channel", links()),
        ("queues", json!({"maxItems": limits::QUEUES_MAX})),
        ("assigneeType", json!({"enum": ["unassigned", "queues", "agent", null]})),
        ("emailId", json!({"maxLength": limits::EMAIL_CHARACTERS_MAX})),
        ("phoneNumber", json!({"maxLength": limits::PHONE_CHARACTERS_MAX})),
        ("attachments", notes()),
        ("feedback", notes()),
        ("resolutionCmts", notes()),
        ("ETA", json!({"oneOf": [date(), {"type": "string", "enum": [""]}, {"type": "null"}]})),
        ("timestampValue", json!({"type": ["number", "null"], "format": null})),
    ]
}

fn bounds_of_comments() -> Vec<(&'static str, Value)> {
    let text = json!({"minLength": 1, "maxLength": limits::COMMENT_TEXT_BYTES_MAX, "pattern": "\\S"});
    vec![
        ("visibility", json!({"enum": ["internal", "public", null]})),
        ("format", json!({"enum": ["html", "markdown", null]})),
        ("text", text),
        ("mentions", json!({"maxItems": limits::MENTIONS_MAX})),
        ("attachments", json!({"maxItems": limits::COMMENT_ATTACHMENTS_MAX})),
    ]
}

fn date() -> Value {
    json!({"$ref": "#/components/schemas/DateBody"})
}

/// A date alone or with a time, in ISO 8601.
fn date_text() -> Value {
    json!({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]})
}

fn bounds_of_lists() -> Vec<(&'static str, Value)> {
    let date = || {
        let choices = json!([date_text(), {"type": "string", "enum": [""]}, {"type": "null"}]);
        json!({"type": null, "oneOf": choices})
    };
    vec![
        ("startDate", date()),
        ("endDate", date()),
        ("dueDate", date()),
        ("ETAlist", json!({"items": {"enum": ["overdue", "today", "tomorrow", "week", "none"]}})),
        ("skip", json!({"maximum": i64::MAX})),
        ("limit", json!({"minimum": 1, "maximum": limits::PAGE_MAX})),
    ]
}

/// One of these keys at least, as a text with something in it.
fn named_by(keys: &[&str]) -> Vec<Value> {
    let by =
        |key: &&str| json!({"required": [key], "properties": {*key: {"type": "string", "minLength": 1}}});
    keys.iter().map(by).collect()
}

fn bounds_of_parts() -> Vec<(&'static str, Value)> {
    let mut assignee = named_by(&["aId", "agentId", "name"]);
    assignee.insert(0, json!({"maxProperties": 0}));
    let sorted = SORT_FIELDS;
    let bare: Vec<&str> = sorted.into_iter().chain([""]).collect();
    vec![
        (
            "UserInfoBody",
            json!({"properties": {
                "_id": {"maxLength": limits::ID_CHARACTERS_MAX},
                "name": {"maxLength": limits::CUSTOMER_NAME_CHARACTERS_MAX},
                "emailId": {"maxLength": limits::EMAIL_CHARACTERS_MAX},
                "phoneNumber": {"maxLength": limits::PHONE_CHARACTERS_MAX},
            }}),
        ),
        (
            "FieldBody",
            json!({"anyOf": named_by(&["_id", "name", "displayName"]),
                "properties": {"selectedValue": {"type": null}}}),
        ),
        (
            "FieldFilterBody",
            json!({"anyOf": named_by(&["_id", "name"]), "properties": {"value": {"type": null}}}),
        ),
        // A task without a template needs a name; contract section 8.
        ("CreateTaskBody", json!({"anyOf": named_by(&["taskTmp", "name"])})),
        ("MentionedBody", json!({"anyOf": named_by(&["aId", "agentId", "emailId"])})),
        (
            "MentionBody",
            json!({"oneOf": [{"$ref": "#/components/schemas/MentionedBody", "description": "By any of its keys."},
                {"type": "string", "minLength": 1,
                    "description": "By `aId`, `agentId` or e-mail address as a string."}]}),
        ),
        (
            "CreateCommentBody",
            json!({"oneOf": [
                {"required": ["text"], "properties": {"text": {"type": "string"}, "standardResponse": {"type": "null"}}},
                {"required": ["standardResponse"],
                    "properties": {"text": {"type": "null"}, "standardResponse": {"type": ["object", "string"]}}}]}),
        ),
        ("NamedBody", json!({"anyOf": named_by(&["_id", "name"])})),
        ("NamedAgentBody", json!({"anyOf": named_by(&["aId", "agentId", "name"])})),
        (
            "AgentBody",
            json!({"oneOf": [{"$ref": "#/components/schemas/NamedAgentBody", "description": "By `aId`, `agentId` or `name`."},
                {"type": "string", "minLength": 1, "description": "By any of these as a string."}]}),
        ),
        (
            "TransferBody",
            json!({"oneOf": [
                {"required": ["agent"], "properties": {"agent": {"type": ["object", "string"]}, "queue": {"type": "null"}, "nobody": {"enum": [false, null]}}},
                {"required": ["queue"], "properties": {"queue": {"type": ["object", "string"]}, "agent": {"type": "null"}, "nobody": {"enum": [false, null]}}},
                {"required": ["nobody"], "properties": {"nobody": {"const": true}, "agent": {"type": "null"}, "queue": {"type": "null"}}}],
                "properties": {"note": {"minLength": 1, "maxLength": limits::TRANSFER_NOTE_CHARACTERS_MAX, "pattern": "\\S"}}}),
        ),
        (
            "ResolutionCommentBody",
            json!({"properties": {"text":
                {"minLength": 1, "maxLength": limits::RESOLUTION_COMMENT_BYTES_MAX, "pattern": "\\S"}}}),
        ),
        (
            "FeedbackLinkBody",
            json!({"properties": {"expiresInDays": {"minimum": 1, "maximum": limits::FEEDBACK_LINK_DAYS_MAX}}}),
        ),
        (
            "FeedbackBody",
            json!({"properties": {"score": {"minimum": 1, "maximum": limits::FEEDBACK_SCORE_MAX},
                "text": {"maxLength": limits::FEEDBACK_TEXT_BYTES_MAX}}}),
        ),
        ("MergeBody", json!({"properties": {"into": {"minLength": 1}}})),
        ("AssigneeBody", json!({"anyOf": assignee})),
        (
            "ReferenceBody",
            json!({"oneOf": [{"$ref": "#/components/schemas/NamedBody", "description": "By `_id` or `name`."},
                {"type": "string", "minLength": 1, "description": "By either as a string."}]}),
        ),
        (
            "DateBody",
            json!({"oneOf": [
                {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}],
                    "description": "ISO 8601; without a zone in that of `X-Timezone-Offset`."},
                {"type": "integer", "format": "int64", "minimum": MOMENT_MIN.ms(), "maximum": MOMENT_MAX.ms(),
                    "description": "Milliseconds since the epoch, of the years 0001 to 9999."}]}),
        ),
        (
            "SortBody",
            json!({"oneOf": [
                {"type": "string", "enum": bare, "description": "One field, descending; empty: the default."},
                {"type": "object", "propertyNames": {"enum": sorted},
                    "additionalProperties": {"type": "string", "enum": ["asc", "desc"]},
                    "description": "Fields in the order written, each with `asc` or `desc`."}]}),
        ),
    ]
}

/// What a page holds: whole documents, or of each the keys that were selected.
fn whole_or_selected(document: &str) -> Value {
    json!({"$ref": null, "anyOf": [
        {"$ref": format!("#/components/schemas/{document}")},
        {"type": "object", "required": ["_id"], "properties": {"_id": {"type": "string"}},
            "description": "With `selectedColumns`: those keys, and `_id`."}
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_merged_and_null_takes_away() {
        let mut schema = json!({"type": "array", "items": {"type": "object"}, "description": "x"});
        bind(Some(&mut schema), json!({"maxItems": 2, "items": note()}));
        assert_eq!(schema["maxItems"], 2);
        assert_eq!(schema["items"], json!({"anyOf": [{"type": "object"}, {"type": "string"}]}));
        assert_eq!(schema["description"], "x");
    }

    #[test]
    fn null_is_taken_from_each_form_of_a_property() {
        let take = |mut property: Value| {
            take_null(&mut property);
            property
        };
        assert_eq!(take(json!({"type": ["string", "null"]})), json!({"type": "string"}));
        assert_eq!(take(json!({"oneOf": [{"$ref": "x"}, {"type": "null"}]})), json!({"$ref": "x"}));
        assert_eq!(take(json!({"enum": ["a", null]})), json!({"enum": ["a"]}));
        assert_eq!(take(json!({"type": "object"})), json!({"type": "object"}));
    }
}
