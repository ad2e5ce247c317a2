//! `getCasePlan`.

use axum::extract::State;
use axum::response::Response;
use casement_app::task::plan::case_plan;
use casement_wire::plan::CasePlan;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::CasePath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Gets the plan of a case: its tasks, each behind those that it depends on.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/plan",
    operation_id = "getCasePlan",
    tag = "cases",
    params(CasePath),
    responses(
        (status = 200, description = "The tasks with their plans.", body = CasePlan),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_case_plan(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    let work = case_plan(&api.app, &caller.access, caller.named("caseId"));
    run(&api, &caller.waiting, Class::Read, Noun::Case, work).await.map(json)
}
