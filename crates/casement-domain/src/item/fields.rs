//! The fields of a template: system fields that repeat a key of the item, and custom ones with values of their own.

pub mod custom;
pub mod value;

use serde_json::Value;

use super::WorkItem;
use super::input::FieldInput;
use super::plain::{Mode, take};
use crate::date::{DateInput, Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::FieldId;
use crate::limits;
use crate::workspace::Workspace;
use crate::workspace::field::FieldRole;

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

/// Takes over the fields of a new item: the request's values, the defaults, and a fault for each required field
/// without a value. `shown` lists the fields of its template; `None`: the template is not known, which is a fault of
/// its own.
pub fn apply_new(
    item: &mut WorkItem,
    given: &Given<Vec<FieldInput>>,
    shown: Option<&[FieldId]>,
    workspace: &Workspace,
    zone: Zone,
    faults: &mut Faults,
) -> SystemValues {
    let entries = given.value().map(Vec::as_slice).unwrap_or_default();
    let mut refused = Vec::new();
    let context = Context { shown, mode: Mode::Create, workspace, zone };
    custom::fill(item, shown.unwrap_or_default(), workspace);
    let system = apply(item, entries, context, &mut refused, faults);
    // What can't be read says nothing about which fields have a value.
    if *given != Given::Invalid {
        custom::require(item, shown.unwrap_or_default(), &refused, workspace, faults);
    }
    system
}

/// Takes over the fields of a changed item. `before` lists the fields that it showed, `after` those that it shows now:
/// what a new template brings is completed as in a new item.
pub fn apply_changed(
    item: &mut WorkItem,
    given: &Given<Vec<FieldInput>>,
    before: &[FieldId],
    after: &[FieldId],
    workspace: &Workspace,
    zone: Zone,
    faults: &mut Faults,
) -> SystemValues {
    let entries = take(given, Key::Fields, Mode::Update, faults).map(Vec::as_slice).unwrap_or_default();
    let brought: Vec<FieldId> = after.iter().filter(|id| !before.contains(id)).cloned().collect();
    let mut refused = Vec::new();
    let context = Context { shown: Some(after), mode: Mode::Update, workspace, zone };
    custom::fill(item, &brought, workspace);
    let system = apply(item, entries, context, &mut refused, faults);
    if *given != Given::Invalid {
        custom::require(item, &brought, &refused, workspace, faults);
    }
    system
}

/// What the entries of one request are decided by.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    shown: Option<&'a [FieldId]>,
    mode: Mode,
    workspace: &'a Workspace,
    zone: Zone,
}

/// Takes over the values of custom fields and gives those of system fields; notes in `refused` the custom fields whose
/// value has a fault.
fn apply(
    item: &mut WorkItem,
    entries: &[FieldInput],
    context: Context<'_>,
    refused: &mut Vec<FieldId>,
    faults: &mut Faults,
) -> SystemValues {
    let Context { shown, mode, workspace, zone } = context;
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
            FieldRole::Custom => {
                let known_faults = faults.list().len();
                let custom = custom::Entry { field, index, shown, mode, zone };
                custom::apply(item, custom, &entry.value, faults);
                if faults.list().len() > known_faults {
                    refused.push(field.id.clone());
                }
            }
            FieldRole::Title => read_text(&entry.value, index, &mut system.name, faults),
            FieldRole::Description => read_text(&entry.value, index, &mut system.description, faults),
            FieldRole::DueDate => read_due(&entry.value, index, &mut system, faults),
        }
    }
    system
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
