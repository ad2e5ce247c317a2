//! Assignment: a table over what is stored and what is given, and what holds for all of it; contract sections 9, 11.3.

use casement_domain::case::update::UpdateCase;
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::id::{AgentId, QueueId};
use casement_domain::item::assignment::assign;
use casement_domain::item::input::AssigneeInput;
use casement_domain::item::{AssigneeKind, Assignment, Participant};
use casement_domain::limits;
use casement_domain::workspace::Reference;
use proptest::prelude::*;

use crate::documents;
use crate::world::{NOW, decide_update, faults_of, invalid, made_case, stored_case, workspace};

/// What an update says: the kind, the agent (`Some(None)`: nobody) and the queues.
#[derive(Debug, Clone, PartialEq)]
struct Says {
    kind: Option<AssigneeKind>,
    agent: Option<Option<&'static str>>,
    queues: Option<Vec<&'static str>>,
}

fn stored(agent: Option<&str>, queues: &[&str]) -> Assignment {
    Assignment {
        agent: agent.map(AgentId::from_text),
        queues: queues.iter().map(|queue| QueueId::from_text(*queue)).collect(),
    }
}

fn command(says: &Says) -> UpdateCase {
    let mut command = UpdateCase::default();
    let item = &mut command.input.item;
    item.assignee_kind = says.kind.map_or(Given::Absent, Given::Value);
    item.assignee = match says.agent {
        None => Given::Absent,
        Some(None) => Given::Value(None),
        Some(Some(agent)) => Given::Value(Some(AssigneeInput::Profile(agent.to_owned()))),
    };
    item.queues = match &says.queues {
        None => Given::Absent,
        Some(queues) => Given::Value(queues.iter().map(|queue| Reference::Id((*queue).to_owned())).collect()),
    };
    command
}

/// Gives the assignment after an update, `None` when it is refused.
fn after(before: &Assignment, says: &Says) -> Option<Assignment> {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    case.value.item.assignment = before.clone();
    case.value.item.participants = before
        .agent
        .iter()
        .map(|agent| Participant { agent: agent.clone(), active: true, assigned_at: NOW })
        .collect();
    match decide_update(&workspace, &case, &command(says), &[]) {
        Ok(Some(change)) => Some(made_case(&change).item.assignment),
        Ok(None) => Some(before.clone()),
        Err(faults) => {
            assert!(!faults.has(FaultKind::Conflict) && !faults.has(FaultKind::Unprocessable));
            None
        }
    }
}

/// Reads `A Q R`: the agents are A and B, the queues Q and R.
fn read_assignment(text: &str) -> Assignment {
    let mut assignment = Assignment::default();
    for word in text.split_whitespace() {
        match word {
            "A" | "B" => assignment.agent = Some(AgentId::from_text(format!("a-{}", word.to_lowercase()))),
            "Q" | "R" => assignment.queues.push(QueueId::from_text(format!("qu-{}", word.to_lowercase()))),
            "-" => {}
            other => panic!("{other}"),
        }
    }
    assignment
}

fn read_says(text: &str) -> Says {
    let mut says = Says { kind: None, agent: None, queues: None };
    for word in text.split_whitespace() {
        match word {
            "unassigned" => says.kind = Some(AssigneeKind::Unassigned),
            "queues" => says.kind = Some(AssigneeKind::Queues),
            "agent" => says.kind = Some(AssigneeKind::Agent),
            "who={}" => says.agent = Some(None),
            "who=A" => says.agent = Some(Some("a-a")),
            "who=B" => says.agent = Some(Some("a-b")),
            "in=" => says.queues = Some(vec![]),
            "in=Q" => says.queues = Some(vec!["qu-q"]),
            "in=R" => says.queues = Some(vec!["qu-r"]),
            "in=QR" => says.queues = Some(vec!["qu-q", "qu-r"]),
            other => panic!("{other}"),
        }
    }
    says
}

