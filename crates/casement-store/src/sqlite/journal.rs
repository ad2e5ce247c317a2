//! The journal: what backups have yet to take, written in the transactions that it tells of.
//!
//! It is kept only while a series follows the store. What every series holds is trimmed beside later writes, a bounded
//! number of rows at a time; a series that stays away until the journal is full is given up, and its backup begins anew.

use rusqlite::{Connection, OptionalExtension, params};

use crate::backup::entry::{self, Entry};
use crate::document::NewWorkspace;
use crate::error::CommitError;
use crate::limits;
use crate::set::{Committed, WriteSet};
use crate::sqlite::writing::run;

/// What the writer is asked to do for a backup.
#[derive(Debug)]
pub(crate) enum JournalOrder {
    /// Begin a series for a target, in place of the one that the target had.
    Begin {
        /// The identity that the store takes if it has none yet.
        identity: String,
        series: String,
        target: String,
        at_ms: i64,
    },
    /// Note that a series holds everything up to a position.
    Advance { series: String, position: u64, at_ms: i64 },
    /// Keep nothing more for a target.
    Forget { target: String },
}

/// A series that follows the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    /// It holds everything up to here.
    pub(crate) position: u64,
}

/// A row of the journal.
#[derive(Debug)]
pub(crate) struct JournalRow {
    pub(crate) position: u64,
    pub(crate) at_ms: i64,
    pub(crate) entry: Vec<u8>,
}

/// The end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    position: u64,
    at_ms: i64,
    bytes_total: u64,
}

/// Carries out an order in a transaction of its own. On an error the caller rolls back.
pub(crate) fn write_order(connection: &Connection, order: &JournalOrder) -> Result<(), rusqlite::Error> {
    run(connection, "BEGIN IMMEDIATE")?;
    match order {
        JournalOrder::Begin { identity, series, target, at_ms } => {
            begin(connection, identity, series, target, *at_ms)?;
        }
        JournalOrder::Advance { series, position, at_ms } => advance(connection, series, *position, *at_ms)?,
        JournalOrder::Forget { target } => forget(connection, target)?,
    }
    trim(connection)?;
    run(connection, "COMMIT")
}

/// Journals the sets that passed, if a series follows. Part of the sets' transaction.
pub(crate) fn write_sets(
    connection: &Connection,
    sets: &[WriteSet],
    outcomes: &[Result<Committed, CommitError>],
) -> Result<(), rusqlite::Error> {
    if !is_followed(connection)? {
        return Ok(());
    }
    let mut end = end(connection)?;
    for (set, outcome) in sets.iter().zip(outcomes) {
        if let Ok(committed) = outcome {
            let entry = entry::encode(&Entry::of_set(set, committed));
            end = append(connection, end, set.at_ms, &entry)?;
        }
    }
    trim(connection)
}

/// Journals a new workspace, if a series follows. Part of the transaction that makes it.
pub(crate) fn write_workspace(
    connection: &Connection,
    workspace: &NewWorkspace,
) -> Result<(), rusqlite::Error> {
    if !is_followed(connection)? {
        return Ok(());
    }
    let end = end(connection)?;
    append(connection, end, end.at_ms, &entry::encode(&Entry::of_workspace(workspace)))?;
    Ok(())
}

/// Gives who the store is, `None` before its first backup.
pub(crate) fn identity(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT id
             FROM identity",
        )?
        .query_row([], |row| row.get(0))
        .optional()
}

/// Finds a series.
pub(crate) fn series(connection: &Connection, id: &str) -> Result<Option<Series>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT position
             FROM series
             WHERE id = ?1",
        )?
        .query_row([id], |row| Ok(Series { position: row.get(0)? }))
        .optional()
}

/// Gives the series that follows for a target.
pub(crate) fn series_of(connection: &Connection, target: &str) -> Result<Option<String>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT id
             FROM series
             WHERE target = ?1",
        )?
        .query_row([target], |row| row.get(0))
        .optional()
}

/// Gives the last position, 0 when there has been none.
pub(crate) fn last_position(connection: &Connection) -> Result<u64, rusqlite::Error> {
    Ok(end(connection)?.position)
}

