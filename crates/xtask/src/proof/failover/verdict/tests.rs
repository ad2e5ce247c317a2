//! Histories made by hand: sound ones, and each with one thing wrong.

use super::*;

fn text(words: &str) -> String {
    words.to_owned()
}

/// Case `n` as somebody saw it.
fn seen(n: u64, value: &str, tags: &[&str]) -> Seen {
    let tags = tags.iter().map(|tag| text(tag)).collect();
    Seen { case: format!("ci-{n}"), number: n, name: format!("case {n}"), value: text(value), tags }
}

fn event(start: u64, end: u64, outcome: Outcome, operation: Operation) -> Event {
    let node = text(if start.is_multiple_of(2) { "app1" } else { "app2" });
    Event { client: 1, node, key: None, start, end, outcome, operation }
}

fn create(start: u64, end: u64, outcome: Outcome, n: u64) -> Event {
    let answer = (outcome == Outcome::Ok).then(|| seen(n, &format!("first of {n}"), &[]));
    let (name, value) = (format!("case {n}"), format!("first of {n}"));
    event(start, end, outcome, Operation::Create { name, value, seen: answer })
}

fn update(start: u64, end: u64, outcome: Outcome, former: &str, value: &str) -> Event {
    let (case, former, value) = (text("ci-100"), text(former), text(value));
    event(start, end, outcome, Operation::Update { case, former, value, seen: None })
}

fn tag(start: u64, end: u64, outcome: Outcome, tag: &str) -> Event {
    event(start, end, outcome, Operation::Tag { case: text("ci-100"), tag: text(tag), seen: None })
}

fn read(start: u64, end: u64, value: &str, tags: &[&str]) -> Event {
    let found = vec![seen(100, value, tags)];
    event(start, end, Outcome::Ok, Operation::Read { case: text("ci-100"), found })
}

fn list(start: u64, end: u64, total: u64, found: Vec<Seen>) -> Event {
    event(start, end, Outcome::Ok, Operation::List { total, limit: 2, found })
}

/// What both nodes list in the end.
fn listings(cases: Vec<Seen>) -> Vec<Listing> {
    let total = cases.len() as u64;
    ["app1", "app2"].map(|node| Listing { node: text(node), total, cases: cases.clone() }).to_vec()
}

fn history(events: Vec<Event>, cases: Vec<Seen>) -> History {
    History::of(events, listings(cases))
}

/// Case 100 was made, then changed twice and tagged; case 101 was made; reads and lists saw it all.
fn sound() -> (Vec<Event>, Vec<Seen>) {
    let events = vec![
        create(1, 2, Outcome::Ok, 100),
        update(3, 5, Outcome::Ok, "first of 100", "second"),
        create(4, 7, Outcome::Ok, 101),
        tag(6, 8, Outcome::Ok, "red"),
        read(9, 10, "second", &["red"]),
        update(11, 12, Outcome::Ok, "second", "third"),
        list(13, 14, 2, vec![seen(101, "first of 101", &[]), seen(100, "third", &["red"])]),
    ];
    (events, vec![seen(100, "third", &["red"]), seen(101, "first of 101", &[])])
}

fn found(events: Vec<Event>, cases: Vec<Seen>) -> Vec<Violation> {
    violations(&history(events, cases))
}

#[test]
fn a_sound_history_has_no_violation_and_is_counted() {
    let (events, cases) = sound();
    let history = history(events, cases);
    assert_eq!(violations(&history), []);
    assert_eq!(Counts::of(&history), Counts { acknowledged: 5, unknown: 0, failed: 0, reads: 2 });
}

#[test]
fn an_acknowledged_case_that_is_gone_is_found_also_when_its_number_went_to_another() {
    let (events, mut cases) = sound();
    cases.pop();
    let lost = |node: &str| Violation::CaseLost { name: text("case 101"), node: text(node) };
    assert_eq!(found(events.clone(), cases.clone()), [lost("app1"), lost("app2")]);
    cases.push(Seen { case: text("ci-new"), name: text("case 102"), ..seen(101, "first of 102", &[]) });
    let mut events = events;
    events.push(create(20, 21, Outcome::Unknown, 102));
    assert_eq!(found(events, cases), [lost("app1"), lost("app2")]);
}

#[test]
fn a_forged_acknowledgement_is_found() {
    let (mut events, cases) = sound();
    events.push(create(20, 21, Outcome::Ok, 102));
    let forged = found(events, cases);
    assert!(
        forged.contains(&Violation::CaseLost { name: text("case 102"), node: text("app1") }),
        "{forged:?}"
    );
    let (mut events, cases) = sound();
    events.push(update(20, 21, Outcome::Ok, "third", "never sent"));
    let lost = Violation::UpdateLost { case: text("ci-100"), value: text("never sent") };
    assert_eq!(found(events, cases), [lost]);
    let (mut events, cases) = sound();
    events.push(tag(20, 21, Outcome::Ok, "never sent"));
    assert_eq!(found(events, cases).len(), 2);
}

