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
pub struct Refusal(pub Problem);

impl Refusal {
    /// Refuses with one entry; `field` is the key or header at fault.
    pub fn new(kind: ErrorKind, detail: &str, field: Option<&str>) -> Self {
        Self(Problem::new(kind, detail, field))
    }

    /// Tells why a use case failed. The cause of a failure of ours goes to the log and not to the client.
    pub fn of_app(error: AppError, noun: Noun) -> Self {
        match error {
            AppError::Refused(faults) => Self(Problem::of_faults(&faults, noun)),
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
                tracing::warn!(cause, "a request could not be served");
                Self::new(ErrorKind::Unavailable, "the server can't answer now; try again later", None)
            }
            AppError::Failed(cause) => {
                tracing::error!(cause, "a request failed");
                Self::new(ErrorKind::Internal, "the server failed; the log says why", None)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(Bytes::from(self.0.to_bytes()).into());
        *response.status_mut() = status;
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
