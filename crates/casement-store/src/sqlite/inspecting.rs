//! The questions of whoever looks at a database from outside. They read much and are asked seldom.

use rusqlite::Connection;

use crate::error::StoreError;
use crate::inspect::{Depth, Follower, Numbering, Numbers};
use crate::sqlite::{journal, reader};

/// Checks the file.
pub(crate) fn faults(connection: &Connection, depth: Depth) -> Result<Vec<String>, StoreError> {
    let sql = match depth {
        Depth::Quick => "PRAGMA quick_check(100)",
        Depth::Full => "PRAGMA integrity_check(100)",
    };
    let mut statement = connection.prepare(sql)?;
    let lines = statement.query_map([], |row| row.get(0))?;
    let lines = lines.collect::<Result<Vec<String>, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Lists the kinds of a workspace's documents.
pub(crate) fn kinds(connection: &Connection, workspace: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT DISTINCT kind
         FROM document
         WHERE workspace = ?1
         ORDER BY kind",
    )?;
    let kinds = statement.query_map([workspace], |row| row.get(0))?;
    Ok(kinds.collect::<Result<_, _>>()?)
}

/// Gives the counters and the numbers, both as of one moment: beside a server at work others would not agree.
pub(crate) fn numbering(connection: &Connection, workspace: &str) -> Result<Numbering, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let row = reader::workspace(&transaction, workspace)?;
    let kinds = numbers(&transaction, workspace)?;
    Ok(Numbering { counters: row.map(|row| row.counters).unwrap_or_default(), kinds })
}

fn numbers(connection: &Connection, workspace: &str) -> Result<Vec<Numbers>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT kind, COUNT(number), COUNT(DISTINCT number), MIN(number), MAX(number)
         FROM document
         WHERE workspace = ?1
           AND number IS NOT NULL
         GROUP BY kind
         ORDER BY kind",
    )?;
    let numbers = statement.query_map([workspace], |row| {
        Ok(Numbers {
            kind: row.get(0)?,
            count: row.get(1)?,
            distinct: row.get(2)?,
            first: row.get(3)?,
            last: row.get(4)?,
        })
    })?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// Counts documents whose last event tells of another document or version.
pub(crate) fn strays(connection: &Connection, workspace: &str) -> Result<u64, StoreError> {
    Ok(connection.query_row(
        "SELECT COUNT(*)
         FROM document
         WHERE workspace = ?1
           AND NOT EXISTS (SELECT 1
                           FROM event
                           WHERE event.workspace = document.workspace
                             AND event.sequence = document.sequence
                             AND event.document_kind = document.kind
                             AND event.document = document.id
                             AND event.version = document.version)",
        [workspace],
        |row| row.get(0),
    )?)
}

/// Counts ended claims.
pub(crate) fn ended_claims(
    connection: &Connection,
    workspace: &str,
    before_ms: i64,
) -> Result<u64, StoreError> {
    Ok(connection.query_row(
        "SELECT COUNT(*)
         FROM claim
         WHERE workspace = ?1
           AND expires_ms < ?2",
        rusqlite::params![workspace, before_ms],
        |row| row.get(0),
    )?)
}

/// Lists the backups that follow, and since when each lacks something.
pub(crate) fn followers(connection: &Connection) -> Result<Vec<Follower>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT target,
                at_ms,
                (SELECT at_ms
                 FROM journal
                 WHERE journal.position > series.position
                 ORDER BY journal.position
                 LIMIT 1)
         FROM series
         ORDER BY target",
    )?;
    let followers = statement.query_map([], |row| {
        Ok(Follower { target: row.get(0)?, at_ms: row.get(1)?, lacks_since_ms: row.get(2)? })
    })?;
    Ok(followers.collect::<Result<_, _>>()?)
}

/// Gives who the store is.
pub(crate) fn identity(connection: &Connection) -> Result<Option<String>, StoreError> {
    Ok(journal::identity(connection)?)
}
