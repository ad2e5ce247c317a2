//! `GET /configuration`: shows the configuration of a workspace.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use casement_app::configuration::show::show;

use crate::answer::{Refusal, json};
use crate::control::Control;
use crate::control::configuration::{ConfigurationQuery, refusal, unreadable};

/// Shows the whole configuration as the document that makes it so.
pub async fn show_configuration(
    State(control): State<Control>,
    query: Result<Query<ConfigurationQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(unreadable)?;
    let document = show(&control.app, query.stream.as_deref()).map_err(refusal)?;
    Ok(json(Bytes::from(document)))
}
