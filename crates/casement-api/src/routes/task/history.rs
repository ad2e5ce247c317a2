//! `listTaskEvents`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::history::history;
use casement_wire::history::HistoryPage;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::TaskPath;
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::{history_query, run};

/// Lists what happened to a task, newest first.
///
/// Each event tells who did it, when, through which app, and which keys changed from what to what.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/events",
    operation_id = "listTaskEvents",
    tag = "tasks",
    params(
        TaskPath,
        ("before" = Option<u64>, Query, description = "Only events that made an earlier version than this.", minimum = 1),
        ("limit" = Option<u64>, Query, description = "The most events; 50 without it.", minimum = 1, maximum = 100)
    ),
    responses(
        (status = 200, description = "A page of events.", body = HistoryPage),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_task_events(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let query = history_query(Parameters::of(&uri)?)?;
    let work = history(&api.app, &caller.access, Noun::Task, caller.named("taskId"), query);
    run(&api, &caller.waiting, Class::List, Noun::Task, work).await.map(json)
}
