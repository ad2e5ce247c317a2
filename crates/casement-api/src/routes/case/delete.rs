//! `deleteCase`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::update::set_active;
use casement_wire::document::CaseDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Deletes a case.
///
/// It is kept, can be restored, and is no longer listed. Deleting what is deleted changes nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{streamId}/cases/{caseId}",
    operation_id = "deleteCase",
    tag = "cases",
    params(
        CasePath,
        WriteHeader,
        VersionHeader
    ),
    responses(
        (status = 200, description = "The deleted case, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn delete_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let if_match = if_match(&headers);
    let work =
        set_active(&api.app, &caller.access, caller.named("caseId"), false, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
