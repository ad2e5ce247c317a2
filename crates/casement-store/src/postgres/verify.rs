//! Walks a workspace's log and has every event checked, page by page.

use crate::chain::{self, Walk};
use crate::decide::Erasure;
use crate::error::StoreError;
use crate::event::{ChainFault, ChainReport};
use crate::limits;
use crate::postgres::engine::Postgres;
use crate::postgres::link::Link;
use crate::postgres::{reader, transferring};

/// What the workspace says about its log, and the last event that the log has.
struct End {
    head: u64,
    head_hash: Vec<u8>,
    last: u64,
}

/// Checks the log up to the head that it had at the beginning, and further where what is missing was erased meanwhile.
pub(crate) async fn verify(own: &Postgres, workspace: &str) -> Result<ChainReport, StoreError> {
    let link = own.page().await?;
    of_link(&link, workspace).await
}

/// The same over a connection.
pub(crate) async fn of_link(link: &Link, workspace: &str) -> Result<ChainReport, StoreError> {
    let Some(end) = read_end(link, workspace).await? else {
        return Err(StoreError::Refused(format!("there is no workspace {workspace}")));
    };
    let mut walk = Walk::new(workspace);
    let fault = find_fault(link, workspace, end, &mut walk).await?;
    Ok(ChainReport { events: walk.events(), erased: walk.erased(), fault })
}

/// Walks to the end, and on while what is missing may have been erased since.
async fn find_fault(
    link: &Link,
    workspace: &str,
    mut end: End,
    walk: &mut Walk<'_>,
) -> Result<Option<ChainFault>, StoreError> {
    for _ in 0..limits::VERIFY_ROUNDS_MAX {
        if let Some(fault) = walk_to(link, workspace, &end, walk).await? {
            return Ok(Some(fault));
        }
        if walk.untold().is_none() {
            return Ok(None);
        }
        match read_end(link, workspace).await?.filter(|later| later.head > end.head) {
            Some(later) => end = later,
            None => break,
        }
    }
    Ok(walk.untold())
}

/// Checks a log that no workspace row tells of yet: it must end at such an event with such a hash.
pub(crate) async fn ends_with(
    link: &Link,
    workspace: &str,
    head: u64,
    head_hash: &[u8; 32],
) -> Result<Option<ChainFault>, StoreError> {
    let last = transferring::last_event(link, workspace).await?;
    let end = End { head, head_hash: head_hash.to_vec(), last };
    find_fault(link, workspace, end, &mut Walk::new(workspace)).await
}

async fn walk_to(
    link: &Link,
    workspace: &str,
    end: &End,
    walk: &mut Walk<'_>,
) -> Result<Option<ChainFault>, StoreError> {
    while walk.events() < end.head {
        let limit = usize::try_from(end.head - walk.events()).unwrap_or(usize::MAX);
        let limit = limit.min(limits::VERIFY_PAGE_EVENTS);
        let page = reader::events(link, workspace, walk.events(), limit).await?;
        if page.is_empty() {
            break;
        }
        for event in &page {
            match walk.step(event) {
                Ok(None) => {}
                Ok(Some(Erasure { document_kind, document, until })) => {
                    let of = (document_kind, document);
                    if !reader::unerased_events(link, workspace, of, until, 1).await?.is_empty() {
                        return Ok(Some(chain::not_erased(event.sequence)));
                    }
                }
                Err(fault) => return Ok(Some(fault)),
            }
        }
    }
    let head_hash = end.head_hash.as_slice().try_into();
    let head_hash = head_hash.map_err(|_| StoreError::Damaged("a hash has another length".into()))?;
    if let Err(fault) = walk.end(end.head, head_hash) {
        return Ok(Some(fault));
    }
    if end.last > end.head {
        let reason = format!("the workspace counts {} events and the log goes on", end.head);
        return Ok(Some(ChainFault { sequence: end.head + 1, reason }));
    }
    Ok(None)
}

/// One statement, so that head and last event belong together.
async fn read_end(link: &Link, workspace: &str) -> Result<Option<End>, StoreError> {
    let rows = link
        .query(
            "SELECT head, head_hash,
                    (SELECT COALESCE(MAX(sequence), 0)
                     FROM event
                     WHERE workspace = $1)
             FROM workspace
             WHERE id = $1",
            &[&workspace],
        )
        .await?;
    let number = |row: &tokio_postgres::Row, place| row.get::<_, i64>(place).cast_unsigned();
    Ok(rows.first().map(|row| End { head: number(row, 0), head_hash: row.get(1), last: number(row, 2) }))
}
