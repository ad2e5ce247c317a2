//! Decisions as a page of lines, and a property: a batch decides as its sets would one by one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::set::{ClaimGuard, Guard};

fn head() -> Head {
    let counters = BTreeMap::from([("CS".to_string(), 1), ("TS".to_string(), 40)]);
    Head { sequence: 10, hash: [5; 32], config_version: 3, counters }
}

fn known() -> Known<'static> {
    Known {
        head: head(),
        documents: HashMap::from([
            (("case", "old"), Found { version: 4, number: Some(7) }),
            (("queue", "q"), Found { version: 2, number: None }),
        ]),
        claims: HashMap::from([("mail/ann", Holder { document: Cow::Borrowed("ann"), expires_ms: None })]),
        heads: HashMap::new(),
    }
}

fn empty() -> WriteSet {
    WriteSet {
        workspace: "w".into(),
        operation: [1; 16],
        at_ms: 1000,
        actor: "ann".into(),
        app: "console".into(),
        config_version: None,
        changes_config: false,
        guards: vec![],
        claim_guards: vec![],
        head_guards: vec![],
        documents: vec![],
        claims: vec![],
        events: vec![],
    }
}

/// A set that writes one document, with one event.
fn write(kind: &str, id: &str, version: u64) -> WriteSet {
    let mut set = empty();
    set.documents.push(DocumentWrite {
        kind: kind.into(),
        id: id.into(),
        parent: None,
        version,
        counter: None,
        schema: 1,
        body: vec![1],
    });
    set.events.push(event(kind, id));
    set
}

fn event(kind: &str, id: &str) -> EventWrite {
    EventWrite {
        kind: "changed".into(),
        document_kind: kind.into(),
        document: id.into(),
        changes: None,
        salt: [2; 16],
    }
}

fn numbered(id: &str, counter: &str) -> WriteSet {
    let mut set = write("case", id, 0);
    set.documents[0].counter = Some(counter.into());
    set
}

fn guarding(mut set: WriteSet, kind: &str, id: &str, version: u64) -> WriteSet {
    set.guards.push(Guard { kind: kind.into(), id: id.into(), version });
    set
}

fn guarding_claim(mut set: WriteSet, key: &str, document: Option<&str>) -> WriteSet {
    set.claim_guards.push(ClaimGuard { key: key.into(), document: document.map(Into::into) });
    set
}

fn putting(set: WriteSet, key: &str, document: &str) -> WriteSet {
    putting_until(set, key, document, None)
}

fn putting_until(mut set: WriteSet, key: &str, document: &str, expires_ms: Option<i64>) -> WriteSet {
    set.claims.push(ClaimWrite::Put { key: key.into(), document: document.into(), result: None, expires_ms });
    set
}

fn sweeping(mut set: WriteSet, key: &str) -> WriteSet {
    set.claims.push(ClaimWrite::RemoveExpired { key: key.into() });
    set
}

fn removing(mut set: WriteSet, key: &str) -> WriteSet {
    set.claims.push(ClaimWrite::Remove { key: key.into() });
    set
}

fn under_config(mut set: WriteSet, version: u64, changes: bool) -> WriteSet {
    set.config_version = Some(version);
    set.changes_config = changes;
    set
}

fn line(outcome: &Result<Committed, CommitError>) -> String {
    match outcome {
        Ok(committed) => {
            let documents: Vec<String> = committed
                .documents
                .iter()
                .map(|d| {
                    let number = d.number.map(|number| format!(" #{number}")).unwrap_or_default();
                    format!(" v{}@{}{number}", d.version, d.sequence)
                })
                .collect();
            let Committed { first_sequence, last_sequence, config_version, .. } = committed;
            format!("pass {first_sequence}-{last_sequence} c{config_version}{}", documents.concat())
        }
        Err(CommitError::Missed(misses)) => {
            let misses: Vec<String> = misses
                .iter()
                .map(|miss| match miss {
                    Miss::Document { kind, id, expected, found } => {
                        format!(" {kind}/{id} {expected} is {found}")
                    }
                    Miss::Claim { key } => format!(" {key}"),
                    Miss::Head { workspace, expected, found } => {
                        format!(" head of {workspace} {expected} is {found}")
                    }
                    Miss::Config { expected, found } => format!(" config {expected} is {found}"),
                })
                .collect();
            format!("miss{}", misses.concat())
        }
        Err(CommitError::Refused(reason)) => format!("refuse: {reason}"),
        Err(other) => format!("{other}"),
    }
}

