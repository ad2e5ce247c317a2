//! Copies the database as of one moment into another file, while the store goes on.
//!
//! The copy reads under one transaction, so it sees one moment; meanwhile the log can't be restarted and grows by what
//! is written. It goes step by step with pauses, so that it leaves the disk to others in between.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::StoreError;
use crate::sqlite::{journal, schema, writing};
use crate::{limits, lock};

/// What the copy holds.
#[derive(Debug)]
pub(crate) struct Copied {
    /// The last position of the journal.
    pub(crate) position: u64,
    /// Everything in the copy was decided at this moment or before.
    pub(crate) at_ms: i64,
    /// The head of each workspace, and its hash.
    pub(crate) heads: BTreeMap<String, (u64, [u8; 32])>,
}

/// Counts a copy as long as it runs: meanwhile the writer does not wait for the log to be free.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(copies: &'a AtomicUsize) -> Counted<'a> {
        copies.fetch_add(1, Ordering::Relaxed);
        Counted(copies)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Copies the database. The new file is not synced.
pub(crate) fn copy(
    database: &Path,
    to: &Path,
    copies: &AtomicUsize,
    now_ms: &dyn Fn() -> i64,
) -> Result<Copied, StoreError> {
    lock::private_file(to)?.set_len(0).map_err(|source| StoreError::Io {
        action: "empty",
        path: to.to_path_buf(),
        source,
    })?;
    let _counted = Counted::new(copies);
    let source = schema::open_reader(database)?;
    writing::run(&source, "BEGIN")?;
    let heads = heads(&source)?;
    let position = journal::last_position(&source)?;
    let at_ms = now_ms();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    // The caller writes what is copied into another file and syncs that one.
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "OFF")?;
    {
        let backup = Backup::new(&source, &mut target)?;
        while backup.step(limits::BASE_STEP_PAGES).map_err(|error| of_disk(error, to))? != StepResult::Done {
            thread::sleep(limits::BASE_STEP_PAUSE);
        }
    }
    writing::run(&source, "COMMIT")?;
    Ok(Copied { position, at_ms, heads })
}

/// Says which disk is full: only the copy is written.
fn of_disk(error: rusqlite::Error, to: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Io {
            action: "write",
            path: to.to_path_buf(),
            source: std::io::ErrorKind::StorageFull.into(),
        },
        Some(_) | None => StoreError::Sqlite(error),
    }
}

/// Reads the head of every workspace.
pub(crate) fn heads(connection: &Connection) -> Result<BTreeMap<String, (u64, [u8; 32])>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, head, head_hash
         FROM workspace
         ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_of_the_backup_is_named() {
        let full =
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        let told = of_disk(full, Path::new("/backup/copy"));
        assert!(told.to_string().contains("/backup/copy"), "{told}");
    }
}
