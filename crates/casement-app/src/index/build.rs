//! Building the index at the start: from a snapshot and what changed since, or from all documents; first what lists need,
//! then the words, which cost several times as much, while lists are answered.

use std::path::PathBuf;
use std::sync::Arc;

use casement_store::document::Document;
use casement_store::error::StoreError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::entry::Entry;
use super::kind::Kind;
use super::snapshot::{self, Found};
use super::words::Later;
use super::{Index, over_statuses};
use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::follower::full;
use crate::limits;
use crate::workspace::OpenWorkspace;

/// How the index is built at the start.
#[derive(Debug, Clone)]
pub struct Start {
    /// The directory of the snapshots; `None`: neither read nor written.
    pub snapshots: Option<PathBuf>,
    /// Events of a workspace from which on words are made after lists are answered.
    pub words_later_documents: u64,
}

impl Default for Start {
    fn default() -> Self {
        Self { snapshots: None, words_later_documents: limits::WORDS_LATER_DOCUMENTS }
    }
}

impl App {
    /// Fills the index of every workspace with what lists need; gives what is to be done for the words.
    ///
    /// # Errors
    /// A document can't be read. A snapshot that can't be used is told and left aside.
    pub(crate) async fn build_index(&self, start: &Start) -> Result<Vec<Later>, AppError> {
        if let Some(directory) = &start.snapshots {
            snapshot::remove_unfinished(directory);
        }
        self.progress().lists.restart();
        let mut later = Vec::new();
        for workspace in self.open_workspaces() {
            let from_snapshot = match &start.snapshots {
                Some(directory) => self.take_snapshot(&workspace, directory).await?,
                None => None,
            };
            match from_snapshot {
                Some(words) => later.push(words),
                None => later.extend(self.build_lists(&workspace, start).await?),
            }
        }
        if later.is_empty() {
            self.progress().set_has_words();
        }
        Ok(later)
    }

    /// Takes the lists of a snapshot, if there is one that fits; gives what is to be done for the words.
    async fn take_snapshot(
        &self,
        workspace: &Arc<OpenWorkspace>,
        directory: &std::path::Path,
    ) -> Result<Option<Later>, AppError> {
        let Found { index, snapshot, sequence, changed } = match self
            .find_snapshot(workspace, directory)
            .await
        {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(reason) => {
                tracing::warn!(workspace.id = workspace.id(), %reason, "the snapshot is not used: the index is built anew");
                return Ok(None);
            }
        };
        tracing::info!(
            workspace.id = workspace.id(),
            cases = index.cases.len(),
            tasks = index.tasks.len(),
            comments = index.comments.len(),
            changed,
            "the lists are read from a snapshot and brought up to date"
        );
        *workspace.index_mut() = index;
        workspace.set_kept(sequence);
        Ok(Some(Later { workspace: Arc::clone(workspace), snapshot: Some(snapshot) }))
    }

    /// Reads every case, task and comment; gives what is to be done for the words where they are many.
    async fn build_lists(
        &self,
        workspace: &Arc<OpenWorkspace>,
        start: &Start,
    ) -> Result<Option<Later>, AppError> {
        let row = self.store().workspace(workspace.id()).await?;
        let row = row.ok_or_else(|| AppError::Failed(format!("workspace {} is missing", workspace.id())))?;
        // Each case and task took a number, so the counters tell how many there are at most; no comment did.
        let documents = row.counters.values().sum::<u64>();
        self.progress().lists.expect(documents);
        // Nor is there a document without an event.
        let words_later = row.head >= start.words_later_documents;
        let config = workspace.config();
        {
            let mut index = workspace.index_mut();
            *index = if words_later { Index::without_words() } else { Index::default() };
            index.sequence = row.head;
            index.deadlines_by = Some(over_statuses(&config));
            index.begin_bulk();
        }
        let entry_of: fn(&Document) -> Result<Entry, AppError> =
            if words_later { entry_without_words } else { crate::follower::entry_of };
        for kind in Kind::ALL {
            let mut pages = self.pages(workspace, kind, entry_of);
            while let Some(page) = pages.recv().await {
                let entries = joined(page.await)??;
                let count = entries.len();
                let mut index = workspace.index_mut();
                for entry in entries {
                    index.apply(entry, &config).map_err(full)?;
                }
                drop(index);
                self.progress().lists_done(count);
            }
        }
        // Sorting a million documents takes seconds of one processor.
        let finished = Arc::clone(workspace);
        let finish = tokio::task::spawn_blocking(move || finished.index_mut().finish_bulk());
        joined(finish.await)?;
        let index = workspace.index();
        tracing::info!(
            workspace.id = workspace.id(),
            cases = index.cases.len(),
            tasks = index.tasks.len(),
            comments = index.comments.len(),
            bytes = index.bytes(),
            words = !words_later,
            "the index is built"
        );
        Ok(words_later.then(|| Later { workspace: Arc::clone(workspace), snapshot: None }))
    }

    /// Reads all documents of a kind by pages, a few ahead, and works on each page on a thread of its own. Pages come in
    /// their order; an error is the last.
    pub(crate) fn pages<T: Send + 'static>(
        &self,
        workspace: &OpenWorkspace,
        kind: Kind,
        work: impl Fn(&Document) -> Result<T, AppError> + Copy + Send + 'static,
    ) -> mpsc::Receiver<JoinHandle<Result<Vec<T>, AppError>>> {
        let (sender, receiver) = mpsc::channel(limits::BUILD_PAGES_AHEAD);
        let (store, id, kind) = (self.store().clone(), workspace.id().to_owned(), kind.name());
        tokio::spawn(async move {
            let mut after: Option<String> = None;
            loop {
                let page = store.scan(&id, kind, after.as_deref(), limits::SCAN_PAGE).await;
                let page = match page {
                    Ok(page) => page,
                    // A server that is being replaced is there again in a while; what is built goes on.
                    Err(StoreError::Unreachable(_)) if !store.is_closed() => {
                        tokio::time::sleep(limits::CATCH_UP_WAIT).await;
                        continue;
                    }
                    Err(error) => {
                        let failed = tokio::spawn(async { Err(AppError::from(error)) });
                        // Nobody waits for it any more: nobody needs the error.
                        let _ = sender.send(failed).await;
                        return;
                    }
                };
                let is_last = page.len() < limits::SCAN_PAGE;
                after = page.last().map(|document| document.id.clone());
                let done = tokio::task::spawn_blocking(move || page.iter().map(work).collect());
                if sender.send(done).await.is_err() || is_last {
                    return;
                }
            }
        });
        receiver
    }
}

fn entry_without_words(document: &Document) -> Result<Entry, AppError> {
    let entry = match Kind::named(&document.kind) {
        Some(kind @ Kind::Comment) => match body::decode_comment(document)? {
            Some(comment) => Entry::of_comment_without_words(&comment.value),
            None => Entry::of_purged(kind, &document.id),
        },
        Some(kind @ (Kind::Case | Kind::Task)) => match body::decode_work(document)? {
            Some(work) => Entry::without_words(&work),
            None => Entry::of_purged(kind, &document.id),
        },
        None => return Err(AppError::Failed(format!("there is no index of kind {}", document.kind))),
    };
    Ok(entry.committed(document.version, document.number.unwrap_or_default()))
}

/// Gives what a task gave, or says that it ended early.
pub(crate) fn joined<T>(ended: Result<T, tokio::task::JoinError>) -> Result<T, AppError> {
    ended.map_err(|error| AppError::Failed(format!("building the index ended early: {error}")))
}
