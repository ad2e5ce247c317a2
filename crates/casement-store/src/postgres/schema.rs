//! Brings the schema of a database up to date: numbered SQL files, never changed once released.
//!
//! One node migrates, under a lock of the server; others wait for it. Each migration is a transaction.

use crate::error::StoreError;
use crate::postgres::connect::explained;
use crate::postgres::link::Link;

/// The migrations, in order; the schema number is how many have run.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// "Case", the number of the lock that a migration holds.
const LOCK: i64 = 0x4361_7365;

/// Gives the latest schema number that this release knows.
pub(crate) fn latest() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("invariant: there are few migrations")
}

/// Gives the schema number, 0 for a database without our tables, or says why it is not for this release.
pub(crate) async fn schema(link: &Link) -> Result<u32, StoreError> {
    let made = link.query("SELECT to_regclass('casement_schema') IS NOT NULL", &[]).await?;
    if !made.first().is_some_and(|row| row.get(0)) {
        return Ok(0);
    }
    let rows = link.query("SELECT COALESCE(MAX(number), 0)\nFROM casement_schema", &[]).await?;
    let found: i64 = rows.first().map(|row| row.get(0)).unwrap_or_default();
    let (found, supported) = (u32::try_from(found).unwrap_or(u32::MAX), latest());
    if found > supported { Err(StoreError::NewerSchema { found, supported }) } else { Ok(found) }
}

/// Runs the migrations that are missing.
pub(crate) async fn migrate(link: &Link) -> Result<(), StoreError> {
    if schema(link).await? == latest() {
        return Ok(());
    }
    let failed = |error: tokio_postgres::Error| explained(&error);
    let client = &link.client;
    client.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.map_err(failed)?;
    let migrated = missing(link).await;
    // Where the connection has ended, so has the lock.
    let freed = client.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await;
    migrated?;
    freed.map_err(failed)
}

async fn missing(link: &Link) -> Result<(), StoreError> {
    // Asked again: another node may have migrated while this one waited.
    let found = schema(link).await?;
    for (number, sql) in (1_u32..).zip(MIGRATIONS) {
        if number <= found {
            continue;
        }
        let table = if number == 1 {
            "CREATE TABLE casement_schema (number BIGINT NOT NULL PRIMARY KEY);"
        } else {
            ""
        };
        let note = format!("INSERT INTO casement_schema (number)\nVALUES ({number});");
        let all = format!("BEGIN;\n{table}\n{sql}\n{note}\nCOMMIT");
        if let Err(error) = link.client.batch_execute(&all).await {
            // The failure is what counts; a connection that can't roll back has ended.
            let _ = link.client.batch_execute("ROLLBACK").await;
            return Err(explained(&error));
        }
        tracing::info!(schema = number, "the database has been brought to a newer schema");
    }
    Ok(())
}