#[test]
fn the_table_of_assignments() {
    // stored | given | then; 400 is a refusal.
    let table = "
        -   | who=A                   | A
        -   | agent who=A             | A
        -   | unassigned who=A        | A
        -   | in=Q                    | Q
        -   | queues in=Q             | Q
        -   | unassigned in=Q         | Q
        -   | who=A in=Q              | A Q
        -   | agent who=A in=Q        | A Q
        -   | agent                   | 400
        -   | queues                  | 400
        -   | agent in=Q              | 400
        -   | agent who={}            | 400
        -   | queues in=              | 400
        -   | queues who=A in=Q       | 400
        -   | queues who=A            | 400
        -   | queues who={} in=Q      | Q
        -   | unassigned who={} in=   | -
        -   | who={}                  | -
        -   | in=                     | -
        A   | who={}                  | -
        A   | unassigned              | -
        A   | unassigned who={}       | -
        A   | unassigned who=A        | -
        A   | unassigned who=A in=    | -
        A   | unassigned who=B        | 400
        A   | unassigned in=Q         | 400
        A   | who=B                   | B
        A   | agent who=B             | B
        A   | who=A                   | A
        A   | agent                   | A
        A   | in=Q                    | Q
        A   | queues in=Q             | Q
        A   | queues who=A in=Q       | Q
        A   | queues who={} in=Q      | Q
        A   | queues who=B in=Q       | 400
        A   | queues                  | 400
        A   | queues in=              | 400
        A   | in=                     | A
        A   | who=A in=Q              | A Q
        A   | agent in=Q              | A Q
        A   | agent who=A in=Q        | A Q
        A   | who={} in=Q             | Q
        A   | who=B in=Q              | B Q
        Q   | who=A                   | A Q
        Q   | agent who=A             | A Q
        Q   | queues who=A in=Q       | A Q
        Q   | agent                   | 400
        Q   | agent who={}            | 400
        Q   | unassigned              | -
        Q   | unassigned in=Q         | -
        Q   | unassigned who={} in=Q  | -
        Q   | unassigned in=R         | 400
        Q   | unassigned in=QR        | 400
        Q   | unassigned who=A        | 400
        Q   | in=                     | -
        Q   | in=R                    | R
        Q   | in=QR                   | Q R
        Q   | queues in=R             | R
        Q   | who={}                  | Q
        Q   | who={} in=              | -
        A Q | who={}                  | Q
        A Q | who={} in=              | -
        A Q | who={} in=Q             | Q
        A Q | unassigned              | -
        A Q | unassigned who=A in=Q   | -
        A Q | unassigned in=R         | 400
        A Q | in=                     | A
        A Q | in=R                    | R
        A Q | agent in=R              | A R
        A Q | who=A in=R              | A R
        A Q | agent who=A in=Q        | A Q
        A Q | queues who=A in=Q       | Q
        A Q | queues in=R             | R
        A Q | queues in=              | 400
        A Q | queues who=B            | 400
        A Q | who=B                   | B Q
        A Q | agent who=B in=R        | B R
    ";
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let expected = (parts[2] != "400").then(|| read_assignment(parts[2]));
        assert_eq!(after(&read_assignment(parts[0]), &read_says(parts[1])), expected, "{line}");
    }
}

fn kinds() -> impl Strategy<Value = Option<AssigneeKind>> {
    prop::sample::select(vec![
        None,
        Some(AssigneeKind::Unassigned),
        Some(AssigneeKind::Queues),
        Some(AssigneeKind::Agent),
    ])
}

fn says() -> impl Strategy<Value = Says> {
    let agents = prop::sample::select(vec![None, Some(None), Some(Some("a-a")), Some(Some("a-b"))]);
    let queues = prop::sample::select(vec![
        None,
        Some(vec![]),
        Some(vec!["qu-q"]),
        Some(vec!["qu-r"]),
        Some(vec!["qu-q", "qu-r"]),
    ]);
    (kinds(), agents, queues).prop_map(|(kind, agent, queues)| Says { kind, agent, queues })
}

