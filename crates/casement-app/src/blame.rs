//! Blame: of each key of a case or task, its last change.

use bytes::Bytes;
use casement_domain::list::row::Work;
use casement_store::event::ERASED;
use casement_wire::blame::{Change, Latest};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::get::Stored;
use crate::limits;

/// The version that a document is made with.
const FIRST_VERSION: u64 = 1;

/// Tells of each key who changed it last, when and through which app. Costs all events of the document.
///
/// # Errors
/// There is no such document, its log no longer tells everything, or the store can't be read.
pub async fn blame(app: &App, access: &Access, noun: Noun, named: &str) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, noun, named);
    let Stored { work, .. } = app.stored(access, noun, &id).await?;
    let config = access.workspace.config();
    let (kind, fields) = match &work.value {
        Work::Case(case) => (body::CASE, case.fields(&config)),
        Work::Task(task) => (body::TASK, task.fields(&config)),
    };
    let mut latest = Latest::default();
    let (mut made, mut below) = (None, i64::MAX.cast_unsigned());
    loop {
        let store = app.store();
        let page =
            store.document_events_below(access.workspace.id(), &id, below, limits::EVENTS_PAGE).await?;
        let Some(last) = page.last() else { break };
        below = last.sequence;
        for event in page.into_iter().filter(|event| event.document_kind == kind) {
            // What came after the document was read is not in it, and what tells of an erasure changes nothing.
            if event.version > work.version || event.kind == ERASED {
                continue;
            }
            let change =
                Change { version: event.version, at_ms: event.at_ms, by: event.actor, app: event.app };
            match &event.changes {
                Some(changes) => {
                    let changes = serde_json::from_slice(changes).map_err(|error| {
                        AppError::Failed(format!("an event of {kind} {id} is damaged: {error}"))
                    })?;
                    latest.take(&change, &changes);
                }
                None if event.version == FIRST_VERSION => made = Some(change),
                // Erased: what it changed counts as changed before.
                None => {}
            }
        }
        // Reading is work: others get their turn between two pages.
        tokio::task::yield_now().await;
    }
    let made = made.ok_or_else(|| AppError::Failed(format!("{kind} {id} was never made")))?;
    Ok(Bytes::from(latest.write(&made, noun, fields, &config)))
}
