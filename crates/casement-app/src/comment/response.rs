//! Standard responses: listing them, and rendering one for a case without writing anything.

use bytes::Bytes;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::rich_text;
use casement_domain::text::fold_case;
use casement_domain::workspace::Reference;
use casement_domain::workspace::response::{StandardResponse, Values};
use casement_wire::comment::{write_rendered_response, write_standard_responses};

use crate::access::Access;
use crate::app::App;
use crate::comment::off_the_runtime;
use crate::commit::Reads;
use crate::error::AppError;
use crate::limits;

/// Which page of the standard responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsesQuery {
    /// Only those whose names come after this one, in any case; `None`: from the first.
    pub after: Option<String>,
    /// The most standard responses.
    pub limit: usize,
}

/// Lists the standard responses that may be used, by name: a page ends early where their texts are long. A name is unique, so
/// whatever is added, renamed or deleted meanwhile, the others are seen once.
///
/// # Errors
/// The index is still being built.
pub async fn list_standard_responses(
    app: &App,
    access: &Access,
    query: &ResponsesQuery,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let config = access.workspace.config();
    let after = query.after.as_deref().map(fold_case);
    let mut usable: Vec<(String, &StandardResponse)> = config
        .standard_responses
        .iter()
        .filter(|response| response.is_usable())
        .map(|response| (fold_case(&response.name), response))
        .filter(|(name, _)| after.as_ref().is_none_or(|after| name > after))
        .collect();
    usable.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut bytes = 0;
    let page = usable.iter().take(query.limit).take_while(|(_, response)| {
        let is_room = bytes <= limits::RESPONSES_PAGE_BYTES;
        bytes += response.text.len();
        is_room
    });
    let page: Vec<&StandardResponse> = page.map(|(_, response)| *response).collect();
    Ok(Bytes::from(write_standard_responses(&page, page.len() < usable.len())))
}

/// Renders a standard response, by id or name, as whoever asks would send it on a case. Nothing is written.
///
/// # Errors
/// There is no such case or standard response, it is switched off, or nothing is known for one of its placeholders.
pub async fn render_standard_response(
    app: &App,
    access: &Access,
    case: &str,
    named: &str,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let config = access.workspace.config();
    let case = app.case_named(access, case, &mut Reads::default()).await?;
    let response = config.find_standard_response(&Reference::Either(named.to_owned()));
    let response = response.ok_or_else(|| {
        refused(FaultKind::NotFound, Key::Body, "there is no such standard response".to_owned())
    })?;
    let unprocessable = |message| refused(FaultKind::Unprocessable, Key::StandardResponse, message);
    if !response.is_usable() {
        return Err(unprocessable("the standard response is switched off".to_owned()));
    }
    let text = response.render(&Values::of(&case, &config, &access.actor)).map_err(unprocessable)?;
    let (format, source) = (response.format, text.clone());
    let html = off_the_runtime(move || rich_text::render(format, &source)).await?;
    let html = html.map_err(|unclean| unprocessable(unclean.sentence()))?;
    Ok(Bytes::from(write_rendered_response(format, &text, &html)))
}

fn refused(kind: FaultKind, key: Key, message: String) -> AppError {
    let mut faults = Faults::new();
    faults.add(kind, key, message);
    AppError::Refused(faults)
}
