//! Authentication: the token, the app that signed it, and the stream that it may reach; contract section 1.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use casement_app::access::Access;
use casement_app::fresh::Fresh;
use casement_domain::date::Zone;
use casement_wire::error::ErrorKind;
use casement_wire::spelling::Noun;

use crate::answer::Refusal;
use crate::api::Api;
use crate::gate::NotedApp;
use crate::rate::{Noted, seconds};
use crate::token::{Tokens, unauthenticated, use_up, wrong_token};
use crate::unsent::Waiting;

/// A request of an app that may reach the stream of the path. The header `AccountId` may be absent.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the request may reach.
    pub access: Access,
    /// The zone of the request.
    pub zone: Zone,
    /// The language that the headers name.
    pub language: Option<String>,
    /// The answers of the connection.
    pub(crate) waiting: Waiting,
    /// What the path names besides the stream, by parameter.
    names: HashMap<String, String>,
}

impl Caller {
    /// Gives what the path names by a parameter, such as `caseId`; empty where it has none of that name.
    pub fn named(&self, parameter: &str) -> &str {
        self.names.get(parameter).map_or("", String::as_str)
    }
}

/// As [`Caller`], with the header `AccountId` required.
#[derive(Debug, Clone)]
pub struct AccountCaller(pub Caller);

/// As [`Caller`], for a write that makes sure by its commit that what it relied on still holds: see [`Access`].
#[derive(Debug, Clone)]
pub struct Writer(pub Caller);

/// As [`Writer`], with the header `AccountId` required.
#[derive(Debug, Clone)]
pub struct AccountWriter(pub Caller);

/// What an operation needs to know of other nodes' work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Everything that was acknowledged before the request came.
    Fresh,
    /// Nothing beforehand.
    Guarded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccountHeader {
    Required,
    Optional,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        authenticate(parts, api, AccountHeader::Optional, Need::Fresh).await
    }
}

impl FromRequestParts<Api> for AccountCaller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        authenticate(parts, api, AccountHeader::Required, Need::Fresh).await.map(AccountCaller)
    }
}

impl FromRequestParts<Api> for Writer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        authenticate(parts, api, AccountHeader::Optional, Need::Guarded).await.map(Writer)
    }
}

impl FromRequestParts<Api> for AccountWriter {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        authenticate(parts, api, AccountHeader::Required, Need::Guarded).await.map(AccountWriter)
    }
}

/// Authenticates a request: 401 first, then 429, then 403 for the stream, then what is wrong with `AccountId`.
///
/// What other nodes did to apps and streams is asked before anything is refused for want of it, and before anything is
/// read; not before a write, whose commit is guarded ([`Access`]). What can be no token in any case asks nothing.
async fn authenticate(
    parts: &mut Parts,
    api: &Api,
    account: AccountHeader,
    need: Need,
) -> Result<Caller, Refusal> {
    // One moment for the times and for the claim on the token's id: between two, an id could end.
    let now = api.app.sources().now();
    // A path that can't be read names no stream of the app's.
    let mut names: HashMap<String, String> =
        Path::from_request_parts(parts, api).await.map(|Path(names)| names).unwrap_or_default();
    let stream = names.remove("streamId").unwrap_or_default();
    let token = token(&parts.headers)?;
    let mut fresh = None;
    let mut verified = match api.tokens.verify(&api.app, token, now) {
        Err(_) if api.app.is_shared() && Tokens::may_be_valid(token) => {
            fresh = Some(refresh(api, &stream).await?);
            api.tokens.verify(&api.app, token, now)?
        }
        verified => verified?,
    };
    if let Some(noted) = parts.extensions.get::<NotedApp>() {
        // A request is authenticated once; a second time would name the same app.
        let _ = noted.set(verified.app.client_id.as_str().to_owned());
    }
    count(parts, api, verified.app.client_id.as_str())?;
    if fresh.is_none() && need == Need::Fresh {
        fresh = Some(refresh(api, &stream).await?);
        verified = api.tokens.verify(&api.app, token, now)?;
    }
    let mut access = api.app.access(&verified.app, &stream, verified.subject.as_deref(), fresh);
    if access.is_err() && fresh.is_none() {
        fresh = Some(refresh(api, &stream).await?);
        verified = api.tokens.verify(&api.app, token, now)?;
        access = api.app.access(&verified.app, &stream, verified.subject.as_deref(), fresh);
    }
    use_up(api, &verified, now).await?;
    let access =
        access.map_err(|_| Refusal::new(ErrorKind::Forbidden, "the app may not use this stream", None))?;
    check_account(&parts.headers, &access, account)?;
    Ok(Caller {
        access,
        zone: zone(&parts.headers),
        language: text(&parts.headers, "bot-language").map(str::to_owned),
        waiting: Waiting::of_request(&parts.extensions),
        names,
    })
}

async fn refresh(api: &Api, stream: &str) -> Result<Fresh, Refusal> {
    api.app.refresh(stream).await.map_err(|error| Refusal::of_app(error, Noun::Case))
}

/// Counts the request among those of its app.
fn count(parts: &Parts, api: &Api, client_id: &str) -> Result<(), Refusal> {
    let allowance = api.rates.count(client_id);
    if let Some(noted) = parts.extensions.get::<Noted>() {
        // A request is counted once, so nothing is noted yet.
        let _ = noted.set(allowance);
    }
    match allowance.wait {
        None => Ok(()),
        Some(wait) => {
            let detail = "the app sends more requests than it may; wait as long as Retry-After says";
            Err(Refusal::new(ErrorKind::TooManyRequests, detail, None).retry_after(seconds(wait)))
        }
    }
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
        // What is no visible ASCII is no token.
        Some(value) if !value.is_empty() => Some(value.to_str().map_err(|_| wrong_token())?),
        Some(_) | None => bearer(),
    };
    token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| unauthenticated("a token is required in the header auth"))
}
