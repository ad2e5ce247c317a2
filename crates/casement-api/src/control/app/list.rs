//! `GET /apps`: lists the apps.

use axum::Json;
use axum::extract::State;
use casement_app::jwt_app::list::list_jwt_apps;

use crate::control::Control;
use crate::control::document::{AppDocument, AppsDocument};

/// Lists all apps, revoked ones too, without secrets.
pub async fn list_apps(State(control): State<Control>) -> Json<AppsDocument> {
    let now = control.app.sources().now();
    let apps = list_jwt_apps(&control.app);
    Json(AppsDocument { apps: apps.iter().map(|app| AppDocument::of(app, None, now)).collect() })
}
