//! The conformance suite on PostgreSQL, and what is that engine's own: several nodes, lost answers, servers that are not
//! as they should be.

use casement_store::options::Server;
use casement_store::store::Store;

use crate::conformance::{Subject, facts};
use crate::server::Database;

async fn open() -> (Database, Subject) {
    let database = Database::fresh();
    let subject = connect(&database).await;
    (database, subject)
}

async fn connect(database: &Database) -> Subject {
    let server = Server::new(database.url().parse().unwrap());
    let (store, feed) = Store::connect(server).await.unwrap();
    Subject { store, feed }
}

facts!(open);
