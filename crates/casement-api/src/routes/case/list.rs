//! `getCases`.

use axum::extract::State;
use axum::response::Response;
use casement_app::list::list;
use casement_wire::document::CasePage;
use casement_wire::error::Problem;
use casement_wire::list::read_query;
use casement_wire::schema::CaseListBody;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::AccountCaller;
use crate::body::OptionalJsonBody;
use crate::load::Class;
use crate::routes::run;

/// Lists cases.
///
/// An empty body lists everything, newest first. Conditions of different keys must all hold; within one list any may.
#[utoipa::path(
    post,
    path = "/caseManagement/api/public/analytics/{streamId}/getCases",
    operation_id = "getCases",
    tag = "cases",
    params(
        ("streamId" = String, Path, description = "The stream, such as `st-0193f0a1-…`."),
        ("AccountId" = String, Header, description = "The account of the stream."),
        ("X-Timezone-Offset" = Option<String>, Header, description = "Minutes from UTC with the sign of JavaScript's `getTimezoneOffset`: the zone of dates without one. What is no such number counts as UTC.")
    ),
    request_body = CaseListBody,
    responses(
        (status = 200, description = "A page of cases, with exact totals.", body = CasePage),
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
pub async fn get_cases(
    State(api): State<Api>,
    AccountCaller(caller): AccountCaller,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Response, Refusal> {
    let query = read_query(&body, Noun::Case);
    run(
        &api,
        &caller.waiting,
        Class::List,
        Noun::Case,
        list(&api.app, &caller.access, Noun::Case, query, caller.zone),
    )
    .await
    .map(json)
}
