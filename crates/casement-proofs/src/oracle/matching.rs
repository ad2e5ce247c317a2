//! Whether a document is in a list, by the words of the contract.

use serde_json::Value;

use super::date::{DAY_MS, read};
use super::query::{FieldFilter, Query, plain};
use super::{Asking, folded};

/// Tells whether an active document is in the list.
pub(super) fn matches(document: &Value, query: &Query, asking: &Asking) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let category = text(&document["status"]["statusCategory"]);
    let is_over = category == "resolved" || category == "closed";
    let agent = &document["currAssignee"];
    let has_agent = agent["aId"].is_string();
    let named = |entry: &Value| vec![text(&entry["_id"]), text(&entry["name"])];
    let mut status = named(&document["status"]);
    status.push(category);
    let queues: Vec<String> = entries(&document["queues"]).iter().flat_map(named).collect();
    let mut channels: Vec<String> = entries(&document["channel"]).iter().map(text).collect();
    channels.push(text(&document["source"]));
    let due_ms = document["dueDate"].as_i64();
    let created_ms = read(&text(&document["createdAt"])).and_then(|date| date.span(0));
    let (created_ms, _) = created_ms.unwrap_or_default();
    let (first, second) = (first_text(document), second_text(document));
    query.words.iter().all(|word| begins_a_word(&first, word) || begins_a_word(&second, word))
        && folded(&text(&document["name"])).unwrap_or_default().contains(&query.name_part)
        && !(query.unresolved && is_over)
        && !(query.unassigned && has_agent)
        && !(query.mine && text(&agent["agentId"]) != asking.user)
        && any_named(&query.priorities, &named(&document["priority"]))
        && any_named(&query.statuses, &status)
        && any_named(&query.channels, &channels)
        && any_named(&query.queues, &queues)
        && (query.agents.is_empty()
            || query.agents.iter().any(|id| has_agent && (agent["aId"] == **id || agent["agentId"] == **id)))
        && query.created_from_ms.is_none_or(|from_ms| created_ms >= from_ms)
        && query.created_to_ms.is_none_or(|to_ms| created_ms <= to_ms)
        && query.due_ms.is_none_or(|(first_ms, last_ms)| {
            due_ms.is_some_and(|due_ms| (first_ms..=last_ms).contains(&due_ms))
        })
        && (query.deadlines.is_empty()
            || query.deadlines.iter().any(|word| is_due(word, due_ms, is_over, asking)))
        && query.fields.iter().all(|field| has_value(document, field, asking))
        && (query.case.is_empty() || document["caseId"] == *query.case)
        && (query.case_reference.is_empty() || document["caseRefId"] == *query.case_reference)
}

fn entries(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An entry is an id exactly, or a name in any case.
fn any_named(wanted: &[(String, String)], candidates: &[String]) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|(exact, name)| {
            candidates.iter().any(|candidate| {
                candidate == exact || folded(candidate).is_some_and(|candidate| candidate == *name)
            })
        })
}

fn is_due(word: &str, due_ms: Option<i64>, is_over: bool, asking: &Asking) -> bool {
    let day = |ms: i64| (ms - asking.zone_minutes * 60_000).div_euclid(DAY_MS);
    let days_ahead = due_ms.map(|due_ms| day(due_ms) - day(asking.now_ms));
    match word {
        "overdue" => due_ms.is_some_and(|due_ms| due_ms < asking.now_ms) && !is_over,
        "today" => days_ahead == Some(0),
        "tomorrow" => days_ahead == Some(1),
        "week" => days_ahead.is_some_and(|days| (0..7).contains(&days)),
        _ => due_ms.is_none(),
    }
}

fn has_value(document: &Value, wanted: &FieldFilter, asking: &Asking) -> bool {
    let system = match (&wanted.id, wanted.name.as_deref()) {
        (None, Some("title")) => Some("name"),
        (None, Some("description")) => Some("desc"),
        (None, Some("due date")) => return is_due_at(document, &wanted.value, asking),
        _ => None,
    };
    if let Some(key) = system {
        return document[key] == wanted.value && wanted.value != "";
    }
    entries(&document["fields"]).iter().any(|field| {
        let is_it = match (&wanted.id, &wanted.name) {
            (Some(id), _) => field["_id"] == **id,
            (None, Some(name)) => {
                folded(field["displayName"].as_str().unwrap_or_default()).is_some_and(|own| own == *name)
            }
            (None, None) => false,
        };
        is_it && field.get("selectedValue").is_some_and(|value| is_equal(field, value, &wanted.value, asking))
    })
}

/// Values are equal exactly; dates are equal as instants, and numbers however they are written.
fn is_equal(field: &Value, value: &Value, wanted: &Value, asking: &Asking) -> bool {
    match field["metaData"]["type"].as_str() {
        Some("datetime") => match (instant_ms(value, 0), instant_ms(wanted, asking.zone_minutes)) {
            (Some(value_ms), Some(wanted_ms)) => value_ms == wanted_ms,
            _ => value == wanted,
        },
        Some("number") if wanted.is_number() => value.as_f64() == wanted.as_f64(),
        Some(_) | None => value == wanted,
    }
}

/// Whether a document is due at the instant that a value means, as a date or in milliseconds.
fn is_due_at(document: &Value, value: &Value, asking: &Asking) -> bool {
    let wanted_ms = instant_ms(value, asking.zone_minutes);
    wanted_ms.is_some() && document["dueDate"].as_i64() == wanted_ms
}

/// The instant that a date as a text or in milliseconds means.
fn instant_ms(value: &Value, zone_minutes: i64) -> Option<i64> {
    match value.as_str() {
        Some(text) => read(text).and_then(|date| date.span(zone_minutes)).map(|(first_ms, _)| first_ms),
        None => value.as_f64().filter(|ms| ms.fract() == 0.0).map(|ms| ms as i64),
    }
}

/// What ranks first: name and reference id.
pub(super) fn first_text(document: &Value) -> String {
    joined(&[&document["name"], &document["refId"]])
}

/// What ranks second: description, the customer's name and e-mail.
fn second_text(document: &Value) -> String {
    let customer = &document["userInfo"];
    joined(&[&document["desc"], &customer["name"], &customer["emailId"]])
}

fn joined(texts: &[&Value]) -> String {
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap_or_default()).collect();
    plain(&texts.join(" "))
}

/// Whether a folded word stands at the beginning of a word of a folded text.
pub(super) fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| !before.is_alphanumeric())
    })
}
