//! The sweep of bytes: what no document names goes, and what belongs to attachments that were purged, or deleted a while ago.
//!
//! It looks at what is there and asks the documents, never the other way round. Only folders of workspaces that are open here
//! are looked at. Several nodes may sweep at once: removing twice is removing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use casement_domain::date::Moment;
use casement_store::blobs::{BlobEntry, Blobs};

use crate::app::{App, StoreState};
use crate::attachment::key;
use crate::body;
use crate::error::AppError;
use crate::limits;
use crate::measure::{self, Worker};

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// The attachments whose bytes stay.
    pub kept: u64,
    /// Their bytes.
    pub kept_bytes: u64,
    /// What was removed, unfinished files included.
    pub removed: u64,
}

/// Sweeps at the start and every hour, until the task is ended.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(limits::BYTES_SWEEP_PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !app.is_ready() {
        tokio::time::sleep(limits::BYTES_SWEEP_WAIT).await;
    }
    loop {
        ticks.tick().await;
        match sweep(&app).await {
            Ok(swept) => {
                measure::attachments_stored(swept.kept, swept.kept_bytes);
                measure::swept(swept.removed);
                measure::worker_done(Worker::Attachments, app.sources().now());
            }
            Err(AppError::Off(_)) => {}
            Err(error) => {
                measure::worker_failed(Worker::Attachments);
                tracing::warn!(%error, "bytes of attachments that are not needed could not be removed");
            }
        }
    }
}

/// Removes bytes that are not needed any more.
///
/// # Errors
/// The bytes or the documents can't be looked at; what is left is removed by the next sweep.
pub async fn sweep(app: &App) -> Result<Swept, AppError> {
    let blobs = app.blobs()?;
    let mut swept = Swept::default();
    if !app.is_ready() || app.store_state() != StoreState::Ready {
        return Ok(swept);
    }
    let now_ms = app.sources().now().ms();
    swept.removed += blobs.remove_unfinished(now_ms.saturating_sub(limits::UNFINISHED_MS)).await?;
    let mut list = blobs.list();
    loop {
        let page = list.next_page(limits::SCAN_PAGE).await?;
        if page.is_empty() {
            return Ok(swept);
        }
        sweep_page(app, blobs, &page, now_ms, &mut swept).await?;
    }
}

async fn sweep_page(
    app: &App,
    blobs: &Blobs,
    page: &[BlobEntry],
    now_ms: i64,
    swept: &mut Swept,
) -> Result<(), AppError> {
    let mut folders: BTreeMap<&str, Vec<&BlobEntry>> = BTreeMap::new();
    for entry in page {
        if let Some(key) = &entry.key {
            folders.entry(&key.folder).or_default().push(entry);
        }
    }
    let opened = app.open_workspaces();
    for (folder, entries) in folders {
        if !opened.iter().any(|workspace| workspace.id() == folder) {
            continue;
        }
        let named = named(app, folder, &entries).await?;
        for entry in entries {
            let Some(blob) = &entry.key else { continue };
            if is_needed(blobs, entry, named.get(&blob.name), now_ms) {
                swept.kept += 1;
                swept.kept_bytes += entry.bytes;
            } else {
                blobs.remove(&key(folder, &blob.name)).await?;
                swept.removed += 1;
            }
        }
    }
    Ok(())
}

/// What is known of the attachment that bytes belong to.
#[derive(Debug, Clone, Copy)]
enum Named {
    Kept,
    Deleted(Moment),
    Purged,
}

/// Finds the attachments that bytes belong to.
async fn named(
    app: &App,
    workspace: &str,
    entries: &[&BlobEntry],
) -> Result<HashMap<String, Named>, AppError> {
    let ids: Vec<String> =
        entries.iter().filter_map(|entry| entry.key.as_ref().map(|key| key.name.clone())).collect();
    let documents = app.store().documents(workspace, body::ATTACHMENT, &ids).await?;
    documents
        .iter()
        .map(|document| {
            let found = body::decode_attachment(document)?;
            let named = match found.map(|found| found.value.deleted_at) {
                Some(None) => Named::Kept,
                Some(Some(at)) => Named::Deleted(at),
                None => Named::Purged,
            };
            Ok((document.id.clone(), named))
        })
        .collect()
}

fn is_needed(blobs: &Blobs, entry: &BlobEntry, named: Option<&Named>, now_ms: i64) -> bool {
    match named {
        Some(Named::Kept) => true,
        Some(Named::Deleted(at)) => at.ms().saturating_add(limits::DELETED_BYTES_MS) > now_ms,
        Some(Named::Purged) => false,
        None => {
            // A bucket may be that of a server from whose backup this one was restored.
            let kept_ms = if blobs.is_bucket() { limits::NAMELESS_IN_BUCKET_MS } else { limits::NAMELESS_MS };
            entry.written_ms.saturating_add(kept_ms) > now_ms
        }
    }
}
