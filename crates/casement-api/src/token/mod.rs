//! Tokens: who signed one, whether the signature and the times are right, those that were verified before, and those
//! that serve once.

pub(crate) mod compact;
pub(crate) mod times;

use std::sync::Arc;

use casement_app::app::App;
use casement_app::jwt_app::secret::Secret;
use casement_app::jwt_app::token_id::{Served, TokenUse, use_token_id};
use casement_app::jwt_app::{Algorithm, JwtApp, Keys, Rotating};
use casement_domain::date::Moment;
use casement_wire::error::ErrorKind;
use casement_wire::spelling::Noun;
use jsonwebtoken::DecodingKey;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use crate::answer::Refusal;
use crate::api::Api;
use crate::limits;
use crate::load::Class;
use crate::routes::run;
use crate::token::compact::Compact;
use crate::token::times::{ExpiryDemand, Times};
use crate::unsent::Waiting;

/// A token that its app has signed.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The app.
    pub app: Arc<JwtApp>,
    /// Who acts, as the token says.
    pub subject: Option<String>,
    /// The id of the token.
    token_id: Option<String>,
    times: Times,
    /// When the key that signed it ends, for a key that was replaced.
    key_ends_at: Option<Moment>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Box<str>, Verified> for ByBytes {
    fn weight(&self, token: &Box<str>, verified: &Verified) -> u64 {
        let texts = [&verified.subject, &verified.token_id];
        let text_bytes: usize = texts.into_iter().flatten().map(String::len).sum();
        (token.len() + text_bytes + size_of::<Verified>()) as u64
    }
}

/// The tokens that were verified lately, by their full text.
///
/// What is kept is the signature and the claims, which never change. The times are compared at each use, and an entry
/// counts only as long as its app is the one that the installation holds now: a changed or revoked app is another.
/// Whether a token that serves once has served is never kept: the store is asked at each use.
#[derive(Debug)]
pub struct Tokens(Cache<Box<str>, Verified, ByBytes>);

impl Default for Tokens {
    fn default() -> Self {
        Self(Cache::with_weighter(limits::TOKENS_KEPT, limits::TOKENS_KEPT_BYTES, ByBytes))
    }
}

impl Tokens {
    /// Verifies a token. One of an app that lets each serve once must be used up besides, by [`use_up`].
    ///
    /// # Errors
    /// A 401 with one sentence for every way in which a token is wrong: which one it was is nobody's business.
    pub fn verify(&self, app: &App, token: &str, now: Moment) -> Result<Verified, Refusal> {
        self.verified(app, token, now).ok_or_else(wrong_token)
    }

    /// Tells whether some app could have signed this token: it has the form of one.
    pub fn may_be_valid(token: &str) -> bool {
        token.len() <= limits::TOKEN_BYTES_MAX && Compact::read(token).is_some()
    }

    fn verified(&self, app: &App, token: &str, now: Moment) -> Option<Verified> {
        if token.len() > limits::TOKEN_BYTES_MAX {
            return None;
        }
        let verified = match self.0.get(token).filter(|kept| is_current(app, &kept.app)) {
            Some(kept) => kept,
            None => {
                let verified = check_signature(app, token, now)?;
                self.0.insert(token.into(), verified.clone());
                verified
            }
        };
        let demand = match (verified.app.enforces_jti, verified.app.requires_expiry) {
            (true, _) => ExpiryDemand::Near,
            (false, true) => ExpiryDemand::Any,
            (false, false) => ExpiryDemand::None,
        };
        let key_is_good = verified.key_ends_at.is_none_or(|ends_at| now < ends_at);
        (key_is_good && verified.times.allow(now, demand)).then_some(verified)
    }
}

/// Makes a 401.
pub(crate) fn unauthenticated(detail: &str) -> Refusal {
    Refusal::new(ErrorKind::Unauthenticated, detail, None)
}

/// Makes the 401 of every token that is wrong, whatever is wrong with it.
pub(crate) fn wrong_token() -> Refusal {
    unauthenticated("the token is not valid")
}

