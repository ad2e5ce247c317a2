//! What only the tests of the engine do to a server: one of its own, and settings of a database.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::server::{Database, programs, psql, run, start};

/// Runs statements in a database; gives what they print, one line a row.
pub fn sql(database: &Database, statements: &str) -> String {
    psql(&programs(), database.port(), &database.name, statements)
}

/// Sets or resets something for all who connect to a database.
pub fn alter(database: &Database, words: &str) {
    psql(&programs(), database.port(), "postgres", &format!("ALTER DATABASE {} {words}", database.name));
}

/// A server of its own, for what would disturb others. It ends when this is dropped.
#[derive(Debug)]
pub struct OwnServer {
    port: u16,
    folder: PathBuf,
}

impl OwnServer {
    /// Starts a server with an empty database `own`.
    pub fn start() -> OwnServer {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("casement-own-postgres-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        let port = start(&programs(), &folder);
        let own = OwnServer { port, folder };
        own.sql("postgres", "CREATE DATABASE own ENCODING 'UTF8' TEMPLATE template0");
        own
    }

    /// Gives the address of its database.
    pub fn url(&self) -> String {
        format!("postgres://casement@127.0.0.1:{}/own", self.port)
    }

    /// Runs statements; gives what they print, one line a row.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        psql(&programs(), self.port, database, statements)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        run(&programs(), "pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "stop"]);
        let _ = fs::remove_dir_all(&self.folder);
    }
}
