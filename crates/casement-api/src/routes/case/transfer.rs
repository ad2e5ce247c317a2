//! `transferCase`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::change::{CaseChange, change_case};
use casement_wire::document::CaseDoc;
use casement_wire::relation::read_transfer;
use casement_wire::schema::relation::TransferBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Transfers a case.
///
/// To an agent, to a queue, or to nobody, under the rules of an update's assignment. Its event tells the note.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/transfer",
    operation_id = "transferCase",
    tag = "cases",
    params(CasePath, WriteHeader, VersionHeader),
    request_body = TransferBody,
    responses(
        (status = 200, description = "The case after the transfer, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn transfer_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let change = CaseChange::Transfer(read_transfer(&object, Noun::Case));
    let (if_match, named) = (if_match(&headers), caller.named("caseId"));
    let work = change_case(&api.app, &caller.access, named, &change, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
