//! `listComments`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::comment::list::{CommentQuery, list_comments as list};
use casement_wire::comment::{CommentPage, VISIBILITIES};
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::limits;
use crate::load::Class;
use crate::parameters::CasePath;
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Lists the comments of a case, newest first.
///
/// Deleted ones are among them, without what they said, and those of cases that were merged into this one, each with its own `caseId`. A later page is asked for by `before` with what `next` says; it holds
/// what it held, whatever is added meanwhile. A page may hold fewer than `limit` and have more after it.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments",
    operation_id = "listComments",
    tag = "comments",
    params(
        CasePath,
        ("before" = Option<String>, Query, description = "Only those made before this one: its id, or `next` of the page before.", min_length = 1, max_length = 64),
        ("visibility" = Option<String>, Query, description = "Only notes (`internal`) or only replies (`public`)."),
        ("limit" = Option<u64>, Query, description = "The most comments; 50 without it.", minimum = 1, maximum = 100)
    ),
    responses(
        (status = 200, description = "A page of comments.", body = CommentPage),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_comments(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let mut parameters = Parameters::of(&uri)?;
    let before = parameters.optional_text("before", casement_domain::limits::ID_CHARACTERS_MAX);
    let words = VISIBILITIES.map(|(word, _)| word);
    let visibility = parameters.one_of("visibility", &words, |given| {
        VISIBILITIES.iter().find(|(word, _)| *word == given).map(|(_, visibility)| *visibility)
    });
    let limit = parameters.number("limit", 1, limits::COMMENTS_PAGE_MAX).unwrap_or(limits::COMMENTS_PAGE);
    parameters.end()?;
    let query = CommentQuery { before, visibility, limit: usize::try_from(limit).unwrap_or(usize::MAX) };
    let work = list(&api.app, &caller.access, caller.named("caseId"), &query);
    run(&api, &caller.waiting, Class::List, Noun::Case, work).await.map(json)
}
