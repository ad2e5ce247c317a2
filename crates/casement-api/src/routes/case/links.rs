//! `listLinks`.

use axum::extract::State;
use casement_app::case::relation::links;
use casement_wire::relation::LinksDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::CasePath;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Lists the cases that a case is linked with.
///
/// Each with what it is to this one.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/links",
    operation_id = "listLinks",
    tag = "cases",
    params(CasePath),
    responses(
        (status = 200, description = "The links, with the entity tag of the case.", body = LinksDoc),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_links(State(api): State<Api>, caller: Caller) -> Result<Document, Refusal> {
    let work = links(&api.app, &caller.access, caller.named("caseId"));
    run(&api, &caller.waiting, Class::Read, Noun::Case, work).await.map(Document)
}
