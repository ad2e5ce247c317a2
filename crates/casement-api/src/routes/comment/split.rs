//! `splitComment`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::comment::split::split_comment as split;
use casement_wire::case::read_create;
use casement_wire::document::CaseDoc;
use casement_wire::schema::comment::SplitCommentBody;
use casement_wire::spelling::Noun;

use crate::answer::{Created, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CommentPath, VersionHeader, WriteHeader, ZoneHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{collection, if_match, run};

/// Makes a case of a comment.
///
/// Both cases are linked as related, and the comment tells in `splitInto` where it went. What the body does not name comes from
/// the case (`caseTmp`, `userInfo`, `source`, `priority`) and the comment (`desc` its text, `name` its first line). A comment is
/// split off once. `If-Match` is held against the comment.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}/split",
    operation_id = "splitComment",
    tag = "comments",
    params(CommentPath, WriteHeader, ZoneHeader, VersionHeader),
    request_body = SplitCommentBody,
    responses(
        (status = 201, description = "The new case as it was made.", body = CaseDoc, headers(
            ("Location" = String, description = "The address of the new case."),
            ("ETag" = String, description = "Its version.")
        )),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn split_comment(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Created, Refusal> {
    let command = read_create(&object, caller.language.as_deref());
    let if_match = if_match(&headers);
    let (access, path, zone) = (&caller.access, super::named(&caller), caller.zone);
    let work = split(&api.app, access, path, &command, &if_match, zone, attempt.as_ref());
    let rendered = run(&api, &caller.waiting, Class::Write, Noun::Case, work).await?;
    Ok(Created { rendered, collection: collection(&caller, Noun::Case) })
}
