//! Commits whose answer is lost, made by a proxy that cuts the connection around a COMMIT.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::connect;
use super::own::sql;
use crate::build::{create, decided_at, putting, workspace};
use crate::conformance::{Subject, acknowledge_all};
use crate::server::Database;

/// What happens at the next COMMIT.
const PASS: u8 = 0;
/// It reaches the server, its answer reaches nobody.
const LOSE_ANSWER: u8 = 1;
/// It does not reach the server.
const LOSE_COMMIT: u8 = 2;

/// A proxy before the server; `mode` is for the next COMMIT, `cuts` counts.
struct Proxy {
    port: u16,
    mode: Arc<AtomicU8>,
    cuts: Arc<AtomicU32>,
    /// Connections before this number say nothing any more, and stay open.
    frozen: Arc<AtomicU32>,
    /// How many connections there have been.
    count: Arc<AtomicU32>,
}

async fn proxy(to: u16) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mode, cuts) = (Arc::new(AtomicU8::new(PASS)), Arc::new(AtomicU32::new(0)));
    let (frozen, count) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (own_mode, own_cuts) = (Arc::clone(&mode), Arc::clone(&cuts));
    let (own_frozen, own_count) = (Arc::clone(&frozen), Arc::clone(&count));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let place = (own_count.fetch_add(1, Ordering::SeqCst), Arc::clone(&own_frozen));
            tokio::spawn(pass(client, server, Arc::clone(&own_mode), Arc::clone(&own_cuts), place));
        }
    });
    Proxy { port, mode, cuts, frozen, count }
}

async fn pass(
    client: TcpStream,
    server: TcpStream,
    mode: Arc<AtomicU8>,
    cuts: Arc<AtomicU32>,
    (number, frozen): (u32, Arc<AtomicU32>),
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                if number < frozen.load(Ordering::SeqCst) {
                    return std::future::pending().await;
                }
                let bytes = &asked[..count];
                let commits = bytes.windows(7).any(|window| window == b"COMMIT\0");
                let now = if commits { mode.swap(PASS, Ordering::SeqCst) } else { PASS };
                if now != PASS {
                    cuts.fetch_add(1, Ordering::SeqCst);
                }
                if now == LOSE_COMMIT {
                    return;
                }
                to_server.write_all(bytes).await.unwrap();
                if now == LOSE_ANSWER {
                    // All of its answers: the last tells that no transaction is open any more.
                    loop {
                        let count = from_server.read(&mut answered).await.unwrap_or_default();
                        if count == 0 || answered[..count].ends_with(b"Z\0\0\0\x05I") {
                            return;
                        }
                    }
                }
            }
            read = from_server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if to_client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn begin() -> (Database, Proxy, casement_store::store::Store) {
    let database = Database::fresh();
    let proxy = proxy(database.port()).await;
    let url = database.url().replace(&database.port().to_string(), &proxy.port.to_string());
    let (store, feed) = connect(&url).await;
    let store = Subject { store, feed }.acknowledging().await;
    (database, proxy, store)
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_and_counts_once() {
    let (_database, proxy, store) = begin().await;
    store.commit(create("w", "c1")).await.unwrap();
    proxy.mode.store(LOSE_ANSWER, Ordering::SeqCst);
    let mut set = create("w", "c2");
    set.operation = [7; 16];
    let committed = store.commit(set).await.unwrap();
    assert_eq!(proxy.cuts.load(Ordering::SeqCst), 1, "the answer was lost");
    assert_eq!((committed.first_sequence, committed.documents[0].version), (2, 1));
    assert_eq!(store.workspace("w").await.unwrap().unwrap().head, 2);
    assert_eq!(store.verify("w").await.unwrap().fault, None);
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_made_again() {
    let (_database, proxy, store) = begin().await;
    store.commit(create("w", "c1")).await.unwrap();
    proxy.mode.store(LOSE_COMMIT, Ordering::SeqCst);
    let mut set = create("w", "c2");
    set.operation = [7; 16];
    let committed = store.commit(set).await.unwrap();
    assert_eq!(proxy.cuts.load(Ordering::SeqCst), 1, "the commit was lost");
    assert_eq!(committed.first_sequence, 2);
    let events = store.events("w", 0, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.operation == [7; 16]).count(), 1);
}

#[tokio::test]
async fn lost_answers_of_claims_alone_are_found_by_the_claims() {
    let (_database, proxy, store) = begin().await;
    for (mode, key) in [(LOSE_ANSWER, "k1"), (LOSE_COMMIT, "k2")] {
        proxy.mode.store(mode, Ordering::SeqCst);
        let set = decided_at(putting(crate::build::empty("w"), key, "holder"), crate::build::AT_MS);
        store.commit(set).await.unwrap();
        assert_eq!(store.claim("w", key).await.unwrap().unwrap().document, "holder");
    }
    assert_eq!(proxy.cuts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_read_over_a_connection_that_was_cut_off_silently_ends_when_a_round_has_failed() {
    let (_database, proxy, store) = begin().await;
    store.commit(create("w", "c1")).await.unwrap();
    assert_eq!(store.scan("w", "case", None, 10).await.unwrap().len(), 1);
    store.heads().await.unwrap();
    let began = std::time::Instant::now();
    proxy.frozen.store(proxy.count.load(Ordering::SeqCst), Ordering::SeqCst);
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.scan("w", "case", None, 10).await }
    });
    assert!(store.heads().await.is_err());
    assert!(matches!(reading.await.unwrap(), Err(casement_store::error::StoreError::Unreachable(_))));
    assert!(began.elapsed() < casement_store::limits::PAGE_READ_WAIT, "it did not wait for its own end");
    // From here on over new connections.
    assert_eq!(store.heads().await.unwrap().unwrap().of("w").sequence, 1);
    assert_eq!(store.scan("w", "case", None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lost_connection_is_made_again_without_anybody_noticing() {
    let (database, subject) = super::open().await;
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    sql(
        &database,
        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    // The loss may be noticed at the first use alone; whoever is told to come again comes again.
    for id in ["c2", "c3"] {
        while store.commit(create("w", id)).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    while store.document("w", "case", "c3").await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.workspace("w").await.unwrap().unwrap().head, 3);
    assert_eq!(store.verify("w").await.unwrap().fault, None);
}

#[tokio::test]
async fn what_two_nodes_write_side_by_side_is_one_log() {
    let database = Database::fresh();
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let (store, feed) = connect(&database.url()).await;
        tokio::spawn(acknowledge_all(feed));
        nodes.push(store);
    }
    nodes[0].create_workspace(workspace("w")).await.unwrap();
    let mut commits = tokio::task::JoinSet::new();
    for step in 0..120 {
        let store = nodes[step % 2].clone();
        let mut set = crate::build::numbered(create("w", &format!("c{step}")), "CS");
        set.operation = [u8::try_from(step).unwrap(); 16];
        commits.spawn(async move { store.commit(set).await.unwrap().documents[0].number.unwrap() });
    }
    let mut numbers = commits.join_all().await;
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=120));
    let report = nodes[1].verify("w").await.unwrap();
    assert_eq!((report.events, report.fault), (120, None));
}
