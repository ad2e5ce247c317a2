//! Authentication: the token, the app that signed it, and the stream that it may reach; contract section 1.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use casement_app::access::Access;
use casement_app::app::App;
use casement_app::installation::{Algorithm, JwtApp};
use casement_domain::date::Zone;
use casement_wire::error::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::answer::Refusal;
use crate::api::Api;
use crate::limits;

/// A request of an app that may reach the stream of the path. The header `AccountId` may be absent.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the request may reach.
    pub access: Access,
    /// The zone of the request.
    pub zone: Zone,
    /// The language that the headers name.
    pub language: Option<String>,
    /// The document that the path names.
    pub document: String,
}

/// As [`Caller`], with the header `AccountId` required.
#[derive(Debug, Clone)]
pub struct AccountCaller(pub Caller);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccountHeader {
    Required,
    Optional,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        authenticate(parts, api, AccountHeader::Optional).await
    }
}

impl FromRequestParts<Api> for AccountCaller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        authenticate(parts, api, AccountHeader::Required).await.map(AccountCaller)
    }
}

/// Authenticates a request: 401 first, then 403 for the stream, then what is wrong with `AccountId`.
async fn authenticate(parts: &mut Parts, api: &Api, account: AccountHeader) -> Result<Caller, Refusal> {
    let (app, subject) = verify(&api.app, &parts.headers)?;
    // A path that can't be read names no stream of the app's.
    let path: HashMap<String, String> =
        Path::from_request_parts(parts, api).await.map(|Path(names)| names).unwrap_or_default();
    let name = |key: &str| path.get(key).cloned().unwrap_or_default();
    let access = api.app.access(&app, &name("streamId"), subject.as_deref());
    let access =
        access.map_err(|_| Refusal::new(ErrorKind::Forbidden, "the app may not use this stream", None))?;
    check_account(&parts.headers, &access, account)?;
    let document = path.iter().find(|(key, _)| key.as_str() != "streamId").map(|(_, id)| id.clone());
    Ok(Caller {
        access,
        zone: zone(&parts.headers),
        language: text(&parts.headers, "bot-language").map(str::to_owned),
        document: document.unwrap_or_default(),
    })
}

/// Checks the account that the headers name; an empty one counts as absent, one that is given twice must be right both
/// times.
fn check_account(headers: &HeaderMap, access: &Access, account: AccountHeader) -> Result<(), Refusal> {
    let own = access.account();
    let given = headers.get_all("accountid").iter().map(|value| value.as_bytes().trim_ascii());
    let mut named = given.filter(|account| !account.is_empty()).peekable();
    match (named.peek().is_some(), account) {
        (true, _) if named.all(|account| account == own.as_bytes()) => Ok(()),
        (true, _) => Err(Refusal::new(
            ErrorKind::Forbidden,
            "the account is not that of the stream",
            Some("AccountId"),
        )),
        (false, AccountHeader::Optional) => Ok(()),
        (false, AccountHeader::Required) => {
            Err(Refusal::new(ErrorKind::Invalid, "AccountId: the header is required", Some("AccountId")))
        }
    }
}

/// Gives the text of a header that is there once; what is no visible ASCII counts as an empty text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().trim())
}

/// Reads the zone of a request; absent or unreadable: UTC.
fn zone(headers: &HeaderMap) -> Zone {
    let minutes = text(headers, "x-timezone-offset").and_then(|minutes| minutes.parse().ok());
    minutes.and_then(Zone::from_javascript_minutes).unwrap_or(Zone::UTC)
}

fn unauthenticated(detail: &str) -> Refusal {
    Refusal::new(ErrorKind::Unauthenticated, detail, None)
}

/// Finds the token: the header `auth` wins over `Authorization: Bearer`; an empty `auth` counts as absent.
fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    if headers.get_all("auth").iter().count() > 1 || headers.get_all("authorization").iter().count() > 1 {
        return Err(unauthenticated("the token is given more than once"));
    }
    let bearer = || {
        let (scheme, token) = text(headers, "authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start())
    };
    let token = match headers.get("auth") {
        Some(value) if !value.is_empty() => value.to_str().ok(),
        Some(_) | None => bearer(),
    };
    match token {
        None | Some("") => Err(unauthenticated("a token is required in the header auth")),
        Some(token) if token.len() > limits::TOKEN_BYTES_MAX => Err(unauthenticated("the token is too long")),
        Some(token) => Ok(token),
    }
}

/// Verifies the token of a request. Gives the app that signed it and the subject that it names.
fn verify(app: &App, headers: &HeaderMap) -> Result<(std::sync::Arc<JwtApp>, Option<String>), Refusal> {
    // One sentence for every way in which a token is wrong: which one it was is nobody's business.
    let wrong = || unauthenticated("the token is not valid");
    let token = token(headers)?;
    let unverified: Map<String, Value> =
        jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| wrong())?;
    let signer = signer(&unverified).and_then(|client_id| app.jwt_app(client_id)).ok_or_else(wrong)?;
    if !signer.active {
        return Err(wrong());
    }
    let algorithm = match signer.algorithm {
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
    };
    // The algorithm is the app's, never the token's. Times are checked below, by the server's own clock.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(signer.secret.reveal().as_bytes());
    let claims =
        jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).map_err(|_| wrong())?.claims;
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds with a fraction, far below the 2^53 that are exact"
    )]
    let now_seconds = app.sources().now().ms() as f64 / 1000.0;
    if !are_times_right(&claims, now_seconds, signer.requires_expiry) {
        return Err(wrong());
    }
    for claim in ["sub", "iss", "jti"] {
        if claims.get(claim).is_some_and(|value| !value.is_string()) {
            return Err(wrong());
        }
    }
    let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
    Ok((signer, subject))
}

/// Gives the client id that a token claims: `appId`, or `iss` where that is absent.
fn signer(claims: &Map<String, Value>) -> Option<&str> {
    match claims.get("appId") {
        Some(value) => value.as_str(),
        None => claims.get("iss").and_then(Value::as_str),
    }
}

/// Tells whether the times of a token allow it now. A claim that is there but is no time is never treated as absent.
fn are_times_right(claims: &Map<String, Value>, now_seconds: f64, requires_expiry: bool) -> bool {
    let time = |claim: &str| match claims.get(claim) {
        None => Ok(None),
        Some(value) => {
            let seconds =
                value.as_f64().filter(|seconds| (0.0..=limits::CLAIM_SECONDS_MAX).contains(seconds));
            seconds.map(Some).ok_or(())
        }
    };
    let (Ok(expires), Ok(not_before), Ok(issued)) = (time("exp"), time("nbf"), time("iat")) else {
        return false;
    };
    if requires_expiry && expires.is_none() {
        return false;
    }
    expires.is_none_or(|expires| now_seconds < expires + limits::CLOCK_LEEWAY_SECONDS)
        && not_before.is_none_or(|not_before| now_seconds >= not_before - limits::CLOCK_LEEWAY_SECONDS)
        && issued.is_none_or(|issued| now_seconds >= issued - limits::CLOCK_LEEWAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn right(claims: Value, requires_expiry: bool) -> bool {
        are_times_right(claims.as_object().unwrap(), 1000.0, requires_expiry)
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
