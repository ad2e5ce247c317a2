//! Read-only connections and the questions that they answer.
//!
//! Each question is one statement, so it sees one state of the database and holds its pages only
//! for as long as it runs: the log can be restarted between any two.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::decide::DocumentKey;
use crate::document::{Along, Claim, Document, WorkspaceRow};
use crate::error::StoreError;
use crate::event::{ERASED, Event};
use crate::limits;
use crate::sqlite::{schema, writing};

/// A fixed number of read-only connections.
#[derive(Debug)]
pub(crate) struct Readers {
    connections: Vec<Mutex<Option<Connection>>>,
    /// The connection to wait for when all are in use, in turn.
    next: AtomicUsize,
}

/// A connection in use; free again when this is dropped.
pub(crate) struct Lease<'a> {
    slot: MutexGuard<'a, Option<Connection>>,
}

impl Lease<'_> {
    /// Gives the connection, or says that the store is closed.
    pub(crate) fn connection(&self) -> Result<&Connection, StoreError> {
        self.slot.as_ref().ok_or_else(closed)
    }
}

impl Readers {
    /// Opens so many connections, at least one.
    pub(crate) fn open(path: &Path, count: usize) -> Result<Readers, StoreError> {
        let connections = (0..count)
            .map(|_| schema::open_reader(path).map(|connection| Mutex::new(Some(connection))))
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Readers { connections, next: AtomicUsize::new(0) })
    }

    /// Takes a free connection, or waits for one.
    pub(crate) fn lease(&self) -> Result<Lease<'_>, StoreError> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(slot) => return Ok(Lease { slot }),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(Lease { slot: poisoned.into_inner() }),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len().max(1);
        let connection = self.connections.get(turn).ok_or_else(closed)?;
        Ok(Lease { slot: connection.lock().unwrap_or_else(PoisonError::into_inner) })
    }

    /// Closes the connections, waiting for each that is in use.
    pub(crate) fn close(&self) {
        for connection in &self.connections {
            drop(connection.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it has been closed".into())
}

/// Finds a workspace.
pub(crate) fn workspace(connection: &Connection, id: &str) -> Result<Option<WorkspaceRow>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT id, account, organisation, head, config_version, counters
             FROM workspace
             WHERE id = ?1",
        )?
        .query_row([id], read_workspace)
        .optional()?;
    Ok(found)
}

/// Lists all workspaces; the one question that is not about a single one.
pub(crate) fn workspaces(connection: &Connection) -> Result<Vec<WorkspaceRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, account, organisation, head, config_version, counters
         FROM workspace
         ORDER BY id
         LIMIT ?1",
    )?;
    let rows = statement.query_map([limits::WORKSPACES_MAX + 1], read_workspace)?;
    let workspaces = rows.collect::<Result<Vec<_>, _>>()?;
    bounded(workspaces, "workspaces", limits::WORKSPACES_MAX)
}

/// Finds a document.
pub(crate) fn document(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    id: &str,
) -> Result<Option<Document>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT kind, id, parent, number, version, sequence, schema, body
             FROM document
             WHERE workspace = ?1
               AND kind = ?2
               AND id = ?3",
        )?
        .query_row([workspace, kind, id], read_document)
        .optional()?;
    Ok(found)
}

/// Finds documents in the order asked. Not one state of the database: each document is as of the
/// moment it was read.
pub(crate) fn documents(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    ids: &[String],
) -> Result<Vec<Document>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(document(connection, workspace, kind, id)?);
    }
    Ok(found)
}

/// Lists the documents of a kind that belong to a parent.
pub(crate) fn children(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    parent: &str,
) -> Result<Vec<Document>, StoreError> {
    let children = read_documents(
        connection,
        "SELECT kind, id, parent, number, version, sequence, schema, body
         FROM document
         WHERE workspace = ?1
           AND parent = ?2
           AND kind = ?3
         ORDER BY id
         LIMIT ?4",
        params![workspace, parent, kind, limits::CHILDREN_MAX + 1],
    )?;
    bounded(children, "children", limits::CHILDREN_MAX)
}

