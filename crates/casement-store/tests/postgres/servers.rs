//! Servers that are not as they should be: each gets a sentence that says what to do.

use casement_store::error::StoreError;
use casement_store::options::{Directory, Server};
use casement_store::store::Store;
use tokio::task::JoinSet;

use super::own::{alter, sql};
use crate::build::create;
use crate::conformance::Subject;
use crate::server::Database;

async fn refused(url: &str) -> StoreError {
    match Store::connect(Server::new(url.parse().unwrap())).await {
        Err(error) => error,
        Ok(_) => panic!("{url} was used"),
    }
}

async fn unusable(url: &str) -> String {
    match refused(url).await {
        StoreError::Unusable(sentence) => sentence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn settings_that_lose_writes_are_refused_with_what_to_set() {
    let database = Database::fresh();
    for (setting, sentence) in [
        ("synchronous_commit = off", "set it to on"),
        ("default_transaction_read_only = on", "default_transaction_read_only"),
    ] {
        let name = setting.split_once(' ').unwrap().0;
        alter(&database, &format!("SET {setting}"));
        let said = unusable(&database.url()).await;
        assert!(said.contains(sentence), "{said}");
        alter(&database, &format!("RESET {name}"));
    }
    Store::connect(Server::new(database.url().parse().unwrap())).await.unwrap().0.close().await;
}

#[tokio::test]
async fn an_unknown_user_or_database_is_told_apart_from_a_server_that_is_not_there() {
    let database = Database::fresh();
    let said = unusable(&database.url().replace("casement@", "nobody@")).await;
    assert!(said.contains("pg_hba.conf"), "{said}");
    let missing = format!("{}_missing", database.url());
    let said = unusable(&missing).await;
    assert!(said.contains("CREATE DATABASE"), "{said}");
    let port = database.port().to_string();
    match refused(&database.url().replace(&port, "1")).await {
        StoreError::Unreachable(said) => assert!(said.contains("127.0.0.1:1"), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_host_that_can_not_be_used_is_left_for_the_next() {
    let database = Database::fresh();
    let url = database.url().replace("127.0.0.1:", "127.0.0.1:1,127.0.0.1:");
    let (store, feed) = Store::connect(Server::new(url.parse().unwrap())).await.unwrap();
    let store = Subject { store, feed }.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (database, subject) = super::open().await;
    subject.store.close().await;
    sql(&database, "INSERT INTO casement_schema (number) VALUES (99)");
    match refused(&database.url()).await {
        StoreError::NewerSchema { found: 99, supported: 1 } => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_nodes_that_start_at_once_one_migrates_and_the_others_wait() {
    let database = Database::fresh();
    let mut starts = JoinSet::new();
    for _ in 0..4 {
        let server = Server::new(database.url().parse().unwrap());
        starts.spawn(async move { Store::connect(server).await.map(|(store, _feed)| store) });
    }
    for store in starts.join_all().await {
        store.unwrap().close().await;
    }
    assert_eq!(sql(&database, "SELECT number FROM casement_schema"), "1");
}

#[tokio::test]
async fn a_directory_of_its_own_has_one_node() {
    let database = Database::fresh();
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::new(database.url().parse().unwrap());
    server.directory = Some(Directory::Own(folder.path().to_path_buf()));
    let (store, _feed) = Store::connect(server.clone()).await.unwrap();
    assert!(matches!(Store::connect(server.clone()).await, Err(StoreError::Locked { .. })));
    server.directory = Some(Directory::Common(folder.path().to_path_buf()));
    Store::connect(server.clone()).await.unwrap().0.close().await;
    store.close().await;
    server.directory = Some(Directory::Own(folder.path().to_path_buf()));
    Store::connect(server).await.unwrap().0.close().await;
}
