//! `deleteAttachment`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::attachment::delete::delete_attachment as delete;
use casement_wire::attachment::AttachmentDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{AttachmentPath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Deletes a file on a case.
///
/// What is said about it stays; its bytes can't be got any more and go a day later. Deleting what is deleted changes nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/attachments/{attachmentId}",
    operation_id = "deleteAttachment",
    tag = "attachments",
    params(AttachmentPath, WriteHeader, VersionHeader),
    responses(
        (status = 200, description = "What stays of it, with its entity tag.", body = AttachmentDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn delete_attachment(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let if_match = if_match(&headers);
    let work = delete(
        &api.app,
        &caller.access,
        caller.named("caseId"),
        caller.named("attachmentId"),
        &if_match,
        attempt.as_ref(),
    );
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
