//! `listCases`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::list::search;
use casement_wire::parameters::Listed;
use casement_wire::schema::search::CaseSearchPage;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::list_parameters::CaseList;
use crate::load::Class;
use crate::parameters::{StreamPath, ZoneHeader};
use crate::refusals::ListRefusals;
use crate::routes::{list_asked, run};

/// Lists cases.
///
/// As searchCases, asked by parameters. A parameter that is none is a 400. `cursor` goes on behind a page, whatever came or went before it.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases",
    operation_id = "listCases",
    tag = "cases",
    params(StreamPath, CaseList, ZoneHeader),
    responses(
        (status = 200, description = "A page of cases, with exact totals and the cursor of the next page.", body = CaseSearchPage),
        ListRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_cases(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let asked = list_asked(&uri, Listed::Cases)?;
    let work = search(&api.app, &caller.access, Listed::Cases.noun(), asked, caller.zone);
    run(&api, &caller.waiting, Class::List, Listed::Cases.noun(), work).await.map(json)
}
