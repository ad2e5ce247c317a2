//! `renderStandardResponse`.

use axum::extract::State;
use axum::response::Response;
use casement_app::comment::response::render_standard_response as render;
use casement_wire::comment::RenderedResponseDoc;
use casement_wire::error::Problem;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::ResponsePath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Renders a standard response for a case.
///
/// It gives the text as whoever asks would send it, and writes nothing. A body is not looked at.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/standard-responses/{responseId}/render",
    operation_id = "renderStandardResponse",
    tag = "comments",
    params(ResponsePath),
    responses(
        (status = 200, description = "The text with the values of the case.", body = RenderedResponseDoc),
        (status = 422, description = "It is switched off, or nothing is known for one of its placeholders.", body = Problem, content_type = "application/problem+json"),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn render_standard_response(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    let (case, response) = (caller.named("caseId"), caller.named("responseId"));
    let work = render(&api.app, &caller.access, case, response);
    run(&api, &caller.waiting, Class::Read, Noun::Case, work).await.map(json)
}
