//! Faults as answers: which status wins and what stands beside it; contract sections 10 and 11.1.

use casement_domain::fault::{FaultKind, Faults, Key};
use casement_wire::error::Problem;
use casement_wire::spelling::Noun;
use proptest::prelude::*;
use serde_json::{Value, json};

const KINDS: [(FaultKind, u16, u16); 4] = [
    (FaultKind::Invalid, 400, 4003),
    (FaultKind::NotFound, 404, 4004),
    (FaultKind::Unprocessable, 422, 4022),
    (FaultKind::Conflict, 409, 4009),
];

proptest! {
    #[test]
    fn the_first_kind_of_the_contract_s_order_decides_and_only_400_and_422_stand_together(
        picked in prop::collection::vec(0..4_usize, 1..12)
    ) {
        let mut faults = Faults::new();
        for place in &picked {
            faults.add(KINDS[*place].0, Key::Name, "is wrong");
        }
        let problem = Problem::of_faults(&faults, Noun::Case);
        let (first, status, code) = KINDS.into_iter().find(|(kind, _, _)| faults.has(*kind)).unwrap();
        prop_assert_eq!(problem.status, status);
        let told: Vec<u16> = problem.errors.iter().map(|entry| entry.code).collect();
        let expected: Vec<u16> = picked
            .iter()
            .map(|place| KINDS[*place])
            .filter(|(kind, _, _)| *kind == first || (status == 400 && *kind == FaultKind::Unprocessable))
            .map(|(_, _, code)| code)
            .collect();
        prop_assert!(told.contains(&code));
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn a_problem_carries_both_envelopes() {
    let mut faults = Faults::new();
    faults.add_at(FaultKind::Invalid, Key::Tags, 2, "must be shorter");
    let problem: Value = serde_json::from_slice(&Problem::of_faults(&faults, Noun::Task).to_bytes()).unwrap();
    assert_eq!(
        problem,
        json!({
            "type": "urn:casement:problem:invalid",
            "title": "The request is not valid",
            "status": 400,
            "detail": "tags[2]: must be shorter",
            "errors": [{"msg": "tags[2]: must be shorter", "code": 4003, "field": "tags[2]"}],
        })
    );
}
