//! Statements find their rows by their keys, whatever the server believes of the tables.
//!
//! A server that knows nothing of a table takes it for almost empty, and for an almost empty table every way is as good as
//! another. The plan is kept, and the table grows.

use std::time::Duration;

use casement_store::document::Along;

use crate::build::{create, empty, guarding, guarding_claim, putting, removing, under, update, writing};
use crate::conformance::Subject;
use crate::conformance::erasing::purging;
use crate::postgres::{connect, own};
use crate::server::Database;

/// How many documents are written, one batch each.
const DOCUMENTS: u64 = 300;

/// Counts the entries of indexes that were read, at least so many: what a connection did is counted when it has ended.
async fn entries_read(database: &Database, indexes: &str, least: u64) -> u64 {
    let connections = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()";
    let entries =
        format!("SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname IN ({indexes})");
    loop {
        let is_last = own::sql(database, connections) == "1";
        let read = own::sql(database, &entries).parse().unwrap();
        if is_last && read >= least {
            return read;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_table_that_was_empty_when_a_connection_came_is_read_by_keys_once_it_has_grown() {
    let database = Database::fresh();
    let (store, feed) = connect(&database.url()).await;
    let store = Subject { store, feed }.acknowledging().await;
    let ids: Vec<String> = (0..DOCUMENTS).map(|number| format!("c{number:03}")).collect();
    for id in &ids {
        let set = guarding(create("w", id), "customer", "absent", 0);
        store.commit(putting(guarding_claim(set, id, None), id, id)).await.unwrap();
    }
    for id in &ids {
        store.commit(removing(update("w", id, 1, b"changed"), id)).await.unwrap();
    }
    let mut followed = 0;
    for after in 0..2 * DOCUMENTS {
        followed += store.changed_documents("w", after, 1).await.unwrap().len() as u64;
    }
    for id in &ids {
        assert_eq!(store.documents("w", "case", std::slice::from_ref(id)).await.unwrap().len(), 1);
    }
    assert_eq!(followed, DOCUMENTS, "each document is told of by its last event");
    store.close().await;

    // Written twice, which finds it for reading and for writing, followed twice and read once.
    let documents = entries_read(&database, "'document_pkey'", DOCUMENTS).await;
    assert!(documents <= 8 * DOCUMENTS, "{documents} entries of documents were read");
    let claims = entries_read(&database, "'claim_pkey'", DOCUMENTS).await;
    assert!(claims <= 8 * DOCUMENTS, "{claims} entries of claims were read");
    let events = entries_read(&database, "'event_pkey', 'event_document'", 2 * DOCUMENTS).await;
    assert!(events <= 8 * DOCUMENTS, "{events} entries of events were read");
}

#[tokio::test]
async fn children_are_found_by_their_parents_once_a_table_that_was_empty_has_grown() {
    let database = Database::fresh();
    let (store, feed) = connect(&database.url()).await;
    let store = Subject { store, feed }.acknowledging().await;
    for number in 0..DOCUMENTS {
        let (id, parent) = (format!("m{number:03}"), format!("c{number:03}"));
        store.commit(under(writing(empty("w"), "comment", &id, 0, b"{}"), &parent)).await.unwrap();
    }
    for number in 0..DOCUMENTS - 1 {
        let parents = [format!("c{number:03}"), format!("c{:03}", number + 1)];
        for along in [Along::Down(None), Along::Up(None)] {
            let page = store.children_page("w", "comment", &parents, &along, 10).await.unwrap();
            assert_eq!(page.len(), 2);
        }
        assert_eq!(store.count_children("w", "comment", &parents[0]).await.unwrap(), 1);
    }
    store.close().await;
    // Two parents of one child each, either way, and a count; each document of a page by its key, and once when it was written.
    let parents = entries_read(&database, "'document_parent'", DOCUMENTS).await;
    assert!(parents <= 8 * DOCUMENTS, "{parents} entries of parents were read");
    let documents = entries_read(&database, "'document_pkey'", DOCUMENTS).await;
    assert!(documents <= 8 * DOCUMENTS, "{documents} entries of documents were read");
}

#[tokio::test]
async fn erasures_find_the_events_of_their_documents_alone() {
    let database = Database::fresh();
    let (store, feed) = connect(&database.url()).await;
    let store = Subject { store, feed }.acknowledging().await;
    let ids: Vec<String> = (0..DOCUMENTS).map(|number| format!("c{number:03}")).collect();
    store.commit(create("w", "first")).await.unwrap();
    // One at the beginning, so that the plan is made for an almost empty table.
    store.commit(purging("first", 1, u64::MAX)).await.unwrap();
    for id in &ids {
        store.commit(create("w", id)).await.unwrap();
    }
    for id in &ids {
        assert_eq!(store.unerased_events("w", "case", id, 10).await.unwrap().len(), 1);
        store.commit(purging(id, 1, u64::MAX)).await.unwrap();
    }
    let report = store.verify("w").await.unwrap();
    assert_eq!((report.erased, report.fault), (DOCUMENTS + 1, None));
    store.close().await;

    // Asked for once, erased once, and looked at twice by the walk.
    let events = entries_read(&database, "'event_pkey', 'event_document'", 2 * DOCUMENTS).await;
    assert!(events <= 16 * DOCUMENTS, "{events} entries of events were read");
}
