//! Tokens: who signed one, whether the signature and the times are right, and those that were verified before.

use std::sync::Arc;

use casement_app::app::App;
use casement_app::installation::{Algorithm, JwtApp};
use casement_wire::error::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use crate::answer::Refusal;
use crate::limits;

/// A token that its app has signed.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The app.
    pub app: Arc<JwtApp>,
    /// Who acts, as the token says.
    pub subject: Option<String>,
    times: Times,
}

/// The times of a token in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    expires: Option<f64>,
    not_before: Option<f64>,
    issued: Option<f64>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Box<str>, Verified> for ByBytes {
    fn weight(&self, token: &Box<str>, verified: &Verified) -> u64 {
        let subject_bytes = verified.subject.as_ref().map_or(0, String::len);
        (token.len() + subject_bytes + size_of::<Verified>()) as u64
    }
}

/// The tokens that were verified lately, by their full text.
///
/// What is kept is the signature and the claims, which never change. The times are compared at each use, and an entry
/// counts only as long as its app is the one that the installation holds now: a changed or revoked app is another.
#[derive(Debug)]
pub struct Tokens(Cache<Box<str>, Verified, ByBytes>);

impl Default for Tokens {
    fn default() -> Self {
        Self(Cache::with_weighter(limits::TOKENS_KEPT, limits::TOKENS_KEPT_BYTES, ByBytes))
    }
}

impl Tokens {
    /// Verifies a token.
    ///
    /// # Errors
    /// A 401 with one sentence for every way in which a token is wrong: which one it was is nobody's business.
    pub fn verify(&self, app: &App, token: &str) -> Result<Verified, Refusal> {
        let wrong = || unauthenticated("the token is not valid");
        let verified = match self.0.get(token).filter(|kept| is_current(app, &kept.app)) {
            Some(kept) => kept,
            None => {
                let verified = check_signature(app, token).ok_or_else(wrong)?;
                self.0.insert(token.into(), verified.clone());
                verified
            }
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds with a fraction, far below the 2^53 that are exact"
        )]
        let now_seconds = app.sources().now().ms() as f64 / 1000.0;
        if !verified.times.allow(now_seconds, verified.app.requires_expiry) {
            return Err(wrong());
        }
        Ok(verified)
    }
}

/// Makes a 401.
pub(crate) fn unauthenticated(detail: &str) -> Refusal {
    Refusal::new(ErrorKind::Unauthenticated, detail, None)
}

fn is_current(app: &App, signer: &Arc<JwtApp>) -> bool {
    app.jwt_app(signer.client_id.as_str()).is_some_and(|current| Arc::ptr_eq(&current, signer))
}

/// Checks the signature of a token and the shape of its claims; not whether its times allow it now.
fn check_signature(app: &App, token: &str) -> Option<Verified> {
    let unverified: Map<String, Value> = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    let signer = signer(&unverified).and_then(|client_id| app.jwt_app(client_id))?;
    if !signer.active {
        return None;
    }
    let algorithm = match signer.algorithm {
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
    };
    // The algorithm is the app's, never the token's. Times are compared by the server's own clock.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(signer.secret.reveal().as_bytes());
    let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).ok()?.claims;
    for claim in ["sub", "iss", "jti"] {
        if claims.get(claim).is_some_and(|value| !value.is_string()) {
            return None;
        }
    }
    let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
    Some(Verified { app: signer, subject, times: Times::of_claims(&claims)? })
}

/// Gives the client id that a token claims: `appId`, or `iss` where that is absent.
fn signer(claims: &Map<String, Value>) -> Option<&str> {
    match claims.get("appId") {
        Some(value) => value.as_str(),
        None => claims.get("iss").and_then(Value::as_str),
    }
}

impl Times {
    /// Reads the times of a token. A claim that is there but is no time is never treated as absent: `None`.
    fn of_claims(claims: &Map<String, Value>) -> Option<Self> {
        let time = |claim: &str| match claims.get(claim) {
            None => Some(None),
            Some(value) => {
                let seconds = value.as_f64();
                seconds.filter(|seconds| (0.0..=limits::CLAIM_SECONDS_MAX).contains(seconds)).map(Some)
            }
        };
        Some(Self { expires: time("exp")?, not_before: time("nbf")?, issued: time("iat")? })
    }

    /// Tells whether the times allow the token now.
    fn allow(self, now_seconds: f64, requires_expiry: bool) -> bool {
        let leeway = limits::CLOCK_LEEWAY_SECONDS;
        (self.expires.is_some() || !requires_expiry)
            && self.expires.is_none_or(|expires| now_seconds < expires + leeway)
            && self.not_before.is_none_or(|not_before| now_seconds >= not_before - leeway)
            && self.issued.is_none_or(|issued| now_seconds >= issued - leeway)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn right(claims: Value, requires_expiry: bool) -> bool {
        let times = Times::of_claims(claims.as_object().unwrap());
        times.is_some_and(|times| times.allow(1000.0, requires_expiry))
    }

    #[test]
    fn times_have_a_leeway_of_a_minute() {
        assert!(right(json!({"exp": 941}), false));
        assert!(!right(json!({"exp": 940}), false));
        assert!(right(json!({"nbf": 1060}), false));
        assert!(!right(json!({"nbf": 1061}), false));
        assert!(right(json!({"iat": 1060}), false));
        assert!(!right(json!({"iat": 1061}), false));
    }

    #[test]
    fn a_malformed_time_is_never_treated_as_absent() {
        for claim in ["exp", "nbf", "iat"] {
            for wrong in [json!("2000"), json!(null), json!(-1), json!([2000]), json!(true), json!(1e300)] {
                assert!(!right(json!({claim: wrong}), false), "{claim} {wrong}");
            }
        }
        assert!(right(json!({"exp": 2000.5}), false));
    }

    #[test]
    fn an_app_may_require_that_its_tokens_expire() {
        assert!(!right(json!({}), true));
        assert!(right(json!({"exp": 2000}), true));
        assert!(right(json!({}), false));
    }

    #[test]
    fn the_app_id_claim_wins_over_the_issuer() {
        let of = |claims: Value| signer(claims.as_object().unwrap()).map(str::to_owned);
        assert_eq!(of(json!({"appId": "cs-1", "iss": "cs-2"})).as_deref(), Some("cs-1"));
        assert_eq!(of(json!({"iss": "cs-2"})).as_deref(), Some("cs-2"));
        assert_eq!(of(json!({"appId": null, "iss": "cs-2"})), None);
        assert_eq!(of(json!({"appid": "cs-1"})), None);
    }
}
