//! The bytes of attachments in a backup: a folder beside the copy of the database, with what it does not hold yet.
//!
//! They are copied after the database, from the log, so that a run that finds nothing new costs nothing. How far the log was
//! followed stands in a file. With each base everything is looked at again, and when bases go, so do the bytes of attachments
//! that were deleted before the oldest base that is left: no moment that can be restored names them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use casement_domain::attachment::Attachment;
use casement_store::backup::description::describe;
use casement_store::backup::run::BackedUp;
use casement_store::blobs::{BlobError, BlobKey, Blobs};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::attachment::key;
use crate::backup::BackupFailure;
use crate::body;
use crate::error::AppError;
use crate::limits;

/// The folder of the bytes in a backup.
pub const FOLDER: &str = "attachments";
/// The file that says how far they go.
const PROGRESS: &str = "attachments.json";
/// The same while it is being written.
const PROGRESS_UNFINISHED: &str = "attachments.json.unfinished";

/// Up to which event the attachments of each workspace have been copied.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    workspaces: BTreeMap<String, u64>,
}

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Attachments whose bytes were added.
    pub added: u64,
    /// Attachments whose bytes are missing or damaged where they are served from.
    pub missing: u64,
    /// Attachments whose bytes were not needed any more and removed.
    pub removed: u64,
}

/// What became of the bytes of one attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    /// They were there already.
    There,
    /// They were copied.
    Added,
    /// They are not where they should come from, or not what they were.
    Missing,
}

impl App {
    /// Copies the bytes that a backup lacks, after a run for the database.
    pub(crate) async fn back_up_bytes(&self, to: &Path, done: &BackedUp) -> Result<Copied, BackupFailure> {
        // Where nothing can be added there may still be something to find later.
        let Ok(blobs) = self.blobs() else { return Ok(Copied::default()) };
        let mut copied = Copied::default();
        let mut progress = if done.base.is_some() { Progress::default() } else { read_progress(to)? };
        let mut target = None;
        let mut is_new = false;
        for workspace in self.installation().workspaces.iter().map(|entry| entry.stream.to_string()) {
            let head = self.store().workspace(&workspace).await.map_err(AppError::from)?;
            let head = head.map_or(0, |row| row.head);
            let after = progress.workspaces.get(&workspace).copied().unwrap_or_default();
            if head == after {
                continue;
            }
            is_new = true;
            let mut pages = Pages { app: self, workspace: &workspace, after, head, last: None };
            while let Some(page) = pages.next().await? {
                for attachment in page {
                    if target.is_none() {
                        target = Some(Blobs::in_directory(&to.join(FOLDER)).map_err(failed)?);
                    }
                    let Some(target) = &target else { continue };
                    match copy(blobs, target, &key(&workspace, attachment.id.as_str()), &attachment).await? {
                        Copy::There => {}
                        Copy::Added => copied.added += 1,
                        Copy::Missing if attachment.deleted_at.is_some() => {}
                        Copy::Missing => copied.missing += 1,
                    }
                }
            }
            progress.workspaces.insert(workspace, head);
        }
        if is_new {
            write_progress(to, &progress)?;
        }
        if copied.missing > 0 {
            let missing = format!(
                "the bytes of {} attachments are missing or damaged; the backup is whole but for them",
                copied.missing
            );
            tracing::error!(reason = missing, "a backup lacks something (casement doctor names it)");
        }
        if done.removed > 0 {
            copied.removed = self.prune_bytes(to).await?;
        }
        Ok(copied)
    }

