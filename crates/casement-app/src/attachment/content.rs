//! Getting attachments: what is said about them, a case's list, and their bytes.

use std::ops::Range;

use bytes::Bytes;
use casement_domain::attachment::Attachment;
use casement_domain::version::Versioned;
use casement_store::blobs::BlobReader;
use casement_store::document::Along;
use casement_wire::attachment::write_attachment_page;
use casement_wire::spelling::Noun;
use tokio::sync::OwnedSemaphorePermit;

use crate::access::Access;
use crate::app::App;
use crate::attachment::{key, place, rendered_attachment};
use crate::body;
use crate::case::holders;
use crate::commit::Reads;
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::measure;

/// Which page of a case's attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentsQuery {
    /// Only those that were added after the one of this id, which may be deleted; `None`: from the first.
    pub after: Option<String>,
    /// The most attachments.
    pub limit: usize,
}

/// Bytes on their way out.
#[derive(Debug)]
pub struct Download {
    reader: BlobReader,
    _place: OwnedSemaphorePermit,
}

impl Download {
    /// Gives the next bytes; `None` at the end.
    ///
    /// # Errors
    /// They can't be read.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        let bytes = self.reader.next().await?;
        measure::downloaded(bytes.as_ref().map_or(0, Bytes::len));
        Ok(bytes)
    }
}

/// Gives what is said about an attachment of a case, which is named by id or reference id; deleted ones too.
///
/// # Errors
/// The case has no such attachment.
pub async fn get_attachment(app: &App, access: &Access, case: &str, id: &str) -> Result<Rendered, AppError> {
    Ok(rendered_attachment(&app.attachment_of(access, case, id, &mut Reads::default()).await?))
}

/// Lists the attachments of a case and of those that were merged into it, without deleted ones, in the order of their adding. A page
/// ends early where very many deleted ones lie between.
///
/// # Errors
/// There is no such case, or it has none of that id.
pub async fn list_attachments(
    app: &App,
    access: &Access,
    case: &str,
    query: &AttachmentsQuery,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let workspace = access.workspace.id();
    let case = app.id_named(access, Noun::Case, case);
    let case = app.case(workspace, &case, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    if let Some(after) = &query.after {
        let found = app.attachment(workspace, after, &mut Reads::default()).await?;
        found.filter(|found| case.value.is_or_absorbed(&found.value.case)).ok_or(AppError::NoAttachment)?;
    }
    let holders = holders(&case.value);
    let (mut found, mut looked_at): (Vec<Attachment>, usize) = (Vec::new(), 0);
    let mut next = query.after.clone();
    let mut has_found = true;
    loop {
        // One more than is shown tells whether there are more; among many that are not shown, many are looked at.
        let wanted = if has_found { query.limit - found.len() + 1 } else { limits::ATTACHMENTS_READ };
        let wanted = wanted.min(limits::ATTACHMENTS_READ);
        let before = found.len();
        let along = Along::Up(next.clone());
        let page = app.store().children_page(workspace, body::ATTACHMENT, &holders, &along, wanted).await?;
        for document in &page {
            let attachment = body::decode_attachment(document)?.map(|attachment| attachment.value);
            let kept = attachment.filter(|attachment| attachment.deleted_at.is_none());
            if (kept.is_some() && found.len() == query.limit) || looked_at == limits::ATTACHMENTS_LOOKED_AT {
                return Ok(Bytes::from(write_attachment_page(&found, next.as_deref())));
            }
            found.extend(kept);
            looked_at += 1;
            next = Some(document.id.clone());
        }
        if page.len() < wanted {
            return Ok(Bytes::from(write_attachment_page(&found, None)));
        }
        has_found = found.len() > before;
    }
}

/// Finds an attachment whose bytes are asked for.
///
/// # Errors
/// The case has no such attachment, or it is deleted.
pub async fn find_content(app: &App, access: &Access, case: &str, id: &str) -> Result<Attachment, AppError> {
    let found = app.attachment_of(access, case, id, &mut Reads::default()).await?;
    if found.value.deleted_at.is_some() { Err(AppError::NoAttachment) } else { Ok(found.value) }
}

/// Begins to read a span of an attachment's bytes, which must lie in it.
///
/// # Errors
/// They are not there, or can't be read.
pub async fn download(
    app: &App,
    access: &Access,
    attachment: &Attachment,
    span: Range<u64>,
) -> Result<Download, AppError> {
    let attachments = app.attachments();
    let blobs = app.blobs()?;
    let downloads = attachments.map(|attachments| &attachments.downloads);
    let place = match downloads {
        Some(downloads) => place(downloads).await?,
        None => return Err(AppError::Off("this server has no place for attachments".to_owned())),
    };
    let id = attachment.id.as_str();
    let found = blobs.read(&key(access.workspace.id(), id), span).await?;
    let reader =
        found.ok_or_else(|| AppError::Failed(format!("the bytes of attachment {id} are missing")))?;
    measure::download_begun();
    Ok(Download { reader, _place: place })
}

impl App {
    /// Loads an attachment of a case, or of one that was merged into it.
    pub(crate) async fn attachment_of(
        &self,
        access: &Access,
        case: &str,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Versioned<Attachment>, AppError> {
        self.check_ready()?;
        let case = self.id_of(access, Noun::Case, case).await?;
        let workspace = access.workspace.id();
        let found = self.attachment(workspace, id, reads).await?.ok_or(AppError::NoAttachment)?;
        if found.value.case.as_str() == case {
            return Ok(found);
        }
        let case = self.case(workspace, &case, reads).await?.ok_or(AppError::NoAttachment)?;
        if case.value.is_or_absorbed(&found.value.case) { Ok(found) } else { Err(AppError::NoAttachment) }
    }
}
