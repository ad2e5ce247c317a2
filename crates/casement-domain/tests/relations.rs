//! What cases have to do with each other and with agents: links, merges, watchers, transfers.

use casement_domain::case::Case;
use casement_domain::case::link::{Link, LinkKind, link_cases, unlink_cases};
use casement_domain::case::merge::{MergeCase, merge_cases};
use casement_domain::case::transfer::transfer_case;
use casement_domain::case::watch::{Watch, Watching, watch_case};
use casement_domain::change::{Change, Record};
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::given::Given;
use casement_domain::id::CaseId;
use casement_domain::item::input::AssigneeInput;
use casement_domain::item::transfer::Transfer;
use casement_domain::limits;
use casement_domain::version::Versioned;
use casement_domain::workspace::Reference;
use proptest::prelude::*;

use crate::world::{NOW, app_actor, sorted, stored_case, stored_task, workspace};

/// Cases of a small world, by their place.
fn cases(count: usize) -> Vec<Versioned<Case>> {
    let made = |number: usize| {
        let mut case = stored_case(&workspace());
        (case.value.id, case.number) = (CaseId::fresh(number as u128 + 1), Some(100 + number as u64));
        case
    };
    (0..count).map(made).collect()
}

/// Puts what a change makes of cases in their places.
fn take(cases: &mut [Versioned<Case>], change: &Change) {
    for record in &change.records {
        if let Record::Case(after) = &record.after {
            let case = cases.iter_mut().find(|case| case.value.id == after.id).unwrap();
            case.version += 1;
            case.value = after.clone();
        }
    }
}

/// The cases above one, by the links alone.
fn above(cases: &[Versioned<Case>], case: &Case) -> Vec<CaseId> {
    let mut above = Vec::new();
    let mut parent = case.parent().cloned();
    while let Some(id) = parent {
        assert!(above.len() <= cases.len(), "a circle");
        parent = cases.iter().find(|case| case.value.id == id).and_then(|case| case.value.parent().cloned());
        above.push(id);
    }
    above
}

fn kind() -> impl Strategy<Value = LinkKind> {
    prop::sample::select(vec![
        LinkKind::Related,
        LinkKind::DuplicateOf,
        LinkKind::DuplicatedBy,
        LinkKind::Parent,
        LinkKind::Child,
        LinkKind::Merged,
    ])
}

#[derive(Debug, Clone)]
enum Step {
    Link(usize, usize, LinkKind),
    Unlink(usize, usize, Option<LinkKind>),
    Merge(usize, usize),
}

const CASES: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..CASES, 0..CASES, kind()).prop_map(|(one, two, kind)| Step::Link(one, two, kind)),
        2 => (0..CASES, 0..CASES, prop::option::of(kind())).prop_map(|(one, two, kind)| Step::Unlink(one, two, kind)),
        1 => (0..CASES, 0..CASES).prop_map(|(one, two)| Step::Merge(one, two)),
    ]
}

