//! One transaction in two round trips: lock and read, decide, write and commit.
//!
//! Under READ COMMITTED each statement sees what was committed before it began. The lock on the workspace's row is a
//! statement of its own, so those after it see what was committed before the lock was had. Statements of one round trip are
//! sent without waiting; the server runs them one after the other.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::iter::zip;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::error::Severity;
use tokio_postgres::{Error, Row};

use crate::chain;
use crate::decide::{self, DocumentRow, Erasure, EventRow, Found, Head, Holder, Known, Names, Plan};
use crate::document::NewWorkspace;
use crate::error::{CommitError, StoreError};
use crate::event::ERASED;
use crate::limits;
use crate::postgres::connect::{BEAT, explained};
use crate::postgres::link::Link;
use crate::set::{ClaimWrite, Committed, WriteSet};

/// An answer per set, in order.
pub(crate) type Outcomes = Vec<Result<Committed, CommitError>>;

/// Takes the lock of a workspace and reads its row.
pub(crate) const LOCK: &str = "SELECT head, head_hash, config_version, counters
     FROM workspace
     WHERE id = $1
     FOR UPDATE";

// What a batch names is looked for key by key. The limit keeps it so: a plain join may be turned round, and is, by the
// statistics of a table that was small when a connection came; from then on each batch reads the whole workspace.

const READ_DOCUMENTS: &str = "SELECT named.place, found.version, found.number
     FROM unnest($2::TEXT[], $3::TEXT[]) WITH ORDINALITY AS named (kind, id, place)
     CROSS JOIN LATERAL (
         SELECT version, number
         FROM document
         WHERE workspace = $1
           AND kind = named.kind
           AND id = named.id
         LIMIT 1
     ) AS found";

const READ_CLAIMS: &str = "SELECT named.place, found.document, found.expires_ms
     FROM unnest($2::TEXT[]) WITH ORDINALITY AS named (key, place)
     CROSS JOIN LATERAL (
         SELECT document, expires_ms
         FROM claim
         WHERE workspace = $1
           AND key = named.key
         LIMIT 1
     ) AS found";

const READ_HEADS: &str = "SELECT named.place, found.head
     FROM unnest($1::TEXT[]) WITH ORDINALITY AS named (id, place)
     CROSS JOIN LATERAL (
         SELECT head
         FROM workspace
         WHERE id = named.id
         LIMIT 1
     ) AS found";

/// Writes new documents.
pub(crate) const INSERT_DOCUMENTS: &str =
    "INSERT INTO document (workspace, kind, id, parent, number, version, sequence, schema, body)
     SELECT $1, kind, id, parent, number, version, sequence, schema, body
     FROM unnest($2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], $9::BYTEA[])
       AS written (kind, id, parent, number, version, sequence, schema, body)";

const UPDATE_DOCUMENTS: &str = "UPDATE document
     SET parent = written.parent,
         version = written.version,
         sequence = written.sequence,
         schema = written.schema,
         body = written.body
     FROM unnest($2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BYTEA[])
       AS written (kind, id, parent, version, sequence, schema, body)
     CROSS JOIN LATERAL (
         SELECT document.ctid AS place
         FROM document
         WHERE document.workspace = $1
           AND document.kind = written.kind
           AND document.id = written.id
         LIMIT 1
     ) AS found
     WHERE document.ctid = found.place";

