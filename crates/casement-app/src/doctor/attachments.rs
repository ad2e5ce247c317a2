//! The bytes of attachments: whether those of every attachment are there, how much room they take, and what belongs to nothing.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use casement_domain::attachment::Attachment;
use casement_store::blobs::{BlobError, BlobKey, Blobs};
use casement_store::error::StoreError;
use casement_store::inspect::{Depth, Inspection};
use tokio::runtime::Runtime;

use crate::attachment::key;
use crate::body;
use crate::doctor::Finding;
use crate::limits;

const CHECK: &str = "attachments";

/// What was counted.
#[derive(Debug, Default)]
struct Counted {
    attachments: u64,
    bytes: u64,
    wrong: Vec<String>,
    deleted: u64,
}

/// Looks at the bytes of every attachment: their size, and with [`Depth::Full`] their hash too. Bytes that belong to nothing are
/// counted; a server removes them.
///
/// # Errors
/// The database can't be read any further.
pub fn examine(
    runtime: &Runtime,
    inspection: &Inspection,
    blobs: Option<&Blobs>,
    depth: Depth,
) -> Result<Finding, StoreError> {
    let mut counted = Counted::default();
    let mut known = BTreeSet::new();
    for workspace in inspection.workspaces()? {
        let mut after: Option<String> = None;
        loop {
            let page = inspection.documents(&workspace.id, body::ATTACHMENT, after.as_deref())?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for document in &page {
                // One that can't be read is told of with the documents; one that was purged has no bytes.
                let Ok(Some(found)) = body::decode_attachment(document) else { continue };
                let key = key(&workspace.id, &document.id);
                if found.value.deleted_at.is_some() {
                    counted.deleted += 1;
                } else {
                    counted.attachments += 1;
                    counted.bytes += found.value.bytes;
                    if let Some(blobs) = blobs {
                        match runtime.block_on(fault(blobs, &key, &found.value, depth)) {
                            Ok(None) => {}
                            Ok(Some(reason)) => {
                                counted.wrong.push(format!("{}/{}: {reason}", workspace.id, document.id));
                            }
                            Err(error) => return Ok(unusable(blobs, &error)),
                        }
                    }
                }
                known.insert(format!("{}/{}", key.folder, key.name));
            }
        }
    }
    let Some(blobs) = blobs else { return Ok(without_place(&counted)) };
    match runtime.block_on(orphans(blobs, &known)) {
        Ok((count, bytes)) => Ok(judged(blobs, &counted, count, bytes, depth)),
        Err(error) => Ok(unusable(blobs, &error)),
    }
}

fn without_place(counted: &Counted) -> Finding {
    if counted.attachments == 0 {
        return Finding::fine(CHECK, "there are none, and no place for them");
    }
    Finding::error(
        CHECK,
        format!("{} attachments are stored, and their place is not named", counted.attachments),
        "name it by --attachments as the server has it",
    )
}

fn judged(blobs: &Blobs, counted: &Counted, orphans: u64, orphan_bytes: u64, depth: Depth) -> Finding {
    let checked = match depth {
        Depth::Quick => "size",
        Depth::Full => "hash",
    };
    let Counted { attachments, bytes, wrong, deleted } = counted;
    if let Some(first) = wrong.first() {
        let message =
            format!("the bytes of {} of {attachments} attachments are not sound: {first}", wrong.len());
        let advice = "copy them from a backup: below `attachments` there, the paths are the same as here";
        return Finding::error(CHECK, message, advice);
    }
    let message = format!(
        "{attachments} attachments with {bytes} bytes are in {blobs}, each of its {checked}; {deleted} are deleted; {orphans} \
         blobs with {orphan_bytes} bytes belong to nothing"
    );
    Finding::fine(CHECK, message)
}

fn unusable(blobs: &Blobs, error: &BlobError) -> Finding {
    Finding::error(
        CHECK,
        format!("the place of attachments can't be read: {blobs}: {error}"),
        "look at the setting `attachments`, at permissions and, for a bucket, at the variables AWS_…",
    )
}

/// Tells what is wrong with the bytes of an attachment.
async fn fault(
    blobs: &Blobs,
    key: &BlobKey,
    attachment: &Attachment,
    depth: Depth,
) -> Result<Option<String>, BlobError> {
    let Some(size) = blobs.size(key).await? else { return Ok(Some("they are missing".to_owned())) };
    if size != attachment.bytes {
        return Ok(Some(format!("there are {size} of them, and should be {}", attachment.bytes)));
    }
    if depth == Depth::Quick {
        return Ok(None);
    }
    let Some(mut reader) = blobs.read(key, 0..size).await? else {
        return Ok(Some("they are missing".to_owned()));
    };
    let mut context = Context::new(&SHA256);
    while let Some(bytes) = reader.next().await? {
        context.update(&bytes);
    }
    let hash: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hash != attachment.hash).then(|| "their hash is not that of what was added".to_owned()))
}

/// Counts the blobs that belong to nothing, and their bytes.
async fn orphans(blobs: &Blobs, known: &BTreeSet<String>) -> Result<(u64, u64), BlobError> {
    let (mut count, mut bytes) = (0, 0);
    let mut list = blobs.list();
    loop {
        let page = list.next_page(limits::SCAN_PAGE).await?;
        if page.is_empty() {
            return Ok((count, bytes));
        }
        for entry in page {
            let is_known =
                entry.key.is_some_and(|key| known.contains(&format!("{}/{}", key.folder, key.name)));
            if !is_known {
                count += 1;
                bytes += entry.bytes;
            }
        }
    }
}
