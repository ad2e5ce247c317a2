//! The conformance suite on SQLite, and what is SQLite's own: files, lock, schema, log, full disk.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use casement_store::error::{CommitError, Health, StoreError};
use casement_store::event::ChainReport;
use casement_store::options::Options;
use casement_store::store::Store;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::build::{EXPIRES_MS, create, empty, numbered, putting, update, writing};
use crate::conformance::erasing::{TAMPERED, erased, purging};
use crate::conformance::{Subject, facts};

fn open() -> (TempDir, Subject) {
    let directory = tempfile::tempdir().unwrap();
    let subject = open_in(directory.path());
    (directory, subject)
}

fn open_in(directory: &Path) -> Subject {
    open_with(Options::new(directory.join("data")))
}

fn open_with(options: Options) -> Subject {
    let (store, feed) = Store::open(options).unwrap();
    Subject { store, feed }
}

/// The database as another program sees it.
fn database(directory: &Path) -> Connection {
    Connection::open(directory.join("data/casement.db")).unwrap()
}

async fn opened() -> (TempDir, Subject) {
    open()
}

facts!(opened);

#[tokio::test]
async fn a_directory_has_one_store_at_a_time() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    match Store::open(Options::new(directory.path().join("data"))) {
        Err(StoreError::Locked { path }) => assert_eq!(path, directory.path().join("data")),
        other => panic!("{other:?}"),
    }
    store.close().await;
    open_in(directory.path()).store.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (directory, subject) = open();
    subject.store.close().await;
    database(directory.path()).pragma_update(None, "user_version", 99).unwrap();
    match Store::open(Options::new(directory.path().join("data"))) {
        Err(StoreError::NewerSchema { found: 99, supported: 3 }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_brought_up_to_date() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    store.commit(putting(create("w", "c1"), "k", "c1")).await.unwrap();
    store.close().await;
    let first = "DROP INDEX claim_expires;\
                 DROP TABLE identity; DROP TABLE series; DROP TABLE journal;\
                 PRAGMA user_version = 1";
    database(directory.path()).execute_batch(first).unwrap();
    let (store, _feed) = Store::open(Options::new(directory.path().join("data"))).unwrap();
    assert_eq!(store.expired_claims("w", EXPIRES_MS, 10).await.unwrap(), ["k"]);
    assert!(store.document("w", "case", "c1").await.unwrap().is_some());
    store.close().await;
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    database(directory.path()).execute_batch("CREATE TABLE theirs (id INTEGER)").unwrap();
    match Store::open(Options::new(directory.path().join("data"))) {
        Err(StoreError::Foreign { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    let mode =
        |path: &str| std::fs::metadata(directory.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    for file in ["lock", "casement.db", "casement.db-wal", "casement.db-shm"] {
        assert_eq!(mode(&format!("data/{file}")), 0o600, "{file}");
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    for step in 0..20 {
        let set = numbered(create("w", &format!("c{step:02}")), "CS");
        store.commit(putting(set, &format!("k{step}"), &format!("c{step:02}"))).await.unwrap();
    }
    let documents = store.scan("w", "case", None, 100).await.unwrap();
    let events = store.events("w", 0, 100).await.unwrap();
    let row = store.workspace("w").await.unwrap();
    store.close().await;
    assert_eq!(log_bytes(directory.path()), 0);

    let store = open_in(directory.path()).acknowledging().await;
    assert_eq!(store.scan("w", "case", None, 100).await.unwrap(), documents);
    assert_eq!(store.events("w", 0, 100).await.unwrap(), events);
    assert_eq!(store.workspace("w").await.unwrap(), row);
    assert_eq!(store.claim("w", "k7").await.unwrap().unwrap().document, "c07");
    let committed = store.commit(numbered(create("w", "c20"), "CS")).await.unwrap();
    assert_eq!((committed.first_sequence, committed.documents[0].number), (21, Some(21)));
    assert_eq!(store.verify("w").await.unwrap(), ChainReport { events: 21, erased: 0, fault: None });
}

#[tokio::test]
async fn a_log_that_was_left_behind_is_recovered() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    for step in 0..20 {
        store.commit(create("w", &format!("c{step:02}"))).await.unwrap();
    }
    // What a killed process leaves: the files as they are between two commits.
    let left = tempfile::tempdir().unwrap();
    std::fs::create_dir(left.path().join("data")).unwrap();
    for file in ["casement.db", "casement.db-wal"] {
        let from = directory.path().join("data").join(file);
        std::fs::copy(from, left.path().join("data").join(file)).unwrap();
    }
    assert!(log_bytes(left.path()) > 0);
    let subject = open_in(left.path());
    assert_eq!(log_bytes(left.path()), 0);
    let store = subject.acknowledging().await;
    assert_eq!(store.verify("w").await.unwrap(), ChainReport { events: 20, erased: 0, fault: None });
    assert_eq!(store.scan("w", "case", None, 100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_full_store_reads_on_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::new(directory.path().join("data"));
    options.database_pages_max = Some(100);
    let store = open_with(options).acknowledging().await;
    let body = vec![b'x'; 100_000];
    let mut written = 0;
    let reason = loop {
        let set = writing(empty("w"), "case", &format!("c{written:03}"), 0, &body);
        match store.commit(set).await {
            Ok(_) => written += 1,
            Err(CommitError::Unavailable(reason)) => break reason,
            Err(other) => panic!("{other:?}"),
        }
        assert!(written < 100);
    };
    assert!(written > 5);
    assert_eq!(store.health(), Health::Full { reason: reason.clone() });
    assert_eq!(store.commit(create("w", "small")).await, Err(CommitError::Unavailable(reason)));
    assert_eq!(store.scan("w", "case", None, 100).await.unwrap().len(), written);

    store.set_database_pages_max(None);
    until("the store is ready", || store.health() == Health::Ready).await;
    store.commit(writing(empty("w"), "case", "later", 0, &body)).await.unwrap();
    let events = written as u64 + 1;
    assert_eq!(store.workspace("w").await.unwrap().unwrap().head, events);
    assert_eq!(store.verify("w").await.unwrap(), ChainReport { events, erased: 0, fault: None });
}

#[tokio::test]
async fn a_full_store_closes() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::new(directory.path().join("data"));
    options.database_pages_max = Some(1);
    let store = open_with(options).acknowledging().await;
    let body = vec![b'x'; 1_000_000];
    let outcome = store.commit(writing(empty("w"), "case", "c1", 0, &body)).await;
    assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{outcome:?}");
    store.close().await;
    let store = open_in(directory.path()).acknowledging().await;
    store.commit(writing(empty("w"), "case", "c1", 0, &body)).await.unwrap();
}

#[tokio::test]
async fn after_a_failed_write_only_reads_go_on() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    let trigger = "CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'broken'); END";
    database(directory.path()).execute_batch(trigger).unwrap();
    let Err(CommitError::OutcomeUnknown(reason)) = store.commit(create("w", "c2")).await else { panic!() };
    assert!(reason.contains("unknown") && reason.contains("restart"), "{reason}");
    assert_eq!(store.health(), Health::RestartRequired { reason: reason.clone() });
    database(directory.path()).execute_batch("DROP TRIGGER broken").unwrap();
    assert_eq!(store.commit(create("w", "c3")).await, Err(CommitError::Unavailable(reason)));
    assert!(store.document("w", "case", "c1").await.unwrap().is_some());
    assert_eq!(store.document("w", "case", "c2").await.unwrap(), None);
    store.close().await;

    let store = open_in(directory.path()).acknowledging().await;
    store.commit(create("w", "c2")).await.unwrap();
    assert_eq!(store.verify("w").await.unwrap(), ChainReport { events: 2, erased: 0, fault: None });
}

#[tokio::test]
async fn tampering_is_found() {
    let table = [
        (4, "UPDATE event SET actor = 'eve' WHERE sequence = 4"),
        (4, "UPDATE event SET changes = X'01' WHERE sequence = 4"),
        (4, "UPDATE event SET changes = NULL, salt = NULL WHERE sequence = 4"),
        (4, "UPDATE event SET version = 1 WHERE sequence = 4"),
        (4, "UPDATE event SET at_ms = at_ms + 1 WHERE sequence = 4"),
        (4, "UPDATE event SET digest = zeroblob(32) WHERE sequence = 4"),
        (4, "DELETE FROM event WHERE sequence = 4"),
        (10, "DELETE FROM event WHERE sequence = 10"),
        (9, "UPDATE workspace SET head = 9 WHERE id = 'w'"),
        (11, "UPDATE workspace SET head = 11 WHERE id = 'w'"),
        (10, "UPDATE workspace SET head_hash = zeroblob(32) WHERE id = 'w'"),
        (
            4,
            "UPDATE event SET sequence = 99 WHERE sequence = 4;
             UPDATE event SET sequence = 4 WHERE sequence = 5;
             UPDATE event SET sequence = 5 WHERE sequence = 99",
        ),
    ];
    for (sequence, sql) in table {
        let (directory, subject) = open();
        let store = subject.acknowledging().await;
        store.commit(create("w", "c1")).await.unwrap();
        for version in 1..10 {
            store.commit(update("w", "c1", version, b"before")).await.unwrap();
        }
        database(directory.path()).execute_batch(sql).unwrap();
        let fault = store.verify("w").await.unwrap().fault.expect(sql);
        assert_eq!(fault.sequence, sequence, "{sql}: {fault:?}");
    }
}

#[tokio::test]
async fn tampering_with_erasures_is_found() {
    for (sequence, sql) in TAMPERED {
        let (directory, subject) = open();
        let store = subject.acknowledging().await;
        erased(&store).await;
        assert_eq!(store.verify("w").await.unwrap().fault, None);
        database(directory.path()).execute_batch(sql).unwrap();
        let fault = store.verify("w").await.unwrap().fault.expect(sql);
        assert_eq!(fault.sequence, sequence, "{sql}: {fault:?}");
    }
}

#[tokio::test]
async fn nothing_that_was_erased_stays_in_the_files() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    // Short texts lie in pages with others, long ones have pages of their own.
    let said = |marker: &str, id: u64, version: u64| {
        let text = format!("{marker}-{id}-{version} ");
        text.repeat(if id.is_multiple_of(7) { 5_000 } else { 1 + (id * 13 % 40) as usize }).into_bytes()
    };
    for id in 0..120_u64 {
        let marker = if id.is_multiple_of(2) { "secret" } else { "public" };
        for version in 0..4 {
            let name = format!("c{:03}", id * 37 % 120);
            let mut set = writing(empty("w"), "case", &name, version, &said(marker, id, version));
            set.events[0].changes = Some(said(marker, id, version));
            store.commit(set).await.unwrap();
        }
    }
    for id in (0..120_u64).step_by(2) {
        let name = format!("c{:03}", id * 37 % 120);
        store.commit(purging(&name, 4, u64::MAX)).await.unwrap();
    }
    assert_eq!(store.verify("w").await.unwrap().fault, None);
    store.close().await;
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for marker in ["secret-", "public-"] {
            let count = bytes.windows(marker.len()).filter(|bytes| *bytes == marker.as_bytes()).count();
            *found.entry(marker).or_insert(0) += count;
        }
    }
    assert_eq!(found["secret-"], 0);
    assert!(found["public-"] > 100, "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_bounded_under_load() {
    let (directory, subject) = open();
    let store = subject.acknowledging().await;
    let body = vec![b'x'; 500_000];
    let mut commits = JoinSet::new();
    for task in 0..16 {
        let (store, body) = (store.clone(), body.clone());
        let path = directory.path().to_path_buf();
        commits.spawn(async move {
            let mut most = 0;
            for step in 0..40 {
                // New documents every time, so that the passive checkpoints always have much to move.
                let set = writing(empty("w"), "case", &format!("c{task} {step}"), 0, &body);
                store.commit(set).await.unwrap();
                most = log_bytes(&path).max(most);
            }
            most
        });
    }
    let most = commits.join_all().await.into_iter().max().unwrap();
    // 320 MB went through it. Past 64 MiB it may grow by a step and a batch before it starts anew.
    assert!(most < 96 * 1024 * 1024, "{most}");
    assert_eq!(store.verify("w").await.unwrap(), ChainReport { events: 640, erased: 0, fault: None });
}

fn log_bytes(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("data/casement.db-wal")).map_or(0, |metadata| metadata.len())
}

/// Looks again and again, for a bounded time.
async fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
