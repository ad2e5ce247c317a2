//! The questions of whoever looks at a database from outside. They read much and are asked seldom.

use crate::error::StoreError;
use crate::inspect::{Numbering, Numbers};
use crate::postgres::link::Link;
use crate::postgres::reader;

/// Lists the kinds of a workspace's documents.
pub(crate) async fn kinds(link: &Link, workspace: &str) -> Result<Vec<String>, StoreError> {
    let rows = link
        .query(
            "SELECT DISTINCT kind
             FROM document
             WHERE workspace = $1
             ORDER BY kind",
            &[&workspace],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Gives the counters and the numbers, both as of one moment: beside nodes at work others would not agree.
pub(crate) async fn numbering(link: &Link, workspace: &str) -> Result<Numbering, StoreError> {
    link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &[]).await?;
    let row = reader::workspace(link, workspace).await;
    let numbers = numbers(link, workspace).await;
    link.execute("COMMIT", &[]).await?;
    Ok(Numbering { counters: row?.map(|row| row.counters).unwrap_or_default(), kinds: numbers? })
}

async fn numbers(link: &Link, workspace: &str) -> Result<Vec<Numbers>, StoreError> {
    let rows = link
        .query(
            "SELECT kind, COUNT(number), COUNT(DISTINCT number), MIN(number), MAX(number)
             FROM document
             WHERE workspace = $1
               AND number IS NOT NULL
             GROUP BY kind
             ORDER BY kind",
            &[&workspace],
        )
        .await?;
    let number = |row: &tokio_postgres::Row, place: usize| row.get::<_, i64>(place).cast_unsigned();
    let numbers = rows.iter().map(|row| Numbers {
        kind: row.get(0),
        count: number(row, 1),
        distinct: number(row, 2),
        first: number(row, 3),
        last: number(row, 4),
    });
    Ok(numbers.collect())
}

/// Counts documents whose last event tells of another document or version.
pub(crate) async fn strays(link: &Link, workspace: &str) -> Result<u64, StoreError> {
    count(
        link,
        "SELECT COUNT(*)
         FROM document
         WHERE workspace = $1
           AND NOT EXISTS (SELECT 1
                           FROM event
                           WHERE event.workspace = document.workspace
                             AND event.sequence = document.sequence
                             AND event.document_kind = document.kind
                             AND event.document = document.id
                             AND event.version = document.version)",
        &[&workspace],
    )
    .await
}

/// Counts ended claims.
pub(crate) async fn ended_claims(link: &Link, workspace: &str, before_ms: i64) -> Result<u64, StoreError> {
    count(
        link,
        "SELECT COUNT(*)
         FROM claim
         WHERE workspace = $1
           AND expires_ms < $2",
        &[&workspace, &before_ms],
    )
    .await
}

async fn count(
    link: &Link,
    sql: &'static str,
    values: &crate::postgres::link::Values<'_>,
) -> Result<u64, StoreError> {
    let rows = link.query(sql, values).await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}
