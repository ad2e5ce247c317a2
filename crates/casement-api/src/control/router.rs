//! The routes of the control API, and the line in the log that each command leaves.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use casement_app::app::App;
use tower_http::catch_panic::CatchPanicLayer;

use crate::answer::{Cause, no_method, no_route};
use crate::control::Control;
use crate::control::app::create::create_app;
use crate::control::app::list::list_apps;
use crate::control::app::revoke::revoke_app;
use crate::control::app::rotate::rotate_app;
use crate::control::app::show::show_app;
use crate::control::backup::{back_up, forget_backup};
use crate::control::configuration::apply::apply_configuration;
use crate::control::configuration::show::show_configuration;
use crate::control::health::health;
use crate::control::key;
use crate::limits;
use crate::router::answer_panic;

/// Makes the router of the control API.
pub fn control_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/apps", get(list_apps).post(create_app))
        .route("/apps/{clientId}", get(show_app))
        .route("/apps/{clientId}/rotate", post(rotate_app))
        .route("/apps/{clientId}/revoke", post(revoke_app))
        .route("/configuration", get(show_configuration).put(apply_configuration))
        .route("/backup", post(back_up))
        .route("/backup/forget", post(forget_backup))
        .route("/health", get(health))
        .route("/key/rotate", post(key::rotate))
        .layer(DefaultBodyLimit::max(limits::CONTROL_BODY_BYTES_MAX))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn(log))
        .with_state(Control { app })
}

/// Logs each command: an operator's act is rare and worth a line.
async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status().as_u16();
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => tracing::error!(%method, route, status, cause, "a control command failed"),
        // Asked again and again.
        None if route == "/health" => {
            tracing::debug!(%method, route, status, "a control command was answered")
        }
        None => tracing::info!(%method, route, status, "a control command was answered"),
    }
    response
}
