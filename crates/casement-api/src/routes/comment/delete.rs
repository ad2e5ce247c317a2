//! `deleteComment`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::comment::update::delete_comment as delete;
use casement_wire::comment::CommentDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CommentPath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Deletes a comment.
///
/// Who wrote it and when stays to be seen; what it said is in the log alone. Deleting what is deleted changes nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}",
    operation_id = "deleteComment",
    tag = "comments",
    params(CommentPath, WriteHeader, VersionHeader),
    responses(
        (status = 200, description = "What is left of the comment, with its entity tag.", body = CommentDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn delete_comment(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let if_match = if_match(&headers);
    let work = delete(&api.app, &caller.access, super::named(&caller), &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
