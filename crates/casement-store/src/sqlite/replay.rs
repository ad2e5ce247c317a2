//! Writes frames of a backup into a database that was copied out of it.
//!
//! What a frame says has been decided once; here it is only written, in the order in which it was decided.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use crate::backup::entry::{ClaimEntry, DocumentEntry, Entry, Frame, MadeEntry, SetEntry};
use crate::chain::{self, Link};
use crate::decide::{DocumentKey, Erasure};
use crate::document::NewWorkspace;
use crate::error::StoreError;
use crate::event::Event;
use crate::set::EventWrite;
use crate::sqlite::checkpoint::{self, Mode};
use crate::sqlite::reader::{self, Readers};
use crate::sqlite::{copy, journal, schema, verify, writing};

/// Who tells of what a restored log lacks.
const RESTORE: &str = "restore";

/// A database that is being restored.
#[derive(Debug)]
pub(crate) struct Replay {
    connection: Connection,
    path: PathBuf,
}

impl Replay {
    /// Opens a database that was copied out of a base, brings its schema up to date and takes it out of the former
    /// store's backups.
    pub(crate) fn open(path: &Path) -> Result<Replay, StoreError> {
        let connection = schema::open_writer(path)?;
        writing::run(&connection, "BEGIN IMMEDIATE")?;
        journal::clear(&connection)?;
        writing::run(&connection, "COMMIT")?;
        Ok(Replay { connection, path: path.to_path_buf() })
    }

