//! The limit of the rows: what the server's last write put into SQLite, put there again and again without a server.
//!
//! It works on a copy of the server's own database, hence on the same tables, indexes and amount of data, with the same
//! guards (the workspace row, each document's version, a further document and a claim that are only read) and with
//! batches of as many sets as clients can have in flight. It hashes nothing: digests are bytes of the right length.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

/// The log in pages past which SQLite empties it after a commit: 64 MiB of 16 KiB pages, as the store does.
const CHECKPOINT_PAGES: u32 = 4096;

/// The memory for pages, as the store's writer has it; negative means KiB.
const CACHE_KIB: i32 = -64 * 1024;

/// The most documents that updates go round.
const TARGETS_MAX: u32 = 4096;

/// A connection that repeats the last write of a server.
#[derive(Debug)]
pub struct RawWriter {
    connection: Connection,
    workspace: String,
    batch_sets: usize,
    documents: Vec<DocumentRow>,
    events: Vec<EventRow>,
    targets: Vec<String>,
    sequence: i64,
    number: i64,
}

/// A document that a set writes.
#[derive(Debug)]
struct DocumentRow {
    kind: String,
    id: String,
    parent: Option<String>,
    number: Option<i64>,
    is_new: bool,
    schema: i64,
    body: Vec<u8>,
}

/// An event that a set writes.
#[derive(Debug)]
struct EventRow {
    operation: Vec<u8>,
    at_ms: i64,
    actor: String,
    app: String,
    kind: String,
    document_kind: String,
    document: String,
    changes: Option<Vec<u8>>,
    salt: Option<Vec<u8>>,
    digest: Vec<u8>,
    hash: Vec<u8>,
}

