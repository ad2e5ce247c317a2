//! `undoCaseEvent`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::undo::{UndoCommand, undo};
use casement_wire::document::CaseDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Document, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, path_version, run};

/// Undoes one change of a case.
///
/// What the change did is taken back; what others changed since stays. A key that was changed again since is a conflict.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/events/{version}/undo",
    operation_id = "undoCaseEvent",
    tag = "cases",
    params(
        CasePath,
        ("version" = u64, Path, description = "The version that the change made, as its event tells it.", minimum = 1),
        WriteHeader,
        VersionHeader
    ),
    responses(
        (status = 200, description = "The case without the change, with its entity tag.", body = CaseDoc),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn undo_case_event(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Document, Refusal> {
    let version = path_version(&caller)?;
    let command = UndoCommand { noun: Noun::Case, named: caller.named("caseId"), version };
    let if_match = if_match(&headers);
    let work = undo(&api.app, &caller.access, command, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Document)
}
