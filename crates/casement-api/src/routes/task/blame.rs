//! `blameTask`.

use axum::extract::State;
use axum::response::Response;
use casement_app::blame::blame;
use casement_wire::blame::Blame;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::TaskPath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Tells of each key of a task who changed it last, and when.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/blame",
    operation_id = "blameTask",
    tag = "tasks",
    params(TaskPath),
    responses(
        (status = 200, description = "The keys that can change, each with its last change.", body = Blame),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn blame_task(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    let work = blame(&api.app, &caller.access, Noun::Task, caller.named("taskId"));
    run(&api, &caller.waiting, Class::List, Noun::Task, work).await.map(json)
}