fn decide_lines(sets: &[WriteSet]) -> Vec<String> {
    decide(known(), sets).outcomes.iter().map(line).collect()
}

#[test]
fn single_sets_pass_or_miss() {
    let two_events = {
        let mut set = write("case", "old", 4);
        set.events.push(event("case", "old"));
        set
    };
    let table = [
        (write("case", "new", 0), "pass 11-11 c3 v1@11"),
        (write("case", "old", 4), "pass 11-11 c3 v5@11 #7"),
        (two_events, "pass 11-12 c3 v5@12 #7"),
        (write("case", "old", 0), "miss case/old 0 is 4"),
        (write("case", "old", 3), "miss case/old 3 is 4"),
        (write("case", "new", 1), "miss case/new 1 is 0"),
        (write("task", "old", 0), "pass 11-11 c3 v1@11"),
        (numbered("new", "TS"), "pass 11-11 c3 v1@11 #40"),
        (numbered("new", "XX"), "refuse: the workspace has no counter XX"),
        (guarding(write("case", "new", 0), "queue", "q", 2), "pass 11-11 c3 v1@11"),
        (guarding(write("case", "new", 0), "queue", "q", 1), "miss queue/q 1 is 2"),
        (guarding(write("case", "new", 0), "queue", "r", 0), "pass 11-11 c3 v1@11"),
        (guarding(write("case", "new", 1), "queue", "r", 9), "miss case/new 1 is 0 queue/r 9 is 0"),
        (under_config(write("case", "new", 0), 3, false), "pass 11-11 c3 v1@11"),
        (under_config(write("case", "new", 0), 3, true), "pass 11-11 c4 v1@11"),
        (under_config(write("case", "new", 0), 2, true), "miss config 2 is 3"),
        (putting(write("case", "new", 0), "mail/bob", "bob"), "pass 11-11 c3 v1@11"),
        (putting(write("case", "new", 0), "mail/ann", "ann"), "pass 11-11 c3 v1@11"),
        (putting(write("case", "new", 0), "mail/ann", "bob"), "miss mail/ann"),
        (
            putting(guarding_claim(write("case", "new", 0), "mail/ann", Some("ann")), "mail/ann", "bob"),
            "pass 11-11 c3 v1@11",
        ),
        (
            putting(guarding_claim(write("case", "new", 0), "mail/ann", None), "mail/ann", "bob"),
            "miss mail/ann",
        ),
        (guarding_claim(write("case", "new", 0), "mail/bob", None), "pass 11-11 c3 v1@11"),
        (guarding_claim(write("case", "new", 0), "mail/bob", Some("bob")), "miss mail/bob"),
        (removing(write("case", "new", 0), "mail/ann"), "pass 11-11 c3 v1@11"),
        (removing(write("case", "new", 0), "mail/bob"), "pass 11-11 c3 v1@11"),
    ];
    for (set, expected) in table {
        assert_eq!(decide_lines(std::slice::from_ref(&set)), [expected], "{set:?}");
    }
}

#[test]
fn later_sets_see_what_earlier_ones_wrote() {
    let table: Vec<(Vec<WriteSet>, Vec<&str>)> = vec![
        (
            vec![write("case", "a", 0), write("case", "a", 0), write("case", "a", 1)],
            vec!["pass 11-11 c3 v1@11", "miss case/a 0 is 1", "pass 12-12 c3 v2@12"],
        ),
        (
            vec![numbered("a", "CS"), numbered("a", "CS"), numbered("b", "CS"), write("case", "a", 1)],
            vec![
                "pass 11-11 c3 v1@11 #1",
                "miss case/a 0 is 1",
                "pass 12-12 c3 v1@12 #2",
                "pass 13-13 c3 v2@13 #1",
            ],
        ),
        (
            vec![
                under_config(write("case", "a", 0), 3, true),
                under_config(write("case", "b", 0), 3, false),
                under_config(write("case", "b", 0), 4, false),
            ],
            vec!["pass 11-11 c4 v1@11", "miss config 3 is 4", "pass 12-12 c4 v1@12"],
        ),
        (
            vec![
                putting(write("person", "bob", 0), "mail/b", "bob"),
                putting(write("person", "eve", 0), "mail/b", "eve"),
                removing(write("person", "bob", 1), "mail/b"),
                putting(write("person", "eve", 0), "mail/b", "eve"),
            ],
            vec!["pass 11-11 c3 v1@11", "miss mail/b", "pass 12-12 c3 v2@12", "pass 13-13 c3 v1@13"],
        ),
        (
            vec![write("queue", "q", 2), guarding(write("case", "a", 0), "queue", "q", 2)],
            vec!["pass 11-11 c3 v3@11", "miss queue/q 2 is 3"],
        ),
    ];
    for (sets, expected) in table {
        assert_eq!(decide_lines(&sets), expected, "{sets:?}");
    }
}

