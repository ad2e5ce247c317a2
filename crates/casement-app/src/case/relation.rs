//! Who watches a case, and which cases it is linked with.

use bytes::Bytes;
use casement_domain::case::Case;
use casement_domain::case::link::LinkKind;
use casement_domain::version::Versioned;
use casement_wire::relation::{Linked, write_links, write_watchers};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::Reads;
use crate::document::Rendered;
use crate::error::AppError;

/// Gives the agents who watch a case that is named by id or reference id, with the version of the case.
///
/// # Errors
/// There is no such case, or the store can't be read.
pub async fn watchers(app: &App, access: &Access, named: &str) -> Result<Rendered, AppError> {
    let case = named_case(app, access, named).await?;
    let body = Bytes::from(write_watchers(&case.value.watchers, &access.workspace.config()));
    Ok(Rendered { body, version: case.version, is_replayed: false })
}

/// Gives the cases that a case is linked with, which is named by id or reference id, with its version.
///
/// # Errors
/// As [`watchers`].
pub async fn links(app: &App, access: &Access, named: &str) -> Result<Rendered, AppError> {
    let case = named_case(app, access, named).await?;
    let links = case.value.links.iter().map(|link| (Some(link.kind), &link.case));
    let into = case.value.merged_into.iter().map(|into| (None::<LinkKind>, &into.case));
    let wanted: Vec<_> = links.chain(into).collect();
    let mut ids: Vec<String> = wanted.iter().map(|(_, id)| id.to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    let documents = app.store().documents(access.workspace.id(), body::CASE, &ids).await?;
    let mut linked = Vec::with_capacity(wanted.len());
    for (kind, id) in wanted {
        let document = documents.iter().find(|document| document.id == id.as_str());
        if let Some(other) = body::found(document, body::decode_case)? {
            linked.push(Linked { kind, case: other.value, number: other.number.unwrap_or_default() });
        }
    }
    let body = Bytes::from(write_links(&linked, &access.workspace.config()));
    Ok(Rendered { body, version: case.version, is_replayed: false })
}

async fn named_case(app: &App, access: &Access, named: &str) -> Result<Versioned<Case>, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, Noun::Case, named);
    let case = app.case(access.workspace.id(), &id, &mut Reads::default()).await?;
    case.ok_or(AppError::NotFound)
}
