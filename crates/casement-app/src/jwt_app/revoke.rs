//! Revoking an app: none of its tokens is accepted from then on. It can't be taken back.

use crate::app::App;
use crate::jwt_app::JwtApp;
use crate::jwt_app::error::JwtAppError;
use crate::jwt_app::write::AppWrite;
use crate::limits;

/// Revokes an app. One that is revoked already stays as it is.
///
/// # Errors
/// There is no such app, or the store takes no writes.
pub async fn revoke_jwt_app(app: &App, client_id: &str) -> Result<JwtApp, JwtAppError> {
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let before = app.stored_jwt_app(client_id).await?;
        if !before.value.active {
            return Ok(before.value);
        }
        let after = JwtApp { active: false, ..before.value.clone() };
        let write =
            AppWrite { event: "app.revoked", before: Some(&before), after: &after, guards: Vec::new() };
        if app.write_jwt_app(write).await? {
            return Ok(after);
        }
    }
    Err(crate::commit::contended().into())
}
