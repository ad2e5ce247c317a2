//! `getCase`.

use axum::extract::State;
use axum::http::Uri;
use casement_app::get::{Merged, get};
use casement_wire::document::CaseDoc;
use casement_wire::spelling::Noun;

use crate::answer::{Found, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::{CasePath, ZoneHeader};
use crate::query::Parameters;
use crate::refusals::ReadRefusals;
use crate::routes::{collection, run};

/// Gets a case.
///
/// Deleted ones too, which say so by `isActive`. With `asOf` as it stood at that moment.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}",
    operation_id = "getCase",
    tag = "cases",
    params(
        CasePath,
        ("asOf" = Option<String>, Query, description = "A moment in ISO 8601: the case as it stood then. A 404 when it was made later."),
        ("redirect" = Option<bool>, Query, description = "False: a merged case itself, and not where the case is that goes on."),
        ZoneHeader
    ),
    responses(
        (status = 200, description = "The case, with its entity tag.", body = CaseDoc),
        (status = 308, description = "The case was merged into another: `Location` says where that is.", headers(("Location" = String, description = "The address of the case that goes on."))),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_case(State(api): State<Api>, caller: Caller, uri: Uri) -> Result<Found, Refusal> {
    let mut parameters = Parameters::of(&uri)?;
    let as_of = parameters.moment("asOf", caller.zone);
    let merged = parameters.one_of("redirect", &["true or false"], |word| match word {
        "true" => Some(Merged::Followed),
        "false" => Some(Merged::Shown),
        _ => None,
    });
    parameters.end()?;
    let work = get(
        &api.app,
        &caller.access,
        Noun::Case,
        caller.named("caseId"),
        as_of,
        merged.unwrap_or(Merged::Followed),
    );
    let got = run(&api, &caller.waiting, Class::Read, Noun::Case, work).await?;
    Ok(Found { got, collection: collection(&caller, Noun::Case) })
}
