//! `searchCases`.

use axum::extract::State;
use axum::response::Response;
use casement_app::list::search;
use casement_wire::error::Problem;
use casement_wire::schema::search::{CaseSearchBody, CaseSearchPage};
use casement_wire::search::read_search;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::body::OptionalJsonBody;
use crate::load::Class;
use crate::parameters::{StreamPath, ZoneHeader};
use crate::routes::run;

/// Searches cases.
///
/// As getCases, with an expression of the query language, and with where the words of the search stand.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/search",
    operation_id = "searchCases",
    tag = "cases",
    params(
        StreamPath,
        ZoneHeader
    ),
    request_body = CaseSearchBody,
    responses(
        (status = 200, description = "A page of cases, with exact totals.", body = CaseSearchPage),
        (status = 400, description = "Every fault of the request.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No usable token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The stream or the account is not the app's.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The app sends more requests than it may, or its address has too many under way.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The server failed.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again later.", body = Problem, content_type = "application/problem+json")
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn search_cases(
    State(api): State<Api>,
    caller: Caller,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Response, Refusal> {
    let wanted = read_search(&body, Noun::Case);
    let work = search(&api.app, &caller.access, Noun::Case, wanted, caller.zone);
    run(&api, &caller.waiting, Class::List, Noun::Case, work).await.map(json)
}
