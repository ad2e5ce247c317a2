//! `restoreTask`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::task::update::set_active;
use casement_wire::document::TaskDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::body::BareWrite;
use crate::load::Class;
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
        ("streamId" = String, Path, description = "The stream, such as `st-0193f0a1-…`."),
        ("taskId" = String, Path, description = "The id or the reference id of the task."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters that name this write: its repetitions within 7 days take no effect and get the first answer."),
        ("If-Match" = Option<String>, Header, description = "Entity tags of the versions that may be changed, or `*`.")
    ),
    responses(
        (status = 200, description = "The restored task, with its entity tag.", body = TaskDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn restore_task(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let if_match = if_match(&headers);
    let work = set_active(&api.app, &caller.access, &caller.document, true, &if_match, attempt.as_ref());
    run(&api, Class::Write, Noun::Task, work).await.map(Document)
}