#[test]
fn an_unknown_case_may_be_there_once_or_not_at_all() {
    let (mut events, mut cases) = sound();
    events.push(create(20, 21, Outcome::Unknown, 102));
    assert_eq!(found(events.clone(), cases.clone()), []);
    cases.push(seen(102, "first of 102", &[]));
    assert_eq!(found(events.clone(), cases.clone()), []);
    cases.push(Seen { case: text("ci-again"), number: 103, ..seen(102, "first of 102", &[]) });
    let twice = found(events, cases);
    assert!(
        twice.contains(&Violation::CaseTwice { name: text("case 102"), node: text("app1") }),
        "{twice:?}"
    );
}

#[test]
fn a_failed_case_and_a_stranger_must_not_be_there() {
    let (mut events, mut cases) = sound();
    events.push(create(20, 21, Outcome::Fail, 102));
    cases.push(seen(102, "first of 102", &[]));
    let nowhere = |node: &str| Violation::CaseFromNowhere { name: text("case 102"), node: text(node) };
    assert_eq!(found(events, cases.clone()), [nowhere("app1"), nowhere("app2")]);
    assert_eq!(found(sound().0, cases), [nowhere("app1"), nowhere("app2")]);
}

#[test]
fn a_repetition_that_was_answered_with_another_case_is_found() {
    let (mut events, cases) = sound();
    let mut again = create(20, 21, Outcome::Ok, 101);
    let listed = list(22, 23, 2, vec![cases[1].clone(), cases[0].clone()]);
    assert_eq!(found([events.clone(), vec![again.clone(), listed]].concat(), cases.clone()), []);
    if let Operation::Create { seen: Some(seen), .. } = &mut again.operation {
        seen.number = 105;
    }
    events.push(again);
    assert!(matches!(found(events, cases)[..], [Violation::CaseDiffers { .. }]));
}

