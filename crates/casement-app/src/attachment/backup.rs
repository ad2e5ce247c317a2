//! The bytes of attachments in a backup: a folder beside the copy of the database, with what it does not hold yet.
//!
//! They are copied after the database, step by step: each step takes a page of the log and a page of a walk over all
//! attachments, and writes into a file how far both went, so that what is broken off goes on there. A walk is made for the
//! first run and again with each base; the log is followed beside it, so new files do not wait for its end. When bases go, so
//! do the bytes of attachments that were deleted before the oldest base that is left: no moment that can be restored names
//! them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use casement_domain::attachment::Attachment;
use casement_domain::version::Versioned;
use casement_store::backup::description::describe;
use casement_store::backup::run::BackedUp;
use casement_store::blobs::{BlobError, BlobKey, Blobs};
use casement_store::document::Document;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::attachment::key;
use crate::backup::BackupFailure;
use crate::body;
use crate::commit::Reads;
use crate::error::AppError;
use crate::limits;

/// The folder of the bytes in a backup.
pub const FOLDER: &str = "attachments";
/// The file that says how far they go.
const PROGRESS: &str = "attachments.json";
/// The same while it is being written.
const PROGRESS_UNFINISHED: &str = "attachments.json.unfinished";

/// How far the bytes of each workspace have been copied.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// Up to which event, but for what a walk has yet to look at.
    workspaces: BTreeMap<String, u64>,
    /// Up to which attachment a walk over all went; absent when it has ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    walks: BTreeMap<String, Option<String>>,
}

/// What runs for the database leave to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// A base was taken: everything is looked at again.
    pub(crate) is_walk: bool,
    /// Files of the backup were removed: so are bytes that only they named.
    pub(crate) is_pruning: bool,
}

impl Due {
    /// What a run leaves to do.
    pub(crate) fn after(done: &BackedUp) -> Self {
        Self { is_walk: done.base.is_some(), is_pruning: done.removed > 0 }
    }

    /// Adds what another run leaves to do.
    pub(crate) fn add(&mut self, other: Self) {
        self.is_walk |= other.is_walk;
        self.is_pruning |= other.is_pruning;
    }
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
    /// They are not where they should come from.
    Missing,
    /// What lies where they should come from is not what they were.
    Damaged,
}

/// What a step leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    More,
}

impl App {
    /// Copies the bytes that a backup lacks, after runs for the database, and takes from `due` what was done. It takes as long
    /// as the bytes take; dropped, it goes on at the next call where it was.
    pub(crate) async fn back_up_bytes(&self, to: &Path, due: &mut Due) -> Result<Copied, BackupFailure> {
        let mut copied = Copied::default();
        // Where nothing can be added there may still be something to find later.
        let Some(attachments) = self.attachments().filter(|attachments| attachments.blobs.is_ok()) else {
            return Ok(copied);
        };
        if due.is_walk {
            let _turn = attachments.backups.lock().await;
            write_progress(to, &Progress::default())?;
            due.is_walk = false;
        }
        loop {
            // Runs to the same place take turns, and each goes on where the other was.
            let _turn = attachments.backups.lock().await;
            if self.copy_some(to, &mut copied).await? == Left::Nothing {
                break;
            }
        }
        if copied.missing > 0 {
            let missing = format!(
                "the bytes of {} attachments are missing or damaged; the backup is whole but for them",
                copied.missing
            );
            tracing::error!(reason = missing, "a backup lacks something (casement doctor names it)");
        }
        if due.is_pruning {
            copied.removed = self.prune_bytes(to).await?;
            due.is_pruning = false;
        }
        Ok(copied)
    }

    /// Makes a step in each workspace: a page of its log, and one of a walk.
    async fn copy_some(&self, to: &Path, copied: &mut Copied) -> Result<Left, BackupFailure> {
        let mut progress = read_progress(to)?;
        let mut left = Left::Nothing;
        for workspace in self.installation().workspaces.iter().map(|entry| entry.stream.to_string()) {
            let head = self.store().workspace(&workspace).await.map_err(AppError::from)?;
            let head = head.map_or(0, |row| row.head);
            let after = match progress.workspaces.get(&workspace) {
                Some(after) if *after <= head => *after,
                // Nothing was followed yet, or another history.
                Some(_) | None => {
                    progress.walks.insert(workspace.clone(), None);
                    head
                }
            };
            let walked = progress.walks.get(&workspace).cloned();
            if after == head && walked.is_none() {
                continue;
            }
            if after < head {
                let page = self.store().changed_documents(&workspace, after, limits::CHANGED_PAGE).await;
                self.copy_page(to, &workspace, &page.map_err(AppError::from)?, copied).await?;
            }
            let reached = head.min(after.saturating_add(limits::CHANGED_PAGE as u64));
            progress.workspaces.insert(workspace.clone(), reached);
            if let Some(last) = walked {
                let page = self
                    .store()
                    .scan(&workspace, body::ATTACHMENT, last.as_deref(), limits::BACKUP_BYTES_PAGE)
                    .await
                    .map_err(AppError::from)?;
                self.copy_page(to, &workspace, &page, copied).await?;
                match page.last() {
                    Some(last) => progress.walks.insert(workspace.clone(), Some(last.id.clone())),
                    None => progress.walks.remove(&workspace),
                };
            }
            write_progress(to, &progress)?;
            if reached < head || progress.walks.contains_key(&workspace) {
                left = Left::More;
            }
        }
        Ok(left)
    }

    /// Copies the bytes of the attachments among some documents.
    async fn copy_page(
        &self,
        to: &Path,
        workspace: &str,
        documents: &[Document],
        copied: &mut Copied,
    ) -> Result<(), BackupFailure> {
        let mut target = None;
        for document in documents.iter().filter(|document| document.kind == body::ATTACHMENT) {
            let Some(Versioned { value: attachment, .. }) = body::decode_attachment(document)? else {
                continue;
            };
            let target = match &target {
                Some(target) => target,
                None => target.insert(Blobs::in_directory(&to.join(FOLDER)).map_err(failed)?),
            };
            match copy(self.blobs()?, target, &key(workspace, attachment.id.as_str()), &attachment).await? {
                Copy::There => {}
                Copy::Added => copied.added += 1,
                Copy::Missing | Copy::Damaged if attachment.deleted_at.is_some() => {}
                Copy::Missing | Copy::Damaged => {
                    // It may have been purged since it was read.
                    let id = attachment.id.as_str();
                    let is_there = self.attachment(workspace, id, &mut Reads::default()).await?.is_some();
                    copied.missing += u64::from(is_there);
                }
            }
        }
        Ok(())
    }

    /// Removes the bytes of attachments that were deleted or purged before the oldest base.
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
                let deleted_at = match body::decode_purged(&document)? {
                    Some(purged) => Some(purged.purged_at),
                    None => body::decode_attachment(&document)?.and_then(|found| found.value.deleted_at),
                };
                if deleted_at.is_some_and(|at| at.ms() < oldest_ms) {
                    target.remove(&key(&folder, &name)).await.map_err(failed)?;
                    removed += 1;
                }
            }
        }
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
    match from.size(key).await.map_err(failed)? {
        None => return Ok(Copy::Missing),
        Some(bytes) if bytes != attachment.bytes => return Ok(Copy::Damaged),
        Some(_) => {}
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
        return Ok(Copy::Damaged);
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
