//! The due date in its spellings, and breaches; contract sections 3, 9 and 11.2.

use casement_domain::case::update::UpdateCase;
use casement_domain::date::{DateInput, Moment};
use casement_domain::fault::Key;
use casement_domain::given::Given;
use casement_domain::item::due::breach;
use casement_domain::item::input::FieldInput;
use casement_domain::workspace::Reference;
use serde_json::{Value, json};

use crate::world::{
    NOW, app_actor, at, decide_update, faults_of, invalid, made_case, named, set_status, stored_case,
    workspace,
};

const X: Moment = Moment::from_ms(1_800_000_000_000);
const Y: Moment = Moment::from_ms(1_900_000_000_000);
const SAME: Moment = Moment::from_ms(1_700_000_000_000);

/// One spelling of a date: not there, null, an empty text, or a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spelled {
    Absent,
    Null,
    Empty,
    At(Moment),
}

impl Spelled {
    fn says(self) -> Option<Option<Moment>> {
        match self {
            Self::Absent => None,
            Self::Null | Self::Empty => Some(None),
            Self::At(moment) => Some(Some(moment)),
        }
    }

    fn value(self) -> Given<Value> {
        match self {
            Self::Absent => Given::Absent,
            Self::Null => Given::Null,
            Self::Empty => Given::Value(json!("")),
            Self::At(moment) => Given::Value(json!(moment.ms())),
        }
    }
}

