//! `POST /key/rotate`: another key for what is sealed.

use axum::Json;
use axum::extract::State;
use casement_app::seal::rotate::{KeyError, rotate_key};
use casement_wire::error::ErrorKind;
use casement_wire::spelling::Noun;

use crate::answer::Refusal;
use crate::control::Control;
use crate::control::document::RotatedKeyDocument;

/// Rotates the key. It takes as long as sealing everything anew takes; broken off, the next rotation or start ends it.
pub async fn rotate(State(control): State<Control>) -> Result<Json<RotatedKeyDocument>, Refusal> {
    let app = &control.app;
    let rotated = rotate_key(app).await.map_err(refusal)?;
    Ok(Json(RotatedKeyDocument {
        key_file: app.key_file().path().to_string_lossy().into_owned(),
        key_id: rotated.key.to_string(),
        former_key_ids: rotated.former.iter().map(ToString::to_string).collect(),
        sealed: rotated.sealed,
    }))
}

/// Tells why the key was not rotated. Whoever asks has the data directory, so every reason is theirs to know.
fn refusal(error: KeyError) -> Refusal {
    match error {
        KeyError::File(fault) => Refusal::new(ErrorKind::Conflict, &fault.to_string(), None),
        KeyError::Refused(reason) => Refusal::new(ErrorKind::Conflict, &reason, None),
        KeyError::App(error) => Refusal::of_app(error, Noun::Case),
    }
}
