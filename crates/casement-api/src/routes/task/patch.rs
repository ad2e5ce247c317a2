//! `patchTask`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::task::update::patch_task as patch;
use casement_wire::document::TaskDoc;
use casement_wire::schema::UpdateTaskBody;
use casement_wire::spelling::Noun;
use casement_wire::task::read_update_task;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{TaskPath, VersionHeader, WriteHeader, ZoneHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Changes a task.
///
/// As updateTask: what the body does not name stays, `null` clears where something may be absent.
#[utoipa::path(
    patch,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}",
    operation_id = "patchTask",
    tag = "tasks",
    params(
        TaskPath,
        WriteHeader,
        ZoneHeader,
        VersionHeader
    ),
    request_body = UpdateTaskBody,
    responses(
        (status = 200, description = "The task after the change, with its entity tag.", body = TaskDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn patch_task(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_update_task(&object);
    let if_match = if_match(&headers);
    let (access, zone) = (&caller.access, caller.zone);
    let work = patch(&api.app, access, caller.named("taskId"), &command, &if_match, zone, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Task, work).await.map(Document)
}
