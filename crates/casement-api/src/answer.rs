//! Answers: documents, pages and problems as HTTP responses.

use axum::http::header::{CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use casement_app::document::Rendered;
use casement_app::error::AppError;
use casement_wire::error::{ErrorKind, MEDIA_TYPE, Problem};
use casement_wire::spelling::Noun;

use crate::limits;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static(MEDIA_TYPE);

/// A document with its entity tag.
#[derive(Debug)]
pub struct Document(pub Rendered);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&self.0.entity_tag());
        let mut response = json(self.0.body);
        if let Ok(tag) = tag {
            response.headers_mut().insert(ETAG, tag);
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
        Self { problem, cause: None }
    }

    /// Adds the cause, for the log.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(Cause(cause.into()));
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
            AppError::VersionDiffers => {
                let detail = "the document has another version than If-Match names";
                Self::new(ErrorKind::PreconditionFailed, detail, Some("If-Match"))
            }
            AppError::Unavailable(cause) => {
                Self::new(ErrorKind::Unavailable, "the server can't answer now; try again later", None)
                    .because(cause)
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
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(limits::RETRY_AFTER_SECONDS));
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
