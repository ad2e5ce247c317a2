//! Fields: their texts, their rules, and that a default keeps the rules.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::draft::{At, Draft, Meant};
use super::fault::{ConfigurationFaults, EntryKey};
use super::input::ConfigureField;
use crate::date::{Moment, Zone};
use crate::given::Given;
use crate::id::FieldId;
use crate::item::fields::value::{self, Unfit, canonical_number, moment_of};
use crate::limits;
use crate::workspace::field::{
    Choices, DateRules, Field, FieldFormat, FieldOption, FieldRole, FieldSort, NumberRules, Options,
    TextRules,
};
use crate::workspace::pattern::Pattern;

/// The largest whole number that every JSON reader takes exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// Takes over one field.
pub fn field(
    draft: &mut Draft<Field>,
    input: &ConfigureField,
    index: usize,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, before) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            if input.sort.is_missing() {
                at.fault(Some(EntryKey::Format), "is required for a new entry");
            }
            let sort = *input.sort.value().unwrap_or(&FieldSort::Input);
            (None, new_field(id.map_or_else(|| FieldId::fresh(next()), FieldId::from_text), sort))
        }
    };
    let mut after = before.clone();
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    if place.is_none() {
        after.key = key_of(&after.name);
    }
    at.name(&input.key, EntryKey::Key, &mut after.key);
    at.text(&input.description, EntryKey::Description, &mut after.description);
    at.text(&input.placeholder, EntryKey::Placeholder, &mut after.placeholder);
    at.text(&input.tooltip, EntryKey::Tooltip, &mut after.tooltip);
    at.take(&input.read_only, EntryKey::ReadOnly, &mut after.read_only);
    at.take(&input.required, EntryKey::Required, &mut after.required);
    at.take(&input.shown, EntryKey::Shown, &mut after.shown);
    at.take(&input.enabled, EntryKey::Enabled, &mut after.enabled);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    if input.sort.value().is_some_and(|sort| *sort != before.format.sort()) {
        at.fault(Some(EntryKey::Format), "can't be changed: documents have values of it; add another field");
    }
    take_messages(&mut at, input, &mut after);
    let faults_before = at.faults.list().len();
    refuse_foreign_rules(&mut at, input, after.format.sort());
    after.format = format(&mut at, input, &before.format);
    match after.role {
        FieldRole::Title | FieldRole::Description | FieldRole::DueDate => {
            check_system(&mut at, input, &before, &after);
        }
        // A default says nothing where the rules for it are at fault.
        FieldRole::Custom if at.faults.list().len() == faults_before => {
            take_default(&mut at, input, &mut after);
        }
        FieldRole::Custom => {}
    }
    draft.put(place, after, index);
}

fn new_field(id: FieldId, sort: FieldSort) -> Field {
    Field {
        id,
        name: String::new(),
        key: String::new(),
        role: FieldRole::Custom,
        format: FieldFormat::plain(sort),
        description: String::new(),
        placeholder: String::new(),
        tooltip: String::new(),
        read_only: false,
        required: false,
        default: None,
        messages: BTreeMap::new(),
        shown: true,
        enabled: true,
        active: true,
    }
}

/// Makes the name for programs of a field's name: `Serial number` gives `serialNumber`.
fn key_of(name: &str) -> String {
    let words = name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut key = String::new();
    for word in words {
        if key.is_empty() {
            key.push_str(&word.to_lowercase());
        } else {
            let mut characters = word.chars();
            key.extend(characters.next().into_iter().flat_map(char::to_uppercase));
            key.push_str(&characters.as_str().to_lowercase());
        }
    }
    if key.is_empty() { name.to_owned() } else { key }
}

/// Adds a fault where more than the texts of a system field would change: it repeats a key of the document.
fn check_system(at: &mut At<'_>, input: &ConfigureField, before: &Field, after: &Field) {
    let allowed = Field {
        description: after.description.clone(),
        placeholder: after.placeholder.clone(),
        tooltip: after.tooltip.clone(),
        required: after.required,
        shown: after.shown,
        ..before.clone()
    };
    if *after != allowed || input.default.value().is_some() {
        at.fault(
            None,
            "is a system field: only its texts and whether it is shown and marked as required can change",
        );
    }
}

fn take_messages(at: &mut At<'_>, input: &ConfigureField, after: &mut Field) {
    match &input.messages {
        Given::Absent | Given::Invalid => {}
        Given::Null => after.messages.clear(),
        Given::Value(messages) => {
            let characters_max = limits::ENTRY_TEXT_CHARACTERS_MAX;
            let fits = |text: &String| !text.is_empty() && text.chars().count() <= characters_max;
            if !messages.values().all(fits) {
                at.fault(Some(EntryKey::Messages), format!("must be 1 to {characters_max} characters long"));
            }
            after.messages.clone_from(messages);
        }
    }
}