impl RawWriter {
    /// Copies a database that a server has open and idle, and takes its last write as the pattern.
    ///
    /// # Errors
    /// When the database can't be copied or holds no write.
    pub fn copy(database: &Path, copy: &Path, batch_sets: usize) -> Result<Self> {
        Self::remove(copy)?;
        let name = copy.to_str().context("the copy's path is no UTF-8")?;
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|source| source.execute("VACUUM INTO ?1", [name]))
            .context("the server's database could not be copied")?;
        let connection = Connection::open(copy)?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        Self::with_last_write(connection, batch_sets)
    }

    /// Removes the copy's files where they exist.
    ///
    /// # Errors
    /// When they can't be removed.
    pub fn remove(copy: &Path) -> Result<()> {
        for ending in ["", "-wal", "-shm"] {
            let mut file = copy.as_os_str().to_owned();
            file.push(ending);
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Commits batches for so long; gives the number of sets and the time they took.
    ///
    /// # Errors
    /// When SQLite refuses a statement.
    pub fn drive(&mut self, time: Duration) -> Result<(u64, Duration)> {
        let begun = Instant::now();
        let mut sets = 0;
        while begun.elapsed() < time {
            self.commit_batch()?;
            sets += self.batch_sets as u64;
        }
        Ok((sets, begun.elapsed()))
    }

    fn with_last_write(connection: Connection, batch_sets: usize) -> Result<Self> {
        let (workspace, sequence): (String, i64) = connection
            .query_row("SELECT id, head FROM workspace ORDER BY head DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .context("the database holds no workspace")?;
        let events = last_events(&connection, &workspace, sequence)?;
        let mut documents: Vec<DocumentRow> = Vec::new();
        for event in &events {
            let known =
                documents.iter().any(|row| row.kind == event.document_kind && row.id == event.document);
            // An event may name a document that its set only guards: then there is no row of its sequence.
            if !known && let Some(row) = document(&connection, &workspace, event)? {
                documents.push(row);
            }
        }
        let kind = documents.first().context("the last operation wrote no document")?.kind.clone();
        let targets = targets(&connection, &workspace, &kind)?;
        Ok(Self { connection, workspace, batch_sets, documents, events, targets, sequence, number: sequence })
    }

    /// One transaction: lock, read what the guards name, write every set, commit.
    fn commit_batch(&mut self) -> Result<()> {
        self.run("BEGIN IMMEDIATE")?;
        let counters: String = self
            .connection
            .prepare_cached("SELECT head, head_hash, config_version, counters FROM workspace WHERE id = ?1")?
            .query_row([&self.workspace], |row| row.get(3))?;
        let first = self.number;
        let mut versions = Vec::new();
        for set in 0..self.batch_sets {
            versions.push(self.read_guards(first, set)?);
        }
        for (set, versions) in versions.iter().enumerate() {
            self.write_set(first, set, versions)?;
        }
        let hash = self.events.last().map(|event| event.hash.as_slice()).unwrap_or_default();
        self.connection
            .prepare_cached(
                "UPDATE workspace SET head = ?2, head_hash = ?3, config_version = config_version, counters = ?4
                 WHERE id = ?1",
            )?
            .execute(params![self.workspace, self.sequence, hash, counters])?;
        self.run("COMMIT")?;
        self.number += i64::try_from(self.batch_sets)?;
        Ok(())
    }

    /// Reads the versions of the documents that a set writes, and one document and claim that it only reads.
    fn read_guards(&self, first: i64, set: usize) -> Result<Vec<Option<i64>>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT version, number FROM document WHERE workspace = ?1 AND kind = ?2 AND id = ?3",
        )?;
        let mut versions = Vec::new();
        for (place, row) in self.documents.iter().enumerate() {
            let id = self.id(row, first, set, place);
            let version =
                statement.query_row(params![self.workspace, row.kind, id], |row| row.get(0)).optional()?;
            versions.push(version);
        }
        let guarded = self.target(first, set.wrapping_mul(7));
        let kind = self.documents.first().map(|row| row.kind.as_str()).unwrap_or_default();
        let _: Option<i64> =
            statement.query_row(params![self.workspace, kind, guarded], |row| row.get(0)).optional()?;
        let _: Option<String> = self
            .connection
            .prepare_cached("SELECT document FROM claim WHERE workspace = ?1 AND key = ?2")?
            .query_row(params![self.workspace, guarded], |row| row.get(0))
            .optional()?;
        Ok(versions)
    }

    /// Writes the documents and events of one set.
    fn write_set(&mut self, first: i64, set: usize, versions: &[Option<i64>]) -> Result<()> {
        let number = first + i64::try_from(set)?;
        let last_sequence = self.sequence + i64::try_from(self.events.len())?;
        for (place, (row, version)) in self.documents.iter().zip(versions).enumerate() {
            let id = self.id(row, first, set, place);
            let version = version.unwrap_or_default() + 1;
            if row.is_new {
                self.insert_document(row, &id, number, version, last_sequence)?;
            } else {
                self.update_document(row, &id, version, last_sequence)?;
            }
        }
        for event in &self.events {
            self.sequence += 1;
            let written = self
                .documents
                .iter()
                .position(|row| row.kind == event.document_kind && row.id == event.document)
                .and_then(|place| Some((place, self.documents.get(place)?)));
            let document = written
                .map_or_else(|| event.document.clone(), |(place, row)| self.id(row, first, set, place));
            let version =
                written.and_then(|(place, _)| versions.get(place).copied().flatten()).unwrap_or_default() + 1;
            self.insert_event(event, &document, version)?;
        }
        Ok(())
    }

    fn insert_document(
        &self,
        row: &DocumentRow,
        id: &str,
        number: i64,
        version: i64,
        sequence: i64,
    ) -> Result<()> {
        let number = row.number.map(|_| number);
        self.connection
            .prepare_cached(
                "INSERT INTO document (workspace, kind, id, parent, number, version, sequence, schema, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                self.workspace,
                row.kind,
                id,
                row.parent,
                number,
                version,
                sequence,
                row.schema,
                row.body
            ])?;
        Ok(())
    }

    fn update_document(&self, row: &DocumentRow, id: &str, version: i64, sequence: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE document SET parent = ?4, version = ?5, sequence = ?6, schema = ?7, body = ?8
                 WHERE workspace = ?1 AND kind = ?2 AND id = ?3",
            )?
            .execute(params![
                self.workspace,
                row.kind,
                id,
                row.parent,
                version,
                sequence,
                row.schema,
                row.body
            ])?;
        Ok(())
    }

    fn insert_event(&self, event: &EventRow, document: &str, version: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO event (workspace, sequence, operation, at_ms, actor, app, kind, document_kind,
                                    document, version, changes, salt, digest, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                self.workspace,
                self.sequence,
                event.operation,
                event.at_ms,
                event.actor,
                event.app,
                event.kind,
                event.document_kind,
                document,
                version,
                event.changes,
                event.salt,
                event.digest,
                event.hash
            ])?;
        Ok(())
    }

    /// The id that a set writes for a row of the pattern: a fresh one in rising order, or one of the targets.
    fn id(&self, row: &DocumentRow, first: i64, set: usize, place: usize) -> String {
        if !row.is_new {
            // The first row is what the updates go round; further rows (a case of a changed task) stay the same.
            return if place == 0 { self.target(first, set).to_owned() } else { row.id.clone() };
        }
        let prefix = row.id.split_once('-').map_or("x", |(prefix, _)| prefix);
        format!(
            "{prefix}-ffffffff-{place:04x}-7000-8000-{:012x}",
            first + i64::try_from(set).unwrap_or_default()
        )
    }

    /// One of the documents that were there before, another for each set of a batch.
    fn target(&self, first: i64, set: usize) -> &str {
        let turn = usize::try_from(first).unwrap_or_default().wrapping_add(set);
        self.targets.get(turn.checked_rem(self.targets.len()).unwrap_or_default()).map_or("", String::as_str)
    }

    /// Runs a statement without parameters.
    fn run(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// The events of the last operation.
fn last_events(connection: &Connection, workspace: &str, head: i64) -> Result<Vec<EventRow>> {
    let mut statement = connection.prepare(
        "SELECT operation, at_ms, actor, app, kind, document_kind, document, changes, salt, digest, hash
         FROM event
         WHERE workspace = ?1
           AND sequence > ?2 - 1024
           AND operation = (SELECT operation FROM event WHERE workspace = ?1 AND sequence = ?2)
         ORDER BY sequence",
    )?;
    let rows = statement.query_map(params![workspace, head], |row| {
        Ok(EventRow {
            operation: row.get(0)?,
            at_ms: row.get(1)?,
            actor: row.get(2)?,
            app: row.get(3)?,
            kind: row.get(4)?,
            document_kind: row.get(5)?,
            document: row.get(6)?,
            changes: row.get(7)?,
            salt: row.get(8)?,
            digest: row.get(9)?,
            hash: row.get(10)?,
        })
    })?;
    let events = rows.collect::<Result<Vec<_>, _>>()?;
    anyhow::ensure!(!events.is_empty(), "the workspace holds no write");
    Ok(events)
}

/// The document of an event.
fn document(connection: &Connection, workspace: &str, event: &EventRow) -> Result<Option<DocumentRow>> {
    let row = connection
        .query_row(
            "SELECT kind, id, parent, number, version, schema, body
             FROM document
             WHERE workspace = ?1 AND kind = ?2 AND id = ?3",
            params![workspace, event.document_kind, event.document],
            |row| {
                Ok(DocumentRow {
                    kind: row.get(0)?,
                    id: row.get(1)?,
                    parent: row.get(2)?,
                    number: row.get(3)?,
                    is_new: row.get::<_, i64>(4)? == 1,
                    schema: row.get(5)?,
                    body: row.get(6)?,
                })
            },
        )
        .optional()?;
    Ok(row)
}

/// Ids of documents of a kind, spread over all of them.
fn targets(connection: &Connection, workspace: &str, kind: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT id
         FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place, COUNT(*) OVER () AS total
               FROM document
               WHERE workspace = ?1 AND kind = ?2)
         WHERE place % MAX(1, total / ?3) = 0",
    )?;
    let ids = statement.query_map(params![workspace, kind, TARGETS_MAX], |row| row.get(0))?;
    Ok(ids.collect::<Result<Vec<_>, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use casement_store::document::NewWorkspace;
    use casement_store::options::Options;
    use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
    use casement_store::store::Store;

    use super::*;

    fn set(operation: u8, version: u64) -> WriteSet {
        WriteSet {
            workspace: "st-1".to_owned(),
            operation: [operation; 16],
            at_ms: 0,
            actor: "u-1".to_owned(),
            app: "cs-1".to_owned(),
            config_version: None,
            changes_config: false,
            guards: Vec::new(),
            claim_guards: Vec::new(),
            head_guards: Vec::new(),
            documents: vec![DocumentWrite {
                kind: "case".to_owned(),
                id: "ci-1".to_owned(),
                parent: None,
                version,
                counter: (version == 0).then(|| "CS".to_owned()),
                schema: 1,
                body: vec![b'x'; 2800],
            }],
            claims: Vec::new(),
            events: vec![EventWrite {
                kind: "written".to_owned(),
                document_kind: "case".to_owned(),
                document: "ci-1".to_owned(),
                changes: (version > 0).then(|| b"{}".to_vec()),
                salt: [7; 16],
            }],
        }
    }

    /// A store's database after so many writes to one case, the first of which creates it.
    async fn database(folder: &Path, writes: u64) -> std::path::PathBuf {
        let (store, mut feed) = Store::open(Options::new(folder.to_owned())).unwrap();
        let workspace = NewWorkspace {
            id: "st-1".to_owned(),
            account: "a".to_owned(),
            organisation: "o".to_owned(),
            counters: BTreeMap::from([("CS".to_owned(), 100)]),
        };
        store.create_workspace(workspace).await.unwrap();
        let consumer = tokio::spawn(async move {
            while let Some(batch) = feed.next().await {
                for committed in batch {
                    committed.acknowledge();
                }
            }
        });
        for write in 0..writes {
            store.commit(set(u8::try_from(write).unwrap(), write)).await.unwrap();
        }
        store.close().await;
        consumer.await.unwrap();
        folder.join("casement.db")
    }

    fn count(writer: &RawWriter, table: &str) -> i64 {
        writer.connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn a_create_is_repeated_as_new_documents_with_an_event_each() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path(), 1).await;
        let mut writer = RawWriter::copy(&database, &folder.path().join("raw.db"), 8).unwrap();
        writer.commit_batch().unwrap();
        writer.commit_batch().unwrap();
        assert_eq!((count(&writer, "document"), count(&writer, "event")), (17, 17));
        let pages: i64 = writer.connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        assert_eq!(pages, 16 * 1024);
    }

    #[tokio::test]
    async fn an_update_is_repeated_on_the_documents_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path(), 2).await;
        let mut writer = RawWriter::copy(&database, &folder.path().join("raw.db"), 4).unwrap();
        writer.commit_batch().unwrap();
        assert_eq!((count(&writer, "document"), count(&writer, "event")), (1, 6));
        let head: i64 =
            writer.connection.query_row("SELECT head FROM workspace", [], |row| row.get(0)).unwrap();
        assert_eq!(head, 6);
    }

    #[tokio::test]
    async fn the_rate_counts_whole_batches() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path(), 1).await;
        let mut writer = RawWriter::copy(&database, &folder.path().join("raw.db"), 16).unwrap();
        let (sets, time) = writer.drive(Duration::from_millis(20)).unwrap();
        assert!(sets >= 16 && sets.is_multiple_of(16), "{sets}");
        assert!(time >= Duration::from_millis(20));
    }
}
