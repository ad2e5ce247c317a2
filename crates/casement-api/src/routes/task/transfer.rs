//! `transferTask`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::task::transfer::transfer_task as transfer;
use casement_wire::document::TaskDoc;
use casement_wire::relation::read_transfer;
use casement_wire::schema::relation::TransferBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{TaskPath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Transfers a task.
///
/// To an agent, to a queue, or to nobody, under the rules of an update's assignment. Its event tells the note.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/transfer",
    operation_id = "transferTask",
    tag = "tasks",
    params(TaskPath, WriteHeader, VersionHeader),
    request_body = TransferBody,
    responses(
        (status = 200, description = "The task after the transfer, with its entity tag.", body = TaskDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn transfer_task(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_transfer(&object, Noun::Task);
    let (if_match, named) = (if_match(&headers), caller.named("taskId"));
    let work = transfer(&api.app, &caller.access, named, &command, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Task, work).await.map(Document)
}