/// Adds a fault for each rule that a format does not have.
fn refuse_foreign_rules(at: &mut At<'_>, input: &ConfigureField, sort: FieldSort) {
    let (is_text, is_number, has_options, is_date) = match sort {
        FieldSort::Input | FieldSort::Textarea | FieldSort::Phone | FieldSort::Email | FieldSort::Url => {
            (true, false, false, false)
        }
        FieldSort::Number => (false, true, false, false),
        FieldSort::Dropdown | FieldSort::Radio | FieldSort::MultiSelect => (false, false, true, false),
        FieldSort::Checkbox => (false, false, false, false),
        FieldSort::DateTime => (false, false, false, true),
    };
    let rules = [
        (input.length_min.value().is_some(), EntryKey::LengthMin, is_text),
        (input.length_max.value().is_some(), EntryKey::LengthMax, is_text),
        (input.pattern.value().is_some(), EntryKey::Pattern, is_text),
        (input.min.value().is_some(), EntryKey::Min, is_number || is_date),
        (input.max.value().is_some(), EntryKey::Max, is_number || is_date),
        (input.decimals.value().is_some(), EntryKey::Decimals, is_number),
        (input.options.value().is_some(), EntryKey::Options, has_options),
        (input.count_min.value().is_some(), EntryKey::CountMin, sort == FieldSort::MultiSelect),
        (input.count_max.value().is_some(), EntryKey::CountMax, sort == FieldSort::MultiSelect),
    ];
    for (is_given, key, fits) in rules {
        if is_given && !fits {
            at.fault(Some(key), "is no rule of this format");
        }
    }
}

fn format(at: &mut At<'_>, input: &ConfigureField, before: &FieldFormat) -> FieldFormat {
    match before {
        FieldFormat::Input(rules) => FieldFormat::Input(text(at, input, rules)),
        FieldFormat::Textarea(rules) => FieldFormat::Textarea(text(at, input, rules)),
        FieldFormat::Phone(rules) => FieldFormat::Phone(text(at, input, rules)),
        FieldFormat::Email(rules) => FieldFormat::Email(text(at, input, rules)),
        FieldFormat::Url(rules) => FieldFormat::Url(text(at, input, rules)),
        FieldFormat::Number(rules) => FieldFormat::Number(number(at, input, rules)),
        FieldFormat::Dropdown(rules) => FieldFormat::Dropdown(options(at, input, rules)),
        FieldFormat::Radio(rules) => FieldFormat::Radio(options(at, input, rules)),
        FieldFormat::MultiSelect(rules) => FieldFormat::MultiSelect(choices(at, input, rules)),
        FieldFormat::Checkbox => FieldFormat::Checkbox,
        FieldFormat::DateTime(rules) => FieldFormat::DateTime(date(at, input, rules)),
    }
}

fn text(at: &mut At<'_>, input: &ConfigureField, before: &TextRules) -> TextRules {
    let mut after = before.clone();
    at.take_or_clear(&input.length_min, &mut after.length_min);
    at.take_or_clear(&input.length_max, &mut after.length_max);
    let bytes_max = u32::try_from(limits::FIELD_VALUE_BYTES_MAX).unwrap_or(u32::MAX);
    if after.length_max.is_some_and(|max| max == 0 || max > bytes_max) {
        at.fault(Some(EntryKey::LengthMax), format!("must be 1 to {bytes_max}"));
    }
    if after.length_min.zip(after.length_max).is_some_and(|(min, max)| min > max)
        || after.length_min.is_some_and(|min| min > bytes_max)
    {
        at.fault(Some(EntryKey::LengthMin), "must not be more than the most");
    }
    match &input.pattern {
        Given::Absent | Given::Invalid => {}
        Given::Null => after.pattern = None,
        // What is stored is not compiled anew: an engine of a later release may have other limits.
        Given::Value(text) if before.pattern.as_ref().is_some_and(|stored| stored.text() == text) => {}
        Given::Value(text) => match Pattern::parse(text) {
            Ok(pattern) => after.pattern = Some(pattern),
            Err(unusable) => at.fault(Some(EntryKey::Pattern), unusable.to_string()),
        },
    }
    after
}

fn number(at: &mut At<'_>, input: &ConfigureField, before: &NumberRules) -> NumberRules {
    let mut after = before.clone();
    for (given, key, target) in
        [(&input.min, EntryKey::Min, &mut after.min), (&input.max, EntryKey::Max, &mut after.max)]
    {
        match given {
            Given::Absent | Given::Invalid => {}
            Given::Null => *target = None,
            Given::Value(Value::Number(number)) if is_exact(number) => {
                *target = Some(canonical_number(number))
            }
            Given::Value(_) => at.fault(Some(key), "must be a number within ±9007199254740991"),
        }
    }
    at.take_or_clear(&input.decimals, &mut after.decimals);
    if after.decimals.is_some_and(|decimals| decimals > limits::DECIMALS_MAX) {
        at.fault(Some(EntryKey::Decimals), format!("must be 0 to {}", limits::DECIMALS_MAX));
    }
    let size = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    if size(&after.min).zip(size(&after.max)).is_some_and(|(min, max)| min > max) {
        at.fault(Some(EntryKey::Min), "must not be more than the largest");
    }
    after
}

