//! `GET /health`: what `/readyz` says, for whoever asks over the control socket.

use axum::Json;
use axum::extract::State;

use crate::control::Control;
use crate::control::document::HealthDocument;
use crate::routes::health::told;

/// Tells whether the server serves.
pub async fn health(State(control): State<Control>) -> Json<HealthDocument> {
    let ready = control.app.is_ready();
    let (store, works, _) = told(control.app.reached_store_state().await);
    let index = if ready { "ready" } else { "building" };
    Json(HealthDocument { serves: ready && works, index: index.to_owned(), store: store.to_owned() })
}
