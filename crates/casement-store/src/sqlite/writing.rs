//! One transaction: reads what a batch names, has it decided, writes the plan.
//!
//! Versions and claims are read by prepared point reads after the transaction has the write lock.
//! What an error means is the writer's concern.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use crate::decide::{self, DocumentRow, Erasure, EventRow, Found, Head, Holder, Known, Plan};
use crate::document::NewWorkspace;
use crate::error::CommitError;
use crate::event::ERASED;
use crate::set::{ClaimWrite, Committed, WriteSet};
use crate::sqlite::journal;
use crate::{chain, limits};

/// An answer per set, in order.
pub(crate) type Outcomes = Vec<Result<Committed, CommitError>>;

/// Commits the sets, all of one workspace. On an error the caller rolls back.
pub(crate) fn write_sets(connection: &Connection, sets: &[WriteSet]) -> Result<Outcomes, rusqlite::Error> {
    let Some(first) = sets.first() else { return Ok(Vec::new()) };
    let workspace = first.workspace.as_str();
    run(connection, "BEGIN IMMEDIATE")?;
    let Some(head) = read_head(connection, workspace)? else {
        run(connection, "ROLLBACK")?;
        let refusal = CommitError::Refused(format!("there is no workspace {workspace}"));
        return Ok(sets.iter().map(|_| Err(refusal.clone())).collect());
    };
    let known = read_known(connection, workspace, head, sets)?;
    let plan = decide::decide(known, sets);
    if plan.is_empty() {
        run(connection, "ROLLBACK")?;
        return Ok(plan.outcomes);
    }
    write_plan(connection, workspace, &plan)?;
    journal::write_sets(connection, sets, &plan.outcomes)?;
    run(connection, "COMMIT")?;
    Ok(plan.outcomes)
}

/// Makes a workspace's row; says whether the row that is there now is the one asked for. On an
/// error the caller rolls back.
pub(crate) fn write_workspace(
    connection: &Connection,
    workspace: &NewWorkspace,
) -> Result<bool, rusqlite::Error> {
    run(connection, "BEGIN IMMEDIATE")?;
    if insert_workspace(connection, workspace)? {
        journal::write_workspace(connection, workspace)?;
    }
    let (account, organisation): (String, String) = connection
        .prepare_cached(
            "SELECT account, organisation
             FROM workspace
             WHERE id = ?1",
        )?
        .query_row([&workspace.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    run(connection, "COMMIT")?;
    Ok(account == workspace.account && organisation == workspace.organisation)
}

/// Writes the row of a new workspace; says whether there was none.
pub(crate) fn insert_workspace(
    connection: &Connection,
    workspace: &NewWorkspace,
) -> Result<bool, rusqlite::Error> {
    let made = connection
        .prepare_cached(
            "INSERT INTO workspace (id, account, organisation, head, head_hash, config_version, counters)
             VALUES (?1, ?2, ?3, 0, ?4, 1, ?5)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            workspace.id,
            workspace.account,
            workspace.organisation,
            chain::GENESIS,
            counters_text(&workspace.counters),
        ])?;
    Ok(made > 0)
}

/// Writes and takes back as much as a store needs to go on.
pub(crate) fn probe(connection: &Connection) -> Result<(), rusqlite::Error> {
    run(connection, "BEGIN IMMEDIATE")?;
    connection
        .prepare_cached(
            "INSERT INTO probe (body)
             VALUES (zeroblob(?1))",
        )?
        .execute([limits::PROBE_BYTES])?;
    connection.prepare_cached("DELETE FROM probe")?.execute([])?;
    run(connection, "COMMIT")
}

/// Runs a statement that has neither parameters nor rows.
pub(crate) fn run(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Reads counters from their column.
pub(crate) fn counters(text: &str) -> Result<BTreeMap<String, u64>, rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// Writes counters for their column.
pub(crate) fn counters_text(counters: &BTreeMap<String, u64>) -> String {
    serde_json::to_string(counters).expect("invariant: a map of texts to numbers is JSON")
}

fn read_head(connection: &Connection, workspace: &str) -> Result<Option<Head>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT head, head_hash, config_version, counters
             FROM workspace
             WHERE id = ?1",
        )?
        .query_row([workspace], |row| {
            Ok(Head {
                sequence: row.get(0)?,
                hash: row.get(1)?,
                config_version: row.get(2)?,
                counters: counters(row.get_ref(3)?.as_str()?)?,
            })
        })
        .optional()
}

