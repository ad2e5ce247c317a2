//! `GET /apps/{clientId}`: shows an app.

use axum::Json;
use axum::extract::{Path, State};
use casement_app::jwt_app::list::show_jwt_app;

use crate::answer::Refusal;
use crate::control::Control;
use crate::control::app::refusal;
use crate::control::document::AppDocument;

/// Shows an app without its secret.
pub async fn show_app(
    State(control): State<Control>,
    Path(client_id): Path<String>,
) -> Result<Json<AppDocument>, Refusal> {
    let app = show_jwt_app(&control.app, &client_id).map_err(refusal)?;
    Ok(Json(AppDocument::of(&app, None, control.app.sources().now())))
}