/// Writes events.
pub(crate) const INSERT_EVENTS: &str =
    "INSERT INTO event (workspace, sequence, operation, at_ms, actor, app, kind, document_kind, document, version,
                        changes, salt, digest, hash)
     SELECT $1, sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes, salt, digest,
            hash
     FROM unnest($2::BIGINT[], $3::BYTEA[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[],
                 $10::BIGINT[], $11::BYTEA[], $12::BYTEA[], $13::BYTEA[], $14::BYTEA[])
       AS written (sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes, salt, digest,
                   hash)";

/// Takes changes and salt from the events that erasures cover.
const ERASE_EVENTS: &str = "UPDATE event
     SET changes = NULL,
         salt = NULL
     FROM unnest($2::TEXT[], $3::TEXT[], $4::BIGINT[]) AS erased (document_kind, document, until)
     CROSS JOIN LATERAL (
         SELECT event.ctid AS place
         FROM event
         WHERE event.workspace = $1
           AND event.document = erased.document
           AND event.sequence <= erased.until
           AND event.document_kind = erased.document_kind
           AND event.kind <> $5
           AND (event.salt IS NOT NULL OR event.changes IS NOT NULL)
         OFFSET 0
     ) AS covered
     WHERE event.ctid = covered.place";

/// Puts claims.
pub(crate) const PUT_CLAIMS: &str = "INSERT INTO claim (workspace, key, document, result, expires_ms)
     SELECT $1, key, document, result, expires_ms
     FROM unnest($2::TEXT[], $3::TEXT[], $4::BYTEA[], $5::BIGINT[]) AS put (key, document, result, expires_ms)
     ON CONFLICT (workspace, key) DO UPDATE
     SET document = excluded.document,
         result = excluded.result,
         expires_ms = excluded.expires_ms";

const REMOVE_CLAIMS: &str = "DELETE FROM claim
     USING unnest($2::TEXT[]) AS named (key)
     CROSS JOIN LATERAL (
         SELECT claim.ctid AS place
         FROM claim
         WHERE claim.workspace = $1
           AND claim.key = named.key
         LIMIT 1
     ) AS found
     WHERE claim.ctid = found.place";

const UPDATE_WORKSPACE: &str = "UPDATE workspace
     SET head = $2,
         head_hash = $3,
         config_version = $4,
         counters = $5
     WHERE id = $1";

const INSERT_WORKSPACE: &str =
    "INSERT INTO workspace (id, account, organisation, head, head_hash, config_version, counters)
     VALUES ($1, $2, $3, 0, $4, 1, $5)
     ON CONFLICT (id) DO NOTHING";

/// How an attempt to commit a batch ended.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// As the outcomes say; what passed is durable.
    Done(Outcomes, Option<Head>),
    /// Nothing was written, and trying again may help.
    Nothing(StoreError),
    /// Nobody can tell from here: the former head and the outcomes, should it be committed.
    Unknown { former: u64, outcomes: Outcomes, head: Head, reason: String },
}

/// Commits the sets, all of one workspace.
pub(crate) async fn write_sets(link: &Link, sets: &[WriteSet]) -> Attempt {
    let Some(workspace) = sets.first().map(|set| set.workspace.as_str()) else {
        return Attempt::Done(Vec::new(), None);
    };
    let known = match timeout_at(Instant::now() + limits::LOCK_WAIT, begin(link, workspace, sets)).await {
        Ok(Ok(known)) => known,
        Ok(Err(error)) => {
            roll_back(link).await;
            return Attempt::Nothing(error);
        }
        Err(_) => {
            link.give_up();
            return Attempt::Nothing(StoreError::Unreachable(
                "the database server has not answered in time".into(),
            ));
        }
    };
    let Some(known) = known else {
        roll_back(link).await;
        let refusal = CommitError::Refused(format!("there is no workspace {workspace}"));
        return Attempt::Done(sets.iter().map(|_| Err(refusal.clone())).collect(), None);
    };
    let former = known.head.sequence;
    let plan = decide::decide(known, sets);
    if plan.is_empty() {
        roll_back(link).await;
        return Attempt::Done(plan.outcomes, None);
    }
    link.take_warning();
    let written = timeout_at(Instant::now() + limits::COMMIT_WAIT, finish(link, workspace, &plan)).await;
    let Plan { outcomes, head, .. } = plan;
    match written {
        // The warning that a wait for the standby was ended comes before the commit's answer.
        Ok(Ok(())) if !link.take_warning() => Attempt::Done(outcomes, Some(head)),
        Ok(Ok(())) => {
            let reason = "the database server has ended the wait for its standby".to_owned();
            Attempt::Unknown { former, outcomes, head, reason }
        }
        Ok(Err(Failed::Nothing(error))) => Attempt::Nothing(error),
        Ok(Err(Failed::Unknown(reason))) => {
            link.give_up();
            Attempt::Unknown { former, outcomes, head, reason }
        }
        Err(_) => {
            link.give_up();
            let reason = "the database server has not answered a commit in time".to_owned();
            Attempt::Unknown { former, outcomes, head, reason }
        }
    }
}

