//! `createComment`.

use axum::extract::State;
use casement_app::comment::create::create_comment as create;
use casement_wire::comment::{CommentDoc, read_create_comment};
use casement_wire::schema::comment::CreateCommentBody;
use casement_wire::spelling::Noun;

use crate::answer::{Created, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{below_case, run};

/// Comments on a case.
///
/// The text is HTML or Markdown, or comes from a standard response. It is cleaned before it is stored. The case stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/comments",
    operation_id = "createComment",
    tag = "comments",
    params(CasePath, WriteHeader),
    request_body = CreateCommentBody,
    responses(
        (status = 201, description = "The comment as it was made.", body = CommentDoc, headers(
            ("Location" = String, description = "The address of the comment."),
            ("ETag" = String, description = "Its version.")
        )),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn create_comment(
    State(api): State<Api>,
    Writer(caller): Writer,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Created, Refusal> {
    let command = read_create_comment(&object);
    let work = create(&api.app, &caller.access, caller.named("caseId"), &command, attempt.as_ref());
    let rendered = run(&api, &caller.waiting, Class::Write, Noun::Case, work).await?;
    Ok(Created { rendered, collection: below_case(&caller, "comments") })
}