fn read_known<'a>(
    connection: &Connection,
    workspace: &str,
    head: Head,
    sets: &'a [WriteSet],
) -> Result<Known<'a>, rusqlite::Error> {
    let names = decide::names(sets);
    let mut documents = HashMap::with_capacity(names.documents.len());
    let mut document = connection.prepare_cached(
        "SELECT version, number
         FROM document
         WHERE workspace = ?1
           AND kind = ?2
           AND id = ?3",
    )?;
    for (kind, id) in names.documents {
        let found = document
            .query_row([workspace, kind, id], |row| Ok(Found { version: row.get(0)?, number: row.get(1)? }))
            .optional()?;
        if let Some(found) = found {
            documents.insert((kind, id), found);
        }
    }
    let mut claims = HashMap::with_capacity(names.claims.len());
    let mut claim = connection.prepare_cached(
        "SELECT document, expires_ms
         FROM claim
         WHERE workspace = ?1
           AND key = ?2",
    )?;
    for key in names.claims {
        let holder = claim
            .query_row([workspace, key], |row| {
                Ok(Holder { document: Cow::Owned(row.get(0)?), expires_ms: row.get(1)? })
            })
            .optional()?;
        if let Some(holder) = holder {
            claims.insert(key, holder);
        }
    }
    let mut heads = HashMap::with_capacity(names.heads.len());
    for other in names.heads {
        if let Some(row) = read_head(connection, other)? {
            heads.insert(other, row.sequence);
        }
    }
    Ok(Known { head, documents, claims, heads })
}

fn write_plan(connection: &Connection, workspace: &str, plan: &Plan<'_>) -> Result<(), rusqlite::Error> {
    for row in &plan.documents {
        if row.new {
            insert_document(connection, workspace, row)?;
        } else {
            update_document(connection, workspace, row)?;
        }
    }
    for claim in &plan.claims {
        write_claim(connection, workspace, claim)?;
    }
    for event in &plan.events {
        insert_event(connection, workspace, event)?;
    }
    for erasure in plan.erasures() {
        erase_events(connection, workspace, erasure)?;
    }
    let changed = connection
        .prepare_cached(
            "UPDATE workspace
             SET head = ?2,
                 head_hash = ?3,
                 config_version = ?4,
                 counters = ?5
             WHERE id = ?1",
        )?
        .execute(params![
            workspace,
            plan.head.sequence,
            plan.head.hash,
            plan.head.config_version,
            counters_text(&plan.head.counters),
        ])?;
    one_row(changed)
}

fn insert_document(
    connection: &Connection,
    workspace: &str,
    row: &DocumentRow<'_>,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO document (workspace, kind, id, parent, number, version, sequence, schema, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            workspace,
            row.write.kind,
            row.write.id,
            row.write.parent,
            row.number,
            row.version,
            row.sequence,
            row.write.schema,
            row.write.body,
        ])?;
    Ok(())
}

fn update_document(
    connection: &Connection,
    workspace: &str,
    row: &DocumentRow<'_>,
) -> Result<(), rusqlite::Error> {
    let changed = connection
        .prepare_cached(
            "UPDATE document
             SET parent = ?4,
                 version = ?5,
                 sequence = ?6,
                 schema = ?7,
                 body = ?8
             WHERE workspace = ?1
               AND kind = ?2
               AND id = ?3",
        )?
        .execute(params![
            workspace,
            row.write.kind,
            row.write.id,
            row.write.parent,
            row.version,
            row.sequence,
            row.write.schema,
            row.write.body,
        ])?;
    one_row(changed)
}

fn insert_event(
    connection: &Connection,
    workspace: &str,
    event: &EventRow<'_>,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO event (workspace, sequence, operation, at_ms, actor, app, kind, document_kind,
                                document, version, changes, salt, digest, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            workspace,
            event.sequence,
            event.set.operation,
            event.set.at_ms,
            event.set.actor,
            event.set.app,
            event.write.kind,
            event.write.document_kind,
            event.write.document,
            event.version,
            event.write.changes,
            event.write.salt,
            event.digest,
            event.hash,
        ])?;
    Ok(())
}

/// Takes changes and salt from the events that an erasure covers.
pub(crate) fn erase_events(
    connection: &Connection,
    workspace: &str,
    Erasure { document_kind, document, until }: Erasure<'_>,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "UPDATE event
             SET changes = NULL,
                 salt = NULL
             WHERE workspace = ?1
               AND document = ?2
               AND sequence <= ?3
               AND document_kind = ?4
               AND kind <> ?5
               AND (salt IS NOT NULL OR changes IS NOT NULL)",
        )?
        .execute(params![workspace, document, until, document_kind, ERASED])?;
    Ok(())
}

fn write_claim(connection: &Connection, workspace: &str, claim: &ClaimWrite) -> Result<(), rusqlite::Error> {
    match claim {
        ClaimWrite::Put { key, document, result, expires_ms } => connection
            .prepare_cached(
                "INSERT INTO claim (workspace, key, document, result, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (workspace, key) DO UPDATE
                 SET document = excluded.document,
                     result = excluded.result,
                     expires_ms = excluded.expires_ms",
            )?
            .execute(params![workspace, key, document, result, expires_ms])?,
        ClaimWrite::Remove { key } | ClaimWrite::RemoveExpired { key } => connection
            .prepare_cached(
                "DELETE FROM claim
                 WHERE workspace = ?1
                   AND key = ?2",
            )?
            .execute([workspace, key])?,
    };
    Ok(())
}

/// A row that was read under the lock is there to be updated; if not, the database is damaged.
fn one_row(changed: usize) -> Result<(), rusqlite::Error> {
    if changed == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
}
