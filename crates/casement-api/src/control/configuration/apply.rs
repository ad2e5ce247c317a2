//! `PUT /configuration`: makes the configuration of a workspace as a document says.

use axum::Json;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use bytes::Bytes;
use casement_app::configuration::apply::{Run, apply};
use casement_wire::error::ErrorKind;

use crate::answer::Refusal;
use crate::control::Control;
use crate::control::configuration::{ConfigurationQuery, refusal, unreadable};
use crate::control::document::AppliedDocument;

/// Applies a configuration document, or tells what it would change.
pub async fn apply_configuration(
    State(control): State<Control>,
    query: Result<Query<ConfigurationQuery>, QueryRejection>,
    document: Result<Bytes, BytesRejection>,
) -> Result<Json<AppliedDocument>, Refusal> {
    let Query(query) = query.map_err(unreadable)?;
    let document = document
        .map_err(|error| Refusal::new(ErrorKind::BodyTooLarge, &format!("the document: {error}"), None))?;
    let run = if query.dry_run { Run::Dry } else { Run::Real };
    let entries = apply(&control.app, query.stream.as_deref(), &document, run).await.map_err(refusal)?;
    Ok(Json(AppliedDocument::of(&entries, query.dry_run)))
}
