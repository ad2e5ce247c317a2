//! `/metrics`: the page that Prometheus reads, on a listener of its own or, for this machine alone, on the main one.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, FORWARDED};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::answer::{no_method, no_route};
use crate::client::Peer;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Where the page comes from.
#[derive(Clone)]
pub struct Metrics(Arc<dyn Fn() -> String + Send + Sync>);

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Takes what renders the page.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }

    fn page(&self) -> Response {
        let mut response = (self.0)().into_response();
        response.headers_mut().insert(CONTENT_TYPE, TEXT);
        response
    }
}

/// Makes the router of the listener of its own.
pub fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(async |State(metrics): State<Metrics>| metrics.page()))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(metrics)
}

/// Makes the route on the main listener. It answers this machine alone, and no proxy: to anybody else there is no such
/// route.
pub(crate) fn local_route<S: Clone + Send + Sync + 'static>(metrics: Metrics) -> Router<S> {
    Router::new().route("/metrics", get(local)).with_state(metrics)
}

async fn local(State(metrics): State<Metrics>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>();
    let is_local = peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    if is_local && !is_passed_on(request.headers()) {
        metrics.page()
    } else {
        no_route().await.into_response()
    }
}

fn is_passed_on(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for") || headers.contains_key("via")
}
