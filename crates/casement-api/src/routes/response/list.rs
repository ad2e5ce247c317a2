//! `listStandardResponses`.

use axum::extract::State;
use axum::response::Response;
use casement_app::comment::response::list_standard_responses as list;
use casement_wire::comment::StandardResponseList;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::StreamPath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Lists the standard responses that may be used, by name.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/standard-responses",
    operation_id = "listStandardResponses",
    tag = "comments",
    params(StreamPath),
    responses(
        (status = 200, description = "All of them.", body = StandardResponseList),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_standard_responses(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    run(&api, Class::Read, Noun::Case, list(&api.app, &caller.access)).await.map(json)
}
