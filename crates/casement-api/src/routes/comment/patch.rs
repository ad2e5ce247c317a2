//! `patchComment`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::comment::update::update_comment as update;
use casement_wire::comment::{CommentDoc, read_update_comment};
use casement_wire::schema::comment::UpdateCommentBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CommentPath, VersionHeader, WriteHeader, ZoneHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Changes a comment.
///
/// What the body does not name stays. The body may be a whole comment that was read before and changed.
#[utoipa::path(
    patch,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}",
    operation_id = "patchComment",
    tag = "comments",
    params(CommentPath, WriteHeader, ZoneHeader, VersionHeader),
    request_body = UpdateCommentBody,
    responses(
        (status = 200, description = "The comment after the change, with its entity tag.", body = CommentDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn patch_comment(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_update_comment(&object);
    let if_match = if_match(&headers);
    let (access, path, zone) = (&caller.access, super::named(&caller), caller.zone);
    let work = update(&api.app, access, path, &command, &if_match, zone, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
