//! What a transfer writes: rows as they were, page by page, and the workspaces in the end.

use std::path::Path;

use crate::document::{Claim, Document, WorkspaceRow};
use crate::error::StoreError;
use crate::event::Event;
use crate::limits;
use crate::postgres::connect::explained;
use crate::postgres::link::Link;
use crate::postgres::writing::{INSERT_DOCUMENTS, INSERT_EVENTS, PUT_CLAIMS, counters_text};

/// Says why nobody may use the database: a transfer into it has not ended.
pub(crate) async fn refusal(link: &Link) -> Result<Option<String>, StoreError> {
    let rows = link
        .query(
            "SELECT source
             FROM transfer
             WHERE NOT ended
             LIMIT 1",
            &[],
        )
        .await?;
    Ok(rows.first().map(|_| {
        "a transfer into this database has not ended; run `casement migrate` again, or drop the database"
            .to_owned()
    }))
}

/// Notes that a transfer begins, or goes on.
pub(crate) async fn begin(link: &Link, source: &str, from: &Path) -> Result<(), StoreError> {
    let rows = link
        .query(
            "SELECT source, ended
             FROM transfer",
            &[],
        )
        .await?;
    if let Some(row) = rows.first() {
        let (known, ended): (&str, bool) = (row.get(0), row.get(1));
        if ended {
            let sentence = "a transfer into this database has ended already; nothing was changed";
            return Err(StoreError::Refused(sentence.into()));
        }
        if known != source {
            return Err(StoreError::Refused(format!(
                "another transfer into this database has begun, from another state than that of {}: drop the database \
                 and make it anew",
                from.display()
            )));
        }
        return Ok(());
    }
    let used = link
        .query(
            "SELECT 1
             FROM workspace
             LIMIT 1",
            &[],
        )
        .await?;
    if !used.is_empty() {
        return Err(StoreError::Refused("the database holds data already; name an empty one".into()));
    }
    link.execute(
        "INSERT INTO transfer (source, ended)
         VALUES ($1, FALSE)",
        &[&source],
    )
    .await?;
    Ok(())
}

/// Gives the last event that is there, 0 for none.
pub(crate) async fn last_event(link: &Link, workspace: &str) -> Result<u64, StoreError> {
    let rows = link
        .query(
            "SELECT COALESCE(MAX(sequence), 0)
             FROM event
             WHERE workspace = $1",
            &[&workspace],
        )
        .await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}

/// Gives the last document of a kind that is there, and how many there are.
pub(crate) async fn last_document(
    link: &Link,
    workspace: &str,
    kind: &str,
) -> Result<(Option<String>, i64), StoreError> {
    let rows = link
        .query(
            "SELECT MAX(id), COUNT(*)
             FROM document
             WHERE workspace = $1
               AND kind = $2",
            &[&workspace, &kind],
        )
        .await?;
    Ok(rows.first().map_or((None, 0), |row| (row.get(0), row.get(1))))
}

/// Gives the last claim that is there, empty for none, and how many there are.
pub(crate) async fn last_claim(link: &Link, workspace: &str) -> Result<(String, i64), StoreError> {
    let rows = link
        .query(
            "SELECT COALESCE(MAX(key), ''), COUNT(*)
             FROM claim
             WHERE workspace = $1",
            &[&workspace],
        )
        .await?;
    Ok(rows.first().map_or((String::new(), 0), |row| (row.get(0), row.get(1))))
}

/// Gives one page of claims in the order of their keys.
pub(crate) async fn claims(link: &Link, workspace: &str, after: &str) -> Result<Vec<Claim>, StoreError> {
    let limit = i64::try_from(limits::TRANSFER_PAGE).unwrap_or(i64::MAX);
    let rows = link
        .query(
            "SELECT key, document, result, expires_ms
             FROM claim
             WHERE workspace = $1
               AND key > $2
             ORDER BY key
             LIMIT $3",
            &[&workspace, &after, &limit],
        )
        .await?;
    let claims = rows.iter().map(|row| Claim {
        key: row.get(0),
        document: row.get(1),
        result: row.get(2),
        expires_ms: row.get(3),
    });
    Ok(claims.collect())
}

