//! `postTask`.

use axum::extract::State;
use casement_app::task::create::create_task_of as create;
use casement_wire::document::TaskDoc;
use casement_wire::schema::relation::PostTaskBody;
use casement_wire::spelling::Noun;
use casement_wire::task::read_create;

use crate::answer::{Created, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, WriteHeader, ZoneHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{collection, run};

/// Creates a task of a case.
///
/// As createTask, without `caseId` and `caseRefId`; the answer is 201 and says in `Location` where the task is.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/tasks",
    operation_id = "postTask",
    tag = "tasks",
    params(CasePath, WriteHeader, ZoneHeader),
    request_body = PostTaskBody,
    responses(
        (status = 201, description = "The task as it was made.", body = TaskDoc, headers(
            ("Location" = String, description = "The address of the task."),
            ("ETag" = String, description = "Its version.")
        )),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn post_task(
    State(api): State<Api>,
    Writer(caller): Writer,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Created, Refusal> {
    let (command, case) = (read_create(&object), caller.named("caseId"));
    let work = create(&api.app, &caller.access, case, command, caller.zone, attempt.as_ref());
    let rendered = run(&api, &caller.waiting, Class::Write, Noun::Task, work).await?;
    Ok(Created { rendered, collection: collection(&caller, Noun::Task) })
}