#[test]
fn the_spelling_that_differs_from_the_stored_date_wins_and_two_that_disagree_are_refused() {
    let workspace = workspace();
    let plain = [Spelled::Absent, Spelled::Null, Spelled::At(SAME), Spelled::At(X), Spelled::At(Y)];
    let with_empty = [plain.as_slice(), &[Spelled::Empty]].concat();
    let mut rows = 0;
    for stored in [None, Some(SAME)] {
        for due in plain {
            for eta in &with_empty {
                for field in &with_empty {
                    let mut case = stored_case(&workspace);
                    case.value.item.due = stored;
                    let mut command = UpdateCase::default();
                    let item = &mut command.input.item;
                    item.due = match due {
                        Spelled::Absent | Spelled::Empty => Given::Absent,
                        Spelled::Null => Given::Null,
                        Spelled::At(moment) => at(moment),
                    };
                    item.eta = match *eta {
                        Spelled::Absent => Given::Absent,
                        Spelled::Null => Given::Null,
                        Spelled::Empty => Given::Value(None),
                        Spelled::At(moment) => Given::Value(Some(DateInput::Instant(moment))),
                    };
                    item.fields = Given::Value(vec![FieldInput {
                        field: Reference::Name("Due Date".to_owned()),
                        value: field.value(),
                    }]);
                    let mut changes: Vec<Option<Moment>> =
                        [due.says(), eta.says(), field.says()].into_iter().flatten().collect();
                    changes.retain(|value| *value != stored);
                    changes.dedup();
                    let agree = changes.windows(2).all(|pair| pair[0] == pair[1]);
                    let decided = decide_update(&workspace, &case, &command, &[]);
                    let row = format!("{stored:?} {due:?} {eta:?} {field:?}");
                    match changes.first() {
                        None => assert_eq!(decided, Ok(None), "{row}"),
                        Some(wanted) if agree => {
                            assert_eq!(made_case(&decided.unwrap().unwrap()).item.due, *wanted, "{row}");
                        }
                        Some(_) => assert_eq!(faults_of(decided), invalid(Key::DueDate), "{row}"),
                    }
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, 2 * 5 * 6 * 6);
}

#[test]
fn a_date_outside_the_years_names_the_key_that_spells_it() {
    let workspace = workspace();
    let beyond = Moment::from_ms(253_402_300_800_000);
    let mut command = UpdateCase::default();
    command.input.item.due = at(beyond);
    assert_eq!(
        faults_of(decide_update(&workspace, &stored_case(&workspace), &command, &[])),
        invalid(Key::DueDate)
    );
    let mut command = UpdateCase::default();
    command.input.item.eta = Given::Value(Some(DateInput::Instant(beyond)));
    assert_eq!(
        faults_of(decide_update(&workspace, &stored_case(&workspace), &command, &[])),
        invalid(Key::Eta)
    );
}

#[test]
fn milliseconds_with_a_fraction_of_zero_are_taken_in_every_spelling() {
    let workspace = workspace();
    let mut command = UpdateCase::default();
    command.input.item.fields = Given::Value(vec![FieldInput {
        field: Reference::Name("Due Date".to_owned()),
        value: Given::Value(json!(1.8e12)),
    }]);
    let change = decide_update(&workspace, &stored_case(&workspace), &command, &[]).unwrap().unwrap();
    assert_eq!(made_case(&change).item.due, Some(X));
}

#[test]
fn a_due_date_among_the_fields_that_is_given_twice_must_agree() {
    let workspace = workspace();
    let entry = |moment: Moment| FieldInput {
        field: Reference::Name("Due Date".to_owned()),
        value: Given::Value(json!(moment.ms())),
    };
    let mut command = UpdateCase::default();
    command.input.item.fields = Given::Value(vec![entry(X), entry(Y)]);
    assert!(decide_update(&workspace, &stored_case(&workspace), &command, &[]).is_err());
}

#[test]
fn the_table_of_breaches() {
    // breached before, status before, due before, status after, due after -> breached after; due in ms from now.
    let rows = [
        (false, "Open", Some(10), "Open", Some(-1), true),
        (false, "Open", Some(10), "Open", Some(0), false),
        (false, "Open", Some(10), "Open", Some(20), false),
        (false, "Open", None, "Open", Some(-1), true),
        (true, "Open", Some(-5), "Open", Some(5), false),
        (true, "Open", Some(-5), "Open", Some(-4), true),
        (true, "Open", Some(-5), "Open", None, false),
        (true, "Open", Some(-5), "Resolved", Some(-5), true),
        (true, "Open", Some(-5), "Closed", Some(-5), true),
        (true, "Open", Some(-5), "Resolved", Some(5), false),
        (false, "Open", Some(10), "Resolved", Some(-1), false),
        (false, "Resolved", Some(-5), "Open", Some(-5), true),
        (false, "Closed", Some(-5), "Waiting", Some(-5), true),
        (false, "Resolved", Some(-5), "Open", Some(5), false),
        (true, "Resolved", Some(-5), "Open", Some(5), false),
        (true, "Resolved", Some(-5), "Closed", Some(-5), true),
        (false, "Resolved", Some(-5), "Closed", Some(-5), false),
    ];
    let workspace = workspace();
    let moment = |offset_ms: Option<i64>| offset_ms.map(|ms| NOW.plus_ms(ms));
    for row in rows {
        let (breached, status, due, status_after, due_after, expected) = row;
        let mut case = stored_case(&workspace);
        case.value.item.breached = breached;
        case.value.item.due = moment(due);
        set_status(&mut case.value.item, &workspace, status);
        let mut command = UpdateCase::default();
        command.input.item.status = named(status_after);
        command.input.item.due = moment(due_after).map_or(Given::Null, at);
        let change = decide_update(&workspace, &case, &command, &[]).unwrap().unwrap();
        assert_eq!(made_case(&change).item.breached, expected, "{row:?}");
    }
}

#[test]
fn another_change_of_a_case_whose_due_date_passed_sets_the_breach_at_once() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    case.value.item.due = Some(NOW.plus_ms(-1));
    let mut command = UpdateCase::default();
    command.input.item.name = crate::world::given("Another");
    let change = decide_update(&workspace, &case, &command, &[]).unwrap().unwrap();
    assert!(made_case(&change).item.breached);
}

#[test]
fn a_breach_stays_while_the_due_date_is_not_moved_even_when_the_clock_goes_back() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    case.value.item.due = Some(NOW.plus_ms(5));
    case.value.item.breached = true;
    let mut command = UpdateCase::default();
    command.input.item.name = crate::world::given("Another");
    let change = decide_update(&workspace, &case, &command, &[]).unwrap().unwrap();
    assert!(made_case(&change).item.breached);
}

#[test]
fn a_deadline_breaches_only_what_is_past_unresolved_active_and_not_yet_breached() {
    let workspace = workspace();
    // due from now, status, active, breached before, breaches
    let rows = [
        (Some(-1), "Open", true, false, true),
        (Some(-1), "Waiting", true, false, true),
        (Some(0), "Open", true, false, false),
        (Some(1), "Open", true, false, false),
        (None, "Open", true, false, false),
        (Some(-1), "Resolved", true, false, false),
        (Some(-1), "Closed", true, false, false),
        (Some(-1), "Open", false, false, false),
        (Some(-1), "Open", true, true, false),
    ];
    for row in rows {
        let (due, status, active, breached, expected) = row;
        let mut item = stored_case(&workspace).value.item;
        item.due = due.map(|ms| NOW.plus_ms(ms));
        item.active = active;
        item.breached = breached;
        set_status(&mut item, &workspace, status);
        let after = breach(&item, &workspace, &app_actor(), NOW);
        assert_eq!(after.is_some(), expected, "{row:?}");
        if let Some(after) = after {
            assert!(after.breached && after.updated_at > item.updated_at);
        }
    }
}
