//! `mergeCases`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::change::{CaseChange, change_case};
use casement_wire::document::CaseDoc;
use casement_wire::relation::read_merge;
use casement_wire::schema::relation::MergeBody;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::WriteBody;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Merges a case into another.
///
/// The other goes on with the tasks and watchers of both, and shows the comments and files of both. The merged case keeps everything else under its own id, is no longer listed and can't change any more; this can't be undone.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/merge",
    operation_id = "mergeCases",
    tag = "cases",
    params(CasePath, WriteHeader, VersionHeader),
    request_body = MergeBody,
    responses(
        (status = 200, description = "The case that goes on, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn merge_cases(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    WriteBody { object, attempt }: WriteBody,
) -> Result<Document, Refusal> {
    let change = CaseChange::Merge(read_merge(&object));
    let (if_match, named) = (if_match(&headers), caller.named("caseId"));
    let work = change_case(&api.app, &caller.access, named, &change, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
