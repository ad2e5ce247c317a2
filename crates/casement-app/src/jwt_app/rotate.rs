//! Giving an app another key, while the former one stays good for a time.

use casement_domain::date::Moment;

use crate::app::App;
use crate::jwt_app::create::KeyedJwtApp;
use crate::jwt_app::error::{Input, InputFault, JwtAppError};
use crate::jwt_app::public_key::PublicKey;
use crate::jwt_app::secret::Secret;
use crate::jwt_app::write::AppWrite;
use crate::jwt_app::{JwtApp, Keys};
use crate::limits;

/// What takes the place of an app's key.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The new public key as PEM or JWK: for RSA, and only there. A secret is made.
    pub public_key: Option<String>,
    /// How long the former key stays good; 0 ends it at once.
    pub grace_ms: i64,
}

/// Gives an app another key. A key before the former one ends at once: there are never more than two.
///
/// # Errors
/// There is no such app or it is revoked; all faults of the input; the store takes no writes.
pub async fn rotate_jwt_app(
    app: &App,
    client_id: &str,
    rotation: &Rotation,
) -> Result<KeyedJwtApp, JwtAppError> {
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let before = app.stored_jwt_app(client_id).await?;
        let fresh = || Secret::fresh(app.sources());
        let rotated = decide(&before.value, rotation, app.sources().now(), fresh)?;
        let write =
            AppWrite { event: "app.rotated", before: Some(&before), after: &rotated.app, guards: Vec::new() };
        if app.write_jwt_app(write).await? {
            return Ok(rotated);
        }
    }
    Err(crate::commit::contended().into())
}

fn decide(
    before: &JwtApp,
    rotation: &Rotation,
    now: Moment,
    fresh: impl FnOnce() -> Secret,
) -> Result<KeyedJwtApp, JwtAppError> {
    if !before.active {
        return Err(JwtAppError::Conflict("the app is revoked; make another".to_owned()));
    }
    let mut faults = Vec::new();
    let mut note = |input: Input, message: String| faults.push(InputFault { input, message });
    if !(0..=limits::ROTATION_GRACE_MS_MAX).contains(&rotation.grace_ms) {
        note(Input::Grace, "must be 0 to 30 days".to_owned());
    }
    let keys =
        next_keys(&before.keys, rotation, now, fresh).map_err(|message| note(Input::PublicKey, message));
    match keys {
        Ok((keys, secret)) if faults.is_empty() => {
            Ok(KeyedJwtApp { app: JwtApp { keys, ..before.clone() }, secret })
        }
        Ok(_) | Err(()) => Err(JwtAppError::Invalid(faults)),
    }
}

fn next_keys(
    keys: &Keys,
    rotation: &Rotation,
    now: Moment,
    fresh: impl FnOnce() -> Secret,
) -> Result<(Keys, Option<Secret>), String> {
    let name = keys.algorithm().name();
    match (keys, &rotation.public_key) {
        (Keys::Hmac(_, _), Some(_)) => Err(format!("belongs to RS256 and RS512; the app signs with {name}")),
        (Keys::Rsa(_, _), None) => Err(format!("is required: the app signs with {name}")),
        (Keys::Hmac(digest, keys), None) => {
            let secret = fresh();
            let keys = keys.clone().rotated(secret.clone(), rotation.grace_ms, now);
            Ok((Keys::Hmac(*digest, keys), Some(secret)))
        }
        (Keys::Rsa(digest, rotating), Some(text)) => {
            let key = PublicKey::read(text, keys.algorithm()).map_err(|fault| fault.to_string())?;
            if key == rotating.current {
                return Err("is the one that the app has already".to_owned());
            }
            Ok((Keys::Rsa(*digest, rotating.clone().rotated(key, rotation.grace_ms, now)), None))
        }
    }
}
