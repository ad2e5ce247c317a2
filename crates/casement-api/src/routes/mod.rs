//! The routes: one operation per file.

pub mod case;
pub mod health;
pub mod table;
pub mod task;

use std::future::Future;

use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use casement_app::document::IfMatch;
use casement_app::error::AppError;
use casement_wire::error::ErrorKind;
use casement_wire::spelling::Noun;

use crate::answer::Refusal;
use crate::limits;

/// Runs a use case within the time that it may take.
pub(crate) async fn run<T>(
    noun: Noun,
    work: impl Future<Output = Result<T, AppError>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(limits::HANDLER_TIMEOUT, work).await {
        Ok(outcome) => outcome.map_err(|error| Refusal::of_app(error, noun)),
        Err(_) => {
            let detail = "the request took too long; its outcome is not known";
            Err(Refusal::new(ErrorKind::Unavailable, detail, None).because("the use case took too long"))
        }
    }
}

/// Reads which versions a request accepts: a list of entity tags or `*`; contract section 11.9. Weak tags name no
/// version, since If-Match compares strongly (RFC 9110).
pub(crate) fn if_match(headers: &HeaderMap) -> IfMatch {
    let mut lines = headers.get_all(IF_MATCH).iter().peekable();
    if lines.peek().is_none() {
        return IfMatch::Any;
    }
    let mut tags = Vec::new();
    for line in lines {
        for tag in line.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return IfMatch::Any;
            }
            tags.push(tag.to_owned());
        }
    }
    IfMatch::Tags(tags)
}
