//! `listAttachments`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::attachment::content::{AttachmentsQuery, list_attachments as list};
use casement_domain::limits::ID_CHARACTERS_MAX;
use casement_wire::attachment::AttachmentPage;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::limits;
use crate::load::Class;
use crate::parameters::CasePath;
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Lists the files on a case, in the order of their adding.
///
/// Deleted ones are not listed; those of cases that were merged into this one are, each with its own `caseId`. A later page is asked
/// for by `after` with what `next` says. A page may hold fewer than `limit` and have more after it.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/attachments",
    operation_id = "listAttachments",
    tag = "attachments",
    params(
        CasePath,
        ("after" = Option<String>, Query, description = "Only files that were added after the one of this id.", min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$"),
        ("limit" = Option<u64>, Query, description = "The most files; 100 without it.", minimum = 1, maximum = 100)
    ),
    responses(
        (status = 200, description = "A page of files.", body = AttachmentPage),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_attachments(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let mut parameters = Parameters::of(&uri)?;
    let after = parameters.optional_text("after", ID_CHARACTERS_MAX);
    let limit = parameters.number("limit", 1, limits::ATTACHMENTS_PAGE).unwrap_or(limits::ATTACHMENTS_PAGE);
    parameters.end()?;
    let query = AttachmentsQuery { after, limit: usize::try_from(limit).unwrap_or(usize::MAX) };
    let work = list(&api.app, &caller.access, caller.named("caseId"), &query);
    run(&api, &caller.waiting, Class::List, Noun::Case, work).await.map(json)
}
