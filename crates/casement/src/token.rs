//! `casement token`, and the tokens that other commands print.

use std::path::Path;

use anyhow::{Context, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair, RsaSignatureEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use casement_app::jwt_app::JwtApp;
use casement_app::jwt_app::secret::Secret;
use casement_app::sources::Sources;
use casement_domain::date::Moment;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use crate::cli::TokenArguments;
use crate::cli::app::AppAlgorithm;
use crate::{file, output, sources};

/// Hours until a token that a command prints expires.
const HOURS_DEFAULT: u32 = 24;

/// Runs `casement token`.
///
/// # Errors
/// The key that the algorithm needs is not given or not usable.
pub fn run(arguments: &TokenArguments) -> anyhow::Result<()> {
    let token_id = arguments.jti.then(|| fresh_id(&sources::system()));
    let mut claims = claims(&arguments.client_id, arguments.hours, sources::now());
    if let Some(object) = claims.as_object_mut() {
        object.extend(arguments.sub.as_deref().map(|subject| ("sub".to_owned(), subject.into())));
        object.extend(token_id.map(|id| ("jti".to_owned(), id.into())));
    }
    let token = match arguments.algorithm {
        AppAlgorithm::Hs256 => sign_by_secret(secret(arguments)?, jsonwebtoken::Algorithm::HS256, &claims)?,
        AppAlgorithm::Hs512 => sign_by_secret(secret(arguments)?, jsonwebtoken::Algorithm::HS512, &claims)?,
        AppAlgorithm::Rs256 => sign_by_key(private_key(arguments)?, "RS256", &RSA_PKCS1_SHA256, &claims)?,
        AppAlgorithm::Rs512 => sign_by_key(private_key(arguments)?, "RS512", &RSA_PKCS1_SHA512, &claims)?,
    };
    output::line(format_args!("{token}"));
    Ok(())
}

/// Signs a token of an app with an HS256 secret, for a day.
///
/// # Errors
/// The token can't be signed.
pub fn of_app(app: &JwtApp, secret: &Secret, now: Moment) -> anyhow::Result<String> {
    let claims = claims(app.client_id.as_str(), HOURS_DEFAULT, now);
    sign_by_secret(secret.reveal(), jsonwebtoken::Algorithm::HS256, &claims)
}

fn claims(client_id: &str, hours: u32, now: Moment) -> Value {
    let issued = now.ms().div_euclid(1000);
    json!({"appId": client_id, "iat": issued, "exp": issued + i64::from(hours) * 3600})
}

fn fresh_id(sources: &Sources) -> String {
    sources.salt().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn secret(arguments: &TokenArguments) -> anyhow::Result<&str> {
    let secret = arguments.client_secret.as_deref();
    secret.context("HS256 and HS512 need --client-secret (or CASEMENT_CLIENT_SECRET)")
}

fn private_key(arguments: &TokenArguments) -> anyhow::Result<&Path> {
    arguments.private_key.as_deref().context("RS256 and RS512 need --private-key FILE")
}

fn sign_by_secret(
    secret: &str,
    algorithm: jsonwebtoken::Algorithm,
    claims: &Value,
) -> anyhow::Result<String> {
    let key = EncodingKey::from_secret(secret.as_bytes());
    Ok(jsonwebtoken::encode(&Header::new(algorithm), claims, &key)?)
}

fn sign_by_key(
    file: &Path,
    name: &str,
    encoding: &'static RsaSignatureEncoding,
    claims: &Value,
) -> anyhow::Result<String> {
    let key = read_private_key(&file::read_text(file)?)
        .with_context(|| format!("the private key in {} can't be used", file.display()))?;
    let header = json!({"alg": name, "typ": "JWT"});
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encoded(&header), encoded(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Reads a private key in PEM: PKCS #8 or PKCS #1, not encrypted.
fn read_private_key(text: &str) -> anyhow::Result<RsaKeyPair> {
    let found = pem::parse(text).context("it is no PEM")?;
    let key = match found.tag() {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(found.contents()),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(found.contents()),
        "ENCRYPTED PRIVATE KEY" => bail!("it is encrypted; decrypt it first (`openssl pkey -in FILE`)"),
        other => bail!("it holds a {other:?}, not a PRIVATE KEY or RSA PRIVATE KEY"),
    };
    key.map_err(|error| anyhow::anyhow!("it is no RSA key of 2048 to 8192 bits: {error}"))
}
