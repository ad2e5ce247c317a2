//! What a sample is like, on a workspace with its configuration.

use std::collections::BTreeMap;

use casement_domain::actor::Actor;
use casement_domain::date::Moment;
use casement_domain::id::{AccountId, OrganisationId, StreamId};
use casement_domain::workspace::Workspace;
use casement_domain::workspace::configure::configure;
use casement_domain::workspace::defaults::{self, Identity};
use casement_sample::configuration::configuration;
use casement_sample::sample::{Act, Order, Sample};

const UNTIL: Moment = Moment::from_ms(1_748_520_000_000);

fn workspace() -> Workspace {
    let identity = Identity {
        account: AccountId::from_text("6639f7bd58c97ffac0300001"),
        organisation: OrganisationId::from_text("o-1"),
        stream: StreamId::from_text("st-1"),
    };
    let mut ids = 1..;
    let mut workspace = defaults::workspace(identity, UNTIL, &mut ids);
    let change = configure(&workspace, &configuration(), &mut ids).unwrap();
    workspace.statuses.extend(change.statuses.into_iter().map(|(_, after)| after));
    workspace.queues.extend(change.queues.into_iter().map(|(_, after)| after));
    workspace.fields.extend(change.fields.into_iter().map(|(_, after)| after));
    workspace.agents.extend(change.agents.into_iter().map(|(_, after)| after));
    workspace.task_templates.extend(change.task_templates.into_iter().map(|(_, after)| after));
    workspace.case_templates.extend(change.case_templates.into_iter().map(|(_, after)| after));
    workspace
}

fn sample(workspace: &Workspace, cases: u64, seed: u64, events: u64) -> Sample {
    let order = Order { cases, seed, events, until: UNTIL, app: Actor::server() };
    Sample::new(workspace, &order).unwrap()
}

fn texts(sample: Sample) -> Vec<String> {
    sample.map(|deed| format!("{deed:?} {:?}", deed.ids().take(4).collect::<Vec<_>>())).collect()
}

#[test]
fn the_configuration_changes_nothing_when_it_is_applied_again() {
    let again = configure(&workspace(), &configuration(), &mut (1..)).unwrap();
    assert!(again.entries().is_empty(), "{:?}", again.entries());
}

#[test]
fn a_seed_gives_the_same_commands_and_ids_each_time() {
    let workspace = workspace();
    let first = texts(sample(&workspace, 300, 5, 10));
    assert_eq!(first, texts(sample(&workspace, 300, 5, 10)));
    assert_ne!(first, texts(sample(&workspace, 300, 6, 10)));
    assert_ne!(first, texts(sample(&workspace, 300, 5, 11)), "a second sample repeats nothing");
}

#[test]
fn commands_come_in_the_order_of_time_and_end_with_the_last_of_each_case() {
    let workspace = workspace();
    let mut before = Moment::from_ms(0);
    let mut ended: BTreeMap<u64, bool> = BTreeMap::new();
    let mut made = 0;
    for deed in sample(&workspace, 5_000, 1, 0) {
        assert!(deed.at >= before && deed.at < UNTIL);
        before = deed.at;
        match &deed.act {
            Act::CreateCase(_) => {
                assert_eq!(deed.case, made);
                made += 1;
            }
            _ => assert_eq!(ended.get(&deed.case), Some(&false), "{deed:?}"),
        }
        ended.insert(deed.case, deed.is_last);
    }
    assert_eq!(made, 5_000);
    assert!(ended.values().all(|ended| *ended));
}

#[test]
fn a_customer_is_known_exactly_when_an_earlier_case_made_the_profile() {
    let workspace = workspace();
    let mut people = std::collections::BTreeSet::new();
    let mut known = 0;
    for deed in sample(&workspace, 2_000, 1, 0) {
        let Act::CreateCase(new) = &deed.act else { continue };
        let name = deed.ids().next().unwrap();
        assert_eq!(new.known.is_some(), !people.insert(name));
        known += usize::from(new.known.is_some());
    }
    assert!((1_500..1_700).contains(&known), "{known}");
}

#[test]
fn a_workspace_without_the_configuration_is_told_what_it_lacks() {
    let mut bare = workspace();
    bare.queues.clear();
    let order = Order { cases: 1, seed: 1, events: 0, until: UNTIL, app: Actor::server() };
    let missing = Sample::new(&bare, &order).unwrap_err();
    assert_eq!(missing.0, "the queue \"First line\"");
}
