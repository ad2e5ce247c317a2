//! Answers: documents, pages and problems as HTTP responses.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use casement_app::document::Rendered;
use casement_app::error::AppError;
use casement_app::get::Got;
use casement_wire::document::id_of;
use casement_wire::error::{ErrorKind, MEDIA_TYPE, Problem};
use casement_wire::spelling::Noun;

use crate::body::IDEMPOTENCY_KEY;
use crate::held::Full;
use crate::limits;
use crate::token::wrong_token;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static(MEDIA_TYPE);

/// The cause of a refusal because there is too much to do.
pub(crate) const OVERLOAD: &str = "overload";

/// Tells that a request was carried out before and that this is its answer once more.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A document with its entity tag.
#[derive(Debug)]
pub struct Document(pub Rendered);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&self.0.entity_tag());
        let is_replayed = self.0.is_replayed;
        let mut response = json(self.0.body);
        if let Ok(tag) = tag {
            response.headers_mut().insert(ETAG, tag);
        }
        if is_replayed {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// A document that was asked for, or where the one is that goes on in its place.
#[derive(Debug)]
pub struct Found {
    /// What was found.
    pub got: Got,
    /// The address of the documents of its sort.
    pub collection: String,
}

impl IntoResponse for Found {
    fn into_response(self) -> Response {
        match self.got {
            Got::Document(rendered) => Document(rendered).into_response(),
            Got::MergedInto(id) => {
                let mut response = Response::new(Bytes::new().into());
                *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
                if let Ok(location) = HeaderValue::from_str(&format!("{}/{id}", self.collection)) {
                    response.headers_mut().insert(LOCATION, location);
                }
                response
            }
        }
    }
}

/// A document that was made, with its entity tag and its address.
#[derive(Debug)]
pub struct Created {
    /// The document.
    pub rendered: Rendered,
    /// The address of its collection.
    pub collection: String,
}

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let location = id_of(&self.rendered.body).map(|id| format!("{}/{id}", self.collection));
        let location = location.and_then(|location| HeaderValue::from_str(&location).ok());
        let mut response = Document(self.rendered).into_response();
        *response.status_mut() = StatusCode::CREATED;
        if let Some(location) = location {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// What was made and is no document: it has no version and no address.
#[derive(Debug)]
pub struct Issued(pub Rendered);

impl IntoResponse for Issued {
    fn into_response(self) -> Response {
        let mut response = json(self.0.body);
        *response.status_mut() = StatusCode::CREATED;
        if self.0.is_replayed {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// What leaves nothing to show.
#[derive(Debug)]
pub struct Purged(pub Rendered);

impl IntoResponse for Purged {
    fn into_response(self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        if self.0.is_replayed {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Answers 200 with JSON.
pub fn json(body: Bytes) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    problem: Problem,
    cause: Option<Cause>,
    /// After so many seconds the same request may succeed.
    retry_after_seconds: Option<u32>,
}

/// Why a request failed that should not have; for the log only, where the gate writes it beside the request's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(pub String);

impl Refusal {
    /// Refuses with one entry; `field` is the key or header at fault.
    pub fn new(kind: ErrorKind, detail: &str, field: Option<&str>) -> Self {
        Self::of_problem(Problem::new(kind, detail, field))
    }

    /// Refuses with a problem.
    pub fn of_problem(problem: Problem) -> Self {
        let temporary = [ErrorKind::Unavailable, ErrorKind::TooManyRequests];
        let is_temporary = temporary.iter().any(|kind| kind.status() == problem.status);
        let retry_after_seconds = is_temporary.then_some(limits::RETRY_AFTER_SECONDS);
        Self { problem, cause: None, retry_after_seconds }
    }

    /// Adds the cause, for the log.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(Cause(cause.into()));
        self
    }

    /// Refuses because the server has too much to do.
    pub(crate) fn overload() -> Self {
        let detail = "the server has too much to do; try again later";
        Self::new(ErrorKind::Unavailable, detail, None).because(OVERLOAD)
    }

    /// Refuses because there is no room for the bytes of a request or of its answer.
    pub(crate) fn of_full(full: Full) -> Self {
        match full {
            Full::All => Self::overload(),
            Full::Share => {
                let detail = "this address has too many requests under way, or answers that it does not take";
                Self::new(ErrorKind::TooManyRequests, detail, None)
            }
        }
    }

    /// Says after how many seconds the same request may succeed.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Tells why a use case failed. The cause of a failure of ours goes to the log and not to the client.
    pub fn of_app(error: AppError, noun: Noun) -> Self {
        match error {
            AppError::Refused(faults) => Self::of_problem(Problem::of_faults(&faults, noun)),
            AppError::NotFound => {
                let detail = match noun {
                    Noun::Case => "there is no such case",
                    Noun::Task => "there is no such task",
                };
                Self::new(ErrorKind::NotFound, detail, None)
            }
            AppError::NoAttachment => {
                Self::new(ErrorKind::NotFound, "there is no such attachment on this case", None)
            }
            AppError::NoRoom(detail) => Self::new(ErrorKind::BodyTooLarge, &detail, None),
            AppError::Off(detail) => Self::new(ErrorKind::Unavailable, &detail, None).because("switched off"),
            AppError::Busy(detail) => Self::new(ErrorKind::TooManyRequests, &detail, None),
            AppError::VersionDiffers => {
                let detail = "the document has another version than If-Match names";
                Self::new(ErrorKind::PreconditionFailed, detail, Some("If-Match"))
            }
            AppError::KeyReused => {
                let detail = "the idempotency key was used for a request with another path or body";
                Self::new(ErrorKind::Unprocessable, detail, Some(IDEMPOTENCY_KEY))
            }
            AppError::InFlight => {
                let detail =
                    "an earlier request with this idempotency key is still being carried out; try again";
                Self::new(ErrorKind::Conflict, detail, Some(IDEMPOTENCY_KEY))
                    .retry_after(limits::RETRY_AFTER_SECONDS)
            }
            AppError::Revoked => wrong_token(),
            AppError::Stale => {
                let detail = "the configuration was changed while the request was carried out; try again";
                Self::new(ErrorKind::Unavailable, detail, None).because("stale")
            }
            AppError::Unavailable(cause) => {
                Self::new(ErrorKind::Unavailable, "the server can't answer now; try again later", None)
                    .because(cause)
            }
            AppError::Overloaded => Self::overload(),
            AppError::WordsMissing => {
                let detail = "searchText can't be answered yet: after a start the words of all documents are still \
                              being read; everything else works; try again later";
                Self::new(ErrorKind::Unavailable, detail, Some("searchText")).because("words are being read")
            }
            AppError::OutcomeUnknown(cause) => {
                let detail =
                    "the server can't tell whether the request was carried out; look before you try again";
                Self::new(ErrorKind::Unavailable, detail, None).because(cause)
            }
            AppError::Failed(cause) => {
                Self::new(ErrorKind::Internal, "the server failed; the log says why", None).because(cause)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(Bytes::from(self.problem.to_bytes()).into());
        *response.status_mut() = status;
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Answers a path that is no route.
pub async fn no_route() -> Refusal {
    Refusal::new(ErrorKind::NotFound, "there is no such route", None)
}

/// Answers a method that a route does not have.
///
/// The router adds the header `Allow` with the methods that the route has, unless one is there already.
pub async fn no_method() -> Refusal {
    Refusal::new(ErrorKind::MethodNotAllowed, "the route does not have this method", None)
}
