//! `createCase`.

use axum::extract::State;
use casement_app::case::create::create_case as create;
use casement_wire::case::read_create;
use casement_wire::document::CaseDoc;
use casement_wire::error::Problem;
use casement_wire::schema::CreateCaseBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::routes::run;

/// Creates a case.
///
/// The tasks of its template are made with it, and its customer when it is a new one.
#[utoipa::path(
    post,
    path = "/caseManagement/api/public/analytics/{streamId}/createCase",
    operation_id = "createCase",
    tag = "cases",
    params(
        ("streamId" = String, Path, description = "The stream, such as `st-0193f0a1-…`."),
        ("AccountId" = Option<String>, Header, description = "The account of the stream."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters that name this write: its repetitions within 7 days take no effect and get the first answer."),
        ("X-Timezone-Offset" = Option<String>, Header, description = "Minutes from UTC with the sign of JavaScript's `getTimezoneOffset`: the zone of dates without one. What is no such number counts as UTC."),
        ("bot-language" = Option<String>, Header, description = "The case's language when the body names none.")
    ),
    request_body = CreateCaseBody,
    responses(
        (status = 200, description = "The case as it was made.", body = CaseDoc),
        (status = 400, description = "Every fault of the request.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No usable token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The stream or the account is not the app's.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body took too long.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A request with the same idempotency key is still being carried out.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The configuration forbids it, or the idempotency key was used for another request.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The app sends more requests than it may, or its address has too many under way.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The server failed.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again later.", body = Problem, content_type = "application/problem+json")
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn create_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_create(&object, caller.language.as_deref());
    run(
        &api,
        &caller.waiting,
        Class::Write,
        Noun::Case,
        create(&api.app, &caller.access, &command, caller.zone, attempt.as_ref()),
    )
    .await
    .map(Document)
}
