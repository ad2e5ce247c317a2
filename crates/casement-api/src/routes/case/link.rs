//! `linkCases`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use casement_app::case::change::{CaseChange, change_case};
use casement_wire::document::CaseDoc;
use casement_wire::error::ErrorKind;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, LinkType, OtherCasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, link_type, run};

/// Links a case with another.
///
/// Both sides are told. A case has one parent at most and is never its own ancestor.
#[utoipa::path(
    put,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/links/{otherId}",
    operation_id = "linkCases",
    tag = "cases",
    params(CasePath, OtherCasePath, LinkType, WriteHeader, VersionHeader),
    responses(
        (status = 200, description = "The case, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn link_cases(
    State(api): State<Api>,
    Writer(caller): Writer,
    uri: Uri,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let kind = link_type(&uri)?
        .ok_or_else(|| Refusal::new(ErrorKind::Invalid, "type: is required", Some("type")))?;
    let change = CaseChange::Link { other: caller.named("otherId").to_owned(), kind };
    let (if_match, named) = (if_match(&headers), caller.named("caseId"));
    let work = change_case(&api.app, &caller.access, named, &change, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
