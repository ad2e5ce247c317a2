//! Moving an embedded database to a server: the same afterwards, also when it was broken off.

use std::path::Path;
use std::sync::Arc;

use casement_store::error::StoreError;
use casement_store::options::{Options, Server};
use casement_store::store::Store;
use casement_store::transfer::{Course, Moved, transfer};

use super::connect;
use super::own::sql;
use crate::build::{create, numbered, putting, under, under_config, update};
use crate::conformance::erasing::purging;
use crate::conformance::{Subject, acknowledge_all};
use crate::server::Database;

/// Fills a directory; gives the number of events of each workspace.
async fn filled(directory: &Path) {
    let (store, feed) = Store::open(Options::new(directory.to_path_buf())).unwrap();
    let store = Subject { store, feed }.acknowledging().await;
    for step in 0..50_u8 {
        let mut set = numbered(create("w", &format!("c{step:03}")), "CS");
        set.operation = [step; 16];
        set = putting(set, &format!("key {step}"), &format!("c{step:03}"));
        store.commit(set).await.unwrap();
    }
    store.commit(update("w", "c007", 1, b"changed")).await.unwrap();
    store.commit(purging("c007", 2, u64::MAX)).await.unwrap();
    store.commit(under(create("v", "child"), "parent")).await.unwrap();
    store.commit(under_config(create("v", "other"), 1, true)).await.unwrap();
    store.close().await;
}

async fn moved(from: &Path, database: &Database) -> Result<Vec<Moved>, StoreError> {
    let course = Arc::new(Course::default());
    let moved = transfer(from, Server::new(database.url().parse().unwrap()), Arc::clone(&course)).await;
    if moved.is_ok() {
        let (total, done) = course.rows();
        assert_eq!(total, done, "every row was copied and checked");
    }
    moved
}

#[tokio::test]
async fn everything_is_the_same_after_a_transfer_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let database = Database::fresh();
    let counts: Vec<(String, u64, u64, u64)> = moved(folder.path(), &database)
        .await
        .unwrap()
        .into_iter()
        .map(|moved| (moved.workspace, moved.events, moved.documents, moved.claims))
        .collect();
    assert_eq!(counts, [("v".into(), 2, 2, 0), ("w".into(), 52, 50, 50)]);

    let (store, feed) = connect(&database.url()).await;
    tokio::spawn(acknowledge_all(feed));
    let (embedded, _feed) = Store::open(Options::new(folder.path().to_path_buf())).unwrap();
    assert_eq!(store.workspaces().await.unwrap(), embedded.workspaces().await.unwrap());
    for workspace in ["v", "w"] {
        assert_eq!(
            store.events(workspace, 0, 1000).await.unwrap(),
            embedded.events(workspace, 0, 1000).await.unwrap()
        );
        assert_eq!(
            store.scan(workspace, "case", None, 1000).await.unwrap(),
            embedded.scan(workspace, "case", None, 1000).await.unwrap()
        );
        assert_eq!(store.verify(workspace).await.unwrap().fault, None);
    }
    assert_eq!(store.claim("w", "key 7").await.unwrap(), embedded.claim("w", "key 7").await.unwrap());
    let next = store.commit(numbered(create("w", "next"), "CS")).await.unwrap();
    assert_eq!((next.first_sequence, next.documents[0].number), (53, Some(51)));
    // It has ended: nobody moves anything into it again.
    drop(embedded);
}

#[tokio::test]
async fn a_transfer_that_was_broken_off_goes_on_and_until_then_nobody_uses_the_database() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let database = Database::fresh();
    moved(folder.path(), &database).await.unwrap();
    // As it is when it was broken off somewhere in the middle.
    sql(&database, "UPDATE transfer SET ended = FALSE; DELETE FROM workspace; DELETE FROM event WHERE sequence > 20;
                    DELETE FROM document WHERE workspace = 'w' AND id > 'c010'; DELETE FROM claim WHERE key > 'key 3'");
    match Store::connect(Server::new(database.url().parse().unwrap())).await {
        Err(StoreError::Unusable(reason)) => assert!(reason.contains("casement migrate"), "{reason}"),
        other => panic!("{other:?}"),
    }
    moved(folder.path(), &database).await.unwrap();
    let (store, _feed) = connect(&database.url()).await;
    assert_eq!(store.verify("w").await.unwrap().events, 52);
    assert!(matches!(moved(folder.path(), &database).await, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn what_is_not_the_same_in_the_end_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    for damage in [
        "UPDATE document SET body = 'other' WHERE id = 'c003'",
        "UPDATE event SET actor = 'other' WHERE workspace = 'w' AND sequence = 5",
        "UPDATE claim SET document = 'other' WHERE key = 'key 4'",
        "INSERT INTO document (workspace, kind, id, version, sequence, schema, body)
         VALUES ('w', 'case', 'a stranger', 1, 1, 1, '')",
    ] {
        let database = Database::fresh();
        moved(folder.path(), &database).await.unwrap();
        sql(&database, &format!("UPDATE transfer SET ended = FALSE; DELETE FROM workspace; {damage}"));
        let noticed = moved(folder.path(), &database).await;
        assert!(matches!(noticed, Err(StoreError::Damaged(_))), "{damage}: {noticed:?}");
    }
}

#[tokio::test]
async fn a_database_with_data_and_a_directory_in_use_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let (database, subject) = super::open().await;
    subject.acknowledging().await.close().await;
    assert!(matches!(moved(folder.path(), &database).await, Err(StoreError::Refused(_))));
    let (_embedded, _feed) = Store::open(Options::new(folder.path().to_path_buf())).unwrap();
    let empty = Database::fresh();
    assert!(matches!(moved(folder.path(), &empty).await, Err(StoreError::Locked { .. })));
    let nothing = tempfile::tempdir().unwrap();
    assert!(matches!(moved(nothing.path(), &empty).await, Err(StoreError::Refused(_))));
}
