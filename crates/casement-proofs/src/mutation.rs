//! Changes JSON by its structure: keys and values of the contract, in places where they belong and where they don't.

use serde_json::{Map, Value, json};

/// The keys of the contract's bodies and documents.
const KEYS: [&str; 78] = [
    "_id",
    "accountId",
    "activityIds",
    "agentId",
    "agents",
    "aId",
    "assignedAt",
    "assigneeType",
    "attachments",
    "caseId",
    "caseRefId",
    "caseTmp",
    "channel",
    "commentIds",
    "conversationType",
    "convIds",
    "createdAt",
    "createdBy",
    "createdDate",
    "currAssignee",
    "customFields",
    "desc",
    "displayName",
    "dueDate",
    "emailId",
    "endDate",
    "ETA",
    "ETAlist",
    "feedback",
    "fields",
    "iId",
    "isActive",
    "isBreached",
    "isCustTsk",
    "language",
    "lid",
    "limit",
    "lname",
    "metaData",
    "mycase",
    "mytask",
    "name",
    "orgId",
    "participants",
    "phoneNumber",
    "priority",
    "pStatus",
    "queues",
    "refId",
    "resolutionCmts",
    "score",
    "searchText",
    "selectedColumns",
    "selectedValue",
    "sessIds",
    "skip",
    "sortBy",
    "source",
    "startDate",
    "status",
    "statusCategory",
    "supportCustomTasks",
    "tags",
    "taskIds",
    "tasks",
    "taskTmp",
    "timestampValue",
    "type",
    "unassigned",
    "unresolved",
    "updatedAt",
    "updatedBy",
    "updatedDate",
    "userInfo",
    "value",
    "unknown",
    "profImage",
    "color",
];

/// Texts that some key takes.
const TEXTS: [&str; 72] = [
    "",
    " ",
    "x",
    "General",
    " General ",
    "ctm-general",
    "Prompt",
    "Planned",
    "Lenient",
    "Off",
    "Follow-up",
    "ttm-follow-up",
    "Call",
    "Old",
    "Open",
    "In-Progress",
    "on-hold",
    "Resolved",
    "closed",
    "sts-waiting",
    "Waiting",
    "Retired",
    "sts-retired",
    "High",
    "medium",
    "CRITICAL",
    "low",
    "Default",
    "qu-q",
    "second",
    "qu-r",
    "Gone",
    "a-a",
    "a-b",
    "a-o",
    "u-a",
    "u-b",
    "Ann Agent",
    "ben agent",
    "unassigned",
    "queues",
    "agent",
    "ACTIVE",
    "INACTIVE",
    "CASE",
    "task",
    "6639f7bd58c97ffac03b0001",
    "o-1",
    "st-1",
    "CS000100",
    "TS000100",
    "CS000101",
    "rtm",
    "email",
    "RTM",
    "voice",
    "asc",
    "desc",
    "overdue",
    "today",
    "tomorrow",
    "week",
    "none",
    "Title",
    "description",
    "Due Date",
    "Colour",
    "fd-colour",
    "caf",
    "prin",
    "john",
    "cs0001",
];

/// Dates around the time of the proofs, and the ends of the calendar.
const DATES: [&str; 12] = [
    "2025-05-29",
    "2025-05-30T00:00:00.000Z",
    "2025-05-29T12:00:00+05:30",
    "2025-05-28T18:29:59.999",
    "2025-05-29T11:59:59.999Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999-23:59",
    "9999-12-31",
    "2024-02-29",
    "2025-02-29",
    "20250529T120000Z",
    "2025-05-29T24:00",
];

/// Gives another input of JSON; `None`: the bytes are no JSON, or bytes are to be changed blindly.
pub fn mutated(input: &[u8], seed: u64) -> Option<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    // Blind changes find what no grammar thinks of: one in five.
    if random.u8(0..5) == 0 {
        return None;
    }
    let mut value: Value = serde_json::from_slice(input).ok()?;
    for _ in 0..random.usize(1..4) {
        change(&mut value, &mut random, 0);
    }
    let mut text = value.to_string();
    if random.u8(0..20) == 0 {
        text = with_duplicate(text, &mut random);
    }
    Some(text.into_bytes())
}

