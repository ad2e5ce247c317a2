//! `getTaskPlan` and `planTask`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::task::plan::{plan, plan_task as change};
use casement_wire::plan::{PlanBody, PlanDoc, read_plan};
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::{Caller, Writer};
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{TaskPath, VersionHeader, WriteHeader};
use crate::refusals::{ReadRefusals, WriteRefusals};
use crate::routes::{if_match, run};

/// Gets the plan of a task.
///
/// What it depends on, whether its case can't be closed without it, and its checklist.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/plan",
    operation_id = "getTaskPlan",
    tag = "tasks",
    params(TaskPath),
    responses(
        (status = 200, description = "The plan, with the task's entity tag.", body = PlanDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_task_plan(State(api): State<Api>, caller: Caller) -> Result<Document, Refusal> {
    let work = plan(&api.app, &caller.access, caller.named("taskId"));
    run(&api, &caller.waiting, Class::Read, Noun::Task, work).await.map(Document)
}

/// Changes the plan of a task.
///
/// What the body does not name stays, `null` clears. A task can't be resolved or closed before the tasks that it depends on,
/// nor while a line of its checklist is not done.
#[utoipa::path(
    patch,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/plan",
    operation_id = "planTask",
    tag = "tasks",
    params(
        TaskPath,
        WriteHeader,
        VersionHeader
    ),
    request_body = PlanBody,
    responses(
        (status = 200, description = "The plan after the change, with the task's entity tag.", body = PlanDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn plan_task(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_plan(&object);
    let if_match = if_match(&headers);
    let named = caller.named("taskId");
    let work = change(&api.app, &caller.access, named, &command, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Task, work).await.map(Document)
}
