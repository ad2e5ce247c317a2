//! What is written when a set passes, and what is not when it misses.

use casement_store::document::{Document, NewWorkspace};
use casement_store::error::{CommitError, Miss, StoreError};
use casement_store::limits;
use casement_store::set::{Committed, CommittedDocument, EventWrite, WriteSet};
use tokio::task::JoinSet;

use super::{Subject, document_miss, misses};
use crate::build::{
    create, empty, event, guarding, guarding_claim, guarding_head, numbered, putting, removing, under,
    under_config, update, workspace, writing,
};

pub async fn a_new_document_is_read_back(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut set = numbered(under(create("w", "c1"), "p1"), "CS");
    set.documents[0].schema = 7;
    set.documents[0].body = b"\x00\xffbody".to_vec();
    let committed = store.commit(set).await.unwrap();
    let expected = Committed {
        first_sequence: 1,
        last_sequence: 1,
        config_version: 1,
        documents: vec![CommittedDocument { version: 1, number: Some(1), sequence: 1 }],
    };
    assert_eq!(committed, expected);
    let found = store.document("w", "case", "c1").await.unwrap();
    let expected = Document {
        kind: "case".into(),
        id: "c1".into(),
        parent: Some("p1".into()),
        number: Some(1),
        version: 1,
        sequence: 1,
        schema: 7,
        body: b"\x00\xffbody".to_vec(),
    };
    assert_eq!(found, Some(expected));
    assert_eq!(store.document("w", "task", "c1").await.unwrap(), None);
    assert_eq!(store.document("v", "case", "c1").await.unwrap(), None);
}

pub async fn an_update_raises_the_version_and_keeps_the_number(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(numbered(create("w", "c1"), "CS")).await.unwrap();
    let mut set = update("w", "c1", 1, b"two");
    set.events.push(event("case", "c1"));
    let committed = store.commit(set).await.unwrap();
    assert_eq!((committed.first_sequence, committed.last_sequence), (2, 3));
    assert_eq!(committed.documents, [CommittedDocument { version: 2, number: Some(1), sequence: 3 }]);
    let found = store.document("w", "case", "c1").await.unwrap().unwrap();
    assert_eq!((found.version, found.number, found.sequence, found.body), (2, Some(1), 3, b"two".to_vec()));
}

pub async fn a_guard_on_another_log_misses_once_that_is_longer(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("v", "c1")).await.unwrap();
    store.commit(guarding_head(create("w", "c1"), "v", 1)).await.unwrap();
    store.commit(create("v", "c2")).await.unwrap();
    // A neighbour in the same batch is not touched by the miss.
    let neighbour = tokio::spawn({
        let store = store.clone();
        async move { store.commit(create("w", "c3")).await }
    });
    let miss = Miss::Head { workspace: "v".into(), expected: 1, found: 2 };
    assert_eq!(misses(&store, guarding_head(create("w", "c2"), "v", 1)).await, [miss]);
    neighbour.await.unwrap().unwrap();
    assert_eq!(store.document("w", "case", "c2").await.unwrap(), None);
    store.commit(guarding_head(create("w", "c2"), "v", 2)).await.unwrap();
    // A log of which more was read than there is, and one that there is not, are not longer.
    store.commit(guarding_head(create("w", "c4"), "v", 9)).await.unwrap();
    store.commit(guarding_head(create("w", "c5"), "nowhere", 0)).await.unwrap();
    let own = store.commit(guarding_head(create("w", "c6"), "w", 9)).await;
    assert!(matches!(own, Err(CommitError::Refused(_))), "{own:?}");
}