fn carry_out(cases: &[Versioned<Case>], step: &Step) -> Result<Option<Change>, Faults> {
    let actor = app_actor();
    match step {
        Step::Link(one, two, kind) => {
            let parent = if *kind == LinkKind::Child { one } else { two };
            let above = above(cases, &cases[*parent].value);
            link_cases(&actor, &cases[*one], &cases[*two], *kind, &above, &[], NOW)
        }
        Step::Unlink(one, two, kind) => unlink_cases(&actor, &cases[*one], &cases[*two], *kind, &[], NOW),
        Step::Merge(one, two) => {
            let command = MergeCase { into: Given::Value("x".to_owned()), ..MergeCase::default() };
            merge_cases(&workspace(), &actor, &cases[*one], Some(&cases[*two]), &command, &[], &[], NOW)
                .map(Some)
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_linked_both_sides_say_so_and_nobody_is_its_own_ancestor(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut cases = cases(CASES);
        for step in steps {
            let merged: Vec<Case> =
                cases.iter().map(|case| case.value.clone()).filter(|case| case.merged_into.is_some()).collect();
            if let Ok(Some(change)) = carry_out(&cases, &step) {
                take(&mut cases, &change);
            }
            for case in &merged {
                let now = cases.iter().find(|other| other.value.id == case.id).unwrap();
                prop_assert_eq!(&now.value, case, "a merged case changed: {:?}", step);
            }
            for case in cases.iter().map(|case| &case.value) {
                prop_assert!(!above(&cases, case).contains(&case.id), "{:?}", step);
                let parents = case.links.iter().filter(|link| link.kind == LinkKind::Parent).count();
                prop_assert!(parents <= 1, "{:?}", step);
                for link in &case.links {
                    let other = &cases.iter().find(|other| other.value.id == link.case).unwrap().value;
                    prop_assert!(other.id != case.id);
                    match link.kind.reverse() {
                        Some(kind) => {
                            let reverse = Link { kind, case: case.id.clone() };
                            // Only a merged case keeps a link that the other one has ended.
                            let is_told = other.links.contains(&reverse) || case.merged_into.is_some();
                            prop_assert!(is_told, "{:?}: {:?}", step, link);
                        }
                        None => {
                            // Also through others.
                            let into = other.merged_into.as_ref().map(|into| into.case.clone()).unwrap();
                            let into = cases.iter().find(|other| other.value.id == into).unwrap();
                            prop_assert!(case.is_or_absorbed(&into.value.id), "{:?}", step);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_link_that_ends_leaves_both_as_they_were(one in 0..CASES, two in 0..CASES, kind in kind()) {
        let mut cases = cases(CASES);
        let before: Vec<Vec<Link>> = cases.iter().map(|case| case.value.links.clone()).collect();
        if let Ok(Some(change)) = carry_out(&cases, &Step::Link(one, two, kind)) {
            take(&mut cases, &change);
            prop_assert!(carry_out(&cases, &Step::Link(one, two, kind)).unwrap().is_none());
            let change = carry_out(&cases, &Step::Unlink(two, one, None)).unwrap().unwrap();
            take(&mut cases, &change);
        }
        let after: Vec<Vec<Link>> = cases.iter().map(|case| case.value.links.clone()).collect();
        prop_assert_eq!(after, before);
    }
}

#[test]
fn a_merge_moves_every_task_and_both_cases_in_one_change() {
    let workspace = workspace();
    let mut cases = cases(2);
    let [one, two] = cases.as_mut_slice() else { unreachable!() };
    let tasks = [stored_task(&workspace, one)];
    let command = MergeCase { into: Given::Value("x".to_owned()), ..MergeCase::default() };
    let change = merge_cases(&workspace, &app_actor(), one, Some(two), &command, &tasks, &[], NOW).unwrap();
    let events: Vec<&str> = change.records.iter().map(|record| record.event).collect();
    assert_eq!(events, ["case.absorbed", "case.merged", "task.moved"]);
    let Record::Task(moved) = &change.records[2].after else { panic!("no task") };
    assert_eq!((&moved.case, moved.item.updated_at > tasks[0].value.item.updated_at), (&two.value.id, true));
    let full = vec![tasks[0].value.id.clone(); limits::TASKS_PER_CASE_MAX];
    two.value.tasks = full;
    let refused =
        merge_cases(&workspace, &app_actor(), one, Some(two), &command, &tasks, &[], NOW).unwrap_err();
    assert_eq!(sorted(&refused), [(FaultKind::Unprocessable, Key::Into, None)]);
}

#[test]
fn what_was_merged_goes_on_with_its_case_within_the_limit_of_links() {
    let workspace = workspace();
    let mut cases = cases(3);
    for (one, two) in [(0, 1), (1, 2)] {
        let change = carry_out(&cases, &Step::Merge(one, two)).unwrap().unwrap();
        take(&mut cases, &change);
    }
    let absorbed: Vec<&CaseId> = cases[2].value.absorbed().collect();
    assert_eq!(absorbed, [&cases[1].value.id, &cases[0].value.id]);
    assert!(
        cases[2].value.is_or_absorbed(&cases[2].value.id)
            && !cases[0].value.is_or_absorbed(&cases[1].value.id)
    );

    let [mut one, mut two] = [stored_case(&workspace), stored_case(&workspace)];
    one.value.id = CaseId::fresh(90);
    two.value.id = CaseId::fresh(91);
    let merged = |number: u128| Link { kind: LinkKind::Merged, case: CaseId::fresh(number) };
    one.value.links = (100..150).map(merged).collect();
    two.value.links = (200..250).map(merged).collect();
    let command = MergeCase { into: Given::Value("x".to_owned()), ..MergeCase::default() };
    let merge = |two: &Versioned<Case>| {
        merge_cases(&workspace, &app_actor(), &one, Some(two), &command, &[], &[], NOW).map(|_| ())
    };
    assert_eq!(sorted(&merge(&two).unwrap_err()), [(FaultKind::Unprocessable, Key::Into, None)]);
    two.value.links.pop();
    merge(&two).unwrap();
}

#[test]
fn links_with_purged_cases_take_no_room_and_end_with_the_next_change_of_links() {
    let workspace = workspace();
    let gone: Vec<CaseId> = (100..100 + limits::CASE_LINKS_MAX as u128).map(CaseId::fresh).collect();
    for kind in [LinkKind::Related, LinkKind::Parent, LinkKind::Child] {
        let mut cases = cases(2);
        for case in &mut cases {
            case.value.links =
                gone.iter().map(|case| Link { kind: LinkKind::Parent, case: case.clone() }).collect();
        }
        let [one, two] = cases.as_slice() else { unreachable!() };
        let decide = |gone: &[CaseId]| link_cases(&app_actor(), one, two, kind, &[], gone, NOW);
        assert!(sorted(&decide(&[]).unwrap_err()).contains(&(
            FaultKind::Unprocessable,
            Key::OtherCase,
            None
        )));
        let change = decide(&gone).unwrap().unwrap();
        let before = change.records[0].before.as_ref().map(|before| before.value.clone());
        assert_eq!(before, Some(Record::Case(one.value.clone())), "what was stands in the log as it was");
        for (record, other) in change.records.iter().zip([two, one]) {
            let Record::Case(after) = &record.after else { panic!("no case") };
            let others: Vec<&CaseId> = after.links.iter().map(|link| &link.case).collect();
            assert_eq!(others, [&other.value.id]);
        }
        // All but one.
        let nearly = gone.get(1..).unwrap();
        assert_eq!(decide(nearly).is_ok(), kind == LinkKind::Related, "a parent that is there is one");
        let command = MergeCase { into: Given::Value("x".to_owned()), ..MergeCase::default() };
        let merge =
            |gone: &[CaseId]| merge_cases(&workspace, &app_actor(), one, Some(two), &command, &[], gone, NOW);
        merge(&[]).unwrap_err();
        let Record::Case(going_on) = merge(&gone).unwrap().records.remove(0).after else { panic!("no case") };
        assert_eq!(going_on.links, [Link { kind: LinkKind::Merged, case: one.value.id.clone() }]);
    }
}

#[test]
fn a_case_has_a_hundred_watchers_and_no_more() {
    let workspace = workspace();
    let mut case = cases(1).remove(0);
    let agent = workspace.agents.iter().find(|agent| agent.active).unwrap();
    let watch = |watching| Watch { agent: agent.id.to_string(), watching };
    let decide =
        |case: &Versioned<Case>, watching| watch_case(&workspace, &app_actor(), case, &watch(watching), NOW);
    case.value.watchers = (0..limits::WATCHERS_MAX)
        .map(|number| casement_domain::id::AgentId::from_text(format!("a-{number}")))
        .collect();
    let refused = decide(&case, Watching::Begin).unwrap_err();
    assert_eq!(sorted(&refused), [(FaultKind::Unprocessable, Key::Watcher, None)]);
    assert_eq!(decide(&case, Watching::End), Ok(None));
    case.value.watchers.pop();
    let change = decide(&case, Watching::Begin).unwrap().unwrap();
    let Record::Case(after) = &change.records[0].after else { panic!("no case") };
    assert_eq!((after.watchers.last(), change.records[0].event), (Some(&agent.id), "case.watched"));
}

#[test]
fn a_transfer_follows_the_rules_of_an_assignment() {
    let workspace = workspace();
    let case = cases(1).remove(0);
    let decide = |command: &Transfer| transfer_case(&workspace, &app_actor(), &case, command, NOW);
    let agent = workspace.agents.iter().find(|agent| agent.active).unwrap();
    let to_agent = Transfer {
        agent: Given::Value(AssigneeInput::Any(agent.name.clone())),
        note: Given::Value(" Mind the gap ".to_owned()),
        ..Transfer::default()
    };
    let change = decide(&to_agent).unwrap().unwrap();
    let Record::Case(after) = &change.records[0].after else { panic!("no case") };
    assert_eq!(after.item.assignment.agent.as_ref(), Some(&agent.id));
    assert_eq!(after.item.transfer.as_ref().map(|note| note.note.as_str()), Some("Mind the gap"));
    assert!(after.item.participants.last().is_some_and(|turn| turn.active && turn.agent == agent.id));
    let both = Transfer { queue: Given::Value(Reference::Either("x".to_owned())), ..to_agent.clone() };
    assert!(sorted(&decide(&both).unwrap_err()).contains(&(FaultKind::Invalid, Key::Body, None)));
    let unknown =
        Transfer { agent: Given::Value(AssigneeInput::Any("nobody".to_owned())), ..Transfer::default() };
    assert_eq!(sorted(&decide(&unknown).unwrap_err()), [(FaultKind::Invalid, Key::Agent, None)]);
}
