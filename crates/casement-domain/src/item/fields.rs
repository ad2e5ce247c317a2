//! The fields of a template: system fields that repeat a key of the item, and custom ones with values of their own.

use serde_json::Value;

use super::WorkItem;
use super::input::FieldInput;
use crate::date::{DateInput, Moment};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::FieldId;
use crate::limits;
use crate::workspace::Workspace;
use crate::workspace::entries::{Field, FieldRole};

/// What a request's fields say about the keys that system fields show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SystemValues {
    /// The title.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The due date; `None` in it: none.
    pub due: Option<Option<DateInput>>,
}

/// Takes over the values of custom fields and gives those of system fields. `template` lists the fields that the
/// template of the item shows; `None`: the template is not known, which is a fault of its own.
pub fn apply(
    item: &mut WorkItem,
    entries: &[FieldInput],
    template: Option<&[FieldId]>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> SystemValues {
    let mut system = SystemValues::default();
    if entries.len() > limits::FIELDS_MAX {
        faults.invalid(Key::Fields, format!("must have at most {} entries", limits::FIELDS_MAX));
        return system;
    }
    for (index, entry) in entries.iter().enumerate() {
        let Some(field) = workspace.find_field(&entry.field) else {
            let message = format!("there is no field {:?}", entry.field.text());
            faults.add_at(FaultKind::Invalid, Key::Fields, index, message);
            continue;
        };
        match field.role {
            FieldRole::Custom => apply_custom(item, field, &entry.value, template, index, faults),
            FieldRole::Title => read_text(&entry.value, index, &mut system.name, faults),
            FieldRole::Description => read_text(&entry.value, index, &mut system.description, faults),
            FieldRole::DueDate => read_due(&entry.value, index, &mut system, faults),
        }
    }
    system
}

fn apply_custom(
    item: &mut WorkItem,
    field: &Field,
    value: &Given<Value>,
    template: Option<&[FieldId]>,
    index: usize,
    faults: &mut Faults,
) {
    match value {
        Given::Absent | Given::Invalid => {}
        Given::Null => {
            item.field_values.remove(&field.id);
        }
        Given::Value(value) if item.field_values.get(&field.id) == Some(value) => {}
        Given::Value(_) if template.is_some_and(|template| !template.contains(&field.id)) => {
            let message = format!("the field {:?} is not in the template", field.name);
            faults.add_at(FaultKind::Invalid, Key::Fields, index, message);
        }
        Given::Value(value) if value.to_string().len() > limits::FIELD_VALUE_BYTES_MAX => {
            let message = format!("the value must be at most {} bytes long", limits::FIELD_VALUE_BYTES_MAX);
            faults.add_at(FaultKind::Invalid, Key::Fields, index, message);
        }
        Given::Value(value) => {
            item.field_values.insert(field.id.clone(), value.clone());
        }
    }
}

fn read_text(value: &Given<Value>, index: usize, target: &mut Option<String>, faults: &mut Faults) {
    match value {
        Given::Absent | Given::Invalid => {}
        Given::Value(Value::String(text)) => match target {
            Some(other) if other != text => {
                faults.add_at(FaultKind::Invalid, Key::Fields, index, "is given twice with different values");
            }
            Some(_) | None => *target = Some(text.clone()),
        },
        Given::Null | Given::Value(_) => {
            faults.add_at(FaultKind::Invalid, Key::Fields, index, "the value must be a string");
        }
    }
}

/// The largest integer that every JSON reader takes exactly.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// Takes a whole number, also one that is written with a fraction of zero.
pub fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        let is_whole = float.fract() == 0.0 && float.abs() <= EXACT_INTEGER_MAX;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the range of i64")]
        is_whole.then_some(float as i64)
    })
}

fn read_due(value: &Given<Value>, index: usize, system: &mut SystemValues, faults: &mut Faults) {
    let due = match value {
        Given::Absent | Given::Invalid => return,
        Given::Null => Ok(None),
        Given::Value(Value::String(text)) if text.is_empty() => Ok(None),
        Given::Value(Value::String(text)) => DateInput::parse(text).map(Some).ok_or(()),
        Given::Value(Value::Number(number)) => {
            whole(number).map(|ms| Some(DateInput::Instant(Moment::from_ms(ms)))).ok_or(())
        }
        Given::Value(_) => Err(()),
    };
    match due {
        Ok(due) if system.due.is_some_and(|other| other != due) => {
            faults.add_at(FaultKind::Invalid, Key::Fields, index, "is given twice with different values");
        }
        Ok(due) => system.due = Some(due),
        Err(()) => faults.add_at(
            FaultKind::Invalid,
            Key::Fields,
            index,
            "the value must be an ISO 8601 date or milliseconds since the epoch",
        ),
    }
}
