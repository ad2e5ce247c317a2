//! `listStandardResponses`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use casement_app::comment::response::{ResponsesQuery, list_standard_responses as list};
use casement_domain::limits::ENTRY_NAME_CHARACTERS_MAX;
use casement_wire::comment::StandardResponsePage;
use casement_wire::spelling::Noun;

use crate::answer::{Refusal, json};
use crate::api::Api;
use crate::authentication::Caller;
use crate::limits;
use crate::load::Class;
use crate::parameters::StreamPath;
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::run;

/// Lists the standard responses that may be used, by name.
///
/// A later page is asked for by `after` with what `next` says. A page may hold fewer than `limit` and have more after it.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/standard-responses",
    operation_id = "listStandardResponses",
    tag = "comments",
    params(
        StreamPath,
        ("after" = Option<String>, Query, description = "Only those whose names come after this one, in any case.", min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$"),
        ("limit" = Option<u64>, Query, description = "The most standard responses; 100 without it.", minimum = 1, maximum = 100)
    ),
    responses(
        (status = 200, description = "A page of them.", body = StandardResponsePage),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn list_standard_responses(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let mut parameters = Parameters::of(&uri)?;
    let after = parameters.optional_text("after", ENTRY_NAME_CHARACTERS_MAX);
    let limit = parameters.number("limit", 1, limits::RESPONSES_PAGE).unwrap_or(limits::RESPONSES_PAGE);
    parameters.end()?;
    let query = ResponsesQuery { after, limit: usize::try_from(limit).unwrap_or(usize::MAX) };
    run(&api, &caller.waiting, Class::List, Noun::Case, list(&api.app, &caller.access, &query))
        .await
        .map(json)
}
