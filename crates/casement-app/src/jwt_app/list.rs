//! Listing apps, and showing one.

use std::sync::Arc;

use crate::app::App;
use crate::jwt_app::JwtApp;
use crate::jwt_app::error::JwtAppError;

/// Lists all apps, revoked ones too, by client id: in the order of their making.
pub fn list_jwt_apps(app: &App) -> Vec<Arc<JwtApp>> {
    let mut apps: Vec<Arc<JwtApp>> = app.installation().apps.values().cloned().collect();
    apps.sort_by(|one, other| one.client_id.cmp(&other.client_id));
    apps
}

/// Finds an app, also a revoked one.
///
/// # Errors
/// There is none of this client id.
pub fn show_jwt_app(app: &App, client_id: &str) -> Result<Arc<JwtApp>, JwtAppError> {
    app.jwt_app(client_id).ok_or(JwtAppError::NotFound)
}
