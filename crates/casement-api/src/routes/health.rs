//! `/healthz` and `/readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use casement_app::app::StoreState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::tls::CertificateState;

/// The answer of `/healthz`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// The answer of `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `not-ready`.
    status: &'static str,
    /// `ready` or `building`.
    index: &'static str,
    /// `ready`, or `building` while `searchText` gets 503: the words of all documents are still being read.
    search: &'static str,
    /// How much of what is being built is done, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    /// `ready`, `full` (reads go on, writes are refused until there is room), `unreachable` (the database server can't be
    /// reached; the server connects when it can) or `restart-required`.
    store: &'static str,
    /// Only with TLS: `ready`, `missing` (an authority was asked and has given none yet) or `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'static str>,
    /// What to do, when something is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Health {
    /// Says that the server runs.
    pub(crate) fn running() -> Self {
        Self { status: "ok" }
    }
}

impl Readiness {
    /// Says why a server that has not reached its database can't serve yet.
    pub(crate) fn of_start(reason: String) -> Self {
        Self {
            status: "not-ready",
            index: "building",
            search: "building",
            percent: None,
            store: "unreachable",
            certificate: None,
            reason: Some(reason),
        }
    }
}

/// Gives the word for a state of the store, whether requests are served in it, and what is to be done.
pub(crate) fn told(state: StoreState) -> (&'static str, bool, Option<String>) {
    match state {
        StoreState::Ready => ("ready", true, None),
        StoreState::Full(reason) => ("full", true, Some(reason)),
        StoreState::Unreachable(reason) => ("unreachable", false, Some(reason)),
        StoreState::RestartRequired(reason) => ("restart-required", false, Some(reason)),
    }
}

/// Tells that the server runs.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "server",
    responses((status = 200, description = "The server runs.", body = Health))
)]
pub async fn healthz() -> Json<Health> {
    Json(Health::running())
}

/// Tells whether the server can serve: lists can be answered, the store needs no restart, and with TLS there is a certificate.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "server",
    responses(
        (status = 200, description = "The server can serve.", body = Readiness),
        (status = 503, description = "The server can't serve; the answer says why.", body = Readiness)
    )
)]
pub async fn readyz(State(api): State<Api>) -> Response {
    let (store, works, store_reason) = told(api.app.reached_store_state().await);
    let built = api.app.is_ready();
    let (certificate, certificate_reason) = match api.tls.map(|tls| tls.state(api.app.sources().now())) {
        None => (None, None),
        Some(CertificateState::Ready) => (Some("ready"), None),
        Some(CertificateState::Missing) => {
            (Some("missing"), Some("no certificate was had yet; the log says why".to_owned()))
        }
        Some(CertificateState::Expired(until)) => {
            let reason = format!(
                "the certificate expired at {}: clients refuse it until there is another",
                until.iso()
            );
            (Some("expired"), Some(reason))
        }
    };
    let progress = api.app.progress();
    let searches = built && progress.has_words();
    let percent = match (built, searches) {
        (false, _) => Some(progress.lists_percent()),
        (true, false) => Some(progress.words_percent()),
        (true, true) => None,
    };
    // An expired certificate is the clients' to judge.
    let is_ready = built && works && certificate != Some("missing");
    let readiness = Readiness {
        status: if is_ready { "ready" } else { "not-ready" },
        index: if built { "ready" } else { "building" },
        search: if searches { "ready" } else { "building" },
        percent,
        store,
        certificate,
        reason: store_reason
            .or_else(|| (!built).then(|| "the index is being built".to_owned()))
            .or(certificate_reason),
    };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}
