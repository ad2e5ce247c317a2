//! Tells a tester what the description can't: the names of one workspace, and which keys agree with each other.
//!
//! A made-up template or status is a 400, rightly, and says nothing about the rest of the body. So the bodies are
//! narrowed to the names that are configured, and keys that must agree with others are left out or given the value that
//! agrees. What is left out is still tried: every body takes unknown keys, and wrong values are made up for all of them.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::Known;

/// Keys that say the same as others, which two made-up values would contradict; and keys that follow from others.
const LEFT_OUT: [&str; 3] = ["assigneeType", "ETA", "participants"];

/// Keys that may only repeat what is stored.
const IDENTITY: [&str; 8] =
    ["_id", "accountId", "iId", "orgId", "refId", "conversationType", "createdAt", "createdBy"];

/// Gives the description with the bodies narrowed to a workspace and its documents.
///
/// # Errors
/// When the description has no such bodies.
pub(super) fn narrowed(description: &Value, made: &Value, known: &Known) -> Result<Value> {
    let mut narrowed = description.clone();
    for (name, is_create, own) in [
        ("CreateCaseBody", true, &known.case),
        ("UpdateCaseBody", false, &known.case),
        ("CreateTaskBody", true, &known.task),
        ("PostTaskBody", true, &known.task),
        ("UpdateTaskBody", false, &known.task),
    ] {
        let body = narrowed.pointer_mut(&format!("/components/schemas/{name}")).context(name)?;
        let keys = body.get_mut("properties").and_then(Value::as_object_mut).context(name)?;
        narrow_names(keys, made);
        if is_create {
            // The customer by id alone: else an address or a number must be somewhere. The built-in template has no due
            // date of its own.
            put(
                keys,
                "userInfo",
                json!({"type": "object", "required": ["_id"], "properties": {
                "_id": {"type": "string", "minLength": 1, "maxLength": 64},
                "name": {"type": "string", "maxLength": 512}}}),
            );
            put(keys, "dueDate", json!({"$ref": "#/components/schemas/DateBody"}));
            for key in ["caseId", "caseRefId"] {
                put(keys, key, json!({"const": own[key]}));
            }
            let required = body.get_mut("required").and_then(Value::as_array_mut).context(name)?;
            required.push(json!("dueDate"));
        } else {
            for key in IDENTITY.iter().chain(&["caseId", "caseRefId"]) {
                put(keys, key, json!({"const": own[*key]}));
            }
            put(keys, "lid", json!({"const": own["iId"]}));
            // A deleted document takes no other change: deleting would end what the run can reach.
            put(keys, "isActive", json!({"const": true}));
        }
    }
    let transfer =
        narrowed.pointer_mut("/components/schemas/TransferBody/properties").and_then(Value::as_object_mut);
    let transfer = transfer.context("TransferBody")?;
    put(transfer, "queue", reference(&made["queues"]));
    put(transfer, "agent", json!({"enum": texts(&made["agents"], &["aId", "agentId", "name"])}));
    let merge = narrowed.pointer_mut("/components/schemas/MergeBody/properties/into").context("MergeBody")?;
    *merge = json!({"const": known.case["_id"]});
    let task =
        narrowed.pointer_mut("/components/schemas/UpdateTaskBody/properties").and_then(Value::as_object_mut);
    // Another spelling of `taskTmp`, and the two must agree.
    task.context("UpdateTaskBody")?.shift_remove("caseTmp");
    Ok(narrowed)
}

/// Narrows a key that the body has.
fn put(keys: &mut Map<String, Value>, key: &str, schema: Value) {
    if let Some(property) = keys.get_mut(key) {
        *property = schema;
    }
}

/// Narrows the keys that name entries of the configuration.
fn narrow_names(keys: &mut Map<String, Value>, made: &Value) {
    put(keys, "caseTmp", json!({"enum": texts(&made["caseTemplates"], &["_id", "name"])}));
    put(keys, "taskTmp", json!({"enum": texts(&made["taskTemplates"], &["_id", "name"])}));
    put(keys, "priority", reference(&made["priorities"]));
    put(
        keys,
        "currAssignee",
        json!({"type": "object", "required": ["aId"], "properties": {
        "aId": {"enum": texts(&made["agents"], &["aId"])}}}),
    );
    // A closed case takes no tasks: closing would end what the run can reach.
    let statuses = made["statuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let open: Vec<&Value> = statuses.iter().filter(|status| status["statusCategory"] != "closed").collect();
    put(keys, "status", reference(&json!(open)));
    if let Some(queues) = keys.get_mut("queues") {
        queues["items"] = reference(&made["queues"]);
    }
    // The system fields repeat other keys, and a new workspace has no others.
    if let Some(fields) = keys.get_mut("fields") {
        fields["maxItems"] = json!(0);
    }
    for key in LEFT_OUT {
        keys.shift_remove(key);
    }
}

/// An entry by its id or name as a string, or by its id in an object.
fn reference(entries: &Value) -> Value {
    json!({"oneOf": [
        {"enum": texts(entries, &["_id", "name"])},
        {"type": "object", "required": ["_id"], "properties": {"_id": {"enum": texts(entries, &["_id"])}}},
    ]})
}

fn texts<'a>(entries: &'a Value, keys: &[&str]) -> Vec<&'a Value> {
    let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().flat_map(|entry| keys.iter().filter_map(|key| entry.get(*key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Value {
        let keys = json!({"caseTmp": {"type": "string"}, "status": {}, "ETA": {}, "_id": {}, "caseId": {},
            "queues": {"type": "array", "items": {}}, "userInfo": {}, "dueDate": {}});
        let body = || json!({"type": "object", "required": ["name"], "properties": keys});
        json!({"components": {"schemas": {"CreateCaseBody": body(), "UpdateCaseBody": body(),
            "CreateTaskBody": body(), "PostTaskBody": body(), "UpdateTaskBody": body(),
            "TransferBody": {"properties": {"queue": {}, "agent": {}}}, "MergeBody": {"properties": {"into": {}}}}}})
    }

    #[test]
    fn bodies_are_narrowed_to_the_names_of_the_workspace_and_the_documents_that_are_known() {
        let made = json!({"caseTemplates": [{"_id": "ctm-1", "name": "General"}],
            "statuses": [{"_id": "sts-1", "name": "Open", "statusCategory": "open"},
                {"_id": "sts-2", "name": "Closed", "statusCategory": "closed"}]});
        let known = Known {
            case: json!({"_id": "ci-1"}),
            task: json!({"_id": "ti-1", "caseId": "ci-1"}),
            spare_case: json!({"_id": "ci-2"}),
            spare_task: json!({"_id": "ti-3"}),
            other_case: json!({"_id": "ci-4"}),
            merged_case: json!({"_id": "ci-5"}),
            link: json!({"token": "x"}),
        };
        let narrowed = narrowed(&description(), &made, &known).unwrap();
        let keys = |name: &str| narrowed["components"]["schemas"][name]["properties"].clone();
        assert_eq!(keys("CreateCaseBody")["caseTmp"], json!({"enum": ["ctm-1", "General"]}));
        assert_eq!(keys("UpdateCaseBody")["status"]["oneOf"][0], json!({"enum": ["sts-1", "Open"]}));
        assert_eq!(keys("UpdateCaseBody")["_id"], json!({"const": "ci-1"}));
        assert_eq!(keys("CreateTaskBody")["caseId"], json!({"const": "ci-1"}));
        assert_eq!(
            (&keys("CreateCaseBody")["ETA"], &keys("UpdateTaskBody")["caseTmp"]),
            (&Value::Null, &Value::Null)
        );
    }
}
