//! What a transfer reads of an embedded database beside the questions of others.

use rusqlite::{Connection, OptionalExtension, params};

use crate::document::Claim;
use crate::error::StoreError;
use crate::transfer::EMPTY;

/// Counts the documents and claims of a workspace.
pub(crate) fn count(connection: &Connection, workspace: &str) -> Result<u64, StoreError> {
    Ok(connection.query_row(
        "SELECT (SELECT COUNT(*)
                 FROM document
                 WHERE workspace = ?1)
              + (SELECT COUNT(*)
                 FROM claim
                 WHERE workspace = ?1)",
        [workspace],
        |row| row.get(0),
    )?)
}

/// Gives the hash that a workspace's log ends with.
pub(crate) fn head_hash(connection: &Connection, workspace: &str) -> Result<[u8; 32], StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT head_hash
             FROM workspace
             WHERE id = ?1",
        )?
        .query_row([workspace], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(EMPTY))
}

/// Gives one page of claims in the order of their keys.
pub(crate) fn claims(
    connection: &Connection,
    workspace: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Claim>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, document, result, expires_ms
         FROM claim
         WHERE workspace = ?1
           AND key > ?2
         ORDER BY key
         LIMIT ?3",
    )?;
    let claims = statement.query_map(params![workspace, after, limit], |row| {
        Ok(Claim { key: row.get(0)?, document: row.get(1)?, result: row.get(2)?, expires_ms: row.get(3)? })
    })?;
    Ok(claims.collect::<Result<_, _>>()?)
}
