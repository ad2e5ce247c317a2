//! `POST /apps/{clientId}/revoke`: revokes an app.

use axum::Json;
use axum::extract::{Path, State};
use casement_app::jwt_app::revoke::revoke_jwt_app;

use crate::answer::Refusal;
use crate::control::Control;
use crate::control::app::run;
use crate::control::document::AppDocument;

/// Revokes an app, for the next request on.
pub async fn revoke_app(
    State(control): State<Control>,
    Path(client_id): Path<String>,
) -> Result<Json<AppDocument>, Refusal> {
    let app = run(revoke_jwt_app(&control.app, &client_id)).await?;
    Ok(Json(AppDocument::of(&app, None, control.app.sources().now())))
}
