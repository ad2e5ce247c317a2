//! Configuring fields: every rule that a definition can break, and what a change of one leaves alone.

use casement_domain::given::Given;
use casement_domain::workspace::configure::ConfigurationChange;
use casement_domain::workspace::configure::fault::{EntryKey, EntryList};
use casement_domain::workspace::configure::input::ConfigureField;
use casement_domain::workspace::field::{FieldFormat, FieldRule, FieldSort};
use serde_json::{Value, json};

use crate::configure::{after, decide, faults, field, fields, named, options};
use crate::world::{given, workspace};

#[test]
fn every_rule_of_a_field_must_make_sense() {
    let exact = 9_007_199_254_740_992_u64;
    let rows: Vec<(ConfigureField, Vec<EntryKey>)> = vec![
        (field("A", FieldSort::Input), vec![]),
        (ConfigureField { named: named("A"), ..ConfigureField::default() }, vec![EntryKey::Format]),
        (
            ConfigureField { named: named("Colour"), ..field("Colour", FieldSort::Radio) },
            vec![EntryKey::Format],
        ),
        (
            ConfigureField {
                length_min: Given::Value(5),
                length_max: Given::Value(4),
                pattern: given("("),
                ..field("A", FieldSort::Email)
            },
            vec![EntryKey::LengthMin, EntryKey::Pattern],
        ),
        (
            ConfigureField { length_max: Given::Value(0), ..field("A", FieldSort::Url) },
            vec![EntryKey::LengthMax],
        ),
        (
            ConfigureField { length_max: Given::Value(32 * 1024 + 1), ..field("A", FieldSort::Textarea) },
            vec![EntryKey::LengthMax],
        ),
        (
            ConfigureField {
                min: Given::Value(json!(2)),
                max: Given::Value(json!(1.5)),
                decimals: Given::Value(16),
                ..field("A", FieldSort::Number)
            },
            vec![EntryKey::Decimals, EntryKey::Min],
        ),
        (
            ConfigureField {
                min: Given::Value(json!("1")),
                max: Given::Value(json!(exact)),
                ..field("A", FieldSort::Number)
            },
            vec![EntryKey::Min, EntryKey::Max],
        ),
        (
            ConfigureField {
                min: Given::Value(json!("2026-01-02")),
                max: Given::Value(json!("2026-01-01")),
                ..field("A", FieldSort::DateTime)
            },
            vec![EntryKey::Min],
        ),
        (
            ConfigureField { max: Given::Value(json!("soon")), ..field("A", FieldSort::DateTime) },
            vec![EntryKey::Max],
        ),
        (field("A", FieldSort::Dropdown), vec![EntryKey::Options]),
        (ConfigureField { options: options(&[]), ..field("A", FieldSort::Radio) }, vec![EntryKey::Options]),
        (
            ConfigureField { options: options(&["a", "", "a"]), ..field("A", FieldSort::Radio) },
            vec![EntryKey::Options, EntryKey::Options],
        ),
        (
            ConfigureField {
                options: options(&["a", "b"]),
                count_min: Given::Value(3),
                count_max: Given::Value(0),
                ..field("A", FieldSort::MultiSelect)
            },
            vec![EntryKey::CountMax, EntryKey::CountMin],
        ),
        (
            ConfigureField {
                options: options(&["a"]),
                min: Given::Value(json!(1)),
                length_min: Given::Value(1),
                count_min: Given::Value(1),
                ..field("A", FieldSort::Checkbox)
            },
            vec![EntryKey::LengthMin, EntryKey::Min, EntryKey::Options, EntryKey::CountMin],
        ),
        (
            ConfigureField {
                messages: Given::Value([(FieldRule::Length, String::new())].into()),
                ..field("A", FieldSort::Input)
            },
            vec![EntryKey::Messages],
        ),
    ];
    for (input, keys) in rows {
        let found = faults(&fields(vec![input.clone()]));
        let found: Vec<EntryKey> = found.into_iter().filter_map(|(_, _, key, _)| key).collect();
        assert_eq!(found, keys, "{input:?}");
    }
}

#[test]
fn a_default_keeps_the_rules_and_is_kept_in_one_spelling() {
    let with =
        |default: Value, input: ConfigureField| ConfigureField { default: Given::Value(default), ..input };
    let kept = |input: ConfigureField| {
        let change = decide(&workspace(), &fields(vec![input])).map_err(|faults| faults[0].2)?;
        Ok(change.fields[0].1.default.clone())
    };
    let whole = || ConfigureField { decimals: Given::Value(0), ..field("A", FieldSort::Number) };
    let choice = || ConfigureField { options: options(&["a"]), ..field("A", FieldSort::Dropdown) };
    let wrong = Err(Some(EntryKey::Default));
    assert_eq!(kept(with(json!(5.0), whole())), Ok(Some(json!(5))));
    assert_eq!(kept(with(json!(5.5), whole())), wrong);
    assert_eq!(kept(with(json!("5"), whole())), wrong);
    assert_eq!(kept(with(json!("a"), choice())), Ok(Some(json!("a"))));
    assert_eq!(kept(with(json!("b"), choice())), wrong);
    assert_eq!(
        kept(with(json!("2026-01-01"), field("A", FieldSort::DateTime))),
        Ok(Some(json!("2026-01-01T00:00:00.000Z")))
    );
    assert_eq!(kept(with(json!(""), field("A", FieldSort::Input))), Ok(None));
    assert_eq!(kept(with(json!("x".repeat(32 * 1024)), field("A", FieldSort::Input))), wrong);
}