/// The first round trip.
async fn begin<'a>(
    link: &Link,
    workspace: &str,
    sets: &'a [WriteSet],
) -> Result<Option<Known<'a>>, StoreError> {
    let names = decide::names(sets);
    let Names { documents, claims, heads } = &names;
    let (kinds, ids): (Vec<&str>, Vec<&str>) = documents.iter().copied().unzip();
    let asked = async {
        let (lock, read_documents, read_claims, read_heads) = (
            link.statement(LOCK).await?,
            link.statement(READ_DOCUMENTS).await?,
            link.statement(READ_CLAIMS).await?,
            link.statement(READ_HEADS).await?,
        );
        let client = &link.client;
        let (begun, locked, found, held, ends) = tokio::join!(
            biased;
            client.batch_execute("BEGIN"),
            async { client.query(&lock, &[&workspace]).await },
            async {
                match documents.is_empty() {
                    true => Ok(Vec::new()),
                    false => client.query(&read_documents, &[&workspace, &kinds, &ids]).await,
                }
            },
            async {
                match claims.is_empty() {
                    true => Ok(Vec::new()),
                    false => client.query(&read_claims, &[&workspace, claims]).await,
                }
            },
            async {
                match heads.is_empty() {
                    true => Ok(Vec::new()),
                    false => client.query(&read_heads, &[heads]).await,
                }
            },
        );
        begun?;
        Ok::<_, Error>((locked?, found?, held?, ends?))
    };
    let (locked, found, held, ends) = asked.await.map_err(|error| explained(&error))?;
    let Some(row) = locked.first() else { return Ok(None) };
    let head = read_head(row)?;
    Ok(Some(known(head, names, &found, &held, &ends)))
}

fn known<'a>(head: Head, names: Names<'a>, found: &[Row], held: &[Row], ends: &[Row]) -> Known<'a> {
    let mut documents = HashMap::with_capacity(found.len());
    for row in found {
        if let Some(key) = named(&names.documents, row.get(0)) {
            let (version, number): (i64, Option<i64>) = (row.get(1), row.get(2));
            let number = number.map(i64::cast_unsigned);
            documents.insert(*key, Found { version: version.cast_unsigned(), number });
        }
    }
    let mut claims = HashMap::with_capacity(held.len());
    for row in held {
        if let Some(key) = named(&names.claims, row.get(0)) {
            claims.insert(*key, Holder { document: Cow::Owned(row.get(1)), expires_ms: row.get(2) });
        }
    }
    let mut heads = HashMap::with_capacity(ends.len());
    for row in ends {
        if let Some(workspace) = named(&names.heads, row.get(0)) {
            heads.insert(*workspace, row.get::<_, i64>(1).cast_unsigned());
        }
    }
    Known { head, documents, claims, heads }
}

/// Gives the name at a place that the server counts from one.
fn named<T>(names: &[T], place: i64) -> Option<&T> {
    names.get(usize::try_from(place).ok()?.checked_sub(1)?)
}

/// Reads the row of a workspace that [`LOCK`] gives.
pub(crate) fn read_head(row: &Row) -> Result<Head, StoreError> {
    let (sequence, config_version): (i64, i64) = (row.get(0), row.get(2));
    let hash: &[u8] = row.get(1);
    Ok(Head {
        sequence: sequence.cast_unsigned(),
        hash: hash.try_into().map_err(|_| StoreError::Damaged("a hash has another length".into()))?,
        config_version: config_version.cast_unsigned(),
        counters: counters(row.get(3))?,
    })
}

/// Reads counters from their column.
pub(crate) fn counters(text: &str) -> Result<BTreeMap<String, u64>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged(format!("the counters: {error}")))
}

/// Writes counters for their column.
pub(crate) fn counters_text(counters: &BTreeMap<String, u64>) -> String {
    serde_json::to_string(counters).expect("invariant: a map of texts to numbers is JSON")
}

/// Why the second round trip did not end well.
enum Failed {
    /// The server says that a statement failed, so the transaction was rolled back.
    Nothing(StoreError),
    /// The answer to the commit is missing.
    Unknown(String),
}

/// The second round trip. A statement that fails lets the commit roll back.
async fn finish(link: &Link, workspace: &str, plan: &Plan<'_>) -> Result<(), Failed> {
    let (inserted, updated): (Vec<_>, Vec<_>) = plan.documents.iter().partition(|row| row.new);
    let written = async {
        let (a, b, c, d, e, f, g) = tokio::join!(
            biased;
            insert_documents(link, workspace, &inserted),
            update_documents(link, workspace, &updated),
            insert_events(link, workspace, &plan.events),
            // After the events, so that those of the same batch are among what is erased.
            erase_events(link, workspace, plan),
            put_claims(link, workspace, &plan.claims),
            remove_claims(link, workspace, &plan.claims),
            update_workspace(link, workspace, &plan.head),
        );
        [a, b, c, d, e, f, g].into_iter().collect::<Result<Vec<u64>, Error>>()
    };
    prepare_all(link).await.map_err(|error| of_statement(&error))?;
    let (written, committed) = tokio::join!(biased; written, link.client.batch_execute("COMMIT"));
    match (written, committed) {
        (Ok(counts), Ok(())) => {
            // The rows were read under the lock: another number means that somebody removes rows behind our back.
            let wanted = [inserted.len(), updated.len(), plan.events.len()];
            let differs =
                zip(&counts, wanted).any(|(count, wanted)| u64::try_from(wanted).ok() != Some(*count));
            if differs {
                tracing::error!(
                    workspace.id = workspace,
                    "rows of the database are missing; run casement doctor"
                );
            }
            Ok(())
        }
        (Err(error), Ok(())) => Err(of_statement(&error)),
        (Ok(_), Err(error)) => match of_statement(&error) {
            // The commit itself failed and said so.
            Failed::Nothing(error) => Err(Failed::Nothing(error)),
            Failed::Unknown(reason) => Err(Failed::Unknown(reason)),
        },
        (Err(_), Err(error)) => Err(of_statement(&error)),
    }
}