/// Changes one place of a value: it goes down with an even chance at each step.
fn change(value: &mut Value, random: &mut fastrand::Rng, depth: usize) {
    match value {
        Value::Object(object) if depth == 0 || random.bool() => change_object(object, random, depth),
        Value::Array(entries) if random.bool() => change_array(entries, random, depth),
        _ => *value = made_up(random, 0),
    }
}

fn change_object(object: &mut Map<String, Value>, random: &mut fastrand::Rng, depth: usize) {
    let keys: Vec<String> = object.keys().cloned().collect();
    let known = random.choice(&keys).cloned();
    match (random.u8(0..6), known) {
        (0, Some(key)) => {
            object.shift_remove(&key);
        }
        (1..=3, Some(key)) => {
            if let Some(inner) = object.get_mut(&key) {
                change(inner, random, depth + 1);
            }
        }
        (4, Some(key)) => {
            // The value of one key under another.
            let moved = object.get(&key).cloned().unwrap_or_default();
            object.insert(key_of(random), moved);
        }
        _ => {
            object.insert(key_of(random), made_up(random, 0));
        }
    }
}

fn change_array(entries: &mut Vec<Value>, random: &mut fastrand::Rng, depth: usize) {
    let place = random.usize(0..=entries.len());
    match (random.u8(0..4), entries.get_mut(place)) {
        (0, Some(_)) => {
            entries.remove(place);
        }
        (1, Some(entry)) => change(entry, random, depth + 1),
        (2, Some(entry)) => {
            let again = entry.clone();
            entries.push(again);
        }
        _ => entries.insert(place, made_up(random, 0)),
    }
}

fn key_of(random: &mut fastrand::Rng) -> String {
    random.choice(KEYS).unwrap_or_default().to_owned()
}

fn made_up(random: &mut fastrand::Rng, depth: usize) -> Value {
    let text = |random: &mut fastrand::Rng| random.choice(TEXTS).unwrap_or_default().to_owned();
    match random.u8(0..if depth < 3 { 14 } else { 9 }) {
        0 => Value::Null,
        1 => Value::Bool(random.bool()),
        2 => json!(random.choice([0, 1, -1, 50, 500, 501, i64::MAX, i64::MIN])),
        3 => json!(1_748_520_000_000_i64 + random.i64(-90_000_000..90_000_000)),
        4 => json!(random.choice([0.5, -0.0, 5.0, 1e15, 1e300, u64::MAX as f64])),
        5 => json!(random.choice(DATES)),
        6..=8 => Value::String(text(random)),
        9 => json!("x".repeat(*random.choice(&[64, 65, 128, 129, 512, 513]).unwrap_or(&0))),
        10..=11 => (0..random.usize(0..4)).map(|_| made_up(random, depth + 1)).collect(),
        _ => {
            let entries = (0..random.usize(0..4)).map(|_| (key_of(random), made_up(random, depth + 1)));
            Value::Object(entries.collect())
        }
    }
}

/// Writes one key of the outer object once more.
fn with_duplicate(text: String, random: &mut fastrand::Rng) -> String {
    match text.strip_prefix('{') {
        Some(rest) if rest.len() > 1 => format!("{{\"{}\":1,{rest}", key_of(random)),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_change_and_most_changes_are_json() {
        let input = br#"{"name": "x", "tags": ["a", {"b": null}]}"#;
        let all: Vec<Vec<u8>> = (0..1000).filter_map(|seed| mutated(input, seed)).collect();
        assert_eq!(all, (0..1000).filter_map(|seed| mutated(input, seed)).collect::<Vec<_>>());
        let is_json = |text: &Vec<u8>| serde_json::from_slice::<Value>(text).is_ok();
        assert!(all.len() > 700 && all.iter().all(is_json));
        let distinct: std::collections::BTreeSet<&Vec<u8>> = all.iter().collect();
        assert!(distinct.len() > 500, "{}", distinct.len());
    }
}