    /// Begins a transaction.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        Ok(writing::run(&self.connection, "BEGIN IMMEDIATE")?)
    }

    /// Ends the transaction.
    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        Ok(writing::run(&self.connection, "COMMIT")?)
    }

    /// Writes a frame.
    pub(crate) fn apply(&self, frame: &Frame<'_>) -> Result<(), StoreError> {
        match &frame.entry {
            Entry::Workspace(made) => self.make(made),
            Entry::Set(set) => self.write_set(set, frame.at_ms, &frame.events),
        }
    }

    /// Checks the whole database and every chain, moves the log into the file and closes. Gives the workspaces' heads.
    pub(crate) fn finish(self) -> Result<Vec<(String, u64)>, StoreError> {
        let fault: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if fault != "ok" {
            return Err(StoreError::Damaged(format!("after the restore: {fault}")));
        }
        writing::run(&self.connection, "BEGIN IMMEDIATE")?;
        for (workspace, (head, hash)) in copy::heads(&self.connection)? {
            self.tell_what_is_missing(&workspace, head, hash)?;
        }
        writing::run(&self.connection, "COMMIT")?;
        checkpoint::checkpoint(&self.connection, Mode::Truncate)?;
        let readers = Readers::open(&self.path, 1)?;
        let mut heads = Vec::new();
        for (workspace, (head, _)) in copy::heads(&self.connection)? {
            let report = verify::verify(&readers, &workspace)?;
            if let Some(fault) = report.fault {
                let reason = format!("workspace {workspace}, event {}: {}", fault.sequence, fault.reason);
                return Err(StoreError::Damaged(reason));
            }
            heads.push((workspace, head));
        }
        Ok(heads)
    }

    /// Adds the events that tell of what a log lacks.
    ///
    /// An increment that was made after an erasure has the events before it without their changes. A restore to a moment
    /// between the two leaves out the event that tells of it: another takes its place, so that the log is whole.
    fn tell_what_is_missing(
        &self,
        workspace: &str,
        mut head: u64,
        mut hash: [u8; 32],
    ) -> Result<(), StoreError> {
        let lacking = self.lacking(workspace)?;
        for (document_kind, document, until) in &lacking {
            let of = (document_kind.as_str(), document.as_str());
            let told =
                reader::document_events(&self.connection, workspace, document, *until, usize::MAX >> 1)?;
            let is_told = told
                .iter()
                .filter_map(Erasure::of_event)
                .any(|told| told.document_kind == document_kind && told.until >= *until);
            if is_told {
                continue;
            }
            head += 1;
            let mut operation = [0; 16];
            operation.copy_from_slice(&hash[..16]);
            // What it says is no secret, so its salt may be known.
            let write = EventWrite::erasing(document_kind, document, *until, operation);
            let (version, at_ms) = self.version_and_time(workspace, of)?;
            let digest = chain::digest(&write.salt, write.changes.as_deref());
            let link = Link {
                workspace,
                sequence: head,
                operation: &operation,
                at_ms,
                actor: RESTORE,
                app: "",
                kind: &write.kind,
                document_kind,
                document,
                version,
            };
            hash = chain::hash(&hash, &link, &digest);
            let event = Event {
                sequence: head,
                operation,
                at_ms,
                actor: RESTORE.to_owned(),
                app: String::new(),
                kind: write.kind,
                document_kind: write.document_kind,
                document: write.document,
                version,
                changes: write.changes,
                salt: Some(write.salt),
                digest,
                hash,
            };
            self.insert_event(workspace, &event)?;
            let (document_kind, document) = of;
            let erasure = Erasure { document_kind, document, until: *until };
            writing::erase_events(&self.connection, workspace, erasure)?;
        }
        self.connection
            .prepare_cached(
                "UPDATE workspace
                 SET head = ?2,
                     head_hash = ?3
                 WHERE id = ?1",
            )?
            .execute(params![workspace, head, hash])?;
        Ok(())
    }

    /// Finds the documents whose changes are missing, each with the last event where they are.
    fn lacking(&self, workspace: &str) -> Result<Vec<(String, String, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT document_kind, document, MAX(sequence)
             FROM event
             WHERE workspace = ?1
               AND salt IS NULL
             GROUP BY document_kind, document
             ORDER BY MAX(sequence)",
        )?;
        let rows = statement.query_map([workspace], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Gives the version of a document, and when the last event of the log was.
    fn version_and_time(
        &self,
        workspace: &str,
        (kind, id): DocumentKey<'_>,
    ) -> Result<(u64, i64), StoreError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT (SELECT version
                         FROM document
                         WHERE workspace = ?1
                           AND kind = ?2
                           AND id = ?3),
                        (SELECT at_ms
                         FROM event
                         WHERE workspace = ?1
                         ORDER BY sequence DESC
                         LIMIT 1)",
            )?
            .query_row([workspace, kind, id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found)
    }

    fn make(&self, made: &MadeEntry<'_>) -> Result<(), StoreError> {
        let workspace = NewWorkspace {
            id: made.id.to_owned(),
            account: made.account.to_owned(),
            organisation: made.organisation.to_owned(),
            counters: made.counters.iter().map(|(name, next)| ((*name).to_owned(), *next)).collect(),
        };
        writing::insert_workspace(&self.connection, &workspace)?;
        Ok(())
    }

    fn write_set(&self, set: &SetEntry<'_>, at_ms: i64, events: &[Event]) -> Result<(), StoreError> {
        let damaged = |reason: &str| StoreError::Damaged(format!("workspace {}: {reason}", set.workspace));
        let (head, hash, counters): (u64, [u8; 32], String) = self
            .connection
            .prepare_cached(
                "SELECT head, head_hash, counters
                 FROM workspace
                 WHERE id = ?1",
            )?
            .query_row([set.workspace], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?
            .ok_or_else(|| damaged("a set is for a workspace that was not made"))?;
        if set.first_sequence != head + 1 {
            return Err(damaged("a set does not follow the one before it"));
        }
        for event in events {
            self.insert_event(set.workspace, event)?;
        }
        for erasure in events.iter().filter_map(Erasure::of_event) {
            writing::erase_events(&self.connection, set.workspace, erasure)?;
        }
        for document in &set.documents {
            self.write_document(set.workspace, document)?;
        }
        for claim in &set.claims {
            self.write_claim(set.workspace, claim, at_ms)?;
        }
        let mut counters = writing::counters(&counters)?;
        for (name, next) in &set.counters {
            counters.insert((*name).to_owned(), *next);
        }
        let hash = events.last().map_or(hash, |event| event.hash);
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE workspace
                 SET head = ?2,
                     head_hash = ?3,
                     config_version = ?4,
                     counters = ?5
                 WHERE id = ?1",
            )?
            .execute(params![
                set.workspace,
                set.last_sequence,
                hash,
                set.config_version,
                writing::counters_text(&counters),
            ])?;
        debug_assert_eq!(changed, 1, "the row was read before");
        Ok(())
    }

    fn insert_event(&self, workspace: &str, event: &Event) -> Result<(), rusqlite::Error> {
        self.connection
            .prepare_cached(
                "INSERT INTO event (workspace, sequence, operation, at_ms, actor, app, kind, document_kind,
                                    document, version, changes, salt, digest, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                workspace,
                event.sequence,
                event.operation,
                event.at_ms,
                event.actor,
                event.app,
                event.kind,
                event.document_kind,
                event.document,
                event.version,
                event.changes,
                event.salt,
                event.digest,
                event.hash,
            ])?;
        Ok(())
    }

    fn write_document(&self, workspace: &str, document: &DocumentEntry<'_>) -> Result<(), rusqlite::Error> {
        self.connection
            .prepare_cached(
                "INSERT INTO document (workspace, kind, id, parent, number, version, sequence, schema, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (workspace, kind, id) DO UPDATE
                 SET parent = excluded.parent,
                     number = excluded.number,
                     version = excluded.version,
                     sequence = excluded.sequence,
                     schema = excluded.schema,
                     body = excluded.body",
            )?
            .execute(params![
                workspace,
                document.kind,
                document.id,
                document.parent,
                document.number,
                document.version,
                document.sequence,
                document.schema,
                document.body,
            ])?;
        Ok(())
    }

    fn write_claim(
        &self,
        workspace: &str,
        claim: &ClaimEntry<'_>,
        at_ms: i64,
    ) -> Result<(), rusqlite::Error> {
        match claim {
            ClaimEntry::Put { key, document, result, expires_ms } => self
                .connection
                .prepare_cached(
                    "INSERT INTO claim (workspace, key, document, result, expires_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (workspace, key) DO UPDATE
                     SET document = excluded.document,
                         result = excluded.result,
                         expires_ms = excluded.expires_ms",
                )?
                .execute(params![workspace, key, document, result, expires_ms])?,
            ClaimEntry::Remove { key } => self
                .connection
                .prepare_cached(
                    "DELETE FROM claim
                     WHERE workspace = ?1
                       AND key = ?2",
                )?
                .execute([workspace, key])?,
            ClaimEntry::RemoveExpired { key } => self
                .connection
                .prepare_cached(
                    "DELETE FROM claim
                     WHERE workspace = ?1
                       AND key = ?2
                       AND expires_ms <= ?3",
                )?
                .execute(params![workspace, key, at_ms])?,
        };
        Ok(())
    }
}