#[test]
fn a_document_and_a_key_stand_once_in_the_plan() {
    let sets = [
        putting(numbered("a", "CS"), "k", "a"),
        removing(write("case", "a", 1), "k"),
        write("case", "old", 4),
    ];
    let plan = decide(known(), &sets);
    let rows: Vec<_> =
        plan.documents.iter().map(|row| (row.write.id.as_str(), row.new, row.version, row.number)).collect();
    assert_eq!(rows, [("a", true, 2, Some(1)), ("old", false, 5, Some(7))]);
    assert_eq!(plan.claims, [&ClaimWrite::Remove { key: "k".into() }]);
    assert_eq!(plan.events.len(), 3);
}

#[test]
fn an_event_on_a_guarded_document_has_the_guarded_version() {
    let mut set = guarding(empty(), "queue", "q", 2);
    set.events.push(event("queue", "q"));
    let sets = [set];
    let plan = decide(known(), &sets);
    assert_eq!(plan.events[0].version, 2);
    assert!(plan.documents.is_empty());
}

/// When generated claims end.
const EXPIRES_MS: i64 = 5000;

/// What a generated set does; whether its versions and holders are right is decided against the
/// model when its turn comes.
#[derive(Clone, Debug)]
struct Step {
    writes: Vec<(u8, bool, bool)>,
    guard: Option<(u8, bool)>,
    claim: Option<(u8, u8, bool)>,
    config: Option<(bool, bool)>,
    late: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let right = || prop::bool::weighted(0.85);
    let step = (
        prop::collection::vec((0..4u8, any::<bool>(), right()), 1..3),
        prop::option::of((0..4u8, right())),
        prop::option::of((0..2u8, 0..5u8, any::<bool>())),
        prop::option::of((any::<bool>(), right())),
        any::<bool>(),
    )
        .prop_map(|(writes, guard, claim, config, late)| Step { writes, guard, claim, config, late });
    prop::collection::vec(step, 1..24)
}

/// The same rules, said once more and slowly: try on a copy, keep the copy if nothing missed.
#[derive(Clone, Debug)]
struct Model {
    head: Head,
    documents: BTreeMap<String, Found>,
    claims: BTreeMap<String, (String, Option<i64>)>,
}

impl Model {
    fn version(&self, id: &str) -> u64 {
        self.documents.get(id).map_or(0, |found| found.version)
    }

    /// The document that holds a key at a time.
    fn holder(&self, key: &str, at_ms: i64) -> Option<&str> {
        let (document, expires_ms) = self.claims.get(key)?;
        expires_ms.is_none_or(|expires_ms| expires_ms > at_ms).then_some(document.as_str())
    }

    fn set(&self, step: &Step) -> WriteSet {
        let mut set = empty();
        set.at_ms = if step.late { EXPIRES_MS } else { EXPIRES_MS - 1 };
        for (id, wants_number, right) in &step.writes {
            let id = format!("d{id}");
            if set.documents.iter().any(|document| document.id == id) {
                continue;
            }
            let version = self.version(&id) + u64::from(!right);
            let one = write("case", &id, version);
            set.documents.extend(one.documents);
            set.events.extend(one.events);
            if *wants_number && version == 0 {
                set.documents.last_mut().unwrap().counter = Some("CS".into());
            }
        }
        if let Some((id, right)) = step.guard {
            let id = format!("d{id}");
            let version = self.version(&id) + u64::from(!right);
            set = guarding(set, "case", &id, version);
        }
        if let Some((key, document, guarded)) = step.claim {
            let (key, document) = (format!("k{key}"), format!("d{document}"));
            if guarded {
                let holder = self.holder(&key, set.at_ms).map(str::to_owned);
                set = guarding_claim(set, &key, holder.as_deref());
            }
            set = match document.as_str() {
                "d2" => removing(set, &key),
                "d3" => sweeping(set, &key),
                "d4" => putting_until(set, &key, &document, Some(EXPIRES_MS)),
                _ => putting(set, &key, &document),
            };
        }
        if let Some((changes, right)) = step.config {
            set = under_config(set, self.head.config_version + u64::from(!right), changes);
        }
        set
    }

