//! `listCommentEvents`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::comment::history::comment_history;
use casement_wire::history::HistoryPage;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::CommentPath;
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::{history_query, run};

/// Lists what happened to a comment, newest first.
///
/// Each event tells who did it, when, and which keys changed from what to what; of a deleted comment, who and when alone.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}/events",
    operation_id = "listCommentEvents",
    tag = "comments",
    params(
        CommentPath,
        ("before" = Option<u64>, Query, description = "Only events that made an earlier version than this.", minimum = 1),
        ("limit" = Option<u64>, Query, description = "The most events; 50 without it.", minimum = 1, maximum = 100)
    ),
    responses(
        (status = 200, description = "A page of events.", body = HistoryPage),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_comment_events(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = history_query(Parameters::of(&uri)?)?;
    let (case, comment) = (caller.named("caseId"), caller.named("commentId"));
    let work = comment_history(&api.app, &caller.access, case, comment, query);
    run(&api, &caller.waiting, Class::List, Noun::Case, work).await.map(json)
}
