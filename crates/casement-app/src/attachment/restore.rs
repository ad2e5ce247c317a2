//! The bytes of attachments after a restore: put back where the restored server will look for them.

use std::path::Path;

use casement_store::blobs::Blobs;
use casement_store::inspect::Inspection;
use tokio::runtime::Runtime;

use crate::attachment::backup::{Copy, FOLDER, copy};
use crate::attachment::key;
use crate::backup::BackupFailure;
use crate::body;

/// What was put back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Attachments whose bytes are there now.
    pub there: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Attachments whose bytes are neither there nor in the backup, each with its stream.
    pub missing: Vec<String>,
    /// Attachments whose bytes in the backup are not what they were, each with its stream.
    pub damaged: Vec<String>,
}

/// Puts the bytes of every attachment that a restored database names, and that is not deleted there, from a backup to where
/// `to` says, each checked by its hash.
///
/// # Errors
/// The database or the backup can't be read, or the bytes can't be written.
pub fn restore(
    runtime: &Runtime,
    inspection: &Inspection,
    backup: &Path,
    to: &Blobs,
) -> Result<Restored, BackupFailure> {
    let mut restored = Restored::default();
    let folder = backup.join(FOLDER);
    let from = folder.exists().then(|| Blobs::in_directory(&folder)).transpose();
    let from = from.map_err(|error| BackupFailure::Failed(error.to_string()))?;
    for workspace in inspection.workspaces().map_err(read)? {
        let mut after: Option<String> = None;
        loop {
            let page =
                inspection.documents(&workspace.id, body::ATTACHMENT, after.as_deref()).map_err(read)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for document in &page {
                let attachment = body::decode_attachment(document)?.map(|attachment| attachment.value);
                let Some(attachment) = attachment.filter(|attachment| attachment.deleted_at.is_none()) else {
                    continue;
                };
                let key = key(&workspace.id, &document.id);
                let found = match &from {
                    Some(from) => runtime.block_on(copy(from, to, &key, &attachment))?,
                    None => {
                        let size = runtime.block_on(to.size(&key));
                        match size.map_err(|error| BackupFailure::Failed(error.to_string()))? {
                            Some(bytes) if bytes == attachment.bytes => Copy::There,
                            Some(_) | None => Copy::Missing,
                        }
                    }
                };
                let shown = || format!("{}/{}", workspace.id, document.id);
                match found {
                    Copy::There | Copy::Added => {
                        restored.there += 1;
                        restored.bytes += attachment.bytes;
                    }
                    Copy::Missing => restored.missing.push(shown()),
                    Copy::Damaged => restored.damaged.push(shown()),
                }
            }
        }
    }
    Ok(restored)
}

fn read(error: casement_store::error::StoreError) -> BackupFailure {
    BackupFailure::Failed(error.to_string())
}
