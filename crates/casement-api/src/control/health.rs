//! `GET /health`: what `/readyz` says, for whoever asks over the control socket.

use axum::Json;
use axum::extract::State;
use casement_app::app::StoreState;

use crate::control::Control;
use crate::control::document::HealthDocument;

/// Tells whether the server serves.
pub async fn health(State(control): State<Control>) -> Json<HealthDocument> {
    let ready = control.app.is_ready();
    let (store, works) = match control.app.reached_store_state().await {
        StoreState::Ready => ("ready", true),
        StoreState::Full(_) => ("full", true),
        StoreState::Unreachable(_) => ("unreachable", false),
        StoreState::RestartRequired(_) => ("restart-required", false),
    };
    let index = if ready { "ready" } else { "building" };
    Json(HealthDocument { serves: ready && works, index: index.to_owned(), store: store.to_owned() })
}
