//! The follower of the log: applies every committed set, in order, before it is acknowledged.

use casement_index::engine::ApplyError;
use casement_store::document::Document;
use casement_store::feed::CommittedSet;
use casement_store::set::{CommittedDocument, DocumentWrite};

use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::index::entry::Entry;
use crate::index::kind::Kind;
use crate::installation::INSTALLATION;
use crate::workspace::load_config;

impl App {
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
            if Kind::named(&write.kind).is_some() {
                entries.push(match entry {
                    Some(entry) => entry.committed(outcome.version, outcome.number.unwrap_or_default()),
                    None => entry_of(&as_document(write, outcome))?,
                });
            }
        }
        let has_purged = entries.iter().any(Entry::is_purged);
        let config = workspace.config();
        // One lock for the whole set: no reader sees half of it.
        let mut index = workspace.index_mut();
        if set.changes_config {
            index.take_statuses(&config);
        }
        for entry in entries {
            index.apply(entry, &config).map_err(full)?;
        }
        index.sequence = index.sequence.max(committed.outcome.last_sequence);
        // Under the lock: a snapshot that begins later has what is left alone.
        if has_purged {
            workspace.set_purged(true);
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

pub(crate) fn full(error: ApplyError) -> AppError {
    AppError::Failed(error.to_string())
}

/// Gives the entry of a stored document.
pub(crate) fn entry_of(document: &Document) -> Result<Entry, AppError> {
    let entry = match Kind::named(&document.kind) {
        Some(kind @ Kind::Comment) => match body::decode_comment(document)? {
            Some(comment) => Entry::of_comment(&comment.value),
            None => Entry::of_purged(kind, &document.id),
        },
        Some(kind @ (Kind::Case | Kind::Task)) => match body::decode_work(document)? {
            Some(work) => Entry::prepared(&work),
            None => Entry::of_purged(kind, &document.id),
        },
        None => return Err(AppError::Failed(format!("there is no index of kind {}", document.kind))),
    };
    Ok(entry.committed(document.version, document.number.unwrap_or_default()))
}
