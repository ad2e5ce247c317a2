//! Putting another key in place, and bringing what is stored under the key that seals.
//!
//! A rotation writes the new key before the former into the file, seals everything anew, then takes the former out. A
//! crash in between leaves a file that opens everything; the next start goes on from there by [`seal_all`].

use std::sync::Arc;

use tokio::time::MissedTickBehavior;

use crate::app::{App, StoreState};
use crate::error::AppError;
use crate::installation::stored_jwt_apps;
use crate::jwt_app::error::JwtAppError;
use crate::jwt_app::write::AppWrite;
use crate::limits;
use crate::seal::key::{KeyId, Keyring, SealKey};
use crate::seal::key_file::{KeyFault, KeyOrigin};

/// What a rotation has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedKey {
    /// The key that seals now.
    pub key: KeyId,
    /// The keys that are not in the file any more.
    pub former: Vec<KeyId>,
    /// How many documents were sealed anew.
    pub sealed: usize,
}

/// Why the key was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file can't be used or changed.
    #[error(transparent)]
    File(#[from] KeyFault),
    /// It can't be done as it is asked for; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The store could not do it. What was begun goes on with the next start or rotation.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Makes a new key and seals everything under it.
///
/// # Errors
/// The file can't be changed, or the store takes no writes.
pub async fn rotate_key(app: &App) -> Result<RotatedKey, KeyError> {
    app.check_followed()?;
    let keys = app.keys();
    let _turn = keys.turn().await;
    // What an earlier rotation left is ended first, so that the file never grows.
    finish(app).await?;
    let fresh = SealKey::fresh(app.sources());
    let ring = keys.ring().led_by(fresh);
    let ring = ring.ok_or_else(|| AppError::Failed("the key file holds too many keys".to_owned()))?;
    keys.file().replace(&ring)?;
    keys.put(ring).await;
    finish(app).await
}

/// Seals what is stored in plain, or under a key that seals no more, and takes keys out of the file that open nothing
/// any more. A start does this; mostly there is nothing to do.
///
/// # Errors
/// The file can't be changed, or the store takes no writes.
pub async fn seal_all(app: &App) -> Result<RotatedKey, KeyError> {
    app.check_followed()?;
    let _turn = app.keys().turn().await;
    finish(app).await
}

/// Does [`seal_all`] once the log is followed, and tries again until it is done. The log says when it fails.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(limits::SEAL_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        ticks.tick().await;
        // A store that takes no writes says so itself; there is no point in trying.
        if !app.is_followed() || app.store_state() != StoreState::Ready {
            continue;
        }
        match seal_all(&app).await {
            Ok(done) => {
                if done.sealed > 0 || !done.former.is_empty() {
                    tracing::info!(key.id = %done.key, sealed = done.sealed, "what was not under the key is sealed");
                }
                return;
            }
            Err(error) if !failed => {
                failed = true;
                tracing::error!(%error, "what is not under the key could not be sealed; it is tried again");
            }
            Err(_) => {}
        }
    }
}

async fn finish(app: &App) -> Result<RotatedKey, KeyError> {
    let keys = app.keys();
    let mut sealed = 0;
    let mut rounds = 0..limits::COMMIT_ATTEMPTS_MAX;
    loop {
        let stale = stale_apps(app).await?;
        if stale.is_empty() {
            break;
        }
        rounds.next().ok_or_else(crate::commit::contended)?;
        for id in stale {
            sealed += usize::from(seal_app(app, &id).await?);
        }
    }
    let ring = keys.ring();
    let key = ring.current().id();
    let former: Vec<KeyId> = ring.former().iter().map(SealKey::id).collect();
    if former.is_empty() {
        return Ok(RotatedKey { key, former, sealed });
    }
    match keys.file().origin() {
        KeyOrigin::Credential => {
            tracing::info!(key.id = %key, "the other keys of the credential open nothing any more");
            return Ok(RotatedKey { key, former: Vec::new(), sealed });
        }
        KeyOrigin::Named | KeyOrigin::DataDirectory => {}
    }
    let alone = Keyring::of(ring.current().clone());
    keys.file().replace(&alone)?;
    keys.put(alone).await;
    Ok(RotatedKey { key, former, sealed })
}

/// Lists the apps whose secrets are not under the key that seals.
async fn stale_apps(app: &App) -> Result<Vec<String>, AppError> {
    let current = app.keys().ring().current().id();
    let stored = stored_jwt_apps(app.store()).await?;
    let stale = stored.into_iter().filter(|stored| !stored.value.is_sealed_under(&current));
    Ok(stale.map(|stored| stored.value.client_id().to_string()).collect())
}

async fn seal_app(app: &App, id: &str) -> Result<bool, AppError> {
    let failed = |error| match error {
        JwtAppError::App(error) => error,
        other => AppError::Failed(format!("app {id} could not be sealed: {other}")),
    };
    let before = app.stored_jwt_app(id).await.map_err(failed)?;
    let write =
        AppWrite { event: "app.sealed", before: Some(&before), after: &before.value, guards: Vec::new() };
    app.write_jwt_app(write).await
}