fn is_exact(number: &Number) -> bool {
    number.as_f64().is_some_and(|size| size.abs() <= EXACT_MAX)
}

fn options(at: &mut At<'_>, input: &ConfigureField, before: &Options) -> Options {
    let mut after = before.clone();
    match &input.options {
        Given::Absent | Given::Invalid => {}
        Given::Null => at.fault(Some(EntryKey::Options), "must not be null"),
        Given::Value(given) => {
            // Nothing is removed: documents may have an option that the document leaves out.
            let is_left_out = |option: &&FieldOption| given.iter().all(|other| other.name != option.name);
            let left_out = before.options.iter().filter(is_left_out);
            let switched_off =
                left_out.map(|option| FieldOption { name: option.name.clone(), active: false });
            after.options = given.iter().cloned().chain(switched_off).collect();
            check_options(at, given);
        }
    }
    if after.options.len() > limits::OPTIONS_MAX {
        at.fault(Some(EntryKey::Options), format!("must have at most {} entries", limits::OPTIONS_MAX));
    }
    if after.choosable().next().is_none() {
        at.fault(Some(EntryKey::Options), "must have at least one option that is not switched off");
    }
    after
}

fn check_options(at: &mut At<'_>, given: &[FieldOption]) {
    for (part, option) in given.iter().enumerate() {
        let characters_max = limits::ENTRY_NAME_CHARACTERS_MAX;
        if option.name.is_empty() || option.name.chars().count() > characters_max {
            let message = format!("must be 1 to {characters_max} characters long");
            at.fault_of_part(EntryKey::Options, part, message);
        }
        if given.iter().take(part).any(|former| former.name == option.name) {
            at.fault_of_part(EntryKey::Options, part, format!("{:?} is there already", option.name));
        }
    }
}

fn choices(at: &mut At<'_>, input: &ConfigureField, before: &Choices) -> Choices {
    let mut after = before.clone();
    after.options = options(at, input, &before.options);
    at.take_or_clear(&input.count_min, &mut after.count_min);
    at.take_or_clear(&input.count_max, &mut after.count_max);
    let choosable = u32::try_from(after.options.choosable().count()).unwrap_or(u32::MAX);
    if after.count_max == Some(0) {
        at.fault(Some(EntryKey::CountMax), "must be at least 1");
    }
    if after.count_min.is_some_and(|min| min > after.count_max.unwrap_or(choosable).min(choosable)) {
        at.fault(Some(EntryKey::CountMin), "must not be more than the most, nor than there are options");
    }
    after
}

fn date(at: &mut At<'_>, input: &ConfigureField, before: &DateRules) -> DateRules {
    let mut after = before.clone();
    for (given, key, target) in
        [(&input.min, EntryKey::Min, &mut after.first), (&input.max, EntryKey::Max, &mut after.last)]
    {
        match given {
            Given::Absent | Given::Invalid => {}
            Given::Null => *target = None,
            Given::Value(value) => match moment_of(value, Zone::UTC) {
                Some(moment) => *target = Some(moment),
                None => at.fault(Some(key), "must be an ISO 8601 date or milliseconds since the epoch"),
            },
        }
    }
    if after.first.zip(after.last).is_some_and(|(first, last): (Moment, Moment)| first > last) {
        at.fault(Some(EntryKey::Min), "must not be after the last");
    }
    after
}

/// Takes over the default and holds it against the rules, as does a default that was there when a rule changes.
fn take_default(at: &mut At<'_>, input: &ConfigureField, after: &mut Field) {
    match &input.default {
        Given::Absent | Given::Invalid => {}
        Given::Null => after.default = None,
        Given::Value(default) => after.default = Some(default.clone()),
    }
    if let Some(default) = after.default.take() {
        if default.to_string().len() > limits::FIELD_VALUE_BYTES_MAX {
            let bytes_max = limits::FIELD_VALUE_BYTES_MAX;
            at.fault(Some(EntryKey::Default), format!("must be at most {bytes_max} bytes long"));
        }
        match value::read(after, &default, None, Zone::UTC) {
            Ok(kept) => after.default = kept,
            Err(reasons) => {
                for reason in reasons {
                    let sentence = match reason {
                        Unfit::WrongType(sentence) => sentence.to_owned(),
                        Unfit::Broken(_, sentence) => sentence,
                    };
                    at.fault(Some(EntryKey::Default), sentence);
                }
            }
        }
    }
    let is_unset = match &after.default {
        None => true,
        Some(default) => after.format == FieldFormat::Checkbox && *default == Value::Bool(false),
    };
    if after.required && after.read_only && after.is_usable() && is_unset {
        at.fault(
            Some(EntryKey::Required),
            "can't be met: the field is read-only and has no default that does",
        );
    }
}