fn stored_any() -> impl Strategy<Value = Assignment> {
    prop::sample::select(vec![
        stored(None, &[]),
        stored(None, &["qu-q"]),
        stored(None, &["qu-q", "qu-r"]),
        stored(Some("a-a"), &[]),
        stored(Some("a-a"), &["qu-q"]),
    ])
}

proptest! {
    #[test]
    fn whatever_is_accepted_says_what_was_asked(before in stored_any(), says in says()) {
        let Some(after) = after(&before, &says) else { return Ok(()) };
        if let Some(kind) = says.kind.filter(|kind| *kind != before.kind()) {
            prop_assert_eq!(after.kind(), kind);
        }
        let named = says.agent.flatten().map(AgentId::from_text);
        if named.is_some() && named != before.agent {
            prop_assert_eq!(&after.agent, &named);
        }
        if says.agent == Some(None) {
            prop_assert_eq!(&after.agent, &None);
        }
        if let Some(queues) = &says.queues {
            let queues: Vec<QueueId> = queues.iter().map(|queue| QueueId::from_text(*queue)).collect();
            let cleared = after == Assignment::default() && queues == before.queues;
            prop_assert!(cleared || after.queues == queues);
        }
    }

    #[test]
    fn the_same_update_again_changes_nothing_more(before in stored_any(), says in says()) {
        if let Some(once) = after(&before, &says) {
            // An agent who was only repeated beside a change that takes the item from them would be named anew.
            if says.agent.flatten().is_some_and(|agent| once.agent != Some(AgentId::from_text(agent))) {
                return Ok(());
            }
            // As would queues that were only repeated beside a change that takes the item out of them.
            let queues = |says: &[&'static str]| -> Vec<QueueId> {
                says.iter().map(|queue| QueueId::from_text(*queue)).collect()
            };
            if says.queues.as_deref().is_some_and(|given| once.queues != queues(given)) {
                return Ok(());
            }
            let without_kind = Says { kind: None, ..says.clone() };
            let again = if says.kind == Some(once.kind()) { &says } else { &without_kind };
            prop_assert_eq!(after(&once, again), Some(once));
        }
    }

    #[test]
    fn turns_follow_the_assignment(says in prop::collection::vec(says(), 1..8)) {
        let workspace = workspace();
        let mut case = stored_case(&workspace);
        for (step, says) in says.iter().enumerate() {
            let turns_before = case.value.item.participants.clone();
            let agent_before = case.value.item.assignment.agent.clone();
            if let Ok(Some(change)) = decide_update(&workspace, &case, &command(says), &[]) {
                case.value = made_case(&change);
                case.version = step as u64 + 2;
            }
            let item = &case.value.item;
            let active: Vec<&AgentId> =
                item.participants.iter().filter(|turn| turn.active).map(|turn| &turn.agent).collect();
            prop_assert_eq!(active, item.assignment.agent.iter().collect::<Vec<_>>());
            let is_new_turn = item.assignment.agent != agent_before && item.assignment.agent.is_some();
            prop_assert_eq!(item.participants.len(), turns_before.len() + usize::from(is_new_turn));
            for (now, before) in item.participants.iter().zip(&turns_before) {
                prop_assert_eq!((&now.agent, now.assigned_at), (&before.agent, before.assigned_at));
            }
            if is_new_turn {
                prop_assert!(item.participants.last().unwrap().active, "the newest turn is the last");
            }
        }
    }

    #[test]
    fn the_stored_assignment_given_back_changes_nothing(before in documents::assignment()) {
        let workspace = workspace();
        let mut case = stored_case(&workspace);
        case.value.item.assignment = before.clone();
        let mut command = UpdateCase::default();
        let item = &mut command.input.item;
        item.assignee_kind = Given::Value(before.kind());
        item.assignee =
            Given::Value(before.agent.as_ref().map(|agent| AssigneeInput::Profile(agent.to_string())));
        item.queues =
            Given::Value(before.queues.iter().map(|queue| Reference::Id(queue.to_string())).collect());
        prop_assert_eq!(decide_update(&workspace, &case, &command, &[]), Ok(None));
    }
}

