//! Writing snapshots: now and then while the server works, and at a stop.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use casement_domain::id::StreamId;
use casement_index::snapshot::dump::{Dump, Next};
use casement_store::error::StoreError;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, MissedTickBehavior};

use super::file::{self, Unfinished};
use super::{FORM, Label, hash_at};
use crate::app::App;
use crate::workspace::OpenWorkspace;
use crate::{limits, measure};

/// Why a snapshot was not written. The former one stays.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file can't be written.
    #[error("the snapshot can't be written: {0}")]
    File(#[from] std::io::Error),
    /// The log can't be read.
    #[error("the log can't be read: {0}")]
    Store(#[from] StoreError),
    /// It took too long.
    #[error("the snapshot was given up: it took too long")]
    GivenUp,
    /// Writing it ended early.
    #[error("writing the snapshot ended early: {0}")]
    Ended(String),
}

/// Whether writing is to be given up; looked at between two sections.
#[derive(Debug, Clone, Default)]
struct GiveUp(Arc<AtomicBool>);

impl Drop for GiveUp {
    /// Whoever waited for it has gone away.
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes snapshots when they are due, until the task is ended.
pub async fn run(app: Arc<App>, directory: PathBuf) {
    let mut looks = tokio::time::interval(limits::SNAPSHOT_LOOK_PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        looks.tick().await;
        let has_words = app.progress().has_words();
        let is_time = last.elapsed() >= limits::SNAPSHOT_PERIOD;
        let mut is_any = false;
        for workspace in app.open_workspaces() {
            let events = workspace.index().sequence.saturating_sub(workspace.kept());
            let wanted = if is_time { limits::SNAPSHOT_EVENTS_MIN } else { limits::SNAPSHOT_EVENTS_MANY };
            // What was purged must not stay in the file, also where none can be written instead.
            if (has_words && events >= wanted) || workspace.has_purged() {
                is_any |= app.keep(&workspace, &directory).await;
            }
        }
        if is_any || (is_time && has_words) {
            last = Instant::now();
        }
    }
}

impl App {
    /// Gives up to where the log of a stream is in its snapshot; 0: there is none that the server has read or written.
    pub fn snapshot_sequence(&self, stream: &StreamId) -> u64 {
        self.workspace(stream).map_or(0, |workspace| workspace.kept())
    }

    /// Writes the snapshots that are not up to date, within [`limits::SNAPSHOT_STOP_WAIT`] at most: for a stop, while the
    /// store is still open.
    pub async fn keep_all(&self, directory: &Path) {
        let all = async {
            for workspace in self.open_workspaces() {
                if workspace.index().sequence > workspace.kept() {
                    self.keep(&workspace, directory).await;
                }
            }
        };
        if tokio::time::timeout(limits::SNAPSHOT_STOP_WAIT, all).await.is_err() {
            measure::snapshot_failed();
            tracing::warn!(
                "snapshots of the index took too long and were given up; the next start takes longer"
            );
        }
    }

    /// Writes a snapshot of a workspace and tells how that went, and whether it is there. None is written while words are missing,
    /// or after statuses changed their category: what the index knows of deadlines is of several configurations then. Where none
    /// is written, a former one that may hold what was purged goes.
    async fn keep(&self, workspace: &Arc<OpenWorkspace>, directory: &Path) -> bool {
        // Before it begins: what is purged from here on may be in it already.
        let had_purged = workspace.set_purged(false);
        match self.write_snapshot(workspace, directory).await {
            Ok(Some((sequence, bytes))) => {
                workspace.set_kept(sequence);
                measure::snapshot_written(self.sources().now().ms());
                tracing::info!(
                    workspace.id = workspace.id(),
                    sequence,
                    bytes,
                    "a snapshot of the index is written"
                );
                return true;
            }
            Ok(None) => {}
            Err(error) => {
                measure::snapshot_failed();
                tracing::warn!(workspace.id = workspace.id(), %error, "the server goes on without a new snapshot of the index");
            }
        }
        if had_purged && file::remove(directory, workspace.id()) {
            workspace.set_kept(0);
        } else if had_purged {
            // It is looked at again.
            workspace.set_purged(true);
        }
        false
    }

    /// Writes a snapshot of a workspace; gives the sequence number that it begins at and its bytes. `None`: there can be
    /// none now. Dropping the future gives it up.
    async fn write_snapshot(
        &self,
        workspace: &Arc<OpenWorkspace>,
        directory: &Path,
    ) -> Result<Option<(u64, u64)>, WriteError> {
        let Some(path) = file::path(directory, workspace.id()) else { return Ok(None) };
        let turn = workspace.keeping().await;
        // First the label: whatever changes from here on is applied again by whoever reads the snapshot.
        let Some((sequence, first)) = self.label(workspace).await? else { return Ok(None) };
        let give_up = GiveUp::default();
        let (is_given_up, own) = (Arc::clone(&give_up.0), Arc::clone(workspace));
        let Some(mut writing) =
            blocking(move || Writing::begin(own, turn, &path, &first, is_given_up)).await?
        else {
            return Ok(None);
        };
        loop {
            let is_complete;
            (writing, is_complete) = blocking(move || {
                let is_complete = writing.go_on()?;
                Ok((writing, is_complete))
            })
            .await?;
            if is_complete {
                break;
            }
            let Some((_, now)) = self.label(workspace).await? else { return Ok(None) };
            writing = blocking(move || {
                writing.label(&now)?;
                Ok(writing)
            })
            .await?;
        }
        let bytes = blocking(move || {
            let Writing { _turn, unfinished, bytes, .. } = writing;
            unfinished.finish()?;
            Ok(bytes)
        })
        .await?;
        Ok(Some((sequence, bytes)))
    }

    /// Gives the label of now with its sequence number; `None`: deadlines are of several configurations.
    async fn label(&self, workspace: &OpenWorkspace) -> Result<Option<(u64, Vec<u8>)>, WriteError> {
        let (sequence, deadlines_by) = {
            let index = workspace.index();
            (index.sequence, index.deadlines_by.clone())
        };
        let Some(deadlines_by) = deadlines_by else { return Ok(None) };
        // What is in the index is in the log.
        let Some(hash) = hash_at(self.store(), workspace.id(), sequence).await? else { return Ok(None) };
        let label = Label {
            release: env!("CARGO_PKG_VERSION").to_owned(),
            form: FORM,
            workspace: workspace.id().to_owned(),
            sequence,
            hash,
            deadlines_by,
        };
        let bytes = serde_json::to_vec(&label).map_err(std::io::Error::from)?;
        Ok(Some((sequence, bytes)))
    }
}

/// A snapshot that is being written.
struct Writing {
    workspace: Arc<OpenWorkspace>,
    /// Kept to the end, also of one that was given up: two must not write one file.
    _turn: OwnedMutexGuard<()>,
    dump: Dump,
    unfinished: Unfinished,
    bytes: u64,
    is_given_up: Arc<AtomicBool>,
}

impl Writing {
    /// Begins the file; `None` while words are missing.
    fn begin(
        workspace: Arc<OpenWorkspace>,
        turn: OwnedMutexGuard<()>,
        path: &Path,
        label: &[u8],
        is_given_up: Arc<AtomicBool>,
    ) -> Result<Option<Self>, WriteError> {
        let (dump, begun, most) = {
            let index = workspace.index();
            if !index.has_words() {
                return Ok(None);
            }
            let (dump, begun) = Dump::begin(&index.engines(), label);
            // A snapshot lacks sets and dictionaries, so it is smaller than what is in memory.
            (dump, begun, index.bytes() as u64)
        };
        let unfinished = Unfinished::begin(path, most + limits::SNAPSHOT_BYTES_LEFT)?;
        let mut own = Self { workspace, _turn: turn, dump, unfinished, bytes: 0, is_given_up };
        own.put(&begun)?;
        Ok(Some(own))
    }

    /// Writes up to the next label, or to the end; tells whether it is complete.
    fn go_on(&mut self) -> Result<bool, WriteError> {
        loop {
            if self.is_given_up.load(Ordering::Relaxed) {
                return Err(WriteError::GivenUp);
            }
            let next = {
                let index = self.workspace.index();
                self.dump.next(&index.engines())
            };
            match next {
                Next::Bytes(section) => self.put(&section)?,
                Next::Label => return Ok(false),
                Next::Nothing => return Ok(true),
            }
        }
    }

    fn label(&mut self, label: &[u8]) -> Result<(), WriteError> {
        let section = self.dump.label(label);
        self.put(&section)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.unfinished.file().write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Runs what writes files or works long where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WriteError> + Send + 'static,
) -> Result<T, WriteError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(WriteError::Ended(error.to_string())))
}
