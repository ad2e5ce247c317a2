//! `getComment`.

use axum::extract::State;
use casement_app::comment::get::get_comment as get;
use casement_wire::comment::CommentDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::CommentPath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Gets a comment.
///
/// Of a deleted one it tells who and when, and nothing of what it said.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}",
    operation_id = "getComment",
    tag = "comments",
    params(CommentPath),
    responses(
        (status = 200, description = "The comment, with its entity tag.", body = CommentDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_comment(State(api): State<Api>, caller: Caller) -> Result<Document, Refusal> {
    let work = get(&api.app, &caller.access, caller.named("caseId"), caller.named("commentId"));
    run(&api, &caller.waiting, Class::Read, Noun::Case, work).await.map(Document)
}
