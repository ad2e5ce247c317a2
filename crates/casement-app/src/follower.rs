//! The follower of the log: builds the index at the start and applies every committed set, in order, before it is
//! acknowledged.

use std::sync::Arc;

use casement_index::engine::{ApplyError, Engine};
use casement_store::document::Document;
use casement_store::set::{CommittedDocument, DocumentWrite};
use casement_store::store::CommittedSet;

use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::index::entry::Entry;
use crate::installation::INSTALLATION;
use crate::limits;
use crate::workspace::{OpenWorkspace, load_config};

impl App {
    /// Reads every case and task into the index.
    pub(crate) async fn build_index(&self) -> Result<(), AppError> {
        for workspace in self.open_workspaces() {
            {
                let mut index = workspace.index_mut();
                index.cases.begin_bulk();
                index.tasks.begin_bulk();
            }
            for kind in [body::CASE, body::TASK] {
                self.build_kind(&workspace, kind).await?;
            }
            // Sorting a million documents takes seconds of one processor.
            let finished = Arc::clone(&workspace);
            let finish = tokio::task::spawn_blocking(move || {
                let mut index = finished.index_mut();
                index.cases.finish_bulk();
                index.tasks.finish_bulk();
            });
            finish.await.map_err(|error| AppError::Failed(format!("the index was not finished: {error}")))?;
            let index = workspace.index();
            let bytes: usize =
                [&index.cases, &index.tasks].into_iter().flat_map(Engine::bytes).map(|part| part.bytes).sum();
            tracing::info!(
                workspace.id = workspace.id(),
                cases = index.cases.len(),
                tasks = index.tasks.len(),
                bytes,
                "the index is built"
            );
        }
        Ok(())
    }

    async fn build_kind(&self, workspace: &OpenWorkspace, kind: &str) -> Result<(), AppError> {
        let config = workspace.config();
        let mut after: Option<String> = None;
        loop {
            let page = self.store().scan(workspace.id(), kind, after.as_deref(), limits::SCAN_PAGE).await?;
            for document in &page {
                let entry = entry_of(document)?;
                workspace.index_mut().apply(entry, &config).map_err(full)?;
            }
            if page.len() < limits::SCAN_PAGE {
                return Ok(());
            }
            after = page.last().map(|document| document.id.clone());
        }
    }

    /// Applies one committed set to what is kept in memory.
    pub(crate) async fn apply(&self, committed: &CommittedSet) -> Result<(), AppError> {
        let set = &committed.set;
        if set.workspace == INSTALLATION {
            // Claims alone, such as the ids of used tokens, change nothing that is kept in memory.
            return if set.documents.is_empty() { Ok(()) } else { self.reload_installation().await };
        }
        let prepared = self.prepared().take(&set.operation);
        let stream = casement_domain::id::StreamId::from_text(set.workspace.as_str());
        let Some(workspace) = self.workspace(&stream) else { return Ok(()) };
        if set.changes_config {
            let installation = self.installation();
            let entry = installation.workspaces.iter().find(|entry| entry.stream == stream);
            if let Some(entry) = entry {
                workspace.set_config(load_config(self.store(), entry).await?);
            }
        }
        if !self.keeps_index() {
            // The next start builds it.
            return Ok(());
        }
        let mut prepared = prepared.unwrap_or_default().into_iter();
        let mut entries = Vec::with_capacity(set.documents.len());
        for (write, outcome) in set.documents.iter().zip(&committed.outcome.documents) {
            let entry = prepared.next().flatten();
            if write.kind == body::CASE || write.kind == body::TASK {
                entries.push(match entry {
                    Some(entry) => entry.committed(outcome.version, outcome.number.unwrap_or_default()),
                    None => entry_of(&as_document(write, outcome))?,
                });
            }
        }
        let config = workspace.config();
        // One lock for the whole set: no reader sees half of it.
        let mut index = workspace.index_mut();
        for entry in entries {
            index.apply(entry, &config).map_err(full)?;
        }
        Ok(())
    }
}

fn as_document(write: &DocumentWrite, outcome: &CommittedDocument) -> Document {
    Document {
        kind: write.kind.clone(),
        id: write.id.clone(),
        parent: write.parent.clone(),
        number: outcome.number,
        version: outcome.version,
        sequence: outcome.sequence,
        schema: write.schema,
        body: write.body.clone(),
    }
}

fn full(error: ApplyError) -> AppError {
    AppError::Failed(error.to_string())
}

fn entry_of(document: &Document) -> Result<Entry, AppError> {
    let work = body::decode_work(document)?;
    Ok(Entry::prepared(&work).committed(document.version, document.number.unwrap_or_default()))
}
