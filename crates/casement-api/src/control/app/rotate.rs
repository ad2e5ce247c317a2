//! `POST /apps/{clientId}/rotate`: gives an app another key.

use axum::Json;
use axum::extract::{Path, State};
use casement_app::jwt_app::rotate::{Rotation, rotate_jwt_app};

use crate::answer::Refusal;
use crate::body::OptionalJsonBody;
use crate::control::Control;
use crate::control::app::{read, run};
use crate::control::document::{AppDocument, RotateAppBody};

/// Gives an app another key. The answer shows its new secret, this once.
pub async fn rotate_app(
    State(control): State<Control>,
    Path(client_id): Path<String>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Json<AppDocument>, Refusal> {
    let body: RotateAppBody = read(body)?;
    let rotation =
        Rotation { public_key: body.public_key, grace_ms: body.grace_seconds.saturating_mul(1000) };
    let rotated = run(rotate_jwt_app(&control.app, &client_id, &rotation)).await?;
    let now = control.app.sources().now();
    Ok(Json(AppDocument::of(&rotated.app, rotated.secret.as_ref(), now)))
}
