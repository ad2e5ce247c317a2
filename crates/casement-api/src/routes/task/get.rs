//! `getTask`.

use axum::extract::State;
use axum::http::Uri;
use casement_app::get::get;
use casement_wire::document::TaskDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Gets a task.
///
/// Deleted ones too, which say so by `isActive`. With `asOf` as it stood at that moment.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}",
    operation_id = "getTask",
    tag = "tasks",
    params(
        ("streamId" = String, Path, description = "The stream, such as `st-0193f0a1-…`."),
        ("taskId" = String, Path, description = "The id or the reference id of the task."),
        ("asOf" = Option<String>, Query, description = "A moment in ISO 8601: the task as it stood then. A 404 when it was made later."),
        ("X-Timezone-Offset" = Option<String>, Header, description = "Minutes from UTC with the sign of JavaScript's `getTimezoneOffset`: the zone of dates without one. What is no such number counts as UTC.")
    ),
    responses(
        (status = 200, description = "The task, with its entity tag.", body = TaskDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_task(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Document, Refusal> {
    let mut parameters = Parameters::of(&uri)?;
    let as_of = parameters.moment("asOf", caller.zone);
    parameters.end()?;
    let work = get(&api.app, &caller.access, Noun::Task, &caller.document, as_of);
    run(&api, Class::Read, Noun::Task, work).await.map(Document)
}
