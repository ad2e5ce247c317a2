//! The conformance suite on PostgreSQL, and what is that engine's own: several nodes, lost answers, servers that are not
//! as they should be.

mod erasing;
mod nodes;
mod own;
mod plans;
mod proxy;
mod servers;
mod transfer;

use casement_store::feed::CommitFeed;
use casement_store::options::Server;
use casement_store::store::Store;

use crate::conformance::{Subject, facts};
use crate::server::Database;

async fn open() -> (Database, Subject) {
    let database = Database::fresh();
    let (store, feed) = connect(&database.url()).await;
    (database, Subject { store, feed })
}

async fn connect(url: &str) -> (Store, CommitFeed) {
    Store::connect(Server::new(url.parse().unwrap())).await.unwrap()
}

facts!(open);