    fn try_on_a_copy(&self, set: &WriteSet) -> Option<Model> {
        let mut after = self.clone();
        let guards = set.guards.iter().map(|g| (&g.id, g.version));
        for (id, version) in set.documents.iter().map(|d| (&d.id, d.version)).chain(guards) {
            if self.version(id) != version {
                return None;
            }
        }
        if set.config_version.is_some_and(|version| version != self.head.config_version) {
            return None;
        }
        for claim in &set.claims {
            match claim {
                ClaimWrite::Put { key, document, expires_ms, .. } => {
                    let former = self.holder(key, set.at_ms);
                    if set.claim_guards.is_empty() && former.is_some_and(|former| former != *document) {
                        return None;
                    }
                    after.claims.insert(key.clone(), (document.clone(), *expires_ms));
                }
                ClaimWrite::Remove { key } => drop(after.claims.remove(key)),
                ClaimWrite::RemoveExpired { key } => {
                    if self.holder(key, set.at_ms).is_none() {
                        after.claims.remove(key);
                    }
                }
            }
        }
        for document in &set.documents {
            after.head.sequence += 1;
            let number = match &document.counter {
                Some(counter) => {
                    let next = after.head.counters.get_mut(counter).unwrap();
                    *next += 1;
                    Some(*next - 1)
                }
                None => self.documents.get(&document.id).and_then(|found| found.number),
            };
            after.documents.insert(document.id.clone(), Found { version: document.version + 1, number });
        }
        after.head.config_version += u64::from(set.changes_config);
        Some(after)
    }
}

proptest! {
    #[test]
    fn a_batch_decides_as_its_sets_one_by_one(steps in steps()) {
        let start = Model { head: head(), documents: BTreeMap::new(), claims: BTreeMap::new() };
        let mut model = start.clone();
        let mut sets = Vec::new();
        let mut expected = Vec::new();
        for step in &steps {
            let set = model.set(step);
            let after = model.try_on_a_copy(&set);
            expected.push(after.as_ref().map(|after| {
                let numbers: Vec<_> =
                    set.documents.iter().map(|d| after.documents[&d.id]).collect();
                (model.head.sequence + 1, after.head.sequence, numbers)
            }));
            model = after.unwrap_or(model);
            sets.push(set);
        }

        let known = Known { head: start.head, documents: HashMap::new(), claims: HashMap::new(), heads: HashMap::new() };
        let plan = decide(known, &sets);

        for (outcome, expected) in plan.outcomes.iter().zip(&expected) {
            let found = outcome.as_ref().ok().map(|committed| {
                let numbers: Vec<_> = committed
                    .documents
                    .iter()
                    .map(|d| Found { version: d.version, number: d.number })
                    .collect();
                (committed.first_sequence, committed.last_sequence, numbers)
            });
            prop_assert_eq!(&found, expected);
        }
        let rows: BTreeMap<String, Found> = plan
            .documents
            .iter()
            .map(|row| (row.write.id.clone(), Found { version: row.version, number: row.number }))
            .collect();
        prop_assert_eq!(rows, model.documents);
        prop_assert!(plan.events.iter().map(|event| event.sequence).eq(11..=model.head.sequence));
        let mut claims = BTreeMap::new();
        for claim in &plan.claims {
            match claim {
                ClaimWrite::Put { key, document, expires_ms, .. } => {
                    claims.insert(key.clone(), (document.clone(), *expires_ms));
                }
                ClaimWrite::Remove { .. } | ClaimWrite::RemoveExpired { .. } => {}
            }
        }
        prop_assert_eq!(claims, model.claims);
        prop_assert_eq!(plan.head.sequence, model.head.sequence);
        prop_assert_eq!(plan.head.counters, model.head.counters);
        prop_assert_eq!(plan.head.config_version, model.head.config_version);
    }
}
