//! Custom fields: which values a command may set, clear or leave out.
//!
//! Only what a command changes is checked. A value that repeats what is stored is always taken, so that rules which came
//! later never stand in the way of a document that is older.

use serde_json::Value;

use super::super::WorkItem;
use super::super::plain::Mode;
use super::value::{self, Unfit};
use crate::date::Zone;
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::FieldId;
use crate::limits;
use crate::workspace::Workspace;
use crate::workspace::field::{Field, FieldFormat, FieldRule};

/// What the entries of a request are decided by.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The field that the entry names.
    pub field: &'a Field,
    /// Its place among the entries.
    pub index: usize,
    /// The fields that the document shows; `None`: its template is not known.
    pub shown: Option<&'a [FieldId]>,
    /// Whether the document is new.
    pub mode: Mode,
    /// The request's zone.
    pub zone: Zone,
}

/// Takes over the value of one entry.
pub fn apply(item: &mut WorkItem, entry: Entry<'_>, given: &Given<Value>, faults: &mut Faults) {
    let Entry { field, index, mode, .. } = entry;
    let stored = item.field_values.get(&field.id);
    let value = match (given, mode) {
        (Given::Absent | Given::Invalid, Mode::Create | Mode::Update) | (Given::Null, Mode::Create) => return,
        (Given::Null, Mode::Update) => None,
        (Given::Value(value), Mode::Create | Mode::Update) if stored == Some(value) => return,
        (Given::Value(value), Mode::Create | Mode::Update) => match checked(entry, value, stored, faults) {
            Some(kept) => kept,
            None => return,
        },
    };
    if stored == value.as_ref() {
        return;
    }
    let broken = if field.read_only {
        Some((FieldRule::ReadOnly, "is read-only"))
    } else if mode == Mode::Update && is_asked(entry) && is_missing(field, value.as_ref()) {
        Some((FieldRule::Required, missing(field)))
    } else {
        None
    };
    if let Some((rule, sentence)) = broken {
        faults.add_at(FaultKind::Unprocessable, Key::Fields, index, message(field, rule, sentence));
        return;
    }
    match value {
        Some(value) => item.field_values.insert(field.id.clone(), value),
        None => item.field_values.remove(&field.id),
    };
}

/// Gives the value of an entry as it is kept (`None` in it: none), or nothing where it has a fault.
#[expect(clippy::option_option, reason = "a fault, no value and a value are three things")]
fn checked(
    entry: Entry<'_>,
    value: &Value,
    stored: Option<&Value>,
    faults: &mut Faults,
) -> Option<Option<Value>> {
    let Entry { field, index, shown, zone, .. } = entry;
    let mut invalid = |sentence: String| faults.add_at(FaultKind::Invalid, Key::Fields, index, sentence);
    if shown.is_some_and(|shown| !shown.contains(&field.id)) {
        invalid(format!("the field {:?} is not in the template", field.name));
        return None;
    }
    if value.to_string().len() > limits::FIELD_VALUE_BYTES_MAX {
        invalid(format!("the value must be at most {} bytes long", limits::FIELD_VALUE_BYTES_MAX));
        return None;
    }
    match value::read(field, value, stored, zone) {
        Ok(kept) if kept.is_none() || kept.as_ref() == stored || field.is_usable() => Some(kept),
        Ok(_) => {
            let sentence = format!("the field {:?} is switched off", field.name);
            faults.add_at(FaultKind::Unprocessable, Key::Fields, index, sentence);
            None
        }
        Err(reasons) => {
            for reason in reasons {
                let (kind, sentence) = match reason {
                    Unfit::WrongType(sentence) => {
                        (FaultKind::Invalid, format!("the field {:?} {sentence}", field.name))
                    }
                    Unfit::Broken(rule, sentence) => {
                        (FaultKind::Unprocessable, message(field, rule, &sentence))
                    }
                };
                faults.add_at(kind, Key::Fields, index, sentence);
            }
            None
        }
    }
}

/// Adds a fault for each required field of `asked` that has no value. `refused` are those whose value has a fault
/// already.
pub fn require(
    item: &WorkItem,
    asked: &[FieldId],
    refused: &[FieldId],
    workspace: &Workspace,
    faults: &mut Faults,
) {
    for field in custom_fields(asked, workspace) {
        let value = item.field_values.get(&field.id);
        if field.required && !refused.contains(&field.id) && is_missing(field, value) {
            let sentence = message(field, FieldRule::Required, missing(field));
            faults.add(FaultKind::Unprocessable, Key::Fields, sentence);
        }
    }
}

/// Gives the fields without a value their defaults.
pub fn fill(item: &mut WorkItem, fields: &[FieldId], workspace: &Workspace) {
    for field in custom_fields(fields, workspace) {
        if let Some(default) = &field.default {
            item.field_values.entry(field.id.clone()).or_insert_with(|| default.clone());
        }
    }
}

fn custom_fields<'a>(ids: &'a [FieldId], workspace: &'a Workspace) -> impl Iterator<Item = &'a Field> {
    let fields = ids.iter().filter_map(|id| workspace.field(id));
    fields.filter(|field| field.is_custom() && field.is_usable())
}

/// Tells whether a document must have a value for the entry's field.
fn is_asked(entry: Entry<'_>) -> bool {
    let is_shown = entry.shown.is_some_and(|shown| shown.contains(&entry.field.id));
    entry.field.required && entry.field.is_usable() && is_shown
}

/// Tells whether a required field would be without its value; a checkbox must be true.
fn is_missing(field: &Field, value: Option<&Value>) -> bool {
    match (&field.format, value) {
        (_, None) | (FieldFormat::Checkbox, Some(Value::Bool(false))) => true,
        (_, Some(_)) => false,
    }
}

fn missing(field: &Field) -> &'static str {
    if field.format == FieldFormat::Checkbox { "must be true" } else { "is required" }
}

/// Names the field and says what its configuration says about a broken rule, else the usual sentence.
fn message(field: &Field, rule: FieldRule, sentence: &str) -> String {
    match field.messages.get(&rule) {
        Some(own) => format!("the field {:?}: {own}", field.name),
        None => format!("the field {:?} {sentence}", field.name),
    }
}
