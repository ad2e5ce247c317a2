//! `unlinkCases`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use casement_app::case::change::{CaseChange, change_case};
use casement_wire::document::CaseDoc;

use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, OptionalLinkType, OtherCasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, link_type, run};

/// Ends the links of a case with another.
///
/// Those of a type, or all but those that a merge made.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/links/{otherId}",
    operation_id = "unlinkCases",
    tag = "cases",
    params(CasePath, OtherCasePath, OptionalLinkType, WriteHeader, VersionHeader),
    responses(
        (status = 200, description = "The case, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn unlink_cases(
    State(api): State<Api>,
    Writer(caller): Writer,
    uri: Uri,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let kind = link_type(&uri)?;
    let change = CaseChange::Unlink { other: caller.named("otherId").to_owned(), kind };
    let (if_match, named) = (if_match(&headers), caller.named("caseId"));
    let work = change_case(&api.app, &caller.access, named, &change, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
