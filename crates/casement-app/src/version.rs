//! Old versions of a document, from the log: the stored body with the changes of its events taken back.

use casement_domain::change::{Record, undone};
use casement_domain::date::Moment;
use casement_domain::version::Versioned;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::limits;

/// The key of a body that tells when it changed last, which names a version.
const UPDATED_AT: &str = "updated_at";

/// Above every sequence number.
const SEQUENCE_END: u64 = i64::MAX as u64;

impl App {
    /// Gives the earlier version of a document that changed last at a moment. `None`: there is none, it is the stored
    /// one, or the log no longer tells it. Costs what has changed since.
    ///
    /// # Errors
    /// The store can't be read, or an event is damaged.
    pub(crate) async fn version_at<T: DeserializeOwned>(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        at: Moment,
    ) -> Result<Option<T>, AppError> {
        let place = body::place(&stored.value);
        let damaged =
            |error| AppError::Failed(format!("an event of {} {} is damaged: {error}", place.kind, place.id));
        let mut body = body::tree(&stored.value);
        if changed_at(&body) == Some(at) {
            return Ok(None);
        }
        let mut below = SEQUENCE_END;
        while changed_at(&body).is_some_and(|changed| changed > at) {
            let events =
                self.store().document_events_below(workspace, &place.id, below, limits::EVENTS_PAGE).await?;
            let Some(last) = events.last() else { return Ok(None) };
            below = last.sequence;
            // Events of a change that came after the document was read are not in it.
            let own = events
                .iter()
                .filter(|event| event.document_kind == place.kind && event.version <= stored.version);
            for event in own {
                // A creation has nothing before it, and what was erased can't be taken back.
                let Some(changes) = &event.changes else { return Ok(None) };
                let changes: Map<String, Value> = serde_json::from_slice(changes).map_err(damaged)?;
                body = undone(&body, &changes);
                if changed_at(&body).is_none_or(|changed| changed <= at) {
                    break;
                }
            }
        }
        if changed_at(&body) != Some(at) {
            return Ok(None);
        }
        serde_json::from_value(Value::Object(body)).map(Some).map_err(damaged)
    }
}

fn changed_at(body: &Map<String, Value>) -> Option<Moment> {
    body.get(UPDATED_AT).and_then(Value::as_i64).map(Moment::from_ms)
}
