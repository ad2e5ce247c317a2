//! What became of a batch whose commit was not answered, or answered with the warning that no standby has it.
//!
//! On a new connection the workspace's lock is taken: once it is had, the lost transaction has ended, one way or the other.
//! Then the log above the former head says whether it holds the batch. The question commits something itself, so that what
//! was seen is on the standby too before anybody is told.

use tokio::time::{Instant, timeout_at};
use tokio_postgres::Error;

use crate::error::StoreError;
use crate::limits;
use crate::postgres::connect::{BEAT, explained};
use crate::postgres::link::Link;
use crate::postgres::writing::LOCK;
use crate::set::{ClaimWrite, Committed, WriteSet};

const FIND_OPERATIONS: &str = "SELECT COUNT(*)
     FROM event
     WHERE workspace = $1
       AND sequence > $2
       AND operation = ANY ($3::BYTEA[])";

const FIND_CLAIMS: &str = "SELECT COUNT(*)
     FROM unnest($2::TEXT[], $3::TEXT[]) AS put (key, document)
     CROSS JOIN LATERAL (
         SELECT document
         FROM claim
         WHERE workspace = $1
           AND key = put.key
         LIMIT 1
     ) AS found
     WHERE found.document = put.document";

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The batch is in the log, and durable.
    Committed,
    /// It is not, and never will be.
    Nothing,
}

/// What tells a batch from others: a transaction is there whole or not at all, so one mark is enough.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks<'a> {
    /// Operations that have events.
    operations: Vec<&'a [u8]>,
    /// Claims that were put, where nothing of the batch has an event.
    claims: Vec<(&'a str, &'a str)>,
}

impl<'a> Marks<'a> {
    /// Gives the marks of the sets that passed.
    pub(crate) fn of<E>(sets: &'a [WriteSet], outcomes: &[Result<Committed, E>]) -> Marks<'a> {
        let mut marks = Marks::default();
        let passed = sets.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
        for (set, _) in passed {
            if !set.events.is_empty() {
                marks.operations.push(&set.operation);
            }
            marks.claims.extend(set.claims.iter().filter_map(|claim| match claim {
                ClaimWrite::Put { key, document, .. } => Some((key.as_str(), document.as_str())),
                ClaimWrite::Remove { .. } | ClaimWrite::RemoveExpired { .. } => None,
            }));
        }
        marks
    }
}

/// Looks for a batch. Only removals leave no mark; doing them again does no harm, so they count as not found.
pub(crate) async fn find(
    link: &Link,
    workspace: &str,
    former: u64,
    marks: &Marks<'_>,
) -> Result<Found, StoreError> {
    let asked = timeout_at(Instant::now() + limits::LOCK_WAIT, ask(link, workspace, former, marks)).await;
    match asked {
        Ok(Ok(found)) if !link.take_warning() => Ok(found),
        Ok(Ok(_)) => {
            Err(StoreError::Unreachable("the database server has ended the wait for its standby".into()))
        }
        Ok(Err(error)) => Err(explained(&error)),
        Err(_) => Err(StoreError::Unreachable("the database server has not answered in time".into())),
    }
}

async fn ask(link: &Link, workspace: &str, former: u64, marks: &Marks<'_>) -> Result<Found, Error> {
    let client = &link.client;
    client.batch_execute("BEGIN").await?;
    let lock = link.statement(LOCK).await?;
    client.query(&lock, &[&workspace]).await?;
    let count: i64 = if marks.operations.is_empty() {
        let (keys, documents): (Vec<&str>, Vec<&str>) = marks.claims.iter().copied().unzip();
        let find = link.statement(FIND_CLAIMS).await?;
        client.query_one(&find, &[&workspace, &keys, &documents]).await?.get(0)
    } else {
        let find = link.statement(FIND_OPERATIONS).await?;
        client.query_one(&find, &[&workspace, &former.cast_signed(), &marks.operations]).await?.get(0)
    };
    let beat = link.statement(BEAT).await?;
    client.execute(&beat, &[]).await?;
    link.take_warning();
    client.batch_execute("COMMIT").await?;
    Ok(if count > 0 { Found::Committed } else { Found::Nothing })
}