    /// Removes the bytes of attachments that were deleted before the oldest base.
    async fn prune_bytes(&self, to: &Path) -> Result<u64, BackupFailure> {
        let oldest_ms = describe(to)?.and_then(|description| description.bases_ms.iter().min().copied());
        let Some(oldest_ms) = oldest_ms.filter(|_| to.join(FOLDER).exists()) else { return Ok(0) };
        let target = Blobs::in_directory(&to.join(FOLDER)).map_err(failed)?;
        let mut removed = 0;
        let mut list = target.list();
        loop {
            let page = list.next_page(limits::SCAN_PAGE).await.map_err(failed)?;
            if page.is_empty() {
                return Ok(removed);
            }
            for BlobKey { folder, name } in page.into_iter().filter_map(|entry| entry.key) {
                let document = self.store().document(&folder, body::ATTACHMENT, &name).await;
                let Some(document) = document.map_err(AppError::from)? else { continue };
                let deleted_at = body::decode_attachment(&document)?.value.deleted_at;
                if deleted_at.is_some_and(|at| at.ms() < oldest_ms) {
                    target.remove(&key(&folder, &name)).await.map_err(failed)?;
                    removed += 1;
                }
            }
        }
    }
}

/// The attachments that changed after an event, or all of them after none, page by page.
struct Pages<'a> {
    app: &'a App,
    workspace: &'a str,
    after: u64,
    head: u64,
    /// The last one of a walk over all.
    last: Option<String>,
}

impl Pages<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Attachment>>, AppError> {
        let store = self.app.store();
        let documents = if self.after == 0 || self.last.is_some() {
            let page =
                store.scan(self.workspace, body::ATTACHMENT, self.last.as_deref(), limits::SCAN_PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            self.last = Some(last.id.clone());
            page
        } else if self.after < self.head {
            let page = store.changed_documents(self.workspace, self.after, limits::CHANGED_PAGE).await?;
            self.after = self.after.saturating_add(limits::CHANGED_PAGE as u64);
            page
        } else {
            return Ok(None);
        };
        let own = documents.iter().filter(|document| document.kind == body::ATTACHMENT);
        let own = own.map(|document| body::decode_attachment(document).map(|found| found.value));
        own.collect::<Result<Vec<_>, _>>().map(Some)
    }
}

/// Copies the bytes of an attachment, if they are not there, and checks their hash on the way.
pub(crate) async fn copy(
    from: &Blobs,
    to: &Blobs,
    key: &BlobKey,
    attachment: &Attachment,
) -> Result<Copy, BackupFailure> {
    if to.size(key).await.map_err(failed)? == Some(attachment.bytes) {
        return Ok(Copy::There);
    }
    if from.size(key).await.map_err(failed)? != Some(attachment.bytes) {
        return Ok(Copy::Missing);
    }
    let Some(mut reader) = from.read(key, 0..attachment.bytes).await.map_err(failed)? else {
        return Ok(Copy::Missing);
    };
    let mut writer = to.begin(key);
    let mut context = Context::new(&SHA256);
    while let Some(bytes) = reader.next().await.map_err(failed)? {
        context.update(&bytes);
        writer.write(bytes).await.map_err(failed)?;
    }
    let hash: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    if hash != attachment.hash {
        return Ok(Copy::Missing);
    }
    writer.finish().await.map_err(failed)?;
    Ok(Copy::Added)
}

fn read_progress(to: &Path) -> Result<Progress, BackupFailure> {
    match fs::read(to.join(PROGRESS)) {
        // What can't be read says nothing: then everything is looked at again.
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(unusable(to, &error)),
    }
}

fn write_progress(to: &Path, progress: &Progress) -> Result<(), BackupFailure> {
    let unfinished = to.join(PROGRESS_UNFINISHED);
    let written = fs::File::create(&unfinished).and_then(|mut file| {
        file.write_all(&body::encode(progress))?;
        file.sync_all()?;
        fs::rename(&unfinished, to.join(PROGRESS))
    });
    written.map_err(|error| unusable(to, &error))
}

fn unusable(to: &Path, error: &std::io::Error) -> BackupFailure {
    BackupFailure::Failed(format!("{}: {error}", to.join(PROGRESS).display()))
}

fn failed(error: BlobError) -> BackupFailure {
    BackupFailure::Failed(error.to_string())
}

impl From<AppError> for BackupFailure {
    fn from(error: AppError) -> Self {
        Self::Failed(error.to_string())
    }
}
