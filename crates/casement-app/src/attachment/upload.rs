//! Adding an attachment: its bytes as they come, then the set that names them.
//!
//! The idempotency key is looked at when the bytes are there, since their hash is part of what makes a repetition the same
//! request. What turns out to be a repetition, or is refused then, has its bytes removed again.

use bytes::Bytes;
use casement_domain::attachment::Attachment;
use casement_domain::attachment::create::{
    CreateAttachment, NotAdded, check_case, create_attachment, id_behind,
};
use casement_domain::attachment::kind::{Image, SIGNATURE_BYTES};
use casement_domain::attachment::usage::{NoRoom, Usage};
use casement_domain::case::Case;
use casement_domain::change::Record;
use casement_domain::id::AttachmentId;
use casement_domain::version::Versioned;
use casement_store::blobs::{BlobKey, BlobWriter, Blobs};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::{App, StoreState};
use crate::attachment::hashing::Hashing;
use crate::attachment::places::UploadPlace;
use crate::attachment::{key, rendered_attachment};
use crate::commit::{Act, Reads, contended, pending};
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::measure;
use crate::once::{Attempt, Done, Sending, Ticket};

/// What a client tells of the file that it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
}

/// Bytes on their way in. Dropped before they are kept, nothing is left of them.
#[derive(Debug)]
pub struct Upload {
    id: AttachmentId,
    case: String,
    key: BlobKey,
    writer: BlobWriter,
    hashing: Hashing,
    first: Vec<u8>,
    bytes: u64,
    bytes_max: u64,
    _place: UploadPlace,
}

/// Bytes that have all come.
#[derive(Debug)]
pub struct Received {
    id: AttachmentId,
    case: String,
    key: BlobKey,
    writer: BlobWriter,
    image: Option<Image>,
    bytes: u64,
    hash: [u8; 32],
    _place: UploadPlace,
}

/// Bytes that are durable and that nothing names yet.
#[derive(Debug)]
pub struct Durable {
    command: CreateAttachment,
    case: String,
    unnamed: Unnamed,
    _place: UploadPlace,
}

/// Removes bytes that nothing will name, unless a set that names them has been handed to the store.
#[derive(Debug)]
struct Unnamed {
    blobs: Blobs,
    key: BlobKey,
    is_settled: bool,
}

impl Unnamed {
    /// Puts the bytes under another key.
    async fn rename(&mut self, key: BlobKey) -> Result<(), AppError> {
        self.blobs.rename(&self.key, &key).await?;
        self.key = key;
        Ok(())
    }

    async fn remove(mut self) {
        self.is_settled = true;
        // The sweep removes them later.
        if let Err(error) = self.blobs.remove(&self.key).await {
            tracing::debug!(%error, "the bytes of a refused attachment could not be removed");
        }
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (blobs, key) = (self.blobs.clone(), self.key.clone());
            runtime.spawn(async move { blobs.remove(&key).await });
        }
    }
}

/// Begins an upload to a case that is named by id or reference id, when it would be taken as things stand: with as many
/// bytes as the client announces.
///
/// # Errors
/// There is no such case, it takes no attachments, there is no room, or nowhere to put them.
pub async fn begin_upload(
    app: &App,
    access: &Access,
    named: &str,
    announced: Option<u64>,
) -> Result<Upload, AppError> {
    app.check_ready()?;
    let blobs = app.blobs()?;
    let attachments = app.attachments().ok_or_else(nowhere)?;
    if announced.is_some_and(|bytes| bytes > attachments.bytes_max) {
        return Err(too_long(attachments.bytes_max));
    }
    let workspace = access.workspace.id();
    let case_id = app.id_named(access, Noun::Case, named);
    let case = app.case(workspace, &case_id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    let newest = app.newest_attachment(workspace, &case.value).await?;
    let siblings = app.siblings(workspace, &case_id, newest.as_ref()).await?;
    check_case(&case.value, siblings).map_err(AppError::Refused)?;
    let usage = app.usage(workspace, &mut Reads::default()).await?;
    let usage = usage.map_or_else(Usage::default, |usage| usage.value);
    usage.with(announced.unwrap_or(0), attachments.quota_bytes).map_err(no_room)?;
    if app.store_state() != StoreState::Ready {
        return Err(AppError::Unavailable("the store takes no writes now".to_owned()));
    }
    let place = attachments.uploads.take(access.app.as_str()).await?;
    let mut ids = app.sources().ids();
    let id = AttachmentId::fresh(ids.next().unwrap_or_default());
    let key = key(workspace, id.as_str());
    Ok(Upload {
        writer: blobs.begin(&key),
        id,
        case: case_id,
        key,
        hashing: Hashing::begin(),
        first: Vec::with_capacity(SIGNATURE_BYTES),
        bytes: 0,
        bytes_max: attachments.bytes_max,
        _place: place,
    })
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// There are more than one attachment may have, or they can't be written.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), AppError> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.bytes_max {
            return Err(too_long(self.bytes_max));
        }
        let missing = SIGNATURE_BYTES.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(bytes.get(..missing).unwrap_or_default());
        self.hashing.update(bytes.clone()).await?;
        Ok(self.writer.write(bytes).await?)
    }

    /// Gives how many bytes have come.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the bytes.
    ///
    /// # Errors
    /// The process has no threads any more.
    pub async fn received(self) -> Result<Received, AppError> {
        let hash = self.hashing.finish().await?;
        Ok(Received {
            id: self.id,
            case: self.case,
            key: self.key,
            writer: self.writer,
            image: Image::of_signature(&self.first),
            bytes: self.bytes,
            hash,
            _place: self._place,
        })
    }
}

