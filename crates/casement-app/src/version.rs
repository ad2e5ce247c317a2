//! Old versions of a document, from the log: the stored body with the changes of its events taken back.

use casement_domain::change::{Record, undo};
use casement_domain::date::Moment;
use casement_domain::version::Versioned;
use casement_store::event::{ERASED, Event};
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
#[derive(Debug, Clone)]
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

    /// Gives the versions of a document before and after the change that made a version. `None`: there is none, or the log no
    /// longer tells it. Costs what has changed since.
    ///
    /// # Errors
    /// The store can't be read, or an event is damaged.
    pub(crate) async fn versions_around<T: DeserializeOwned>(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        version: u64,
    ) -> Result<Option<(T, T)>, AppError> {
        let mut walk = Walk::new(self, workspace, stored);
        let mut made = None;
        while walk.former.version >= version {
            if walk.former.version == version && made.is_none() {
                made = Some(walk.former()?);
            }
            if walk.step().await?.is_none() || walk.is_over {
                return Ok(None);
            }
        }
        let former = walk.former()?;
        Ok(made.map(|made| (former, made)))
    }

    /// Gives the version of a document as it stood at a moment, the stored one if that is it. `None`: it was made later, or the
    /// log no longer tells it. Costs what has changed since.
    ///
    /// # Errors
    /// The store can't be read, or an event is damaged.
    pub(crate) async fn as_of<T: DeserializeOwned>(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        at: Moment,
    ) -> Result<Option<Versioned<T>>, AppError> {
        let is_later = |former: &Former| changed_at(&former.body).is_none_or(|changed| changed > at);
        let Some(former) = self.walk_back(workspace, stored, is_later).await? else { return Ok(None) };
        let version = former.version;
        let value = read(&stored.value, former)?;
        Ok(Some(Versioned { version, number: stored.number, value }))
    }

    /// Takes changes back while a version is too late. `None`: the log ended before.
    async fn walk_back(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        is_too_late: impl Fn(&Former) -> bool,
    ) -> Result<Option<Former>, AppError> {
        let mut walk = Walk::new(self, workspace, stored);
        while is_too_late(&walk.former) {
            let Some(_) = walk.step().await? else { return Ok(None) };
            if walk.is_over {
                return Ok(None);
            }
        }
        Ok(Some(walk.former))
    }
}

/// A way back through the events of a document, newest first.
pub(crate) struct Walk<'a> {
    app: &'a App,
    workspace: &'a str,
    stored: &'a Versioned<Record>,
    /// The document before the events that were gone past.
    former: Former,
    /// Events that were read and not gone past yet, the next one last.
    read: Vec<Event>,
    below: u64,
    /// What stood before the last event can't be told: it was the creation, or its changes were erased.
    is_over: bool,
}

impl<'a> Walk<'a> {
    /// Begins at the stored version.
    pub(crate) fn new(app: &'a App, workspace: &'a str, stored: &'a Versioned<Record>) -> Self {
        let former = Former { version: stored.version, body: body::tree(&stored.value) };
        Self { app, workspace, stored, former, read: Vec::new(), below: SEQUENCE_END, is_over: false }
    }

    /// Gives the version that the next event made; `None`: there is none.
    ///
    /// # Errors
    /// The store can't be read.
    pub(crate) async fn next_version(&mut self) -> Result<Option<u64>, AppError> {
        let place = body::place(&self.stored.value);
        while self.read.is_empty() {
            let store = self.app.store();
            let page = store
                .document_events_below(self.workspace, &place.id, self.below, limits::EVENTS_PAGE)
                .await?;
            let Some(last) = page.last() else { return Ok(None) };
            self.below = last.sequence;
            // Events of a change that came after the document was read are not in it.
            // Nor are those that tell of a purge that was broken off: they change nothing.
            let is_own = |event: &Event| {
                event.document_kind == place.kind
                    && event.version <= self.stored.version
                    && event.kind != ERASED
            };
            self.read.extend(page.into_iter().rev().filter(is_own));
        }
        Ok(self.read.last().map(|event| event.version))
    }

    /// Goes past the next event and gives it; `None`: there is none.
    ///
    /// # Errors
    /// The store can't be read, or the event is damaged.
    pub(crate) async fn step(&mut self) -> Result<Option<Event>, AppError> {
        self.next_version().await?;
        let Some(event) = self.read.pop() else { return Ok(None) };
        match &event.changes {
            Some(changes) => {
                let changes: Map<String, Value> =
                    serde_json::from_slice(changes).map_err(|error| damaged(&self.stored.value, &error))?;
                undo(&mut self.former.body, &changes);
                self.former.version = event.version.saturating_sub(1);
            }
            None => self.is_over = true,
        }
        Ok(Some(event))
    }

    /// Tells whether what stood before the last event can't be told.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Gives the document as it stood before the events that were gone past.
    ///
    /// # Errors
    /// An event is damaged.
    pub(crate) fn former<T: DeserializeOwned>(&self) -> Result<T, AppError> {
        read(&self.stored.value, self.former.clone())
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
