//! What a node hears of others, and how a read is made fresh.

use std::time::{Duration, Instant};

use casement_store::error::{CommitError, StoreError};
use casement_store::feed::{CommitFeed, News};
use casement_store::heads::Head;
use casement_store::options::{FreshReads, Server};
use casement_store::store::Store;

use super::connect;
use super::own::OwnServer;
use crate::build::{create, under_config, update, workspace};
use crate::conformance::acknowledge_all;
use crate::server::Database;

async fn moved(feed: &mut CommitFeed, sequence: u64) -> Head {
    loop {
        match feed.news().await.unwrap() {
            News::Moved(moved) if moved.workspace == "w" && moved.head.sequence >= sequence => {
                return moved.head;
            }
            News::Moved(_) => {}
            News::Committed(batch) => panic!("nothing was committed here: {batch:?}"),
        }
    }
}

#[tokio::test]
async fn a_node_hears_what_another_commits_and_reads_what_changed() {
    let database = Database::fresh();
    let (writing, feed) = connect(&database.url()).await;
    tokio::spawn(acknowledge_all(feed));
    let (hearing, mut feed) = connect(&database.url()).await;
    writing.create_workspace(workspace("w")).await.unwrap();
    writing.commit(create("w", "c1")).await.unwrap();
    assert_eq!(moved(&mut feed, 1).await, Head { sequence: 1, config_version: 1 });
    writing.commit(update("w", "c1", 1, b"two")).await.unwrap();
    writing.commit(under_config(create("w", "c2"), 1, true)).await.unwrap();
    assert_eq!(moved(&mut feed, 3).await, Head { sequence: 3, config_version: 2 });
    let changes = hearing.changes("w", 1, 100).await.unwrap().unwrap();
    assert_eq!((changes.head, changes.config_version), (3, 2));
    let ids: Vec<&str> = changes.documents.iter().map(|document| document.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c2"]);
    assert_eq!(hearing.changes("nowhere", 0, 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_round_sees_what_was_acknowledged_before_it_on_any_node() {
    let database = Database::fresh();
    let (writing, feed) = connect(&database.url()).await;
    tokio::spawn(acknowledge_all(feed));
    let mut plain = Server::new(database.url().parse().unwrap());
    plain.fresh_reads = FreshReads::Plain;
    let reading = [connect(&database.url()).await, Store::connect(plain).await.unwrap()];
    writing.create_workspace(workspace("w")).await.unwrap();
    for step in 1..=20 {
        writing.commit(create("w", &format!("c{step}"))).await.unwrap();
        for (node, _) in &reading {
            let heads = node.heads().await.unwrap().unwrap();
            assert_eq!(heads.of("w"), Head { sequence: step, config_version: 1 });
        }
    }
}

/// Waits until so many connections of the database wait for a standby; gives their processes.
fn waiting_for_standby(server: &OwnServer, count: usize) -> Vec<String> {
    let began = Instant::now();
    loop {
        let pids = server.sql("own", "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        let pids: Vec<String> = pids.lines().map(str::to_owned).collect();
        if pids.len() >= count {
            return pids;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{pids:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_wait_for_the_standby_is_no_acknowledgement() {
    let server = OwnServer::start();
    let (store, feed) = connect(&server.url()).await;
    tokio::spawn(acknowledge_all(feed));
    store.create_workspace(workspace("w")).await.unwrap();
    store.commit(create("w", "c1")).await.unwrap();
    let standby = |name: &str| {
        server.sql("own", &format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'"));
        server.sql("own", "SELECT pg_reload_conf()");
    };
    standby("nobody");
    let committing = tokio::spawn({
        let store = store.clone();
        async move {
            let mut set = create("w", "c2");
            set.operation = [7; 16];
            store.commit(set).await
        }
    });
    let first = waiting_for_standby(&server, 1);
    // The server warns that the transaction is committed here and may be on no standby.
    server.sql("own", &format!("SELECT pg_cancel_backend({})", first[0]));
    let second = loop {
        let now = waiting_for_standby(&server, 1);
        if now != first {
            break now;
        }
    };
    assert_ne!(
        first, second,
        "the outcome is looked for on another connection, which commits something itself"
    );
    assert!(!committing.is_finished(), "a commit that is on no standby is not acknowledged");
    // Nor is what can be read proved to be the truth.
    assert!(matches!(store.heads().await, Err(StoreError::Unreachable(_))));
    standby("");
    let committed = committing.await.unwrap().unwrap();
    assert_eq!(committed.first_sequence, 2);
    assert_eq!(store.verify("w").await.unwrap().events, 2);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_too_long_has_an_unknown_outcome_and_is_there_once() {
    let server = OwnServer::start();
    let (store, feed) = connect(&server.url()).await;
    tokio::spawn(acknowledge_all(feed));
    store.create_workspace(workspace("w")).await.unwrap();
    server.sql("own", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("own", "SELECT pg_reload_conf()");
    let unknown = store.commit(create("w", "c1")).await;
    assert!(matches!(unknown, Err(CommitError::OutcomeUnknown(_))), "{unknown:?}");
    server.sql("own", "ALTER SYSTEM SET synchronous_standby_names = ''");
    server.sql("own", "SELECT pg_reload_conf()");
    let again = loop {
        match store.commit(create("w", "c1")).await {
            Err(CommitError::Unavailable(_) | CommitError::OutcomeUnknown(_)) => {}
            ended => break ended,
        }
    };
    // It was there: whoever tries again under the same guards misses.
    assert!(matches!(again, Err(CommitError::Missed(_))), "{again:?}");
    assert_eq!(store.workspace("w").await.unwrap().unwrap().head, 1);
    store.close().await;
}
