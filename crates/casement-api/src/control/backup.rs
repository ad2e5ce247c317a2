//! `POST /backup`: runs a backup once, while the server works. `POST /backup/forget`: ends one.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use casement_app::backup::{BackupFailure, BackupTarget, BaseRule};
use casement_domain::date::Moment;
use casement_wire::error::ErrorKind;

use crate::answer::Refusal;
use crate::body::OptionalJsonBody;
use crate::control::Control;
use crate::control::app::read;
use crate::control::document::{BackupBody, BackupDocument, BaseDocument, ForgetBackupBody, NothingDocument};

/// Runs a backup. It takes as long as it takes: the first run copies the whole database.
pub async fn back_up(
    State(control): State<Control>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Json<BackupDocument>, Refusal> {
    let body: BackupBody = read(body)?;
    let to = PathBuf::from(&body.to);
    if !to.is_absolute() {
        return Err(Refusal::new(ErrorKind::Invalid, "to: must be an absolute path", None));
    }
    let base = if body.base { BaseRule::Now } else { BaseRule::WhenNeeded };
    let target = BackupTarget { to, bases_kept: body.keep_bases };
    let done = control.app.back_up(&target, base).await.map_err(refusal)?;
    let (done, attachments) = (done.store, done.attachments);
    let base = done.base.map(|base| BaseDocument {
        file: base.file.to_string_lossy().into_owned(),
        bytes: base.bytes,
        reason: base.reason,
    });
    Ok(Json(BackupDocument {
        base,
        changes: done.changes,
        removed_files: done.removed,
        bases: done.bases,
        attachments: attachments.added,
        attachments_missing: attachments.missing,
        damaged: done.damages.iter().map(ToString::to_string).collect(),
        until: Moment::from_ms(done.until_ms).iso(),
        key_file: control.app.key_file().path().to_string_lossy().into_owned(),
        key_id: control.app.key_id().to_string(),
    }))
}

/// Lets the store keep nothing more for a backup.
pub async fn forget_backup(
    State(control): State<Control>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Json<NothingDocument>, Refusal> {
    let body: ForgetBackupBody = read(body)?;
    control.app.forget_backup(&body.target).await.map_err(refusal)?;
    Ok(Json(NothingDocument {}))
}

/// Tells why a backup was not made. Whoever asks has the data directory, so every reason is theirs to know.
fn refusal(error: BackupFailure) -> Refusal {
    match error {
        BackupFailure::Refused(reason) => Refusal::new(ErrorKind::Conflict, &reason, None),
        BackupFailure::Failed(reason) => Refusal::new(ErrorKind::Unavailable, &reason, None).because(&reason),
    }
}
