//! Use cases on comments of cases, and on the standard responses that they may come from.

pub mod create;
pub mod get;
pub mod history;
pub mod list;
pub mod response;
pub mod split;
pub mod update;

use casement_domain::case::Case;
use casement_domain::comment::Comment;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::version::Versioned;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::Reads;
use crate::error::AppError;
use crate::trace;

/// Decides where it may take its time: cleaning a long text is work, which would hold up other requests.
pub(crate) async fn off_the_runtime<T: Send + 'static>(
    decide: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let decided = tokio::task::spawn_blocking(move || trace::decide().in_scope(decide)).await;
    decided.map_err(|error| AppError::Failed(format!("a decision ended early: {error}")))
}

impl App {
    /// Loads a comment and notes that it was read.
    pub(crate) async fn comment(
        &self,
        workspace: &str,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Comment>>, AppError> {
        // No id that was made here is longer; a longer one need not be looked for.
        if id.len() > casement_store::limits::KEY_BYTES_MAX || id.is_empty() {
            return Ok(None);
        }
        let document = self.store().document(workspace, body::COMMENT, id).await?;
        reads.document(body::COMMENT, id, document.as_ref().map_or(0, |document| document.version));
        body::found(document.as_ref(), body::decode_comment)
    }

    /// Loads the case that a path names, and notes that it was read.
    pub(crate) async fn case_named(
        &self,
        access: &Access,
        named: &str,
        reads: &mut Reads,
    ) -> Result<Versioned<Case>, AppError> {
        let id = self.id_of(access, Noun::Case, named).await?;
        self.case(access.workspace.id(), &id, reads).await?.ok_or(AppError::NotFound)
    }

    /// Loads the comment of a case that a path names, or of one that was merged into it; one of another case is none.
    pub(crate) async fn comment_of(
        &self,
        access: &Access,
        case: &Case,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Versioned<Comment>, AppError> {
        let found = self.comment(access.workspace.id(), id, reads).await?;
        found.filter(|comment| case.is_or_absorbed(&comment.value.case)).ok_or_else(no_comment)
    }

    /// Gives those of some attachments that belong to a case, or to one that was merged into it, and are not deleted, and notes that they were read.
    pub(crate) async fn usable_attachments(
        &self,
        workspace: &str,
        case: &Case,
        ids: &[String],
        reads: &mut Reads,
    ) -> Result<Vec<String>, AppError> {
        let is_key = |id: &&String| !id.is_empty() && id.len() <= casement_store::limits::KEY_BYTES_MAX;
        let most = casement_domain::limits::COMMENT_ATTACHMENTS_MAX;
        let ids: Vec<String> = ids.iter().take(most).filter(is_key).cloned().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut usable = Vec::with_capacity(ids.len());
        for document in self.store().documents(workspace, body::ATTACHMENT, &ids).await? {
            let Some(attachment) = body::decode_attachment(&document)? else { continue };
            if case.is_or_absorbed(&attachment.value.case) && attachment.value.deleted_at.is_none() {
                reads.document(body::ATTACHMENT, &document.id, document.version);
                usable.push(document.id);
            }
        }
        Ok(usable)
    }
}

/// Says that a case has no such comment.
fn no_comment() -> AppError {
    let mut faults = Faults::new();
    faults.add(FaultKind::NotFound, Key::Body, "the case has no such comment");
    AppError::Refused(faults)
}
