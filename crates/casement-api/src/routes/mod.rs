//! The routes: one operation per file.

pub mod attachment;
pub mod case;
pub mod comment;
pub mod feedback;
pub mod health;
pub mod response;
pub mod table;
pub mod task;

use std::future::Future;
use std::pin::Pin;

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, Uri};
use casement_app::document::IfMatch;
use casement_app::error::AppError;
use casement_app::history::HistoryQuery;
use casement_domain::case::link::LinkKind;
use casement_wire::error::{ErrorKind, Problem};
use casement_wire::parameters::{Listed, read_list};
use casement_wire::relation::{LINK_TYPES, read_link_type};
use casement_wire::search::Search;
use casement_wire::spelling::Noun;

use crate::answer::Refusal;
use crate::api::Api;
use crate::authentication::Caller;
use crate::limits;
use crate::load::{Class, Overloaded};
use crate::query::{Parameters, pairs};
use crate::unsent::Waiting;

/// Runs a use case when there is a place for it, and room for its answer among those that wait, within the time that it may take.
pub(crate) fn run<T>(
    api: &Api,
    waiting: &Waiting,
    class: Class,
    noun: Noun,
    work: impl Future<Output = Result<T, AppError>>,
) -> impl Future<Output = Result<T, Refusal>> {
    // Boxed here, so that a request whose body has yet to arrive holds no room for its use case, some 10 KB.
    run_boxed(api, waiting, class, noun, Box::pin(work))
}

async fn run_boxed<T>(
    api: &Api,
    waiting: &Waiting,
    class: Class,
    noun: Noun,
    work: Pin<Box<impl Future<Output = Result<T, AppError>>>>,
) -> Result<T, Refusal> {
    // Room for the answer first: whoever waits for it must not hold a place.
    let _room = api.unsent.room(class, waiting).await.map_err(Refusal::of_full)?;
    let _place = api.load.enter(class).await.map_err(|Overloaded| Refusal::overload())?;
    within_time(noun, work).await
}

async fn within_time<T>(noun: Noun, work: impl Future<Output = Result<T, AppError>>) -> Result<T, Refusal> {
    match tokio::time::timeout(limits::HANDLER_TIMEOUT, work).await {
        Ok(outcome) => outcome.map_err(|error| Refusal::of_app(error, noun)),
        Err(_) => {
            let detail = "the request took too long; its outcome is not known";
            Err(Refusal::new(ErrorKind::Unavailable, detail, None).because("the use case took too long"))
        }
    }
}

/// Reads which list is asked for by the parameters of an address.
///
/// # Errors
/// A parameter that the list does not take; every fault then.
pub(crate) fn list_asked(uri: &Uri, listed: Listed) -> Result<Search, Refusal> {
    read_list(&pairs(uri)?, listed).map_err(|faults| Refusal::of_problem(Problem::of_json(faults)))
}

/// Gives the address of the documents of a sort in the caller's stream.
pub(crate) fn collection(caller: &Caller, noun: Noun) -> String {
    let name = match noun {
        Noun::Case => "cases",
        Noun::Task => "tasks",
    };
    format!("/api/v1/streams/{}/{name}", caller.access.stream())
}

/// Gives the address of what belongs to the case that the path names.
pub(crate) fn below_case(caller: &Caller, name: &str) -> String {
    format!("{}/{}/{name}", collection(caller, Noun::Case), caller.named("caseId"))
}

/// Reads which sort of link is meant.
///
/// # Errors
/// There is no such sort.
pub(crate) fn link_type(uri: &Uri) -> Result<Option<LinkKind>, Refusal> {
    let mut parameters = Parameters::of(uri)?;
    let kind = parameters.one_of("type", &LINK_TYPES, read_link_type);
    parameters.end()?;
    Ok(kind)
}

/// Reads which page of a history is asked for.
///
/// # Errors
/// Every fault of the parameters.
pub(crate) fn history_query(mut parameters: Parameters) -> Result<HistoryQuery, Refusal> {
    let before = parameters.number("before", 1, i64::MAX.cast_unsigned());
    let limit = parameters.number("limit", 1, limits::HISTORY_PAGE_MAX);
    parameters.end()?;
    let limit = limit.unwrap_or(limits::HISTORY_PAGE);
    Ok(HistoryQuery { before, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
}

/// Reads the version that a path names. One that is no number names none.
///
/// # Errors
/// The 404 of a version that there is not.
pub(crate) fn path_version(caller: &Caller) -> Result<u64, Refusal> {
    let text = caller.named("version");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let version = text.parse().ok().filter(|_| is_plain);
    version.ok_or_else(|| Refusal::new(ErrorKind::NotFound, "there is no such version", Some("version")))
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

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, StatusCode};
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_use_case_that_takes_too_long_is_a_503_that_says_when_to_try_again() {
        let refusal = within_time::<()>(Noun::Case, std::future::pending()).await.unwrap_err();
        let response = refusal.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
    }

    #[tokio::test]
    async fn a_failure_of_ours_keeps_its_cause_for_the_log() {
        let failed = async { Err::<(), _>(AppError::Failed("secret detail".to_owned())) };
        let response = within_time(Noun::Case, failed).await.unwrap_err().into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.extensions().get::<crate::answer::Cause>().is_some());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("secret detail"));
    }

    #[test]
    fn if_match_takes_lists_in_several_lines_and_a_star() {
        let read = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_MATCH, HeaderValue::from_static(line));
            }
            if_match(&headers)
        };
        assert_eq!(read(&[]), IfMatch::Any);
        assert_eq!(read(&["\"v1\", *"]), IfMatch::Any);
        let tags = |tags: &[&str]| IfMatch::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect());
        assert_eq!(read(&["\"v1\",\"v2\"", " \"v3\" "]), tags(&["\"v1\"", "\"v2\"", "\"v3\""]));
        assert_eq!(read(&[""]), tags(&[""]));
    }
}
