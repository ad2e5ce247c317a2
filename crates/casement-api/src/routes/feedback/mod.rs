//! Links by which customers give feedback, and what their holders may do without a token of an app.

pub mod get;
pub mod give;
pub mod make;
pub mod revoke;

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::address_rate::count;
use crate::answer::Refusal;
use crate::api::Api;
use crate::unsent::Waiting;

/// Whoever has a link. The request has been counted among those of its address; whether there is such a link is not known yet.
#[derive(Debug)]
pub struct Holder {
    /// The stream of the path.
    pub stream: String,
    /// The token of the path.
    pub token: String,
    /// The answers of the connection.
    pub(crate) waiting: Waiting,
}

impl FromRequestParts<Api> for Holder {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        count(parts, api)?;
        // A path that can't be read names no link.
        let mut names: HashMap<String, String> =
            Path::from_request_parts(parts, api).await.map(|Path(names)| names).unwrap_or_default();
        let mut named = |name: &str| names.remove(name).unwrap_or_default();
        Ok(Self {
            stream: named("streamId"),
            token: named("token"),
            waiting: Waiting::of_request(&parts.extensions),
        })
    }
}
