//! A text of the query language: it is read or refused at one of its places, and finds what its parts find.

use std::collections::BTreeSet;

use casement_domain::date::Zone;
use casement_domain::fault::{Faults, Key};
use casement_domain::id::CaseId;
use casement_domain::list::expression::Written;
use casement_domain::list::filter::CaseState;
use casement_domain::list::query::ListQuery;
use casement_domain::list::resolve::resolve;
use casement_domain::list::row::{Row, Work};
use casement_wire::language::read;

use crate::world::{NOW, app_actor, number, world};

/// Checks a text.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut faults = Faults::new();
    let written = read(text, &mut faults);
    check_places(text, &faults);
    assert!(faults.is_empty() || written.is_none(), "{text:?} is read and refused");
    let Some(written) = written else { return };
    let query = ListQuery { expression: Some(written.clone()), ..ListQuery::default() };
    match resolve(&query, &world().workspace, &app_actor(), Zone::UTC, NOW) {
        Err(faults) => {
            assert!(!faults.is_empty());
            check_places(text, &faults);
        }
        Ok(_) => assert_eq!(found(&written), of_parts(&written), "{text:?}"),
    }
}

/// Every fault is of the expression, and lies in the text or at its end.
fn check_places(text: &str, faults: &Faults) {
    let length = text.chars().count();
    for fault in faults.list() {
        assert_eq!(fault.key, Key::Expression);
        assert!(fault.position.is_some_and(|position| position <= length), "{text:?}: {fault:?}");
    }
}

/// The places of the cases that an expression finds.
fn found(written: &Written) -> BTreeSet<usize> {
    let world = world();
    let query = ListQuery { expression: Some(written.clone()), ..ListQuery::default() };
    let filter = resolve(&query, &world.workspace, &app_actor(), Zone::UTC, NOW);
    let filter = filter.expect("a part of what is resolved is resolved");
    let case_of = |_: &CaseId| None::<CaseState>;
    let rows =
        world.cases.iter().enumerate().map(|(place, case)| {
            (place, Row::prepared(Work::Case(case.clone())).committed(1, number(place)))
        });
    rows.filter(|(_, row)| filter.matches(row, &world.workspace, NOW, case_of))
        .map(|(place, _)| place)
        .collect()
}

/// What an expression finds by what its parts find.
fn of_parts(written: &Written) -> BTreeSet<usize> {
    let all = || found(&Written::All(Vec::new()));
    match written {
        Written::All(parts) => parts.iter().fold(all(), |rest, part| &rest & &of_parts(part)),
        Written::Any(parts) => parts.iter().fold(BTreeSet::new(), |rest, part| &rest | &of_parts(part)),
        Written::Not(part) => &all() - &of_parts(part),
        Written::Words(_) | Written::Clause(_) => found(written),
    }
}
