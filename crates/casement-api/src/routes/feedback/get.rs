//! `getFeedbackLink`.

use axum::extract::State;
use axum::response::Response;
use casement_app::feedback::give::asked_feedback;
use casement_wire::feedback::AskedFeedbackDoc;
use casement_wire::spelling::Noun;

use super::Holder;
use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::load::Class;
use crate::parameters::FeedbackPath;
use crate::refusals::HeldReadRefusals;
use crate::routes::run;

/// Tells what a link for feedback is for.
///
/// For the customer: the token of the path is all that is needed. Of the case it tells what it is called and nothing else.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/feedback/{token}",
    operation_id = "getFeedbackLink",
    tag = "feedback",
    params(FeedbackPath),
    responses(
        (status = 200, description = "The case, and whether the feedback was given.", body = AskedFeedbackDoc),
        HeldReadRefusals
    )
)]
pub async fn get_feedback_link(State(api): State<Api>, holder: Holder) -> Result<Response, Refusal> {
    let work = asked_feedback(&api.app, &holder.stream, &holder.token);
    run(&api, &holder.waiting, Class::Read, Noun::Case, work).await.map(json)
}
