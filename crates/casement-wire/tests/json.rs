//! Bodies as JSON: strict, and the same values that any other reader gets.

use casement_wire::json::read_object;
use casement_wire::limits;
use proptest::prelude::*;
use serde_json::{Value, json};

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|number| json!(number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        "[^\u{0}]{0,10}".prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map("[^\u{0}]{0,4}", inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_any_writer_writes_is_read_to_the_same_values(value in value(), pretty in any::<bool>()) {
        let body = json!({"body": value});
        let text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) }.unwrap();
        // Compared as another reader reads it: the text decides, not the number that was written.
        let other: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read_object(text.as_bytes()).map(Value::Object), Ok(other));
    }

    #[test]
    fn what_is_read_is_what_any_other_reader_reads(
        value in value(),
        place in any::<prop::sample::Index>(),
        with in prop::sample::select(vec!["", "\"", "{", "}", "[", "]", ",", ":", "\\", "0", "-", "e", ".", "\u{1}", " ", "null"]),
    ) {
        let mut text: Vec<char> = json!({"body": value}).to_string().chars().collect();
        let place = place.index(text.len());
        text.splice(place..=place, with.chars());
        let text: String = text.into_iter().collect();
        match (read_object(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
            (Ok(object), Ok(other)) => prop_assert_eq!(Value::Object(object), other),
            (Ok(_), Err(error)) => prop_assert!(false, "read what is no JSON: {}", error),
            (Err(faults), _) => prop_assert!(!faults.is_empty()),
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Err(faults) = read_object(&bytes) {
            prop_assert!(!faults.is_empty() && faults.len() <= limits::JSON_FAULTS_MAX);
        }
    }

    #[test]
    fn a_key_that_is_given_twice_is_refused_at_any_place(key in "[a-zé\"\\\\]{0,4}", depth in 0..10_usize) {
        let key = serde_json::to_string(&key).unwrap();
        let open = "{\"a\":[".repeat(depth);
        let close = "]}".repeat(depth);
        let text = format!("{{\"b\":{open}{{{key}:1,{key}:1}}{close}}}");
        prop_assert_eq!(read_object(text.as_bytes()).unwrap_err().len(), 1);
    }
}

#[test]
fn a_key_is_the_same_however_it_is_escaped() {
    assert!(read_object(br#"{"a": 1, "\u0061": 2}"#).is_err());
    assert!(read_object(br#"{"a": 1, "A": 2}"#).is_ok());
}

#[test]
fn numbers_at_the_edge_are_read_and_beyond_it_refused() {
    for fine in [
        "9007199254740993",
        "-9223372036854775808",
        "18446744073709551615",
        "1.7976931348623157e308",
        "5e-324",
        "-0",
    ] {
        assert!(read_object(format!("{{\"a\":{fine}}}").as_bytes()).is_ok(), "{fine}");
    }
    for wrong in ["1e309", "-1e309", "Infinity", "+1", ".5", "1.", "0x1", "1_000"] {
        assert!(read_object(format!("{{\"a\":{wrong}}}").as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_number_that_is_written_is_read_as_the_same_number() {
    for number in
        ["1.84467440737095446744073752e+19", "92233720368547705807", "0.1", "123456789.123456789e-300"]
    {
        let read = read_object(format!("{{\"a\":{number}}}").as_bytes()).unwrap();
        let exact: f64 = number.parse().unwrap();
        assert_eq!(read["a"].as_f64().map(f64::to_bits), Some(exact.to_bits()), "{number}");
        let again = read_object(Value::Object(read.clone()).to_string().as_bytes()).unwrap();
        assert_eq!(again, read, "{number}");
    }
}
