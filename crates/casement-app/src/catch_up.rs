//! Catching up with what other nodes committed: the second way into what is kept in memory, beside the sets of this node.
//!
//! What changed is read from the database as it is now, and a document is applied only if it is newer, so the two ways may
//! overlap. The follower of the log alone comes here; nothing else applies anything.

use std::sync::Arc;

use casement_domain::id::StreamId;
use casement_store::feed::CommittedSet;

use crate::app::App;
use crate::error::AppError;
use crate::follower::{entry_of, full};
use crate::index::entry::Entry;
use crate::index::kind::Kind;
use crate::installation::INSTALLATION;
use crate::limits;
use crate::workspace::{OpenWorkspace, load_config};

impl App {
    /// Applies a set of this node, after what other nodes committed before it.
    pub(crate) async fn apply_in_order(&self, committed: &CommittedSet) -> Result<(), AppError> {
        if !self.store().is_shared() {
            return self.apply(committed).await;
        }
        let set = &committed.set;
        let workspace = self.workspace(&StreamId::from_text(set.workspace.as_str()));
        // A set of claims alone has no number, and tells of the next one: what is missing before it is missing here too.
        if let Some(workspace) = &workspace
            && workspace.index().sequence + 1 < committed.outcome.first_sequence
        {
            self.catch_up(workspace).await?;
        }
        let opened = self.open_workspaces().len();
        loop {
            let attempt = self.apply(committed).await;
            if let Some(ended) = self.judged(attempt).await {
                ended?;
                break;
            }
        }
        match workspace {
            Some(workspace) => {
                workspace.tell_applied();
                Ok(())
            }
            None if set.workspace == INSTALLATION
                && *self.installation_applied().borrow() < committed.outcome.last_sequence =>
            {
                // Claims alone reload nothing, and what others committed before them was not told otherwise.
                self.catch_up_with(INSTALLATION).await
            }
            None => self.catch_up_opened(opened).await,
        }
    }

    /// Brings a workspace, or the installation, up to what other nodes committed.
    pub(crate) async fn catch_up_with(&self, workspace: &str) -> Result<(), AppError> {
        if workspace == INSTALLATION {
            let opened = self.open_workspaces().len();
            loop {
                let attempt = self.reload_installation().await;
                if let Some(ended) = self.judged(attempt).await {
                    ended?;
                    break;
                }
            }
            return self.catch_up_opened(opened).await;
        }
        match self.workspace(&StreamId::from_text(workspace)) {
            Some(workspace) => self.catch_up(&workspace).await,
            // It is read when the installation lists it.
            None => Ok(()),
        }
    }

    /// Catches up where there are more workspaces than before: one that was opened just now has missed what was told of it.
    async fn catch_up_opened(&self, before: usize) -> Result<(), AppError> {
        let workspaces = self.open_workspaces();
        if workspaces.len() > before {
            for workspace in workspaces {
                self.catch_up(&workspace).await?;
            }
        }
        Ok(())
    }

    async fn catch_up(&self, workspace: &Arc<OpenWorkspace>) -> Result<(), AppError> {
        loop {
            let attempt = self.pull(workspace).await;
            if let Some(ended) = self.judged(attempt).await {
                ended?;
                break;
            }
        }
        workspace.tell_applied();
        Ok(())
    }

    /// Applies what changed since the index's sequence number. It counts as applied only in the end: a document that
    /// changes again meanwhile comes with a later page.
    async fn pull(&self, workspace: &OpenWorkspace) -> Result<(), AppError> {
        if !self.keeps_index() {
            return self.pull_config(workspace).await;
        }
        let mut after = workspace.index().sequence;
        loop {
            let changes = self.store().changes(workspace.id(), after, limits::CHANGED_PAGE).await?;
            let Some(changes) = changes else { return Ok(()) };
            if changes.config_version > workspace.config().config_version {
                self.reload_config(workspace).await?;
            }
            let is_end = changes.head <= after + limits::CHANGED_PAGE as u64;
            let works = changes.documents.iter();
            let works = works.filter(|document| Kind::named(&document.kind).is_some());
            let entries = works.map(entry_of).collect::<Result<Vec<_>, AppError>>()?;
            let has_purged = entries.iter().any(Entry::is_purged);
            let config = workspace.config();
            {
                let mut index = workspace.index_mut();
                for entry in entries {
                    index.apply(entry, &config).map_err(full)?;
                }
                if has_purged {
                    workspace.set_purged(true);
                }
                if is_end {
                    index.sequence = index.sequence.max(changes.head);
                    return Ok(());
                }
            }
            after += limits::CHANGED_PAGE as u64;
        }
    }

    /// The same without an index: the configuration alone.
    async fn pull_config(&self, workspace: &OpenWorkspace) -> Result<(), AppError> {
        let Some(row) = self.store().workspace(workspace.id()).await? else { return Ok(()) };
        if row.config_version > workspace.config().config_version {
            self.reload_config(workspace).await?;
        }
        let mut index = workspace.index_mut();
        index.sequence = index.sequence.max(row.head);
        Ok(())
    }

    async fn reload_config(&self, workspace: &OpenWorkspace) -> Result<(), AppError> {
        let installation = self.installation();
        let entry = installation.workspaces.iter().find(|entry| entry.stream == *workspace.stream());
        if let Some(entry) = entry {
            let config = load_config(self.store(), entry).await?;
            workspace.index_mut().take_statuses(&config);
            workspace.set_config(config);
        }
        Ok(())
    }

    /// Judges an attempt; `None`: the database can't be asked now, and what was not applied can't be left out, so it is to
    /// be made again. Once the store is closed nothing needs to be applied any more.
    async fn judged(&self, attempt: Result<(), AppError>) -> Option<Result<(), AppError>> {
        match attempt {
            Err(AppError::Unavailable(_)) if self.store().is_closed() => Some(Ok(())),
            Err(AppError::Unavailable(reason)) => {
                tracing::debug!(reason, "what other nodes committed can't be read yet");
                tokio::time::sleep(limits::CATCH_UP_WAIT).await;
                None
            }
            ended => Some(ended),
        }
    }
}
