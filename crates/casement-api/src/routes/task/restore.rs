//! `restoreTask`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::task::update::set_active;
use casement_wire::document::TaskDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{TaskPath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Restores a task.
///
/// It is listed again. Restoring what is not deleted changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/restore",
    operation_id = "restoreTask",
    tag = "tasks",
    params(
        TaskPath,
        WriteHeader,
        VersionHeader
    ),
    responses(
        (status = 200, description = "The restored task, with its entity tag.", body = TaskDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn restore_task(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let if_match = if_match(&headers);
    let work =
        set_active(&api.app, &caller.access, caller.named("taskId"), true, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Task, work).await.map(Document)
}
