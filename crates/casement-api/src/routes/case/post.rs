//! `postCase`.

use axum::extract::State;
use casement_app::case::create::create_case as create;
use casement_wire::case::read_create;
use casement_wire::document::CaseDoc;
use casement_wire::schema::CreateCaseBody;
use casement_wire::spelling::Noun;

use crate::answer::{Created, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{StreamPath, WriteHeader, ZoneHeader};
use crate::refusals::CreateRefusals;
use crate::routes::{collection, run};

/// Creates a case.
///
/// As createCase; the answer is 201 and says in `Location` where the case is.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases",
    operation_id = "postCase",
    tag = "cases",
    params(StreamPath, WriteHeader, ZoneHeader),
    request_body = CreateCaseBody,
    responses(
        (status = 201, description = "The case as it was made.", body = CaseDoc, headers(
            ("Location" = String, description = "The address of the case."),
            ("ETag" = String, description = "Its version.")
        )),
        CreateRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn post_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Created, Refusal> {
    let command = read_create(&object, caller.language.as_deref());
    let work = create(&api.app, &caller.access, &command, caller.zone, attempt.as_ref());
    let rendered = run(&api, &caller.waiting, Class::Write, Noun::Case, work).await?;
    Ok(Created { rendered, collection: collection(&caller, Noun::Case) })
}
