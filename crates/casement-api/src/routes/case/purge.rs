//! `purgeCase`.

use axum::extract::State;
use axum::http::HeaderMap;
use casement_app::purge::purge;
use casement_wire::spelling::Noun;

use crate::answer::{Purged, Refusal};
use crate::api::Api;
use crate::authentication::Writer;
use crate::body::BareWrite;
use crate::load::Class;
use crate::parameters::{CasePath, VersionHeader, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::{if_match, run};

/// Purges a case for good.
///
/// It must be deleted, or merged into another, before. Its tasks, comments and files go with it, cases that were merged into it too, and what all of them said in the log: what stays is that there was a case of this
/// number, and who purged it when. Nobody can take
/// it back. From then on every request for it is a 404. A purge that was broken off goes on when the request is sent again.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/purge",
    operation_id = "purgeCase",
    tag = "cases",
    params(
        CasePath,
        WriteHeader,
        VersionHeader
    ),
    responses(
        (status = 204, description = "Nothing of the case is left."),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn purge_case(
    State(api): State<Api>,
    Writer(caller): Writer,
    headers: HeaderMap,
    BareWrite { attempt }: BareWrite,
) -> Result<Purged, Refusal> {
    let if_match = if_match(&headers);
    let named = caller.named("caseId");
    let work = purge(&api.app, &caller.access, Noun::Case, named, &if_match, attempt.as_ref());
    run(&api, &caller.waiting, Class::Write, Noun::Case, work).await.map(Purged)
}
