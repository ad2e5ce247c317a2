//! `revokeFeedbackLinks`.

use axum::extract::State;
use casement_app::feedback::revoke::revoke_feedback_links as revoke;
use casement_wire::document::CaseDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, WriteHeader};
use crate::refusals::MakeRefusals;
use crate::routes::run;

/// Revokes all links for feedback on a case.
///
/// Those that have not served are none from now on. The case stays as it is; a link that is made later counts.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/feedback-links",
    operation_id = "revokeFeedbackLinks",
    tag = "feedback",
    params(CasePath, WriteHeader),
    responses(
        (status = 200, description = "The case, with its entity tag.", body = CaseDoc),
        MakeRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn revoke_feedback_links(
    State(api): State<Api>,
    Writer(caller): Writer,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let work = revoke(&api.app, &caller.access, caller.named("caseId"), attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
