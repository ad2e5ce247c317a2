//! `patchCase`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::update::patch_case as patch;
use casement_wire::case::read_update_case;
use casement_wire::document::CaseDoc;
use casement_wire::schema::UpdateCaseBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader, ZoneHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Changes a case.
///
/// As updateCase: what the body does not name stays, `null` clears where something may be absent.
#[utoipa::path(
    patch,
    path = "/api/v1/streams/{streamId}/cases/{caseId}",
    operation_id = "patchCase",
    tag = "cases",
    params(
        CasePath,
        WriteHeader,
        ZoneHeader,
        VersionHeader
    ),
    request_body = UpdateCaseBody,
    responses(
        (status = 200, description = "The case after the change, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn patch_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let command = read_update_case(&object);
    let if_match = if_match(&headers);
    let (access, zone) = (&caller.access, caller.zone);
    let work = patch(&api.app, access, caller.named("caseId"), &command, &if_match, zone, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
