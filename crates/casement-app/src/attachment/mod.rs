//! Attachments: where their bytes are, how many there may be, and the use cases on them.
//!
//! The bytes come first: they are durable before the set that names them is committed, and go only when nothing names them
//! any more. Between the two, what no document names is removed by the sweep.

pub mod backup;
pub mod content;
pub mod delete;
mod hashing;
mod places;
pub mod restore;
pub mod sweep;
pub mod upload;

use std::sync::Arc;

use bytes::Bytes;
use casement_domain::attachment::Attachment;
use casement_domain::attachment::create::Siblings;
use casement_domain::attachment::usage::Usage;
use casement_domain::case::Case;
use casement_domain::version::Versioned;
use casement_store::blobs::{BlobError, BlobKey, Blobs};
use casement_store::document::Along;
use casement_wire::attachment::write_attachment;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::app::App;
use crate::attachment::places::UploadPlaces;
use crate::body;
use crate::case::holders;
use crate::commit::Reads;
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;

/// Where the bytes of attachments are, and how many there may be.
#[derive(Debug, Clone)]
pub struct Attachments {
    blobs: Result<Blobs, String>,
    bytes_max: u64,
    quota_bytes: u64,
    uploads: UploadPlaces,
    downloads: Arc<Semaphore>,
    /// Held for each step of copying bytes into a backup.
    backups: Arc<Mutex<()>>,
}

impl Attachments {
    /// Keeps bytes in a directory or bucket: `bytes_max` of one attachment, `quota_bytes` of all of a workspace.
    pub fn new(blobs: Blobs, bytes_max: u64, quota_bytes: u64) -> Self {
        Self::of(Ok(blobs), bytes_max, quota_bytes)
    }

    /// Has no place for bytes; `reason` is a sentence for whoever wants to add some.
    pub fn off(reason: impl Into<String>) -> Self {
        Self::of(Err(reason.into()), 0, 0)
    }

    fn of(blobs: Result<Blobs, String>, bytes_max: u64, quota_bytes: u64) -> Self {
        Self {
            blobs,
            bytes_max,
            quota_bytes,
            uploads: UploadPlaces::new(),
            downloads: Arc::new(Semaphore::new(limits::DOWNLOADS_MAX)),
            backups: Arc::default(),
        }
    }

    /// Gives the most bytes of one attachment.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }
}

/// Waits a bounded time for a place among those who work with bytes.
async fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, AppError> {
    match timeout(limits::BYTES_WAIT, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) | Err(_) => Err(AppError::Unavailable("too many attachments are on their way".to_owned())),
    }
}

/// Names the bytes of an attachment.
pub(crate) fn key(workspace: &str, id: &str) -> BlobKey {
    BlobKey::new(workspace, id)
}

impl From<BlobError> for AppError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full(reason) | BlobError::Failed(reason) => Self::Unavailable(reason),
        }
    }
}

/// Gives a version of an attachment as an answer.
pub(crate) fn rendered_attachment(attachment: &Versioned<Attachment>) -> Rendered {
    Rendered {
        body: Bytes::from(write_attachment(&attachment.value)),
        version: attachment.version,
        is_replayed: false,
    }
}

impl App {
    /// Gives the place of the bytes.
    pub(crate) fn blobs(&self) -> Result<&Blobs, AppError> {
        match self.attachments().map(|attachments| &attachments.blobs) {
            Some(Ok(blobs)) => Ok(blobs),
            Some(Err(reason)) => Err(AppError::Off(reason.clone())),
            None => Err(AppError::Off("this server has no place for attachments".to_owned())),
        }
    }

    /// Loads an attachment and notes that it was read.
    pub(crate) async fn attachment(
        &self,
        workspace: &str,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Attachment>>, AppError> {
        // No id that was made here is longer; a longer one need not be looked for.
        if id.is_empty() || id.len() > casement_domain::limits::ID_CHARACTERS_MAX {
            return Ok(None);
        }
        let document = self.store().document(workspace, body::ATTACHMENT, id).await?;
        reads.document(body::ATTACHMENT, id, document.as_ref().map_or(0, |document| document.version));
        body::found(document.as_ref(), body::decode_attachment)
    }

    /// Loads what the attachments of a workspace take and notes that it was read.
    pub(crate) async fn usage(
        &self,
        workspace: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Usage>>, AppError> {
        let document = self.store().document(workspace, body::USAGE, Usage::ID).await?;
        reads.document(body::USAGE, Usage::ID, document.as_ref().map_or(0, |document| document.version));
        document.as_ref().map(body::decode).transpose()
    }

    /// Gives the attachment of a case, or of those that were merged into it, that was added last, deleted or not. It is that as
    /// of the usage, when that was read before.
    async fn newest_attachment(&self, workspace: &str, case: &Case) -> Result<Option<Attachment>, AppError> {
        let (holders, along) = (holders(case), Along::Down(None));
        let newest = self.store().children_page(workspace, body::ATTACHMENT, &holders, &along, 1).await?;
        let newest = newest.first().map(body::decode_attachment).transpose()?.flatten();
        Ok(newest.map(|newest| newest.value))
    }

    /// Counts the attachments of a case; `newest` is the one that was added last.
    async fn siblings(
        &self,
        workspace: &str,
        case: &str,
        newest: Option<&Attachment>,
    ) -> Result<Siblings, AppError> {
        let newest = newest.map(|newest| newest.created_at);
        let all = self.store().count_children(workspace, body::ATTACHMENT, case).await?;
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        if all < casement_domain::limits::CASE_ATTACHMENTS_MAX {
            // With so few it does not matter how many of them are deleted.
            return Ok(Siblings { kept: all, all, newest });
        }
        let mut kept = 0;
        for document in self.store().children(workspace, body::ATTACHMENT, case).await? {
            let attachment = body::decode_attachment(&document)?;
            kept += usize::from(attachment.is_some_and(|found| found.value.deleted_at.is_none()));
        }
        Ok(Siblings { kept, all, newest })
    }
}
