//! `listCaseTasks`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::list::tasks_of_case;
use casement_wire::parameters::Listed;
use casement_wire::schema::search::TaskSearchPage;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::list_parameters::CaseTaskList;
use crate::load::Class;
use crate::parameters::{CasePath, ZoneHeader};
use crate::refusals::ReadRefusals;
use crate::routes::{list_asked, run};

/// Lists the tasks of a case.
///
/// As listTasks. Tasks of a deleted case are not listed.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/tasks",
    operation_id = "listCaseTasks",
    tag = "tasks",
    params(CasePath, CaseTaskList, ZoneHeader),
    responses(
        (status = 200, description = "A page of tasks, with exact totals and the cursor of the next page.", body = TaskSearchPage),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_case_tasks(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let asked = list_asked(&uri, Listed::TasksOfCase)?;
    let work = tasks_of_case(&api.app, &caller.access, caller.named("caseId"), asked, caller.zone);
    run(&api, &caller.waiting, Class::List, Listed::TasksOfCase.noun(), work).await.map(json)
}
