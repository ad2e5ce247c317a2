//! Erasures: what they take, what they leave, and which logs with something missing are whole.

use casement_store::error::CommitError;
use casement_store::event::{ChainReport, ERASED, Event};
use casement_store::limits;
use casement_store::set::{EventWrite, WriteSet};
use casement_store::store::Store;

use super::{Subject, document_miss, misses};
use crate::build::{create, empty, event, guarding, numbered, update, writing};

/// What each update of these tests says.
pub const SAID: &[u8] = b"said";

/// Ways to change a log that [`erased`] made, and the event where each is noticed.
pub const TAMPERED: [(u64, &str); 6] = [
    // What another document said is gone, and no event tells of it.
    (6, "UPDATE event SET changes = NULL, salt = NULL WHERE sequence = 6"),
    // The event that tells of the erasure is gone, or what it tells.
    (7, "DELETE FROM event WHERE sequence = 7"),
    (7, "UPDATE event SET changes = NULL, salt = NULL WHERE sequence = 7"),
    (7, "UPDATE event SET changes = digest WHERE sequence = 7"),
    // Something was put where the changes were.
    (3, "UPDATE event SET changes = digest WHERE sequence = 3"),
    // The changes are there again, and their salt with them.
    (
        7,
        "UPDATE event
         SET changes = (SELECT changes FROM event WHERE sequence = 6),
             salt = (SELECT salt FROM event WHERE sequence = 6)
         WHERE sequence = 3",
    ),
];

/// Adds the event of an erasure of a case.
pub fn erasing(mut set: WriteSet, id: &str, until: u64) -> WriteSet {
    set.events.push(EventWrite::erasing("case", id, until, [9; 16]));
    set
}

/// A set that leaves nothing of a case.
pub fn purging(id: &str, version: u64, until: u64) -> WriteSet {
    let mut set = writing(empty("w"), "case", id, version, b"gone");
    set.events.clear();
    erasing(set, id, until)
}

/// Writes c1 with three updates (events 1 to 4) and c2 with one (5 and 6), then erases c1 (7).
pub async fn erased(store: &Store) {
    store.commit(numbered(create("w", "c1"), "CS")).await.unwrap();
    for version in 1..4 {
        store.commit(update("w", "c1", version, SAID)).await.unwrap();
    }
    store.commit(numbered(create("w", "c2"), "CS")).await.unwrap();
    store.commit(update("w", "c2", 1, SAID)).await.unwrap();
    store.commit(purging("c1", 4, 6)).await.unwrap();
}

fn is_erased(event: &Event) -> bool {
    assert!(event.salt.is_some() || event.changes.is_none());
    event.salt.is_none()
}

pub async fn an_erasure_takes_what_was_said_and_the_log_stays_whole(subject: Subject) {
    let store = subject.acknowledging().await;
    erased(&store).await;
    let events = store.events("w", 0, 10).await.unwrap();
    let gone: Vec<u64> = events.iter().filter(|event| is_erased(event)).map(|event| event.sequence).collect();
    assert_eq!(gone, [1, 2, 3, 4]);
    assert_eq!((events[6].kind.as_str(), events[6].version, events[6].actor.as_str()), (ERASED, 5, "ann"));
    assert_eq!(events[5].changes.as_deref(), Some(SAID));
    let document = store.document("w", "case", "c1").await.unwrap().unwrap();
    assert_eq!((document.number, document.version, document.sequence), (Some(1), 5, 7));
    let expected = ChainReport { events: 7, erased: 4, fault: None };
    assert_eq!(store.verify("w").await.unwrap(), expected);
    // The log goes on, also about the same document.
    store.commit(update("w", "c1", 5, SAID)).await.unwrap();
    store.commit(numbered(create("w", "c3"), "CS")).await.unwrap();
    let expected = ChainReport { events: 9, erased: 4, fault: None };
    assert_eq!(store.verify("w").await.unwrap(), expected);
    assert_eq!(store.unerased_events("w", "case", "c1", 10).await.unwrap(), [8]);
}

pub async fn an_erasure_leaves_others_of_the_same_name_alone(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(writing(empty("w"), "task", "c1", 0, b"{}")).await.unwrap();
    store.commit(create("v", "c1")).await.unwrap();
    store.commit(create("w", "c1")).await.unwrap();
    store.commit(purging("c1", 1, u64::MAX)).await.unwrap();
    let gone = |events: Vec<Event>| events.iter().map(is_erased).collect::<Vec<bool>>();
    assert_eq!(gone(store.events("w", 0, 10).await.unwrap()), [false, true, false]);
    assert_eq!(gone(store.events("v", 0, 10).await.unwrap()), [false]);
    assert_eq!(store.unerased_events("w", "task", "c1", 10).await.unwrap(), [1]);
    assert_eq!(store.verify("w").await.unwrap().fault, None);
}

pub async fn an_erasure_may_go_in_parts(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    for version in 1..6 {
        store.commit(update("w", "c1", version, SAID)).await.unwrap();
    }
    for expected in [[1, 2].as_slice(), &[3, 4]] {
        let part = store.unerased_events("w", "case", "c1", 2).await.unwrap();
        assert_eq!(part, expected);
        let set = erasing(guarding(empty("w"), "case", "c1", 6), "c1", part[1]);
        store.commit(set).await.unwrap();
        assert_eq!(store.verify("w").await.unwrap().fault, None);
    }
    assert_eq!(store.document("w", "case", "c1").await.unwrap().unwrap().version, 6);
    assert_eq!(store.unerased_events("w", "case", "c1", 9).await.unwrap(), [5, 6]);
    assert_eq!(misses(&store, purging("c1", 5, 6)).await, [document_miss("c1", 5, 6)]);
    assert_eq!(store.unerased_events("w", "case", "c1", 9).await.unwrap(), [5, 6]);
    store.commit(purging("c1", 6, 6)).await.unwrap();
    assert!(store.unerased_events("w", "case", "c1", 9).await.unwrap().is_empty());
    let expected = ChainReport { events: 9, erased: 6, fault: None };
    assert_eq!(store.verify("w").await.unwrap(), expected);
}

pub async fn an_erasure_covers_what_its_own_set_said_before(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut set = update("w", "c1", 0, SAID);
    set = erasing(set, "c1", u64::MAX);
    set.events.push(event("case", "c1"));
    store.commit(set).await.unwrap();
    let events = store.events("w", 0, 10).await.unwrap();
    assert_eq!(events.iter().map(is_erased).collect::<Vec<bool>>(), [true, false, false]);
    assert_eq!(store.verify("w").await.unwrap(), ChainReport { events: 3, erased: 1, fault: None });
}

pub async fn an_erasure_that_says_nothing_is_refused(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    for changes in [None, Some(b"{}".to_vec()), Some(vec![0; 9])] {
        let mut set = purging("c1", 1, 1);
        set.events[0].changes = changes;
        let refused = store.commit(set).await;
        assert!(matches!(refused, Err(CommitError::Refused(_))), "{refused:?}");
    }
    assert!(store.unerased_events("w", "case", "c1", limits::PAGE_MAX + 1).await.is_err());
    assert_eq!(store.unerased_events("w", "case", "c1", 9).await.unwrap(), [1]);
}
