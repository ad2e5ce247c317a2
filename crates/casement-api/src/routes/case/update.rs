//! `updateCase`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::update::update_case as update;
use casement_wire::case::read_update_case;
use casement_wire::document::CaseDoc;
use casement_wire::error::Problem;
use casement_wire::schema::UpdateCaseBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::AccountWriter;
use crate::body::WriteBody;
use crate::load::Class;
use crate::routes::{if_match, run};

/// Updates a case.
///
/// What the body does not name stays. A whole document that was read before may be sent back with changes. An update that changes nothing makes no event.
#[utoipa::path(
    post,
    path = "/caseManagement/api/public/analytics/{streamId}/updateCase/{caseId}",
    operation_id = "updateCase",
    tag = "cases",
    params(
        ("streamId" = String, Path, description = "The stream, such as `st-0193f0a1-…`."),
        ("caseId" = String, Path, description = "The id of the case."),
        ("AccountId" = String, Header, description = "The account of the stream."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters that name this write: its repetitions within 7 days take no effect and get the first answer."),
        ("X-Timezone-Offset" = Option<String>, Header, description = "Minutes from UTC with the sign of JavaScript's `getTimezoneOffset`: the zone of dates without one. What is no such number counts as UTC."),
        ("If-Match" = Option<String>, Header, description = "Entity tags of the versions that may be updated, or `*`.")
    ),
    request_body = UpdateCaseBody,
    responses(
        (status = 200, description = "The case after the update.", body = CaseDoc),
        (status = 400, description = "Every fault of the request.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No usable token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The stream or the account is not the app's.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such document.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The request conflicts with what is stored.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "The document has another version than `If-Match` names.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The configuration forbids it, or the idempotency key was used for another request.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The app sends more requests than it may, or its address has too many under way.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The server failed.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again later.", body = Problem, content_type = "application/problem+json")
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn update_case(
    State(api): State<Api>,
    AccountWriter(caller): AccountWriter,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_update_case(&object);
    let if_match = if_match(&headers);
    let work = update(
        &api.app,
        &caller.access,
        caller.named("caseId"),
        &command,
        &if_match,
        caller.zone,
        attempt.as_ref(),
    );
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
