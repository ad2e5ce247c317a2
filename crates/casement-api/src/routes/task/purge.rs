//! `purgeTask`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::purge::purge;
use casement_wire::spelling::Noun;

use crate::answer::{Purged, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{TaskPath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Purges a task for good.
///
/// It must be deleted before, whatever its case is. What it said in the log goes with it: what stays is that there was a task of this number, and who purged it when. Nobody can take
/// it back. From then on every request for it is a 404. A purge that was broken off goes on when the request is sent again.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/tasks/{taskId}/purge",
    operation_id = "purgeTask",
    tag = "tasks",
    params(
        TaskPath,
        WriteHeader,
        VersionHeader
    ),
    responses(
        (status = 204, description = "Nothing of the task is left."),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn purge_task(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Purged, Refusal> {
    let if_match = if_match(&headers);
    let named = caller.named("taskId");
    let work = purge(&api.app, &caller.access, Noun::Task, named, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Task, work).await.map(Purged)
}
