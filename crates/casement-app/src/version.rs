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

/// A body on the way back through its versions.
#[derive(Debug)]
struct Former {
    version: u64,
    body: Map<String, Value>,
}

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
        let is_later = |former: &Former| changed_at(&former.body).is_some_and(|changed| changed > at);
        let former = self.walk_back(workspace, stored, is_later).await?;
        let former = former.filter(|former| former.version < stored.version);
        let former = former.filter(|former| changed_at(&former.body) == Some(at));
        former.map(|former| read(&stored.value, former)).transpose()
    }

    /// Gives the earlier version of a document that has a number. `None`: there is none, it is the stored one, or the
    /// log no longer tells it. Costs what has changed since.
    ///
    /// # Errors
    /// The store can't be read, or an event is damaged.
    pub(crate) async fn version<T: DeserializeOwned>(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        version: u64,
    ) -> Result<Option<T>, AppError> {
        if version >= stored.version {
            return Ok(None);
        }
        let former = self.walk_back(workspace, stored, |former| former.version > version).await?;
        let former = former.filter(|former| former.version == version);
        former.map(|former| read(&stored.value, former)).transpose()
    }

    /// Takes changes back while a version is too late. `None`: the log ended before.
    async fn walk_back(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        is_too_late: impl Fn(&Former) -> bool,
    ) -> Result<Option<Former>, AppError> {
        let place = body::place(&stored.value);
        let mut former = Former { version: stored.version, body: body::tree(&stored.value) };
        let mut below = SEQUENCE_END;
        while is_too_late(&former) {
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
                let changes: Map<String, Value> =
                    serde_json::from_slice(changes).map_err(|error| damaged(&stored.value, &error))?;
                former =
                    Former { version: event.version.saturating_sub(1), body: undone(&former.body, &changes) };
                if !is_too_late(&former) {
                    break;
                }
            }
        }
        Ok(Some(former))
    }
}

fn read<T: DeserializeOwned>(record: &Record, former: Former) -> Result<T, AppError> {
    serde_json::from_value(Value::Object(former.body)).map_err(|error| damaged(record, &error))
}

fn damaged(record: &Record, error: &serde_json::Error) -> AppError {
    let place = body::place(record);
    AppError::Failed(format!("an event of {} {} is damaged: {error}", place.kind, place.id))
}

fn changed_at(body: &Map<String, Value>) -> Option<Moment> {
    body.get(UPDATED_AT).and_then(Value::as_i64).map(Moment::from_ms)
}
