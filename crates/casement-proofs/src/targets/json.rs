//! The JSON of a body: read strictly, by comparison with a plain reader and a count of the bytes.

use casement_wire::error::Problem;
use casement_wire::json::read_object;
use casement_wire::limits;
use serde_json::{Map, Value};

/// Reads a body and checks what was made of it. `None`: it was refused, rightly.
pub(super) fn read(input: &[u8]) -> Option<Map<String, Value>> {
    let plain: Option<Value> = serde_json::from_slice(input).ok();
    match read_object(input) {
        Ok(object) => {
            let object = Value::Object(object);
            assert_eq!(plain.as_ref(), Some(&object), "strict and plain JSON differ");
            assert!(fits(&object, input), "a body was read that breaks a rule of strict JSON");
            let written = object.to_string();
            assert_eq!(read_object(written.as_bytes()).ok().map(Value::Object).as_ref(), Some(&object));
            object.as_object().cloned()
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= limits::JSON_FAULTS_MAX);
            if let Some(plain) = plain.filter(Value::is_object) {
                assert!(!fits(&plain, input), "a body was refused that breaks no rule: {faults:?}");
            }
            check_problem(&Problem::of_json(faults), &[400]);
            None
        }
    }
}

/// Whether a JSON text keeps the rules beyond its syntax.
fn fits(value: &Value, text: &[u8]) -> bool {
    let Counts { depth, values, keys, nul } = count(value);
    // A key that is given twice leaves one key but two colons.
    depth <= limits::JSON_DEPTH_MAX && values <= limits::JSON_VALUES_MAX && !nul && keys == colons(text)
}

struct Counts {
    depth: usize,
    values: usize,
    keys: usize,
    nul: bool,
}

fn count(value: &Value) -> Counts {
    let mut counts = Counts { depth: 0, values: 1, keys: 0, nul: false };
    let mut add = |inner: Counts| {
        counts.depth = counts.depth.max(inner.depth);
        counts.values += inner.values;
        counts.keys += inner.keys;
        counts.nul |= inner.nul;
    };
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| add(count(entry))),
        Value::Object(entries) => {
            for (key, entry) in entries {
                let inner = count(entry);
                add(Counts { keys: inner.keys + 1, nul: inner.nul || key.contains('\0'), ..inner });
            }
        }
        Value::String(text) => counts.nul = text.contains('\0'),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    if value.is_array() || value.is_object() {
        counts.depth += 1;
    }
    counts
}

/// The colons outside strings of a JSON text: one for each key that is written.
fn colons(text: &[u8]) -> usize {
    let (mut colons, mut in_string, mut escaped) = (0, false, false);
    for byte in text {
        match (byte, in_string, escaped) {
            (_, true, true) => escaped = false,
            (b'\\', true, false) => escaped = true,
            (b'"', _, false) => in_string = !in_string,
            (b':', false, _) => colons += 1,
            _ => {}
        }
    }
    colons
}

/// Checks a refusal against contract section 10 and gives the fields at fault.
pub(super) fn check_problem(problem: &Problem, statuses: &[u16]) -> Vec<String> {
    assert!(statuses.contains(&problem.status), "{problem:?}");
    assert!(!problem.errors.is_empty() && problem.errors.len() <= 100, "{problem:?}");
    assert!(!problem.detail.is_empty() && problem.errors.iter().all(|entry| !entry.msg.is_empty()));
    let written: Value = serde_json::from_slice(&problem.to_bytes()).expect("a problem is JSON");
    assert_eq!(written["status"], problem.status);
    assert_eq!(written["errors"].as_array().map(Vec::len), Some(problem.errors.len()));
    problem.errors.iter().filter_map(|entry| entry.field.clone()).collect()
}
