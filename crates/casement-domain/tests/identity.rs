//! Keys that an update may only repeat; contract sections 9 and 11.8.

use casement_domain::case::update::UpdateCase;
use casement_domain::date::{DateInput, Moment};
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::item::input::AssigneeInput;
use casement_domain::item::input::{IdentityInput, ParticipantInput};
use casement_domain::task::update::UpdateTask;

use crate::world::{
    decide_update, decide_update_task, faults_of, given, invalid, made_case, stored_case, stored_task,
    workspace,
};

type Set = fn(&mut IdentityInput, Given<String>);

/// The keys that are compared as texts, with what is stored in a task.
const TEXTS: [(Key, &str, Set); 7] = [
    (Key::Account, "6639f7bd58c97ffac03b0001", |identity, value| identity.account = value),
    (Key::Stream, "st-1", |identity, value| identity.stream = value),
    (Key::StreamAlias, "st-1", |identity, value| identity.stream_alias = value),
    (Key::Organisation, "o-1", |identity, value| identity.organisation = value),
    (Key::ReferenceId, "TS000100", |identity, value| identity.reference = value),
    (Key::ConversationType, "TASK", |identity, value| identity.conversation_type = value),
    (Key::CaseReference, "CS000100", |identity, value| identity.case_reference = value),
];

fn faults(identity: IdentityInput) -> Vec<(FaultKind, Key, Option<usize>)> {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let task = stored_task(&workspace, &mut case);
    let mut command = UpdateTask::default();
    command.input.identity = identity;
    faults_of(decide_update_task(&workspace, &task, &case, &command))
}

#[test]
fn an_identity_key_may_repeat_the_stored_value_and_nothing_else() {
    for (key, stored, set) in TEXTS {
        let with = |value: Given<String>| {
            let mut identity = IdentityInput::default();
            set(&mut identity, value);
            faults(identity)
        };
        assert_eq!(with(given(stored)), [], "{key:?}");
        for other in ["", "st-2", &format!("{stored} "), "CASE"] {
            assert_eq!(with(given(other)), [(FaultKind::Conflict, key, None)], "{key:?} {other:?}");
        }
        assert_eq!(with(Given::Null), invalid(key), "{key:?}");
    }
}

#[test]
fn the_sort_of_document_is_compared_in_any_case_and_others_exactly() {
    let sort =
        |text: &str| faults(IdentityInput { conversation_type: given(text), ..IdentityInput::default() });
    assert_eq!(sort("task"), []);
    assert_eq!(sort("TaSk"), []);
    let stream = |text: &str| faults(IdentityInput { stream: given(text), ..IdentityInput::default() });
    assert_eq!(stream("ST-1"), [(FaultKind::Conflict, Key::Stream, None)]);
}

#[test]
fn ids_of_the_document_and_its_case_are_identity() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let task = stored_task(&workspace, &mut case);
    let mut command = UpdateTask::default();
    command.input.identity.id = given(task.value.id.as_str());
    command.input.identity.case = given(case.value.id.as_str());
    assert_eq!(decide_update_task(&workspace, &task, &case, &command), Ok(None));
    command.input.identity.id = given(case.value.id.as_str());
    command.input.identity.case = given(task.value.id.as_str());
    let conflicts = [(FaultKind::Conflict, Key::Id, None), (FaultKind::Conflict, Key::CaseOfTask, None)];
    assert_eq!(faults_of(decide_update_task(&workspace, &task, &case, &command)), conflicts);
}

#[test]
fn the_creation_is_compared_as_an_instant_and_by_the_creator_s_id() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let faults = |identity: IdentityInput| {
        let mut command = UpdateCase::default();
        command.input.identity = identity;
        faults_of(decide_update(&workspace, &case, &command, &[]))
    };
    let made = |text: &str| IdentityInput {
        created_at: Given::Value(DateInput::parse(text).unwrap()),
        ..IdentityInput::default()
    };
    assert_eq!(faults(made("2025-05-29T11:00:00Z")), []);
    assert_eq!(faults(made("2025-05-29T16:30:00.000+05:30")), []);
    assert_eq!(faults(made("2025-05-29T11:00:00")), []);
    assert_eq!(faults(made("2025-05-29T11:00:00.001Z")), [(FaultKind::Conflict, Key::CreatedAt, None)]);
    let by = |id: Option<&str>| IdentityInput {
        created_by: Given::Value(id.map(str::to_owned)),
        ..IdentityInput::default()
    };
    assert_eq!(faults(by(Some("u-app"))), []);
    assert_eq!(faults(by(None)), []);
    assert_eq!(faults(by(Some("u-other"))), [(FaultKind::Conflict, Key::CreatedBy, None)]);
}

#[test]
fn a_case_has_no_case_of_its_own_so_the_key_is_unknown_there() {
    let workspace = workspace();
    let mut command = UpdateCase::default();
    command.input.identity.case = given("ci-other");
    command.input.identity.case_reference = Given::Null;
    assert_eq!(decide_update(&workspace, &stored_case(&workspace), &command, &[]), Ok(None));
}

#[test]
fn participants_may_be_given_back_and_any_other_list_is_refused() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    for agent in ["a-a", "a-b"] {
        let mut command = UpdateCase::default();
        command.input.item.assignee = Given::Value(Some(AssigneeInput::Profile(agent.to_owned())));
        case.value = made_case(&decide_update(&workspace, &case, &command, &[]).unwrap().unwrap());
    }
    let turn = |agent: &str, user: &str, active: bool| ParticipantInput {
        agent: Some(agent.to_owned()),
        user: Some(user.to_owned()),
        active: Some(active),
        assigned_at: None,
    };
    let faults = |entries: Given<Vec<ParticipantInput>>| {
        let mut command = UpdateCase::default();
        command.input.participants = entries;
        faults_of(decide_update(&workspace, &case, &command, &[]))
    };
    let (former, current) = (turn("a-a", "u-a", false), turn("a-b", "u-b", true));
    assert_eq!(faults(Given::Value(vec![former.clone(), current.clone()])), []);
    let moved =
        ParticipantInput { assigned_at: Some(DateInput::Instant(Moment::from_ms(1))), ..current.clone() };
    for wrong in [
        vec![],
        vec![current.clone()],
        vec![current.clone(), former.clone()],
        vec![former.clone(), turn("a-b", "u-b", false)],
        vec![former.clone(), turn("a-b", "u-a", true)],
        vec![former.clone(), moved],
        vec![former.clone(), current.clone(), current.clone()],
    ] {
        assert_eq!(faults(Given::Value(wrong)), invalid(Key::Participants));
    }
    assert_eq!(faults(Given::Null), invalid(Key::Participants));
}
