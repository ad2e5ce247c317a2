//! Reads the keys of one JSON object into what a request gave, and notes wrong types.

use casement_domain::date::{DateInput, Moment};
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::given::Given;
use casement_domain::item::fields::whole;
use casement_domain::workspace::Reference;
use serde_json::{Map, Value};

use crate::spelling::{Noun, spelling};

/// Reads the keys of one body. Unknown keys are ignored; contract section 5.
#[derive(Debug)]
pub struct Reader<'a> {
    object: &'a Map<String, Value>,
    noun: Noun,
    /// What was found wrong so far.
    pub faults: Faults,
}

impl<'a> Reader<'a> {
    /// Begins to read a body.
    pub fn new(object: &'a Map<String, Value>, noun: Noun) -> Self {
        Self { object, noun, faults: Faults::new() }
    }

    fn raw(&self, key: Key) -> Option<&'a Value> {
        spelling(key, self.noun).and_then(|spelled| self.object.get(spelled))
    }

    /// Reads a key with `read`, which says what it takes when it takes not this.
    pub fn read<T>(&mut self, key: Key, read: impl FnOnce(&'a Value) -> Result<T, &'static str>) -> Given<T> {
        match self.raw(key) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(value) => match read(value) {
                Ok(value) => Given::Value(value),
                Err(message) => {
                    self.faults.invalid(key, message);
                    Given::Invalid
                }
            },
        }
    }

    /// Reads a list whose entries `read` takes; each wrong entry is a fault of its own.
    pub fn read_list<T>(
        &mut self,
        key: Key,
        read: impl Fn(&'a Value) -> Result<T, &'static str>,
    ) -> Given<Vec<T>> {
        let entries = match self.raw(key) {
            None => return Given::Absent,
            Some(Value::Null) => return Given::Null,
            Some(Value::Array(entries)) => entries,
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                self.faults.invalid(key, "must be an array");
                return Given::Invalid;
            }
        };
        let mut values = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            match read(entry) {
                Ok(value) => values.push(value),
                Err(message) => self.faults.add_at(FaultKind::Invalid, key, index, message),
            }
        }
        if values.len() == entries.len() { Given::Value(values) } else { Given::Invalid }
    }

    /// Reads a string.
    pub fn string(&mut self, key: Key) -> Given<String> {
        self.read(key, string)
    }

    /// Reads a list of strings.
    pub fn strings(&mut self, key: Key) -> Given<Vec<String>> {
        self.read_list(key, string)
    }

    /// Reads a boolean.
    pub fn boolean(&mut self, key: Key) -> Given<bool> {
        self.read(key, |value| value.as_bool().ok_or("must be true or false"))
    }

    /// Reads a date as ISO 8601 or in milliseconds since the epoch.
    pub fn date(&mut self, key: Key) -> Given<DateInput> {
        self.read(key, date)
    }

    /// Reads how an entry of the configuration is named: an object with `_id` or `name`, or a string.
    pub fn reference(&mut self, key: Key) -> Given<Reference> {
        self.read(key, reference)
    }
}

/// Takes a string.
pub fn string(value: &Value) -> Result<String, &'static str> {
    value.as_str().map(str::to_owned).ok_or("must be a string")
}

/// Takes a whole number, also one that is written with a fraction of zero.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(number),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Takes a date as ISO 8601 or in milliseconds since the epoch.
pub fn date(value: &Value) -> Result<DateInput, &'static str> {
    let date = match value {
        Value::String(text) => DateInput::parse(text),
        Value::Number(_) => integer(value).map(|ms| DateInput::Instant(Moment::from_ms(ms))),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    date.ok_or("must be an ISO 8601 date or milliseconds since the epoch")
}

/// Takes a date as ISO 8601.
pub fn date_text(value: &Value) -> Result<DateInput, &'static str> {
    value.as_str().and_then(DateInput::parse).ok_or("must be an ISO 8601 date")
}

/// Takes the name of an entry of the configuration; contract section 9: `_id` decides, else `name`.
pub fn reference(value: &Value) -> Result<Reference, &'static str> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(Reference::Either(text.clone())),
        Value::Object(object) => match (part(object, "_id")?, part(object, "name")?) {
            (Some(id), _) => Ok(Reference::Id(id)),
            (None, Some(name)) => Ok(Reference::Name(name)),
            (None, None) => Err("needs an _id or a name"),
        },
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("must be an object with an _id or a name, or one of these as a string")
        }
    }
}

/// Takes a text of an object; absent, null and empty count as none.
pub fn part(object: &Map<String, Value>, key: &str) -> Result<Option<String>, &'static str> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err("its ids and names must be strings")
        }
    }
}
