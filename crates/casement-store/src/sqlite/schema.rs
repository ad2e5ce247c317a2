//! Opens connections to the database file and brings its schema up to date.
//!
//! Migrations are numbered SQL files that are never changed once released. They run one
//! transaction each, under the directory lock, before anything else has the file open.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::sqlite::checkpoint::{self, Mode};
use crate::{limits, lock};

/// "Case", so that `file` and we can tell our databases from others.
const APPLICATION_ID: i32 = 0x4361_7365;

/// The migrations, in order; the schema number is how many have run.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];

/// The first schema that has a journal.
pub(crate) const WITH_JOURNAL: u32 = 3;

/// The most pages that SQLite lets a database have.
pub(crate) const PAGES_MAX: u64 = 4_294_967_294;

/// Opens the file for writing, makes it if it is absent, and migrates it.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    // Made by us, since SQLite would let others read it. Log and shared memory take its mode.
    drop(lock::private_file(path)?);
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "page_size", limits::PAGE_BYTES)?;
    let schema = schema(&connection, path)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!(
            "SQLite keeps no write-ahead log on this file system (it offers {mode}); use a local disk"
        )));
    }
    set_up_writing(&connection)?;
    // What a body no longer says must not stay readable, in the gaps of its page nor in pages that nobody uses any more.
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -limits::WRITER_CACHE_KIB)?;
    migrate(&mut connection, schema)?;
    empty_log(&connection)?;
    Ok(connection)
}

/// Opens a connection that does checkpoints only.
pub(crate) fn open_checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_up_writing(&connection)?;
    Ok(connection)
}

/// Opens a connection that can't write.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -limits::READER_CACHE_KIB)?;
    Ok(connection)
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(limits::BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(limits::STATEMENTS_KEPT);
    // Closing must not write: after a failed sync only a restart may. A sound store empties its
    // log itself before it closes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn set_up_writing(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(())
}

/// Gives the schema number, 0 for an empty file, or says why this file is not for this release.
pub(crate) fn schema(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = connection.query_row("SELECT COUNT(*)\nFROM sqlite_schema", [], |row| row.get(0))?;
    let empty = objects == 0 && found == 0 && application_id == 0;
    if !empty && application_id != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_path_buf() });
    }
    let supported = latest();
    if found > supported {
        return Err(StoreError::NewerSchema { found, supported });
    }
    Ok(found)
}

fn migrate(connection: &mut Connection, schema: u32) -> Result<(), StoreError> {
    for (number, sql) in (1..).zip(MIGRATIONS) {
        if number <= schema {
            continue;
        }
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
        tracing::info!(schema = number, "the database has been brought to a newer schema");
    }
    Ok(())
}

/// Moves what a former run left in the log into the database file, before anything is added.
///
/// That run may have ended after a failed sync. Then the system still shows what it could not write
/// and takes it for written; sets that were added behind such a hole would be lost with it in a
/// power failure. Written anew to the database file, it is durable. For the same reason a disk
/// without room for it keeps the store from opening.
fn empty_log(connection: &Connection) -> Result<(), StoreError> {
    let log = checkpoint::checkpoint(connection, Mode::Truncate)?;
    if log.busy {
        return Err(StoreError::Unavailable(
            "another program reads the database and keeps its log from being emptied; end that program"
                .into(),
        ));
    }
    Ok(())
}

/// Gives the latest schema number that this release knows.
pub(crate) fn latest() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("invariant: there are few migrations")
}