pub async fn a_missed_guard_writes_nothing(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    let set = putting(guarding(numbered(create("w", "c2"), "CS"), "case", "c1", 2), "k", "c2");
    assert_eq!(misses(&store, under_config(set, 1, true)).await, [document_miss("c1", 2, 1)]);
    assert_eq!(store.document("w", "case", "c2").await.unwrap(), None);
    assert_eq!(store.claim("w", "k").await.unwrap(), None);
    let row = store.workspace("w").await.unwrap().unwrap();
    assert_eq!((row.head, row.config_version, row.counters["CS"]), (1, 1, 1));
    assert_eq!(store.events("w", 0, 10).await.unwrap().len(), 1);
}

pub async fn all_misses_are_listed(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(putting(create("w", "c1"), "k", "c1")).await.unwrap();
    let set = guarding(update("w", "c1", 5, b"x"), "case", "c2", 3);
    let set = under_config(putting(guarding_claim(set, "free", Some("c9")), "k", "c2"), 8, false);
    let expected = [
        Miss::Config { expected: 8, found: 1 },
        document_miss("c1", 5, 1),
        document_miss("c2", 3, 0),
        Miss::Claim { key: "free".into() },
        Miss::Claim { key: "k".into() },
    ];
    assert_eq!(misses(&store, set).await, expected);
}

pub async fn an_absent_document_can_be_guarded(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(guarding(create("w", "c1"), "case", "c2", 0)).await.unwrap();
    assert_eq!(
        misses(&store, guarding(create("w", "c3"), "case", "c1", 0)).await,
        [document_miss("c1", 0, 1)]
    );
}

pub async fn a_key_is_held_by_one_document(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(putting(create("w", "c1"), "k", "c1")).await.unwrap();
    let taken = [Miss::Claim { key: "k".into() }];
    assert_eq!(misses(&store, putting(create("w", "c2"), "k", "c2")).await, taken);
    assert_eq!(misses(&store, guarding_claim(create("w", "c2"), "k", None)).await, taken);
    // The holder may put it again, and another workspace has keys of its own.
    store.commit(putting(update("w", "c1", 1, b"x"), "k", "c1")).await.unwrap();
    store.commit(putting(create("v", "c2"), "k", "c2")).await.unwrap();
    assert_eq!(store.claim("w", "k").await.unwrap().unwrap().document, "c1");
    assert_eq!(store.claim("v", "k").await.unwrap().unwrap().document, "c2");
}

pub async fn a_key_passes_on_under_its_guard(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(putting(create("w", "c1"), "k", "c1")).await.unwrap();
    let set = putting(guarding_claim(create("w", "c2"), "k", Some("c1")), "k", "c2");
    store.commit(set).await.unwrap();
    assert_eq!(store.claim("w", "k").await.unwrap().unwrap().document, "c2");
    let set = putting(guarding_claim(create("w", "c3"), "k", Some("c1")), "k", "c3");
    assert_eq!(misses(&store, set).await, [Miss::Claim { key: "k".into() }]);
}

pub async fn a_removed_key_is_free(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(putting(create("w", "c1"), "k", "c1")).await.unwrap();
    store.commit(removing(update("w", "c1", 1, b"x"), "k")).await.unwrap();
    assert_eq!(store.claim("w", "k").await.unwrap(), None);
    store.commit(removing(update("w", "c1", 2, b"x"), "k")).await.unwrap();
    store.commit(putting(create("w", "c2"), "k", "c2")).await.unwrap();
    assert_eq!(store.claim("w", "k").await.unwrap().unwrap().document, "c2");
}

pub async fn a_changed_configuration_misses_older_decisions(subject: Subject) {
    let store = subject.acknowledging().await;
    let committed = store.commit(under_config(create("w", "c1"), 1, true)).await.unwrap();
    assert_eq!(committed.config_version, 2);
    assert_eq!(
        misses(&store, under_config(create("w", "c2"), 1, false)).await,
        [Miss::Config { expected: 1, found: 2 }]
    );
    store.commit(under_config(create("w", "c2"), 2, false)).await.unwrap();
    assert_eq!(store.workspace("w").await.unwrap().unwrap().config_version, 2);
    assert_eq!(store.workspace("v").await.unwrap().unwrap().config_version, 1);
}

