//! The members of a JSON object that this program wrote itself, as slices: nothing is read into a tree or written anew.

use memchr::memchr2;

/// The members of an object in their order: each key without its quotes, each value as it is written.
///
/// The text must be JSON without spaces, as `serde_json` writes it; of anything else the members may be too few.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    /// Stands before the first member of an object.
    pub fn of(object: &'a [u8]) -> Self {
        Self { rest: object.strip_prefix(b"{").unwrap_or_default() }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.strip_prefix(b",").unwrap_or(self.rest);
        let key_end = string_end(text)?;
        let (key, after) = text.split_at_checked(key_end)?;
        let value = after.strip_prefix(b":")?;
        let (value, rest) = value.split_at_checked(value_end(value)?)?;
        self.rest = rest;
        Some((key.get(1..key.len().checked_sub(1)?)?, value))
    }
}

/// The length of the string that a text begins with, quotes included.
fn string_end(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The length of the value that a text begins with.
fn value_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => {
                at += string_end(text.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn read(object: &Map<String, Value>) -> Map<String, Value> {
        let text = serde_json::to_vec(object).unwrap();
        let members = Members::of(&text).map(|(key, value)| {
            let key = [b"\"", key, b"\""].concat();
            (serde_json::from_slice(&key).unwrap(), serde_json::from_slice(value).unwrap())
        });
        members.collect()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a\"\\\\{}\\[\\],: é\n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a\"\\\\}]{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_members_of_an_object_are_those_that_a_reader_finds(
            object in prop::collection::btree_map("[a-c\"\\\\{:]{0,4}", any_value(), 0..6),
        ) {
            let object: Map<String, Value> = object.into_iter().collect();
            prop_assert_eq!(read(&object), object);
        }

        #[test]
        fn no_text_breaks_it(text in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(Members::of(&text).count() <= text.len());
        }
    }

    #[test]
    fn an_empty_object_has_no_members() {
        assert_eq!(read(json!({}).as_object().unwrap()).len(), 0);
        assert_eq!(Members::of(b"[1]").count(), 0);
    }
}
