//! Snapshots of the index in the data directory: one file for each workspace.
//!
//! What the engines write is in `casement_index::snapshot`; here are the labels that tie it to the log, the files, and
//! when they are written. A snapshot is a shortcut and nothing more: whatever is wrong with one, the index is built of the
//! documents.

mod file;
pub mod run;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use casement_index::engine::Engine;
use casement_index::snapshot::load::{LoadError, Snapshot, open};
use casement_index::words::Words;
use casement_store::error::StoreError;
use casement_store::store::Store;
use serde::{Deserialize, Serialize};

pub use self::file::remove_unfinished;
use super::entry::{Entry, FORM};
use super::kind::Kind;
use super::{Index, keeps_deadlines, over_statuses};
use crate::app::App;
use crate::error::AppError;
use crate::follower::{entry_of, full};
use crate::limits;
use crate::workspace::OpenWorkspace;

/// The directory of the snapshots, in the data directory.
pub const DIRECTORY: &str = "index";

/// What ties a part of a snapshot to the log, at its beginning or end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    /// Who wrote it. Another release may make other values of the same document.
    release: String,
    /// The form of its entries.
    form: u32,
    /// The id of the workspace.
    workspace: String,
    /// The sequence number up to which the log was in the index.
    sequence: u64,
    /// The log's hash there, in hexadecimal: another installation's log, or one that was restored to before, has another.
    hash: String,
    /// The statuses that deadlines were worked out by, and of each whether it means that work is over.
    deadlines_by: BTreeMap<String, bool>,
}

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file can't be opened or read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Its bytes are not those of a snapshot of this layout.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is of another release, workspace or log, or of another configuration.
    #[error("{0}")]
    Foreign(&'static str),
    /// So much has changed that building the index costs little more.
    #[error("too much has changed since")]
    Stale,
    /// What changed since can't be read.
    #[error("what changed since can't be read: {0}")]
    Tail(String),
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        Self::Tail(error.to_string())
    }
}

impl From<AppError> for Unusable {
    fn from(error: AppError) -> Self {
        Self::Tail(error.to_string())
    }
}

/// A snapshot that fits, brought up to date.
pub(super) struct Found {
    /// The index, without words.
    pub(super) index: Index,
    /// The rest: the words.
    pub(super) snapshot: Snapshot<File>,
    /// Up to where the log was in it.
    pub(super) sequence: u64,
    /// The documents that changed since.
    pub(super) changed: usize,
}

impl App {
    /// Reads the lists of a workspace's snapshot, and what changed since. `None`: there is no snapshot.
    pub(super) async fn find_snapshot(
        &self,
        workspace: &Arc<OpenWorkspace>,
        directory: &Path,
    ) -> Result<Option<Found>, Unusable> {
        let Some(path) = file::path(directory, workspace.id()) else { return Ok(None) };
        let opened = blocking(move || match file::open(&path)? {
            Some(file) => Ok(Some(open(file, Kind::ALL.map(Kind::layout).to_vec())?)),
            None => Ok(None),
        });
        let Some(mut snapshot) = opened.await? else { return Ok(None) };
        let label = check(self.store(), workspace, snapshot.label()).await?;
        let most = limits::SNAPSHOT_CHANGED_MAX + snapshot.documents() / 16;
        let (entries, sequence) = changed_since(self.store(), workspace.id(), label.sequence, most).await?;
        if entries.iter().any(Entry::is_purged) {
            workspace.set_purged(true);
        }
        let changed = Kind::ALL.map(|kind| {
            let of_kind = entries.iter().filter(|entry| entry.kind == kind);
            of_kind.map(|entry| entry.id().to_owned()).collect::<Vec<String>>()
        });
        let (snapshot, lists) = blocking(move || {
            let lists = snapshot.lists(&changed)?;
            Ok((snapshot, lists))
        })
        .await?;
        check(self.store(), workspace, &lists.label).await?;
        let engines: Result<[Engine; 3], _> = lists.engines.try_into();
        let mut index = Index::of_engines(engines.map_err(|_| LoadError::Damaged)?);
        index.sequence = sequence;
        let config = workspace.config();
        index.deadlines_by = Some(over_statuses(&config));
        let changed = entries.len();
        let index = blocking(move || {
            for entry in entries {
                index.apply(entry, &config).map_err(full)?;
            }
            Ok(index)
        });
        Ok(Some(Found { index: index.await?, snapshot, sequence: label.sequence, changed }))
    }

    /// Reads the words of a snapshot whose lists were taken.
    pub(super) async fn snapshot_words(
        &self,
        workspace: &Arc<OpenWorkspace>,
        snapshot: Snapshot<File>,
    ) -> Result<[Words; 3], Unusable> {
        let all = blocking(move || Ok(snapshot.words()?)).await?;
        check(self.store(), workspace, &all.label).await?;
        let words: Result<[Words; 3], Vec<Words>> = all.words.try_into();
        words.map_err(|_| Unusable::Load(LoadError::Damaged))
    }
}

/// Runs what reads files or works long where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unusable> + Send + 'static,
) -> Result<T, Unusable> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Unusable::Tail(format!("reading it ended early: {error}"))))
}

/// Gives the entries of all documents that changed after a sequence number, and up to where that was seen.
async fn changed_since(
    store: &Store,
    workspace: &str,
    sequence: u64,
    most: usize,
) -> Result<(Vec<Entry>, u64), Unusable> {
    let mut entries = Vec::new();
    let mut after = sequence;
    loop {
        let head = store.workspace(workspace).await?.map_or(0, |row| row.head);
        if after >= head {
            return Ok((entries, after));
        }
        if head - sequence > limits::SNAPSHOT_EVENTS_BEHIND_MAX {
            return Err(Unusable::Stale);
        }
        for document in store.changed_documents(workspace, after, limits::CHANGED_PAGE).await? {
            if Kind::named(&document.kind).is_some() {
                entries.push(entry_of(&document)?);
            }
        }
        if entries.len() > most {
            return Err(Unusable::Stale);
        }
        after = head.min(after + limits::CHANGED_PAGE as u64);
    }
}

/// Checks that a label is of this release, workspace, log and configuration.
async fn check(store: &Store, workspace: &OpenWorkspace, label: &[u8]) -> Result<Label, Unusable> {
    let label: Label = serde_json::from_slice(label).map_err(|_| LoadError::Damaged)?;
    if label.release != env!("CARGO_PKG_VERSION") || label.form != FORM {
        return Err(Unusable::Foreign("it is of another release"));
    }
    if label.workspace != workspace.id() {
        return Err(Unusable::Foreign("it is of another workspace"));
    }
    if !keeps_deadlines(&label.deadlines_by, &over_statuses(&workspace.config())) {
        return Err(Unusable::Foreign("the categories of statuses have changed since"));
    }
    if hash_at(store, workspace.id(), label.sequence).await?.as_ref() != Some(&label.hash) {
        return Err(Unusable::Foreign("it is of another log, or of one that has been restored to before it"));
    }
    Ok(label)
}

/// Gives the log's hash at a sequence number, in hexadecimal; `None`: the log does not reach it.
async fn hash_at(store: &Store, workspace: &str, sequence: u64) -> Result<Option<String>, StoreError> {
    let Some(before) = sequence.checked_sub(1) else { return Ok(Some(String::new())) };
    let events = store.events(workspace, before, 1).await?;
    let event = events.first().filter(|event| event.sequence == sequence);
    Ok(event.map(|event| event.hash.iter().map(|byte| format!("{byte:02x}")).collect()))
}