pub async fn counters_have_no_gaps_over_misses(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut numbers = Vec::new();
    for step in 0..6 {
        let id = format!("c{step}");
        let set = numbered(create("w", &id), "CS");
        let missing = guarding(set.clone(), "case", "nobody", 1);
        misses(&store, missing).await;
        numbers.extend(store.commit(set).await.unwrap().documents[0].number);
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    let task = store.commit(numbered(writing(empty("w"), "task", "t1", 0, b"{}"), "TS")).await.unwrap();
    assert_eq!(task.documents[0].number, Some(1));
    let counters = store.workspace("w").await.unwrap().unwrap().counters;
    assert_eq!((counters["CS"], counters["TS"]), (7, 2));
}

pub async fn misses_leave_their_neighbours_alone(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut commits = JoinSet::new();
    for step in 0..200u64 {
        let store = store.clone();
        let set = numbered(create("w", &format!("c{step:03}")), "CS");
        let set = if step % 3 == 0 { guarding(set, "case", "nobody", 1) } else { set };
        commits.spawn(async move { (step, store.commit(set).await) });
    }
    let mut numbers = Vec::new();
    while let Some(done) = commits.join_next().await {
        let (step, outcome) = done.unwrap();
        assert_eq!(outcome.is_err(), step % 3 == 0, "{outcome:?}");
        numbers.extend(outcome.ok().and_then(|committed| committed.documents[0].number));
    }
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(1..=133), "{numbers:?}");
    let report = store.verify("w").await.unwrap();
    assert_eq!((report.events, report.fault), (133, None));
    assert_eq!(store.scan("w", "case", None, 500).await.unwrap().len(), 133);
}

pub async fn a_hot_document_is_written_once_per_version(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "hot")).await.unwrap();
    let mut commits = JoinSet::new();
    for step in 0..64u64 {
        let store = store.clone();
        let body = step.to_string();
        commits.spawn(async move { store.commit(update("w", "hot", step % 8 + 1, body.as_bytes())).await });
    }
    let mut passed = 0;
    while let Some(done) = commits.join_next().await {
        passed += u64::from(done.unwrap().is_ok());
    }
    let found = store.document("w", "case", "hot").await.unwrap().unwrap();
    assert!(passed >= 1);
    assert_eq!(found.version, 1 + passed);
    assert_eq!(found.sequence, 1 + passed);
    assert_eq!(store.verify("w").await.unwrap().fault, None);
}

pub async fn a_set_of_an_unknown_workspace_is_refused(subject: Subject) {
    let store = subject.acknowledging().await;
    let refused = store.commit(create("nowhere", "c1")).await;
    assert!(matches!(refused, Err(CommitError::Refused(_))), "{refused:?}");
    assert_eq!(store.document("nowhere", "case", "c1").await.unwrap(), None);
    store.commit(create("w", "c1")).await.unwrap();
}

fn with(change: impl FnOnce(&mut WriteSet)) -> WriteSet {
    let mut set = create("w", "c1");
    change(&mut set);
    set
}