#[test]
fn gaps_and_repetitions_of_numbers_wrong_totals_and_differing_nodes_are_found() {
    let numbered = |numbers: [u64; 3]| {
        let cases = numbers.map(|number| Seen { number, ..seen(number, "x", &[]) }).to_vec();
        let mut found = BTreeSet::new();
        check_numbers(&Listing { node: text("app1"), total: 3, cases }, &mut found);
        found.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(numbered([100, 101, 102]), []);
    let node = || text("app1");
    assert_eq!(numbered([100, 101, 103]), [Violation::NumberGap { after: 101, next: 103, node: node() }]);
    assert_eq!(numbered([100, 101, 101]), [Violation::NumberTwice { number: 101, node: node() }]);

    let (events, cases) = sound();
    let mut history = history(events, cases);
    history.listings[1].total = 9;
    history.listings[1].cases[0].value = text("second");
    let found = violations(&history);
    assert!(found.contains(&Violation::WrongTotal { total: 9, listed: 2, node: text("app2") }), "{found:?}");
    let (one, other) = (text("app1"), text("app2"));
    assert!(found.contains(&Violation::NodesDiffer { case: text("ci-100"), one, other }), "{found:?}");
    assert!(
        found.contains(&Violation::UpdateLost { case: text("ci-100"), value: text("third") }),
        "{found:?}"
    );
}

#[test]
fn two_updates_on_one_version_are_a_fork_also_when_one_was_unknown_and_seen() {
    let (mut events, cases) = sound();
    events.push(update(4, 6, Outcome::Ok, "first of 100", "other"));
    let values = vec![text("other"), text("second")];
    let fork = Violation::Fork { case: text("ci-100"), former: text("first of 100"), values };
    assert!(found(events, cases).contains(&fork));

    let (mut events, cases) = sound();
    events.push(update(4, 6, Outcome::Unknown, "first of 100", "other"));
    assert_eq!(found(events.clone(), cases.clone()), [], "unknown and never seen: it didn't happen");
    events.push(read(5, 6, "other", &[]));
    assert!(found(events, cases).contains(&fork));
}

#[test]
fn an_unknown_update_that_others_build_on_is_a_link_of_the_chain() {
    let (mut events, mut cases) = sound();
    events.push(update(20, 21, Outcome::Unknown, "third", "fourth"));
    events.push(update(22, 23, Outcome::Ok, "fourth", "fifth"));
    cases[0].value = text("fifth");
    assert_eq!(found(events.clone(), cases.clone()), []);
    cases[0].value = text("fourth");
    let lost = Violation::UpdateLost { case: text("ci-100"), value: text("fifth") };
    assert_eq!(found(events, cases), [lost]);
}

#[test]
fn a_refused_update_whose_value_shows_is_found() {
    let (mut events, mut cases) = sound();
    events.push(update(20, 21, Outcome::Fail, "third", "refused"));
    assert_eq!(found(events.clone(), cases.clone()), []);
    cases[0].value = text("refused");
    let nowhere = Violation::ValueFromNowhere { case: text("ci-100"), value: text("refused") };
    assert_eq!(found(events, cases), [nowhere]);
}

#[test]
fn a_read_that_began_after_an_acknowledgement_must_see_it_and_one_beside_it_need_not() {
    let (events, cases) = sound();
    let beside = read(11, 13, "second", &["red"]);
    assert_eq!(found([events.clone(), vec![beside]].concat(), cases.clone()), []);
    let after = read(13, 15, "second", &["red"]);
    let old = Violation::OldValue {
        case: text("ci-100"),
        node: text("app2"),
        start: 13,
        saw: text("second"),
        known: text("third"),
    };
    assert_eq!(found([events, vec![after]].concat(), cases), [old]);
}

#[test]
fn a_read_must_not_go_behind_an_earlier_read_even_of_a_write_that_nobody_acknowledged() {
    let (mut events, mut cases) = sound();
    cases[0].value = text("fourth");
    events.push(update(20, 40, Outcome::Unknown, "third", "fourth"));
    events.push(read(21, 22, "fourth", &["red"]));
    assert_eq!(found(events.clone(), cases.clone()), []);
    events.push(read(23, 24, "third", &["red"]));
    assert!(matches!(found(events, cases)[..], [Violation::OldValue { start: 23, .. }]));
}

#[test]
fn a_list_that_shows_an_old_value_lacks_a_case_or_counts_too_few_is_found() {
    let (events, cases) = sound();
    let newest = || seen(101, "first of 101", &[]);
    let with = |event: Event| found([events.clone(), vec![event]].concat(), cases.clone());
    assert_eq!(with(list(30, 31, 2, vec![newest(), seen(100, "third", &["red"])])), []);
    assert!(matches!(
        with(list(30, 31, 2, vec![newest(), seen(100, "second", &["red"])]))[..],
        [Violation::OldValue { .. }]
    ));
    assert_eq!(
        with(list(30, 31, 2, vec![seen(100, "third", &["red"])])),
        [Violation::CaseNotSeen { case: text("ci-101"), node: text("app1"), start: 30 }]
    );
    assert_eq!(
        with(list(30, 31, 1, vec![newest(), seen(100, "third", &["red"])])),
        [Violation::OldTotal { node: text("app1"), start: 30, total: 1, known: 2 }]
    );
    // A page need not go further down than it is long.
    let mut longer = events.clone();
    longer.push(create(32, 33, Outcome::Ok, 102));
    longer.push(list(34, 35, 3, vec![seen(102, "first of 102", &[]), newest()]));
    assert_eq!(found(longer, [cases.clone(), vec![seen(102, "first of 102", &[])]].concat()), []);
}

#[test]
fn a_read_that_finds_nothing_of_a_known_case_is_found() {
    let (mut events, cases) = sound();
    let nothing = || Operation::Read { case: text("ci-100"), found: Vec::new() };
    events.push(event(1, 3, Outcome::Ok, nothing()));
    events.push(event(30, 31, Outcome::Unknown, nothing()));
    assert_eq!(found(events.clone(), cases.clone()), []);
    events.push(event(30, 31, Outcome::Ok, nothing()));
    let not_seen = Violation::CaseNotSeen { case: text("ci-100"), node: text("app1"), start: 30 };
    assert_eq!(found(events, cases), [not_seen]);
}

#[test]
fn tags_that_are_lost_double_refused_or_old_are_found() {
    let (events, cases) = sound();
    let with_tags = |tags: &[&str]| {
        let mut cases = cases.clone();
        cases[0].tags = tags.iter().map(|tag| text(tag)).collect();
        found(events.clone(), cases)
    };
    let (case, red) = (|| text("ci-100"), || text("red"));
    let lost = |node: &str| Violation::TagLost { case: case(), tag: red(), node: text(node) };
    assert_eq!(with_tags(&[]), [lost("app1"), lost("app2")]);
    assert_eq!(with_tags(&["red", "red"]), [Violation::TagTwice { case: case(), tag: red() }]);
    assert_eq!(with_tags(&["red", "blue"]), [Violation::TagFromNowhere { case: case(), tag: text("blue") }]);

    let mut refused = events.clone();
    refused.push(tag(20, 21, Outcome::Fail, "blue"));
    refused.push(read(22, 23, "third", &["red", "blue"]));
    let nowhere = Violation::TagFromNowhere { case: case(), tag: text("blue") };
    assert!(found(refused, cases.clone()).contains(&nowhere));

    let mut old = events.clone();
    old.push(read(22, 23, "third", &[]));
    let missing = Violation::OldTags { case: case(), node: text("app1"), start: 22, missing: red() };
    assert_eq!(found(old, cases.clone()), [missing]);
}