/// Gives one page of the documents of a kind that belong to any of some parents. The index alone gives the ids of each parent,
/// as many as the page has; only what is on the page is read.
pub(crate) fn children_page(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    parents: &[String],
    along: &Along,
    limit: usize,
) -> Result<Vec<Document>, StoreError> {
    let mut statement = connection.prepare_cached(match along {
        Along::Down(_) => {
            "SELECT id
             FROM document
             WHERE workspace = ?1
               AND parent = ?2
               AND kind = ?3
               AND id < ?4
             ORDER BY id DESC
             LIMIT ?5"
        }
        Along::Up(_) => {
            "SELECT id
             FROM document
             WHERE workspace = ?1
               AND parent = ?2
               AND kind = ?3
               AND id > ?4
             ORDER BY id
             LIMIT ?5"
        }
    })?;
    let mut ids: Vec<String> = Vec::new();
    for parent in parents {
        let rows = statement.query_map(params![workspace, parent, kind, along.place(), limit], |row| {
            row.get::<_, String>(0)
        })?;
        for id in rows {
            ids.push(id?);
        }
    }
    ids.sort_unstable();
    if matches!(along, Along::Down(_)) {
        ids.reverse();
    }
    ids.truncate(limit);
    documents(connection, workspace, kind, &ids)
}