/// Gives the rows of a span of positions, as many as have room in so many bytes, one at least.
pub(crate) fn rows(
    connection: &Connection,
    after: u64,
    until: u64,
    bytes_max: usize,
) -> Result<Vec<JournalRow>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT position, at_ms, entry
         FROM journal
         WHERE position > ?1
           AND position <= ?2
         ORDER BY position",
    )?;
    let mut found = statement.query(params![after, until])?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let row = JournalRow { position: row.get(0)?, at_ms: row.get(1)?, entry: row.get(2)? };
        bytes += row.entry.len();
        if !rows.is_empty() && bytes > bytes_max {
            break;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Forgets journal and series: what is restored is not followed by any backup.
pub(crate) fn clear(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("DELETE FROM journal")?.execute([])?;
    connection.prepare_cached("DELETE FROM series")?.execute([])?;
    Ok(())
}

fn begin(
    connection: &Connection,
    identity: &str,
    series: &str,
    target: &str,
    at_ms: i64,
) -> Result<(), rusqlite::Error> {
    if self::identity(connection)?.is_none() {
        connection
            .prepare_cached(
                "INSERT INTO identity (id)
                 VALUES (?1)",
            )?
            .execute([identity])?;
    }
    let position = end(connection)?.position;
    connection
        .prepare_cached(
            "DELETE FROM series
             WHERE target = ?1",
        )?
        .execute([target])?;
    connection
        .prepare_cached(
            "INSERT INTO series (id, target, position, at_ms)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![series, target, position, at_ms])?;
    // The longest away goes when there are too many.
    connection
        .prepare_cached(
            "DELETE FROM series
             WHERE id NOT IN (SELECT id
                              FROM series
                              ORDER BY at_ms DESC, id = ?1 DESC
                              LIMIT ?2)",
        )?
        .execute(params![series, limits::SERIES_MAX])?;
    Ok(())
}

fn advance(connection: &Connection, series: &str, position: u64, at_ms: i64) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "UPDATE series
             SET position = MAX(position, ?2),
                 at_ms = ?3
             WHERE id = ?1",
        )?
        .execute(params![series, position, at_ms])?;
    Ok(())
}

/// A backup that is continued after all begins with a base.
fn forget(connection: &Connection, target: &str) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "DELETE FROM series
             WHERE target = ?1",
        )?
        .execute([target])?;
    Ok(())
}

fn is_followed(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1
                            FROM series)",
        )?
        .query_row([], |row| row.get(0))
}

/// The journal may be empty because all of it was taken; then the series know how far it went.
fn end(connection: &Connection) -> Result<End, rusqlite::Error> {
    let last = connection
        .prepare_cached(
            "SELECT position, at_ms, bytes_total
             FROM journal
             ORDER BY position DESC
             LIMIT 1",
        )?
        .query_row([], |row| Ok(End { position: row.get(0)?, at_ms: row.get(1)?, bytes_total: row.get(2)? }))
        .optional()?;
    if let Some(last) = last {
        return Ok(last);
    }
    connection
        .prepare_cached(
            "SELECT COALESCE(MAX(position), 0)
             FROM series",
        )?
        .query_row([], |row| Ok(End { position: row.get(0)?, at_ms: 0, bytes_total: 0 }))
}

fn append(connection: &Connection, end: End, at_ms: i64, entry: &[u8]) -> Result<End, rusqlite::Error> {
    let bytes = u64::try_from(entry.len()).expect("invariant: a length fits into 64 bits");
    let end = End { position: end.position + 1, at_ms, bytes_total: end.bytes_total.saturating_add(bytes) };
    connection
        .prepare_cached(
            "INSERT INTO journal (position, at_ms, bytes_total, entry)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![end.position, end.at_ms, end.bytes_total, entry])?;
    Ok(end)
}

/// Takes away what every series holds, and gives up the series that stayed away too long.
fn trim(connection: &Connection) -> Result<(), rusqlite::Error> {
    let bytes: Option<u64> = connection
        .prepare_cached(
            "SELECT (SELECT bytes_total
                     FROM journal
                     ORDER BY position DESC
                     LIMIT 1)
                  - (SELECT bytes_total
                     FROM journal
                     ORDER BY position
                     LIMIT 1)",
        )?
        .query_row([], |row| row.get(0))?;
    if bytes.is_some_and(|bytes| bytes > limits::JOURNAL_BYTES_MAX) {
        let given_up = connection
            .prepare_cached(
                "DELETE FROM series
                 WHERE position = (SELECT MIN(position)
                                   FROM series)",
            )?
            .execute([])?;
        if given_up > 0 {
            tracing::warn!("a backup was not continued for too long; it needs a new base");
        }
    }
    connection
        .prepare_cached(
            "DELETE FROM journal
             WHERE position <= (SELECT COALESCE(MIN(position), 9223372036854775807)
                                FROM series)
               AND position < (SELECT MIN(position)
                               FROM journal) + ?1",
        )?
        .execute([limits::JOURNAL_TRIM_ROWS])?;
    Ok(())
}
