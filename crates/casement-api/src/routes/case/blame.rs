//! `blameCase`.

use axum::extract::State;
use axum::response::Response;
use casement_app::blame::blame;
use casement_wire::blame::Blame;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::CasePath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Tells of each key of a case who changed it last, and when.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/blame",
    operation_id = "blameCase",
    tag = "cases",
    params(CasePath),
    responses(
        (status = 200, description = "The keys that can change, each with its last change.", body = Blame),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn blame_case(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    let work = blame(&api.app, &caller.access, Noun::Case, caller.named("caseId"));
    run(&api, &caller.waiting, Class::List, Noun::Case, work).await.map(json)
}