/// An error that the server reports and after which it goes on has rolled back; anything else leaves it open.
fn of_statement(error: &Error) -> Failed {
    let is_told = error.as_db_error().is_some_and(|database| {
        // Not an end of the connection, which may have come after the commit.
        database.parsed_severity() == Some(Severity::Error) && !database.code().code().starts_with("57")
    });
    let explained = explained(error);
    if is_told { Failed::Nothing(explained) } else { Failed::Unknown(explained.to_string()) }
}

/// Prepares what the second round trip needs, at its first time, so that nothing waits between two statements.
async fn prepare_all(link: &Link) -> Result<(), Error> {
    for sql in [
        INSERT_DOCUMENTS,
        UPDATE_DOCUMENTS,
        INSERT_EVENTS,
        ERASE_EVENTS,
        PUT_CLAIMS,
        REMOVE_CLAIMS,
        UPDATE_WORKSPACE,
    ] {
        link.statement(sql).await?;
    }
    Ok(())
}

async fn insert_documents(link: &Link, workspace: &str, rows: &[&DocumentRow<'_>]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let kinds: Vec<&str> = rows.iter().map(|row| row.write.kind.as_str()).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.write.id.as_str()).collect();
    let parents: Vec<Option<&str>> = rows.iter().map(|row| row.write.parent.as_deref()).collect();
    let numbers: Vec<Option<i64>> = rows.iter().map(|row| row.number.map(u64::cast_signed)).collect();
    let versions: Vec<i64> = rows.iter().map(|row| row.version.cast_signed()).collect();
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence.cast_signed()).collect();
    let schemas: Vec<i64> = rows.iter().map(|row| i64::from(row.write.schema)).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.write.body.as_slice()).collect();
    let statement = link.statement(INSERT_DOCUMENTS).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&workspace, &kinds, &ids, &parents, &numbers, &versions, &sequences, &schemas, &bodies];
    link.client.execute(&statement, &values).await
}

async fn update_documents(link: &Link, workspace: &str, rows: &[&DocumentRow<'_>]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let kinds: Vec<&str> = rows.iter().map(|row| row.write.kind.as_str()).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.write.id.as_str()).collect();
    let parents: Vec<Option<&str>> = rows.iter().map(|row| row.write.parent.as_deref()).collect();
    let versions: Vec<i64> = rows.iter().map(|row| row.version.cast_signed()).collect();
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence.cast_signed()).collect();
    let schemas: Vec<i64> = rows.iter().map(|row| i64::from(row.write.schema)).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.write.body.as_slice()).collect();
    let statement = link.statement(UPDATE_DOCUMENTS).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [&workspace, &kinds, &ids, &parents, &versions, &sequences, &schemas, &bodies];
    link.client.execute(&statement, &values).await
}

async fn insert_events(link: &Link, workspace: &str, rows: &[EventRow<'_>]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence.cast_signed()).collect();
    let operations: Vec<&[u8]> = rows.iter().map(|row| row.set.operation.as_slice()).collect();
    let at_ms: Vec<i64> = rows.iter().map(|row| row.set.at_ms).collect();
    let actors: Vec<&str> = rows.iter().map(|row| row.set.actor.as_str()).collect();
    let apps: Vec<&str> = rows.iter().map(|row| row.set.app.as_str()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row.write.kind.as_str()).collect();
    let document_kinds: Vec<&str> = rows.iter().map(|row| row.write.document_kind.as_str()).collect();
    let documents: Vec<&str> = rows.iter().map(|row| row.write.document.as_str()).collect();
    let versions: Vec<i64> = rows.iter().map(|row| row.version.cast_signed()).collect();
    let changes: Vec<Option<&[u8]>> = rows.iter().map(|row| row.write.changes.as_deref()).collect();
    let salts: Vec<&[u8]> = rows.iter().map(|row| row.write.salt.as_slice()).collect();
    let digests: Vec<&[u8]> = rows.iter().map(|row| row.digest.as_slice()).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.hash.as_slice()).collect();
    let statement = link.statement(INSERT_EVENTS).await?;
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
    link.client.execute(&statement, &values).await
}