/// Counts the documents of a kind that belong to a parent.
pub(crate) fn count_children(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    parent: &str,
) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT COUNT(*)
         FROM document
         WHERE workspace = ?1
           AND parent = ?2
           AND kind = ?3",
    )?;
    let count: i64 = statement.query_row([workspace, parent, kind], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// Gives one page of the documents of a kind.
pub(crate) fn scan(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Document>, StoreError> {
    read_documents(
        connection,
        "SELECT kind, id, parent, number, version, sequence, schema, body
         FROM document
         WHERE workspace = ?1
           AND kind = ?2
           AND id > ?3
         ORDER BY id
         LIMIT ?4",
        // No id is empty, so everything comes after the empty text.
        params![workspace, kind, after.unwrap_or_default(), limit],
    )
}

/// Gives the documents whose last event lies in a part of the log, in the order of these events.
pub(crate) fn changed_documents(
    connection: &Connection,
    workspace: &str,
    after_sequence: u64,
    to_sequence: u64,
) -> Result<Vec<Document>, StoreError> {
    read_documents(
        connection,
        "SELECT document.kind, document.id, document.parent, document.number, document.version,
                document.sequence, document.schema, document.body
         FROM event
         CROSS JOIN document
            ON document.workspace = event.workspace
           AND document.kind = event.document_kind
           AND document.id = event.document
         WHERE event.workspace = ?1
           AND event.sequence > ?2
           AND event.sequence <= ?3
           AND document.sequence = event.sequence
         ORDER BY event.sequence",
        params![workspace, column(after_sequence), column(to_sequence)],
    )
}

/// Finds who holds a key.
pub(crate) fn claim(
    connection: &Connection,
    workspace: &str,
    key: &str,
) -> Result<Option<Claim>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT key, document, result, expires_ms
             FROM claim
             WHERE workspace = ?1
               AND key = ?2",
        )?
        .query_row([workspace, key], |row| {
            Ok(Claim {
                key: row.get(0)?,
                document: row.get(1)?,
                result: row.get(2)?,
                expires_ms: row.get(3)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Gives the keys of claims that have ended, the longest ended first.
pub(crate) fn expired_claims(
    connection: &Connection,
    workspace: &str,
    at_ms: i64,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key
         FROM claim
         WHERE workspace = ?1
           AND expires_ms IS NOT NULL
           AND expires_ms <= ?2
         ORDER BY expires_ms
         LIMIT ?3",
    )?;
    let keys = statement.query_map(params![workspace, at_ms, limit], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Gives one page of the log.
pub(crate) fn events(
    connection: &Connection,
    workspace: &str,
    after_sequence: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    read_events(
        connection,
        "SELECT sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes,
                salt, digest, hash
         FROM event
         WHERE workspace = ?1
           AND sequence > ?2
         ORDER BY sequence
         LIMIT ?3",
        params![workspace, column(after_sequence), limit],
    )
}

/// Gives one page of a document's events.
pub(crate) fn document_events(
    connection: &Connection,
    workspace: &str,
    document: &str,
    after_sequence: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    read_events(
        connection,
        "SELECT sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes,
                salt, digest, hash
         FROM event
         WHERE workspace = ?1
           AND document = ?2
           AND sequence > ?3
         ORDER BY sequence
         LIMIT ?4",
        params![workspace, document, column(after_sequence), limit],
    )
}

/// Reads a page of one document's events, newest first.
pub(crate) fn document_events_below(
    connection: &Connection,
    workspace: &str,
    document: &str,
    below_sequence: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    read_events(
        connection,
        "SELECT sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes,
                salt, digest, hash
         FROM event
         WHERE workspace = ?1
           AND document = ?2
           AND sequence < ?3
         ORDER BY sequence DESC
         LIMIT ?4",
        params![workspace, document, column(below_sequence), limit],
    )
}

/// Gives those of the events of a document, up to a sequence number, that were not erased and do not tell of erasures.
pub(crate) fn unerased_events(
    connection: &Connection,
    workspace: &str,
    (document_kind, document): DocumentKey<'_>,
    until: u64,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence
         FROM event
         WHERE workspace = ?1
           AND document = ?2
           AND sequence <= ?3
           AND document_kind = ?4
           AND kind <> ?5
           AND (salt IS NOT NULL OR changes IS NOT NULL)
         ORDER BY sequence
         LIMIT ?6",
    )?;
    let sequences = statement
        .query_map(params![workspace, document, column(until), document_kind, ERASED, limit], |row| {
            row.get(0)
        })?;
    Ok(sequences.collect::<Result<_, _>>()?)
}

fn read_documents(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<Document>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, read_document)?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

fn read_events(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<Event>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, read_event)?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

fn read_workspace(row: &Row<'_>) -> Result<WorkspaceRow, rusqlite::Error> {
    Ok(WorkspaceRow {
        id: row.get(0)?,
        account: row.get(1)?,
        organisation: row.get(2)?,
        head: row.get(3)?,
        config_version: row.get(4)?,
        counters: writing::counters(row.get_ref(5)?.as_str()?)?,
    })
}

fn read_document(row: &Row<'_>) -> Result<Document, rusqlite::Error> {
    Ok(Document {
        kind: row.get(0)?,
        id: row.get(1)?,
        parent: row.get(2)?,
        number: row.get(3)?,
        version: row.get(4)?,
        sequence: row.get(5)?,
        schema: row.get(6)?,
        body: row.get(7)?,
    })
}

fn read_event(row: &Row<'_>) -> Result<Event, rusqlite::Error> {
    Ok(Event {
        sequence: row.get(0)?,
        operation: row.get(1)?,
        at_ms: row.get(2)?,
        actor: row.get(3)?,
        app: row.get(4)?,
        kind: row.get(5)?,
        document_kind: row.get(6)?,
        document: row.get(7)?,
        version: row.get(8)?,
        changes: row.get(9)?,
        salt: row.get(10)?,
        digest: row.get(11)?,
        hash: row.get(12)?,
    })
}

/// A sequence number past what a column holds is past every event.
fn column(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

fn bounded<T>(rows: Vec<T>, what: &'static str, limit: usize) -> Result<Vec<T>, StoreError> {
    if rows.len() > limit { Err(StoreError::TooMany { what, limit }) } else { Ok(rows) }
}
