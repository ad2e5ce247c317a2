//! `giveFeedback`.

use axum::extract::State;
use axum::response::Response;
use casement_app::feedback::give::give_feedback as give;
use casement_wire::feedback::{AskedFeedbackDoc, read_feedback};
use casement_wire::schema::feedback::FeedbackBody;
use casement_wire::spelling::Noun;

use super::Holder;
use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::body::StrangerBody;
use crate::load::Class;
use crate::parameters::FeedbackPath;
use crate::refusals::HeldWriteRefusals;
use crate::routes::run;

/// Gives the feedback that a link is for.
///
/// For the customer: the token of the path is all that is needed. It serves once; a second time is a 409, so that a repetition needs no
/// key. `{"_id", "score", "text", "givenAt", "via": "link"}` goes to the end of the case's `feedback`.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/feedback/{token}",
    operation_id = "giveFeedback",
    tag = "feedback",
    params(FeedbackPath),
    request_body = FeedbackBody,
    responses(
        (status = 200, description = "It was given.", body = AskedFeedbackDoc),
        HeldWriteRefusals
    )
)]
pub async fn give_feedback(
    State(api): State<Api>,
    holder: Holder,
    StrangerBody(object): StrangerBody,
) -> Result<Response, Refusal> {
    let command = read_feedback(&object);
    let work = give(&api.app, &holder.stream, &holder.token, &command);
    run(&api, &holder.waiting, Class::Write, Noun::Case, work).await.map(json)
}
