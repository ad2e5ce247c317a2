//! Strict JSON: what `serde_json` reads, less what two readers could understand differently.
//!
//! Refused besides broken syntax: duplicate keys, U+0000, lone surrogates and numbers out of range (the parser's own
//! errors), bodies that are too deep or have too many values. All faults are reported at once, each with its path.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::limits;

/// A fault of the JSON itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// Where it is, such as `fields[2].selectedValue`; `None`: the body as a whole.
    pub path: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// Reads a body that must be one JSON object.
///
/// # Errors
/// All faults of the JSON itself.
pub fn read_object(bytes: &[u8]) -> Result<Map<String, Value>, Vec<JsonFault>> {
    read_object_of(bytes, limits::JSON_VALUES_MAX)
}

/// Reads a text that must be one JSON object of at most so many values.
///
/// # Errors
/// All faults of the JSON itself.
pub fn read_object_of(bytes: &[u8], values_max: usize) -> Result<Map<String, Value>, Vec<JsonFault>> {
    match read(bytes, values_max)? {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(vec![JsonFault { path: None, message: "the body must be a JSON object".to_owned() }])
        }
    }
}

fn read(bytes: &[u8], values_max: usize) -> Result<Value, Vec<JsonFault>> {
    let mut state = State { path: Vec::new(), values: 0, values_max, faults: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read =
        Node(&mut state).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match read {
        Ok(value) if state.faults.is_empty() => Ok(value),
        Ok(_) => Err(state.faults),
        Err(error) => {
            if state.faults.len() < limits::JSON_FAULTS_MAX {
                let message = format!("the body is not valid JSON: {error}");
                state.faults.push(JsonFault { path: None, message });
            }
            Err(state.faults)
        }
    }
}

enum Step {
    Key(String),
    Index(usize),
}

struct State {
    path: Vec<Step>,
    values: usize,
    values_max: usize,
    faults: Vec<JsonFault>,
}

impl State {
    fn add(&mut self, message: &str) {
        if self.faults.len() < limits::JSON_FAULTS_MAX {
            self.faults.push(JsonFault { path: self.spelled_path(), message: message.to_owned() });
        }
    }

    fn spelled_path(&self) -> Option<String> {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.extend(key.chars().filter(|character| !character.is_control()));
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Reads one value into the tree and notes its faults.
struct Node<'a>(&'a mut State);

impl Node<'_> {
    fn text<E: Error>(self, text: String) -> Result<Value, E> {
        if text.contains('\0') {
            self.0.add("must not contain the character U+0000");
        }
        Ok(Value::String(text))
    }

    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if self.0.path.len() >= limits::JSON_DEPTH_MAX {
            return Err(E::custom(format!("more than {} levels deep", limits::JSON_DEPTH_MAX)));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.values += 1;
        if self.0.values > self.0.values_max {
            return Err(D::Error::custom(format!("more than {} values", self.0.values_max)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.text(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut array = Vec::new();
        loop {
            self.0.path.push(Step::Index(array.len()));
            let entry = entries.next_element_seed(Node(self.0))?;
            self.0.path.pop();
            match entry {
                Some(entry) => array.push(entry),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.path.push(Step::Key(key.clone()));
            if key.contains('\0') {
                self.0.add("a key must not contain the character U+0000");
            }
            if object.contains_key(&key) {
                self.0.add("is given more than once");
            }
            let value = entries.next_value_seed(Node(self.0))?;
            self.0.path.pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(Option<String>, String)> {
        let faults = read_object(text.as_bytes()).unwrap_err();
        faults.into_iter().map(|fault| (fault.path, fault.message)).collect()
    }

    #[test]
    fn a_plain_object_is_read() {
        let object = read_object(br#"{"a": [1, -2, 2.5, "x\u0041", null, true], "b": {}}"#).unwrap();
        assert_eq!(Value::Object(object), serde_json::json!({"a": [1, -2, 2.5, "xA", null, true], "b": {}}));
    }

    #[test]
    fn every_duplicate_key_and_every_nul_is_named_with_its_path() {
        let found = faults(r#"{"a": 1, "a": 2, "b": [{"c": "\u0000", "c": 1}], "d\u0000": 1}"#);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_deref().unwrap()).collect();
        assert_eq!(paths, ["a", "b[0].c", "b[0].c", "d"]);
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        for wrong in [
            "",
            "{",
            "{}x",
            "{} {}",
            "{'a':1}",
            "{\"a\":1,}",
            "\u{feff}{}",
            "{\"a\":1e400}",
            "{\"a\":-1e400}",
            "{\"a\":NaN}",
            "{\"a\":01}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\\ud800\"}",
            "{\"a\":\"\t\"}",
        ] {
            assert_eq!(faults(wrong).len(), 1, "{wrong}");
        }
        assert!(read_object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn only_an_object_is_a_body() {
        for wrong in ["null", "[]", "1", "\"{}\"", "true"] {
            assert_eq!(faults(wrong), [(None, "the body must be a JSON object".to_owned())], "{wrong}");
        }
    }

    #[test]
    fn depth_and_number_of_values_are_limited() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read_object(nested(limits::JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
        assert!(faults(&nested(limits::JSON_DEPTH_MAX))[0].1.contains("levels deep"));
        assert!(faults(&nested(100_000))[0].1.contains("levels deep"));
        let long = |count: usize| format!("{{\"a\":[{}]}}", vec!["1"; count].join(","));
        assert!(read_object(long(limits::JSON_VALUES_MAX - 2).as_bytes()).is_ok());
        assert!(faults(&long(limits::JSON_VALUES_MAX - 1))[0].1.contains("values"));
    }
}
