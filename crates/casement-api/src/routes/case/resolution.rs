//! `addResolutionComment`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::change::{CaseChange, change_case};
use casement_wire::document::CaseDoc;
use casement_wire::feedback::read_resolution_comment;
use casement_wire::schema::feedback::ResolutionCommentBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Adds a resolution comment to a case.
///
/// `{"_id", "text", "createdBy", "createdAt"}` goes to the end of `resolutionCmts`. A closed case takes it too.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/resolution-comments",
    operation_id = "addResolutionComment",
    tag = "cases",
    params(CasePath, WriteHeader, VersionHeader),
    request_body = ResolutionCommentBody,
    responses(
        (status = 200, description = "The case with the comment, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn add_resolution_comment(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let change = CaseChange::Resolution(read_resolution_comment(&object));
    let (if_match, named) = (if_match(&headers), caller.named("caseId"));
    let work = change_case(&api.app, &caller.access, named, &change, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
