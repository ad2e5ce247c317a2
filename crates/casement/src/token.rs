//! `casement token`, and the tokens that other commands print.

use casement_app::installation::{Algorithm, JwtApp};
use casement_domain::date::Moment;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use crate::cli::{TokenAlgorithm, TokenArguments};
use crate::sources;

/// Hours until a token that a command prints expires.
const HOURS_DEFAULT: u32 = 24;

/// Runs `casement token`.
///
/// # Errors
/// The token can't be signed.
pub fn run(arguments: &TokenArguments) -> anyhow::Result<()> {
    let algorithm = match arguments.algorithm {
        TokenAlgorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        TokenAlgorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
    };
    let subject = arguments.sub.as_deref();
    let token = sign(
        &arguments.client_id,
        &arguments.client_secret,
        algorithm,
        subject,
        arguments.hours,
        sources::now(),
    )?;
    println!("{token}");
    Ok(())
}

/// Signs a token of an app for a day.
///
/// # Errors
/// The token can't be signed.
pub fn of_app(app: &JwtApp, now: Moment) -> anyhow::Result<String> {
    let algorithm = match app.algorithm {
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
    };
    sign(app.client_id.as_str(), app.secret.reveal(), algorithm, None, HOURS_DEFAULT, now)
}

fn sign(
    client_id: &str,
    secret: &str,
    algorithm: jsonwebtoken::Algorithm,
    subject: Option<&str>,
    hours: u32,
    now: Moment,
) -> anyhow::Result<String> {
    let issued = now.ms().div_euclid(1000);
    let mut claims = json!({"appId": client_id, "iat": issued, "exp": issued + i64::from(hours) * 3600});
    if let (Some(subject), Some(object)) = (subject, claims.as_object_mut()) {
        object.insert("sub".to_owned(), subject.into());
    }
    let key = EncodingKey::from_secret(secret.as_bytes());
    Ok(jsonwebtoken::encode(&Header::new(algorithm), &claims, &key)?)
}
