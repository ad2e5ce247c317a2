//! `listWatchers`.

use axum::extract::State;
use casement_app::case::relation::watchers;
use casement_wire::relation::WatchersDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::CasePath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Lists the agents who watch a case.
///
/// In the order of their coming.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/watchers",
    operation_id = "listWatchers",
    tag = "cases",
    params(CasePath),
    responses(
        (status = 200, description = "The agents, with the entity tag of the case.", body = WatchersDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_watchers(State(api): State<Api>, caller: Caller) -> Result<Document, Refusal> {
    let work = watchers(&api.app, &caller.access, caller.named("caseId"));
    run(&api, &caller.waiting, Class::Read, Noun::Case, work).await.map(Document)
}
