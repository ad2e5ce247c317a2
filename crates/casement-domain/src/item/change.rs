//! The part of an update that cases and tasks share: every writable key over the stored item.

use super::input::UpdateInput;
use super::plain::{Mode, take};
use super::{WorkItem, assignment, due, fields, plain};
use crate::customer::{CustomerInput, Found, resolve};
use crate::date::{Moment, Zone};
use crate::fault::{Faults, Key};
use crate::id::FieldId;
use crate::workspace::Workspace;

/// The item after an update, and what changes in the customers' profiles for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The item as it shall be.
    pub item: WorkItem,
    /// The profile that is made or filled, if any.
    pub profile: Option<crate::change::RecordChange>,
}

/// What an update is decided by, besides the stored item and the command.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The configuration.
    pub workspace: &'a Workspace,
    /// The profiles that the command's customer may mean.
    pub customers: &'a Found,
    /// The fields that the item shows before the update.
    pub fields_before: &'a [FieldId],
    /// The fields that it shows after the update: others where it gets another template.
    pub fields_after: &'a [FieldId],
    /// The request's zone.
    pub zone: Zone,
    /// The time.
    pub now: Moment,
    /// The id of a customer who has to be made.
    pub fresh: u128,
}

/// Gives the customer whose profile an update needs: only one whom the command names by another id.
pub fn customer_of<'a>(before: &WorkItem, input: &'a UpdateInput) -> Option<&'a CustomerInput> {
    let customer = input.item.customer.value()?;
    customer.id.as_deref().filter(|id| *id != before.customer.id.as_str()).map(|_| customer)
}

/// Lays an update over an item. Faults are added to the list; the item is then of no use.
pub fn apply(before: &WorkItem, input: &UpdateInput, around: Around<'_>, faults: &mut Faults) -> Changed {
    let Around { workspace, zone, now, .. } = around;
    let mut item = before.clone();
    let profile = apply_customer(before, &mut item, input, around, faults);
    let Around { fields_before, fields_after, .. } = around;
    let given = &input.item.fields;
    let system =
        fields::apply_changed(&mut item, given, fields_before, fields_after, workspace, zone, faults);
    apply_name(&mut item, input, &system, faults);
    apply_description(&mut item, input, &system, faults);
    plain::apply(&mut item, &input.item, workspace, Mode::Update, faults);
    plain::apply_notes(&mut item, input, faults);
    due::apply(&mut item, &input.item, &system, zone, Mode::Update, faults);
    let assigned = assignment::of_changed(&before.assignment, &input.item, workspace, faults);
    assignment::assign(&mut item, assigned, now);
    if let Some(active) = take(&input.active, Key::Active, Mode::Update, faults) {
        item.active = *active;
    }
    Changed { item, profile }
}

fn apply_customer(
    before: &WorkItem,
    item: &mut WorkItem,
    input: &UpdateInput,
    around: Around<'_>,
    faults: &mut Faults,
) -> Option<crate::change::RecordChange> {
    let customer = take(&input.item.customer, Key::Customer, Mode::Update, faults)?;
    resolve::check(customer, Key::CustomerEmail, Key::CustomerPhone, faults);
    if customer_of(before, input).is_none() {
        item.customer = resolve::overlay(&before.customer, customer);
        return None;
    }
    let resolved = resolve::resolve(customer, around.customers, around.fresh);
    item.customer = resolved.snapshot;
    resolved.profile
}

fn apply_name(item: &mut WorkItem, input: &UpdateInput, system: &fields::SystemValues, faults: &mut Faults) {
    let mut names = Vec::new();
    if let Some(name) = take(&input.item.name, Key::Name, Mode::Update, faults) {
        names.extend(plain::checked_name(name, Key::Name, faults));
    }
    if let Some(title) = &system.name {
        names.extend(plain::checked_name(title, Key::Fields, faults));
    }
    match due::reconcile(&item.name, &names) {
        Ok(Some(name)) => item.name = name,
        Ok(None) => {}
        Err(due::Disagreement) => faults.invalid(Key::Name, "differs from the title among the fields"),
    }
}

fn apply_description(
    item: &mut WorkItem,
    input: &UpdateInput,
    system: &fields::SystemValues,
    faults: &mut Faults,
) {
    let mut descriptions = Vec::new();
    if let Some(description) = take(&input.item.description, Key::Description, Mode::Update, faults) {
        descriptions.extend(plain::checked_description(description, Key::Description, faults));
    }
    if let Some(description) = &system.description {
        descriptions.extend(plain::checked_description(description, Key::Fields, faults));
    }
    match due::reconcile(&item.description, &descriptions) {
        Ok(Some(description)) => item.description = description,
        Ok(None) => {}
        Err(due::Disagreement) => {
            faults.invalid(Key::Description, "differs from the description among the fields")
        }
    }
}