fn is_current(app: &App, signer: &Arc<JwtApp>) -> bool {
    app.jwt_app(signer.client_id.as_str()).is_some_and(|current| Arc::ptr_eq(&current, signer))
}

/// Uses up a token when its app lets each serve once. Whatever becomes of the request, its id has served. `now` is the
/// moment at which it was verified: between two, its id could end.
///
/// # Errors
/// The 401 of every wrong token when it has served before; a 503 when it can't be used up now.
pub(crate) async fn use_up(api: &Api, verified: &Verified, now: Moment) -> Result<(), Refusal> {
    if !verified.app.enforces_jti {
        return Ok(());
    }
    let id = verified.token_id.as_deref().filter(|id| (1..=limits::TOKEN_ID_BYTES_MAX).contains(&id.len()));
    let (Some(id), Some(ends_at)) = (id, verified.times.ends_at()) else { return Err(wrong_token()) };
    let using = use_token_id(&api.app, &verified.app, TokenUse { id, ends_at, now });
    match run(api, &Waiting::default(), Class::Write, Noun::Case, using).await? {
        Served::First => Ok(()),
        Served::Before => Err(wrong_token()),
    }
}

/// Checks the signature of a token and the shape of its claims; not whether its times allow it now.
fn check_signature(app: &App, token: &str, now: Moment) -> Option<Verified> {
    let compact = Compact::read(token)?;
    let signer = signer(&compact.claims).and_then(|client_id| app.jwt_app(client_id))?;
    // The algorithm is the app's, never the token's: one that says another is wrong.
    if !signer.active || compact.algorithm != signer.keys.algorithm().name() {
        return None;
    }
    let key_ends_at = signing_key_end(&signer.keys, &compact, now)?;
    let claims = &compact.claims;
    let text = |claim: &str| match claims.get(claim) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    text("iss")?;
    let (subject, token_id) = (text("sub")?, text("jti")?);
    Some(Verified { app: signer, subject, token_id, times: Times::of_claims(&compact.claims)?, key_ends_at })
}

/// Finds the key of an app that signed a token, and gives when that key ends; `None` when none of them did.
fn signing_key_end(keys: &Keys, compact: &Compact<'_>, now: Moment) -> Option<Option<Moment>> {
    let algorithm = match keys.algorithm() {
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
    };
    let signed = |key: &DecodingKey| {
        let message = compact.message.as_bytes();
        jsonwebtoken::crypto::verify(compact.signature, message, key, algorithm).unwrap_or(false)
    };
    let hmac = |secret: &Secret| signed(&DecodingKey::from_secret(secret.reveal().as_bytes()));
    match keys {
        Keys::Hmac(_, keys) => key_end(keys, now, hmac),
        Keys::Rsa(_, keys) => key_end(keys, now, |key| signed(&DecodingKey::from_rsa_der(key.der()))),
    }
}

fn key_end<K>(keys: &Rotating<K>, now: Moment, signed: impl Fn(&K) -> bool) -> Option<Option<Moment>> {
    if signed(&keys.current) {
        return Some(None);
    }
    let former = keys.former.as_ref().filter(|former| now < former.ends_at && signed(&former.key))?;
    Some(Some(former.ends_at))
}

/// Gives the client id that a token claims: `appId`, or `iss` where that is absent.
fn signer(claims: &Map<String, Value>) -> Option<&str> {
    match claims.get("appId") {
        Some(value) => value.as_str(),
        None => claims.get("iss").and_then(Value::as_str),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_app_id_claim_wins_over_the_issuer() {
        let of = |claims: Value| signer(claims.as_object().unwrap()).map(str::to_owned);
        assert_eq!(of(json!({"appId": "cs-1", "iss": "cs-2"})).as_deref(), Some("cs-1"));
        assert_eq!(of(json!({"iss": "cs-2"})).as_deref(), Some("cs-2"));
        assert_eq!(of(json!({"appId": null, "iss": "cs-2"})), None);
        assert_eq!(of(json!({"appid": "cs-1"})), None);
    }
}