impl Received {
    /// Gives the SHA-256 of the bytes.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Makes the bytes durable. It takes as long as the disk or bucket takes.
    ///
    /// # Errors
    /// They can't be written; nothing is left of them.
    pub async fn durable(self, app: &App, told: Told) -> Result<Durable, AppError> {
        let unnamed = Unnamed { blobs: app.blobs()?.clone(), key: self.key, is_settled: false };
        self.writer.finish().await?;
        let Told { name, media_type } = told;
        let hash = self.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let command =
            CreateAttachment { id: self.id, name, media_type, bytes: self.bytes, hash, image: self.image };
        Ok(Durable { command, case: self.case, unnamed, _place: self._place })
    }
}

/// Adds an attachment whose bytes are durable to its case.
///
/// # Errors
/// The case takes no attachments any more, there is no room, the attempt's key is not usable, or the store takes no writes now.
pub async fn add(
    app: &App,
    access: &Access,
    durable: Durable,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    let Durable { mut command, case, mut unnamed, _place } = durable;
    let bytes = command.bytes;
    // Let in by what was known when the bytes began to come, maybe long ago. On a database server the commit finds out too
    // whether that still holds.
    if let Err(error) = app.check_granted(&access.grant.app) {
        unnamed.remove().await;
        return Err(error);
    }
    let mut sending = Sending::new(app, access, attempt);
    let Some(trial) = sending.begin().await else {
        unnamed.remove().await;
        return sending.answer();
    };
    // One try: the bytes are there once.
    let done = create(app, access, &case, &mut command, &mut unnamed, trial.ticket()).await;
    // What was not committed for sure names nothing; where nobody can tell, the sweep will.
    let is_refused = matches!(
        done,
        Err(AppError::Refused(_)
            | AppError::NoRoom(_)
            | AppError::NotFound
            | AppError::InFlight
            | AppError::Revoked)
    );
    match &done {
        Ok(_) => measure::uploaded(bytes),
        Err(_) => measure::upload_refused(),
    }
    if is_refused {
        unnamed.remove().await;
    }
    sending.end(trial, done).await;
    sending.answer()
}

async fn create(
    app: &App,
    access: &Access,
    case_id: &str,
    command: &mut CreateAttachment,
    unnamed: &mut Unnamed,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let quota_bytes = app.attachments().ok_or_else(nowhere)?.quota_bytes;
    // Done here already as a rule: in a bucket it takes a while, and others need not wait for it.
    let case = app.case(workspace.id(), case_id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    put_behind(app, workspace.id(), &case.value, command, unnamed).await?;
    // All change the one document of what is used.
    let _turn = workspace.turn(Usage::ID).await;
    for attempt in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let case = app.case(workspace.id(), case_id, &mut reads).await?.ok_or(AppError::NotFound)?;
        // Guarded by the usage, which every other attachment changes too.
        let usage = app.usage(workspace.id(), &mut reads).await?;
        let newest = put_behind(app, workspace.id(), &case.value, command, unnamed).await?;
        let siblings = app.siblings(workspace.id(), case_id, newest.as_ref()).await?;
        let now = app.sources().now();
        let change =
            create_attachment(&case, siblings, usage.as_ref(), quota_bytes, command, &access.actor, now)
                .map_err(|refused| match refused {
                    NotAdded::Faults(faults) => AppError::Refused(faults),
                    NotAdded::NoRoom(room) => no_room(room),
                })?;
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        // From here on the set may be there whatever becomes of this future.
        unnamed.is_settled = true;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            let made = change.records.into_iter().next().map(|record| record.after);
            let (Some(Record::Attachment(value)), Some(outcome)) = (made, committed.documents.first()) else {
                return Err(AppError::Failed("an attachment is missing in its own change".to_owned()));
            };
            let attachment = Versioned { version: outcome.version, number: None, value };
            return Ok(Done::Committed(rendered_attachment(&attachment)));
        }
        // It is not there for sure: dropped now, the bytes go with it. Other nodes change the same document.
        unnamed.is_settled = false;
        tokio::time::sleep(limits::UPLOAD_COMMIT_WAIT.saturating_mul(attempt)).await;
    }
    Err(contended())
}

/// Gives the newest attachment of a case and of those that were merged into it. One that has overtaken this one gets it behind
/// itself, under another id.
async fn put_behind(
    app: &App,
    workspace: &str,
    case: &Case,
    command: &mut CreateAttachment,
    unnamed: &mut Unnamed,
) -> Result<Option<Attachment>, AppError> {
    let newest = app.newest_attachment(workspace, case).await?;
    let fresh = app.sources().ids().next().unwrap_or_default();
    if let Some(id) = id_behind(&command.id, newest.as_ref().map(|newest| &newest.id), fresh) {
        unnamed.rename(key(workspace, id.as_str())).await?;
        command.id = id;
    }
    Ok(newest)
}

fn nowhere() -> AppError {
    AppError::Off("this server has no place for attachments".to_owned())
}

fn too_long(bytes_max: u64) -> AppError {
    AppError::NoRoom(format!("an attachment may have at most {bytes_max} bytes"))
}

fn no_room(room: NoRoom) -> AppError {
    AppError::NoRoom(format!(
        "the attachments of the stream may take {} bytes in all and take {}: delete some, or ask the operator for more room",
        room.bytes_max, room.bytes
    ))
}