async fn erase_events(link: &Link, workspace: &str, plan: &Plan<'_>) -> Result<u64, Error> {
    let (mut kinds, mut documents, mut ends): (Vec<&str>, Vec<&str>, Vec<i64>) = Default::default();
    for Erasure { document_kind, document, until } in plan.erasures() {
        kinds.push(document_kind);
        documents.push(document);
        ends.push(until.cast_signed());
    }
    if kinds.is_empty() {
        return Ok(0);
    }
    let statement = link.statement(ERASE_EVENTS).await?;
    link.client.execute(&statement, &[&workspace, &kinds, &documents, &ends, &ERASED]).await
}

async fn put_claims(link: &Link, workspace: &str, claims: &[&ClaimWrite]) -> Result<u64, Error> {
    let (mut keys, mut documents): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut results, mut ends): (Vec<Option<&[u8]>>, Vec<Option<i64>>) = (Vec::new(), Vec::new());
    for claim in claims {
        match claim {
            ClaimWrite::Put { key, document, result, expires_ms } => {
                keys.push(key);
                documents.push(document);
                results.push(result.as_deref());
                ends.push(*expires_ms);
            }
            ClaimWrite::Remove { .. } | ClaimWrite::RemoveExpired { .. } => {}
        }
    }
    if keys.is_empty() {
        return Ok(0);
    }
    let statement = link.statement(PUT_CLAIMS).await?;
    link.client.execute(&statement, &[&workspace, &keys, &documents, &results, &ends]).await
}

async fn remove_claims(link: &Link, workspace: &str, claims: &[&ClaimWrite]) -> Result<u64, Error> {
    let removed = claims.iter().filter_map(|claim| match claim {
        ClaimWrite::Put { .. } => None,
        ClaimWrite::Remove { key } | ClaimWrite::RemoveExpired { key } => Some(key.as_str()),
    });
    let keys: Vec<&str> = removed.collect();
    if keys.is_empty() {
        return Ok(0);
    }
    let statement = link.statement(REMOVE_CLAIMS).await?;
    link.client.execute(&statement, &[&workspace, &keys]).await
}

async fn update_workspace(link: &Link, workspace: &str, head: &Head) -> Result<u64, Error> {
    let (sequence, config_version) = (head.sequence.cast_signed(), head.config_version.cast_signed());
    let (hash, counters) = (head.hash.as_slice(), counters_text(&head.counters));
    let statement = link.statement(UPDATE_WORKSPACE).await?;
    link.client.execute(&statement, &[&workspace, &sequence, &hash, &config_version, &counters]).await
}

/// Makes a workspace's row; says whether the row that is there now is the one asked for. Doing it again does no harm.
pub(crate) async fn write_workspace(link: &Link, workspace: &NewWorkspace) -> Result<bool, StoreError> {
    let NewWorkspace { id, account, organisation, counters } = workspace;
    let counters = counters_text(counters);
    link.take_warning();
    link.execute(INSERT_WORKSPACE, &[id, account, organisation, &chain::GENESIS.as_slice(), &counters])
        .await?;
    // Also for a row that was there: what is answered for must be on the standby.
    link.query(BEAT, &[]).await?;
    let rows = link
        .query(
            "SELECT account, organisation
             FROM workspace
             WHERE id = $1",
            &[id],
        )
        .await?;
    if link.take_warning() {
        return Err(StoreError::Unreachable("the database server has ended the wait for its standby".into()));
    }
    let same = |row: &Row| row.get::<_, &str>(0) == account && row.get::<_, &str>(1) == organisation;
    Ok(rows.first().is_some_and(same))
}

/// Ends a transaction in which nothing was written. A connection that can't has ended, and the transaction with it.
async fn roll_back(link: &Link) {
    let rolled = timeout_at(Instant::now() + limits::LOCK_WAIT, link.client.batch_execute("ROLLBACK")).await;
    if !matches!(rolled, Ok(Ok(()))) {
        link.give_up();
    }
}