/// Writes events as they were.
pub(crate) async fn insert_events(link: &Link, workspace: &str, rows: &[Event]) -> Result<(), StoreError> {
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence.cast_signed()).collect();
    let operations: Vec<&[u8]> = rows.iter().map(|row| row.operation.as_slice()).collect();
    let at_ms: Vec<i64> = rows.iter().map(|row| row.at_ms).collect();
    let actors: Vec<&str> = rows.iter().map(|row| row.actor.as_str()).collect();
    let apps: Vec<&str> = rows.iter().map(|row| row.app.as_str()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    let document_kinds: Vec<&str> = rows.iter().map(|row| row.document_kind.as_str()).collect();
    let documents: Vec<&str> = rows.iter().map(|row| row.document.as_str()).collect();
    let versions: Vec<i64> = rows.iter().map(|row| row.version.cast_signed()).collect();
    let changes: Vec<Option<&[u8]>> = rows.iter().map(|row| row.changes.as_deref()).collect();
    let salts: Vec<Option<&[u8]>> =
        rows.iter().map(|row| row.salt.as_ref().map(<[u8; 16]>::as_slice)).collect();
    let digests: Vec<&[u8]> = rows.iter().map(|row| row.digest.as_slice()).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.hash.as_slice()).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 14] = [
        &workspace,
        &sequences,
        &operations,
        &at_ms,
        &actors,
        &apps,
        &kinds,
        &document_kinds,
        &documents,
        &versions,
        &changes,
        &salts,
        &digests,
        &hashes,
    ];
    link.execute(INSERT_EVENTS, &values).await.map(drop)
}

/// Writes documents as they were.
pub(crate) async fn insert_documents(
    link: &Link,
    workspace: &str,
    rows: &[Document],
) -> Result<(), StoreError> {
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let parents: Vec<Option<&str>> = rows.iter().map(|row| row.parent.as_deref()).collect();
    let numbers: Vec<Option<i64>> = rows.iter().map(|row| row.number.map(u64::cast_signed)).collect();
    let versions: Vec<i64> = rows.iter().map(|row| row.version.cast_signed()).collect();
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence.cast_signed()).collect();
    let schemas: Vec<i64> = rows.iter().map(|row| i64::from(row.schema)).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.body.as_slice()).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&workspace, &kinds, &ids, &parents, &numbers, &versions, &sequences, &schemas, &bodies];
    link.execute(INSERT_DOCUMENTS, &values).await.map(drop)
}

/// Writes claims as they were.
pub(crate) async fn insert_claims(link: &Link, workspace: &str, rows: &[Claim]) -> Result<(), StoreError> {
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let documents: Vec<&str> = rows.iter().map(|row| row.document.as_str()).collect();
    let results: Vec<Option<&[u8]>> = rows.iter().map(|row| row.result.as_deref()).collect();
    let expires_ms: Vec<Option<i64>> = rows.iter().map(|row| row.expires_ms).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&workspace, &keys, &documents, &results, &expires_ms];
    link.execute(PUT_CLAIMS, &values).await.map(drop)
}

/// Makes the workspaces, and with that the transfer ends: all in one transaction.
pub(crate) async fn end(
    link: &Link,
    source: &str,
    workspaces: &[(&WorkspaceRow, [u8; 32])],
) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| explained(&error);
    link.take_warning();
    link.client.batch_execute("BEGIN").await.map_err(failed)?;
    for (workspace, hash) in workspaces {
        let WorkspaceRow { id, account, organisation, head, config_version, counters } = workspace;
        let (head, config_version) = (head.cast_signed(), config_version.cast_signed());
        let counters = counters_text(counters);
        link.execute(
            "INSERT INTO workspace (id, account, organisation, head, head_hash, config_version, counters)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[id, account, organisation, &head, &hash.as_slice(), &config_version, &counters],
        )
        .await?;
    }
    link.execute(
        "UPDATE transfer
         SET ended = TRUE
         WHERE source = $1",
        &[&source],
    )
    .await?;
    link.client.batch_execute("COMMIT").await.map_err(failed)?;
    if link.take_warning() {
        return Err(StoreError::Unreachable("the database server has ended the wait for its standby".into()));
    }
    // Plans are made by what is known of the tables.
    link.client.batch_execute("ANALYZE").await.map_err(failed)
}