#[test]
fn a_rule_that_the_default_would_break_is_refused() {
    let first = ConfigureField { default: Given::Value(json!(5)), ..field("A", FieldSort::Number) };
    let mut workspace = workspace();
    workspace = after(&workspace, &decide(&workspace, &fields(vec![first])).unwrap());
    let narrower = |default: Given<Value>| {
        let input = ConfigureField {
            named: named("A"),
            max: Given::Value(json!(4)),
            default,
            ..ConfigureField::default()
        };
        decide(&workspace, &fields(vec![input])).err().unwrap_or_default()
    };
    assert_eq!(narrower(Given::Absent), [(EntryList::Fields, Some(0), Some(EntryKey::Default), None)]);
    assert_eq!(narrower(Given::Null), []);
    assert_eq!(narrower(Given::Value(json!(4))), []);
}

#[test]
fn a_required_read_only_field_needs_a_default_that_fills_it() {
    let input = |sort: FieldSort, default: Given<Value>| {
        let input = ConfigureField {
            required: Given::Value(true),
            read_only: Given::Value(true),
            default,
            ..field("A", sort)
        };
        faults(&fields(vec![input]))
    };
    let refused = [(EntryList::Fields, Some(0), Some(EntryKey::Required), None)];
    assert_eq!(input(FieldSort::Input, Given::Absent), refused);
    assert_eq!(input(FieldSort::Input, Given::Value(json!("a"))), []);
    assert_eq!(input(FieldSort::Checkbox, Given::Value(json!(false))), refused);
    assert_eq!(input(FieldSort::Checkbox, Given::Value(json!(true))), []);
}

#[test]
fn an_option_that_is_left_out_is_switched_off_and_stays() {
    let first = ConfigureField { options: options(&["a", "b", "c"]), ..field("A", FieldSort::Dropdown) };
    let mut workspace = workspace();
    workspace = after(&workspace, &decide(&workspace, &fields(vec![first])).unwrap());
    let fewer = fields(vec![ConfigureField {
        named: named("A"),
        options: options(&["c", "d"]),
        ..ConfigureField::default()
    }]);
    workspace = after(&workspace, &decide(&workspace, &fewer).unwrap());
    let FieldFormat::Dropdown(kept) = &workspace.fields.last().unwrap().format else { panic!() };
    let shown: Vec<(&str, bool)> =
        kept.options.iter().map(|option| (option.name.as_str(), option.active)).collect();
    assert_eq!(shown, [("c", true), ("d", true), ("a", false), ("b", false)]);
    assert_eq!(decide(&workspace, &fewer), Ok(ConfigurationChange::default()), "again changes nothing");
}

#[test]
fn a_rule_is_cleared_by_null_and_stays_where_it_is_absent() {
    let first =
        ConfigureField { length_max: Given::Value(5), pattern: given("a*"), ..field("A", FieldSort::Input) };
    let mut workspace = workspace();
    workspace = after(&workspace, &decide(&workspace, &fields(vec![first])).unwrap());
    let second = ConfigureField { named: named("A"), pattern: Given::Null, ..ConfigureField::default() };
    let change = decide(&workspace, &fields(vec![second])).unwrap();
    let FieldFormat::Input(rules) = &change.fields[0].1.format else { panic!() };
    assert_eq!((rules.length_max, &rules.pattern), (Some(5), &None));
}

#[test]
fn of_a_system_field_only_the_texts_and_what_is_shown_change() {
    let title = || ConfigureField { named: named("Title"), ..ConfigureField::default() };
    for allowed in [
        ConfigureField { description: given("x"), placeholder: given("y"), tooltip: given("z"), ..title() },
        ConfigureField { shown: Given::Value(false), required: Given::Value(false), ..title() },
    ] {
        assert_eq!(faults(&fields(vec![allowed])), []);
    }
    for refused in [
        ConfigureField { key: given("name"), ..title() },
        ConfigureField { read_only: Given::Value(true), ..title() },
        ConfigureField { active: Given::Value(false), ..title() },
        ConfigureField { length_max: Given::Value(5), ..title() },
        ConfigureField { default: Given::Value(json!("x")), ..title() },
    ] {
        assert_eq!(faults(&fields(vec![refused])), [(EntryList::Fields, Some(0), None, None)]);
    }
}

#[test]
fn a_field_is_named_for_programs_after_its_name() {
    for (name, key) in
        [("Serial number", "serialNumber"), ("E-mail", "eMail"), ("größe", "größe"), ("!?", "!?")]
    {
        let change = decide(&workspace(), &fields(vec![field(name, FieldSort::Input)])).unwrap();
        assert_eq!(change.fields[0].1.key, key);
    }
}
