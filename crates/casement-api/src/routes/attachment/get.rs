//! `getAttachment`.

use axum::extract::State;
use casement_app::attachment::content::get_attachment as get;
use casement_wire::attachment::AttachmentDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::AttachmentPath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Gives what is said about a file on a case.
///
/// Deleted ones too, which say so by `isDeleted`.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/attachments/{attachmentId}",
    operation_id = "getAttachment",
    tag = "attachments",
    params(AttachmentPath),
    responses(
        (status = 200, description = "What is said about the file, with its entity tag.", body = AttachmentDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_attachment(State(api): State<Api>, caller: Caller) -> Result<Document, Refusal> {
    let work = get(&api.app, &caller.access, caller.named("caseId"), caller.named("attachmentId"));
    run(&api, &caller.waiting, Class::Read, Noun::Case, work).await.map(Document)
}
