//! Walks a workspace's log and has every event checked.
//!
//! The walk takes a connection anew for each page, so that it neither keeps the log from being
//! restarted nor a store from closing.

use rusqlite::{Connection, OptionalExtension};

use crate::chain::{self, Walk};
use crate::decide::Erasure;
use crate::error::StoreError;
use crate::event::{ChainFault, ChainReport};
use crate::limits;
use crate::sqlite::reader::{self, Readers};

/// What the workspace says about its log, and the last event that the log has.
struct End {
    head: u64,
    head_hash: [u8; 32],
    last: u64,
}

/// Checks the log up to the head that it had at the beginning, and further where what is missing was erased meanwhile.
pub(crate) fn verify(readers: &Readers, workspace: &str) -> Result<ChainReport, StoreError> {
    let Some(end) = read_end(readers.lease()?.connection()?, workspace)? else {
        return Err(StoreError::Refused(format!("there is no workspace {workspace}")));
    };
    let mut walk = Walk::new(workspace);
    let fault = find_fault(readers, workspace, end, &mut walk)?;
    Ok(ChainReport { events: walk.events(), erased: walk.erased(), fault })
}

/// Walks to the end, and on while what is missing may have been erased since.
fn find_fault(
    readers: &Readers,
    workspace: &str,
    mut end: End,
    walk: &mut Walk<'_>,
) -> Result<Option<ChainFault>, StoreError> {
    for _ in 0..limits::VERIFY_ROUNDS_MAX {
        if let Some(fault) = walk_to(readers, workspace, &end, walk)? {
            return Ok(Some(fault));
        }
        if walk.untold().is_none() {
            return Ok(None);
        }
        let later = read_end(readers.lease()?.connection()?, workspace)?;
        match later.filter(|later| later.head > end.head) {
            Some(later) => end = later,
            None => break,
        }
    }
    Ok(walk.untold())
}

fn walk_to(
    readers: &Readers,
    workspace: &str,
    end: &End,
    walk: &mut Walk<'_>,
) -> Result<Option<ChainFault>, StoreError> {
    while walk.events() < end.head {
        let limit = usize::try_from(end.head - walk.events()).unwrap_or(usize::MAX);
        let limit = limit.min(limits::VERIFY_PAGE_EVENTS);
        let page = reader::events(readers.lease()?.connection()?, workspace, walk.events(), limit)?;
        if page.is_empty() {
            break;
        }
        for event in &page {
            match walk.step(event) {
                Ok(None) => {}
                Ok(Some(Erasure { document_kind, document, until })) => {
                    let (lease, of) = (readers.lease()?, (document_kind, document));
                    let left = reader::unerased_events(lease.connection()?, workspace, of, until, 1)?;
                    if !left.is_empty() {
                        return Ok(Some(chain::not_erased(event.sequence)));
                    }
                }
                Err(fault) => return Ok(Some(fault)),
            }
        }
    }
    if let Err(fault) = walk.end(end.head, &end.head_hash) {
        return Ok(Some(fault));
    }
    if end.last > end.head {
        let reason = format!("the workspace counts {} events and the log goes on", end.head);
        return Ok(Some(ChainFault { sequence: end.head + 1, reason }));
    }
    Ok(None)
}

/// One statement, so that head and last event belong together.
fn read_end(connection: &Connection, workspace: &str) -> Result<Option<End>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT head, head_hash,
                    (SELECT COALESCE(MAX(sequence), 0)
                     FROM event
                     WHERE workspace = ?1)
             FROM workspace
             WHERE id = ?1",
        )?
        .query_row([workspace], |row| {
            Ok(End { head: row.get(0)?, head_hash: row.get(1)?, last: row.get(2)? })
        })
        .optional()?;
    Ok(found)
}
