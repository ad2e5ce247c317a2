//! `unwatchCase`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::case::change::{CaseChange, change_case};
use casement_domain::case::watch::{Watch, Watching};
use casement_wire::document::CaseDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WatcherPath, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Ends that an agent watches a case.
///
/// Who does not watch it stays so.
#[utoipa::path(
    delete,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/watchers/{agentId}",
    operation_id = "unwatchCase",
    tag = "cases",
    params(CasePath, WatcherPath, WriteHeader, VersionHeader),
    responses(
        (status = 200, description = "The case, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn unwatch_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let watch = Watch { agent: caller.named("agentId").to_owned(), watching: Watching::End };
    let (change, if_match) = (CaseChange::Watch(watch), if_match(&headers));
    let named = caller.named("caseId");
    let work = change_case(&api.app, &caller.access, named, &change, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
