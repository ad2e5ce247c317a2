//! `POST /apps`: makes an app.

use axum::Json;
use axum::extract::State;
use casement_app::jwt_app::create::{NewJwtApp, create_jwt_app};

use crate::answer::Refusal;
use crate::body::OptionalJsonBody;
use crate::control::Control;
use crate::control::app::{read, run};
use crate::control::document::{AppDocument, CreateAppBody};

/// Makes an app. The answer shows its secret, this once.
pub async fn create_app(
    State(control): State<Control>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Json<AppDocument>, Refusal> {
    let body: CreateAppBody = read(body)?;
    let input = NewJwtApp {
        name: body.name,
        streams: body.streams,
        algorithm: body.algorithm,
        public_key: body.public_key,
        requires_expiry: body.requires_expiry,
        enforces_jti: body.enforces_jti,
    };
    let made = run(create_jwt_app(&control.app, input)).await?;
    let now = control.app.sources().now();
    Ok(Json(AppDocument::of(&made.app, made.secret.as_ref(), now)))
}
