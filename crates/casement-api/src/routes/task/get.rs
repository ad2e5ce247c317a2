//! `getTask`.

use axum::extract::State;
use axum::http::Uri;
use casement_app::get::{Merged, get};
use casement_wire::document::TaskDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Found, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::{TaskPath, ZoneHeader};
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::{collection, run};

/// Gets a task.
///
/// Deleted ones too, which say so by `isActive`. With `asOf` as it stood at that moment.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}",
    operation_id = "getTask",
    tag = "tasks",
    params(
        TaskPath,
        ("asOf" = Option<String>, Query, description = "A moment in ISO 8601: the task as it stood then. A 404 when it was made later."),
        ZoneHeader
    ),
    responses(
        (status = 200, description = "The task, with its entity tag.", body = TaskDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_task(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Found, Refusal> {
    let mut parameters = Parameters::of(&uri)?;
    let as_of = parameters.moment("asOf", caller.zone);
    parameters.end()?;
    let work = get(&api.app, &caller.access, Noun::Task, caller.named("taskId"), as_of, Merged::Shown);
    run(&api, &caller.waiting, Class::Read, Noun::Task, work)
        .await
        .map(|got| Found { got, collection: collection(&caller, Noun::Case) })
}