#[test]
fn an_agent_is_named_by_profile_by_person_or_by_name() {
    for named in [
        AssigneeInput::Profile("a-b".to_owned()),
        AssigneeInput::User("u-b".to_owned()),
        AssigneeInput::Name("BEN agent".to_owned()),
    ] {
        let workspace = workspace();
        let mut command = UpdateCase::default();
        command.input.item.assignee = Given::Value(Some(named));
        let change = decide_update(&workspace, &stored_case(&workspace), &command, &[]).unwrap().unwrap();
        assert_eq!(made_case(&change).item.assignment.agent, Some(AgentId::from_text("a-b")));
    }
    for unknown in [
        AssigneeInput::Profile("u-b".to_owned()),
        AssigneeInput::User("a-b".to_owned()),
        AssigneeInput::Name("Ben".to_owned()),
        AssigneeInput::Profile("a-o".to_owned()),
    ] {
        let workspace = workspace();
        let mut command = UpdateCase::default();
        command.input.item.assignee = Given::Value(Some(unknown));
        command.input.item.assignee_kind = Given::Value(AssigneeKind::Agent);
        let decided = decide_update(&workspace, &stored_case(&workspace), &command, &[]);
        assert_eq!(faults_of(decided), invalid(Key::Assignee));
    }
}

#[test]
fn null_clears_the_assignee_and_is_refused_for_queues_and_kind() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    case.value.item.assignment = stored(Some("a-a"), &["qu-q"]);
    let mut command = UpdateCase::default();
    command.input.item.assignee = Given::Null;
    let change = decide_update(&workspace, &case, &command, &[]).unwrap().unwrap();
    assert_eq!(made_case(&change).item.assignment, stored(None, &["qu-q"]));
    command.input.item.queues = Given::Null;
    command.input.item.assignee_kind = Given::Null;
    let mut expected = [invalid(Key::Queues), invalid(Key::AssigneeType)].concat();
    expected.sort_unstable();
    assert_eq!(faults_of(decide_update(&workspace, &case, &command, &[])), expected);
}

#[test]
fn a_queue_that_is_named_twice_counts_once() {
    let workspace = workspace();
    let mut command = UpdateCase::default();
    command.input.item.queues =
        Given::Value(vec![Reference::Id("qu-q".to_owned()), Reference::Name("DEFAULT".to_owned())]);
    let change = decide_update(&workspace, &stored_case(&workspace), &command, &[]).unwrap().unwrap();
    assert_eq!(made_case(&change).item.assignment, stored(None, &["qu-q"]));
}

#[test]
fn past_the_most_participants_the_oldest_ended_turns_are_dropped() {
    let workspace = workspace();
    let mut item = stored_case(&workspace).value.item;
    let agent = |name: &str| Some(AgentId::from_text(name));
    for round in 0..limits::PARTICIPANTS_MAX + 5 {
        let name = if round % 2 == 0 { "a-a" } else { "a-b" };
        let turn = Assignment { agent: agent(name), queues: Vec::new() };
        assign(&mut item, turn, NOW.plus_ms(i64::try_from(round).unwrap()));
    }
    assert_eq!(item.participants.len(), limits::PARTICIPANTS_MAX);
    assert_eq!(item.participants[0].assigned_at, NOW.plus_ms(5), "the five oldest are gone");
    let active: Vec<bool> = item.participants.iter().map(|participant| participant.active).collect();
    assert_eq!(active.iter().filter(|active| **active).count(), 1);
    assert!(active.last().unwrap());
}
