//! The due date: one value with three spellings, and whether it was breached.

use super::WorkItem;
use super::fields::SystemValues;
use super::input::ItemInput;
use crate::actor::Actor;
use crate::date::{DateInput, Moment, Zone};
use crate::fault::{Faults, Key};
use crate::given::Given;
use crate::item::plain::Mode;
use crate::workspace::Workspace;

/// Picks the one value that several spellings of it mean; contract section 9.
///
/// A spelling that repeats the stored value says nothing. `None`: nothing was said beyond the stored value.
///
/// # Errors
/// Two spellings differ from the stored value and from each other.
pub fn reconcile<T: PartialEq + Clone>(stored: &T, given: &[T]) -> Result<Option<T>, Disagreement> {
    let mut changed: Option<&T> = None;
    for value in given.iter().filter(|value| *value != stored) {
        match changed {
            Some(other) if other != value => return Err(Disagreement),
            Some(_) | None => changed = Some(value),
        }
    }
    Ok(changed.cloned())
}

/// Two spellings of one value disagree.
#[derive(Debug, PartialEq, Eq)]
pub struct Disagreement;

/// Takes over the due date where the request has one in any spelling.
pub fn apply(
    item: &mut WorkItem,
    input: &ItemInput,
    system: &SystemValues,
    zone: Zone,
    mode: Mode,
    faults: &mut Faults,
) {
    let mut given: Vec<Option<Moment>> = Vec::new();
    let mut read = |key: Key, date: Option<DateInput>, faults: &mut Faults| match date {
        None => given.push(None),
        Some(date) => match date.moment(zone) {
            Some(moment) => given.push(Some(moment)),
            None => faults.invalid(key, "must be a date of the years 0001 to 9999"),
        },
    };
    match (&input.due, mode) {
        (Given::Value(date), Mode::Create | Mode::Update) => read(Key::DueDate, Some(*date), faults),
        (Given::Null, Mode::Update) => read(Key::DueDate, None, faults),
        (Given::Null, Mode::Create) | (Given::Absent | Given::Invalid, Mode::Create | Mode::Update) => {}
    }
    match (&input.eta, mode) {
        (Given::Value(date), Mode::Create | Mode::Update) => read(Key::Eta, *date, faults),
        (Given::Null, Mode::Update) => read(Key::Eta, None, faults),
        (Given::Null, Mode::Create) | (Given::Absent | Given::Invalid, Mode::Create | Mode::Update) => {}
    }
    if let Some(date) = system.due {
        read(Key::Fields, date, faults);
    }
    match reconcile(&item.due, &given) {
        Ok(Some(due)) => item.due = due,
        Ok(None) => {}
        Err(Disagreement) => faults.invalid(Key::DueDate, "is given twice with different values"),
    }
}

/// Tells whether a due date has passed.
pub fn is_past(due: Option<Moment>, now: Moment) -> bool {
    due.is_some_and(|due| due < now)
}

/// Settles whether a new item is breached: its due date is past and it is unresolved.
pub fn settle_new(item: &mut WorkItem, workspace: &Workspace, now: Moment) {
    item.breached = is_past(item.due, now) && !item.is_over(workspace);
}

/// Settles whether a changed item is breached; contract section 3: a due date that is past while the item is
/// unresolved breaches it; one moved to the future, or taken away, clears the breach; resolving leaves it.
pub fn settle_changed(before: &WorkItem, after: &mut WorkItem, workspace: &Workspace, now: Moment) {
    let past = is_past(after.due, now);
    if past && !after.is_over(workspace) {
        after.breached = true;
    } else if !past && after.due != before.due {
        after.breached = false;
    }
}

/// Marks an item as breached when its due date has passed while it is unresolved; a change like any other, made by
/// the server itself. `None`: there is nothing to change.
pub fn breach(before: &WorkItem, workspace: &Workspace, actor: &Actor, now: Moment) -> Option<WorkItem> {
    let passed = before.active && !before.breached && is_past(before.due, now) && !before.is_over(workspace);
    passed.then(|| {
        let mut after = before.clone();
        after.breached = true;
        after.touch(actor, now);
        after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_that_differs_from_the_stored_value_wins() {
        assert_eq!(reconcile(&1, &[1, 2]), Ok(Some(2)));
        assert_eq!(reconcile(&1, &[2, 1]), Ok(Some(2)));
        assert_eq!(reconcile(&1, &[2, 2, 1]), Ok(Some(2)));
        assert_eq!(reconcile(&1, &[1, 1]), Ok(None));
        assert_eq!(reconcile(&1, &[]), Ok(None));
    }

    #[test]
    fn two_spellings_that_both_differ_and_disagree_are_refused() {
        assert_eq!(reconcile(&1, &[2, 3]), Err(Disagreement));
    }
}