pub async fn unacceptable_sets_are_refused(subject: Subject) {
    let store = subject.acknowledging().await;
    let long = "x".repeat(limits::KEY_BYTES_MAX + 1);
    let table = [
        ("nothing at all", empty("w")),
        ("a document without any event", with(|set| set.events.clear())),
        (
            "a configuration that changes without an event",
            under_config(putting(empty("w"), "k", "c1"), 1, true),
        ),
        ("a document without an event", with(|set| set.events[0].document = "c2".into())),
        ("an event about a stranger", with(|set| set.events.push(event("case", "c2")))),
        ("a document twice", writing(create("w", "c1"), "case", "c1", 0, b"{}")),
        ("a key twice", putting(removing(create("w", "c1"), "k"), "k", "c1")),
        ("an unknown counter", numbered(create("w", "c1"), "XX")),
        ("a number for an old document", numbered(update("w", "c1", 1, b"x"), "CS")),
        ("a version past the most", update("w", "c1", i64::MAX as u64, b"x")),
        ("a guard past the most", guarding(create("w", "c1"), "case", "c2", u64::MAX)),
        ("an empty id", create("w", "")),
        ("an empty workspace", create("", "c1")),
        ("a long id", create("w", &long)),
        ("U+0000 in an id", create("w", "a\0b")),
        ("changes without a byte", with(|set| set.events[0].changes = Some(vec![]))),
        ("a large body", with(|set| set.documents[0].body = vec![0; limits::BODY_BYTES_MAX + 1])),
        ("large changes", with(|set| set.events[0].changes = Some(vec![0; limits::CHANGES_BYTES_MAX + 1]))),
        ("many events", with(|set| set.events = vec![set.events[0].clone(); limits::SET_EVENTS_MAX + 1])),
        ("many documents", many_documents(limits::SET_DOCUMENTS_MAX + 1, 1)),
        ("many bytes", many_documents(40, limits::BODY_BYTES_MAX)),
    ];
    for (what, set) in table {
        let outcome = store.commit(set).await;
        assert!(matches!(outcome, Err(CommitError::Refused(_))), "{what}: {outcome:?}");
    }
    assert_eq!(store.workspace("w").await.unwrap().unwrap().head, 0);
}

fn many_documents(count: usize, body_bytes: usize) -> WriteSet {
    let body = vec![7; body_bytes];
    (0..count).fold(empty("w"), |set, place| writing(set, "case", &format!("d{place:04}"), 0, &body))
}

pub async fn the_largest_set_passes(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut set = many_documents(limits::SET_DOCUMENTS_MAX, 100_000);
    let more: Vec<EventWrite> = vec![event("case", "d0000"); limits::SET_EVENTS_MAX - set.events.len()];
    set.events.extend(more);
    let committed = store.commit(set).await.unwrap();
    assert_eq!(committed.documents.len(), limits::SET_DOCUMENTS_MAX);
    assert_eq!(committed.last_sequence, limits::SET_EVENTS_MAX as u64);
    assert_eq!(committed.documents[0].sequence, limits::SET_EVENTS_MAX as u64);
    assert_eq!(committed.documents[1].sequence, 2);
    let found = store.scan("w", "case", None, 1000).await.unwrap();
    assert_eq!(found.len(), limits::SET_DOCUMENTS_MAX);
    assert!(found.iter().all(|document| document.body == vec![7; 100_000]));
}

pub async fn two_workspaces_do_not_mix(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut commits = JoinSet::new();
    for step in 0..100 {
        let store = store.clone();
        let workspace = if step % 2 == 0 { "w" } else { "v" };
        let set = numbered(create(workspace, &format!("c{step:03}")), "CS");
        commits.spawn(async move { store.commit(set).await.unwrap() });
    }
    commits.join_all().await;
    for (workspace, first) in [("w", "c000"), ("v", "c001")] {
        let found = store.scan(workspace, "case", None, 100).await.unwrap();
        assert_eq!((found.len(), found[0].id.as_str()), (50, first));
        let mut numbers: Vec<_> = found.iter().filter_map(|document| document.number).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=50));
        let events = store.events(workspace, 0, 100).await.unwrap();
        assert!(events.iter().map(|event| event.sequence).eq(1..=50));
        assert_eq!(store.verify(workspace).await.unwrap().fault, None);
    }
}

pub async fn making_a_workspace_again_changes_nothing(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(numbered(create("w", "c1"), "CS")).await.unwrap();
    let before = store.workspace("w").await.unwrap();
    store.create_workspace(workspace("w")).await.unwrap();
    assert_eq!(store.workspace("w").await.unwrap(), before);
    let other = NewWorkspace { account: "other".into(), ..workspace("w") };
    let refused = store.create_workspace(other).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert_eq!(store.workspace("w").await.unwrap(), before);
}
