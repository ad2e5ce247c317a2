//! `listTasks`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::list::search;
use casement_wire::parameters::Listed;
use casement_wire::schema::search::TaskSearchPage;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::list_parameters::TaskList;
use crate::load::Class;
use crate::parameters::{StreamPath, ZoneHeader};
use crate::refusals::ListRefusals;
use crate::routes::{list_asked, run};

/// Lists tasks.
///
/// As searchTasks, asked by parameters. A parameter that is none is a 400. `cursor` goes on behind a page, whatever came or went before it.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/tasks",
    operation_id = "listTasks",
    tag = "tasks",
    params(StreamPath, TaskList, ZoneHeader),
    responses(
        (status = 200, description = "A page of tasks, with exact totals and the cursor of the next page.", body = TaskSearchPage),
        ListRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_tasks(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let asked = list_asked(&uri, Listed::Tasks)?;
    let work = search(&api.app, &caller.access, Listed::Tasks.noun(), asked, caller.zone);
    run(&api, &caller.waiting, Class::List, Listed::Tasks.noun(), work).await.map(json)
}
