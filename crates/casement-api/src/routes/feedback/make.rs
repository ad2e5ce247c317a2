//! `createFeedbackLink`.

use axum::extract::State;
use casement_app::feedback::make::make_feedback_link;
use casement_wire::feedback::{FeedbackLinkDoc, read_feedback_link};
use casement_wire::schema::feedback::FeedbackLinkBody;
use casement_wire::spelling::Noun;

use crate::answer::{Issued, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, WriteHeader};
use crate::refusals::MakeRefusals;
use crate::routes::run;

/// Makes a link by which the customer of a case gives feedback, once.
///
/// Only this answer holds the token; the server keeps its hash. The case stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/feedback-links",
    operation_id = "createFeedbackLink",
    tag = "feedback",
    params(CasePath, WriteHeader),
    request_body = FeedbackLinkBody,
    responses(
        (status = 201, description = "The link.", body = FeedbackLinkDoc),
        MakeRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn create_feedback_link(
    State(api): State<Api>,
    Writer(caller): Writer,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Issued, Refusal> {
    let command = read_feedback_link(&object);
    let work =
        make_feedback_link(&api.app, &caller.access, caller.named("caseId"), &command, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Issued)
}
