//! Requests to other servers: a client with timers, limits and the roots that it trusts.
//!
//! Certificate authorities and collectors of traces are asked through it. It follows no redirects and knows no proxy.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::limits;

/// Whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those that the machine trusts.
    System,
    /// Those of a PEM file, and no others.
    File(PathBuf),
}

/// A request that was not answered, or a client that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The roots can't be read.
    #[error("{0}")]
    Roots(String),
    /// No answer, or one that can't be read.
    #[error("{host}: {reason}")]
    Unanswered {
        /// Who was asked.
        host: String,
        /// Why, with all that led to it.
        reason: String,
    },
}

/// A client. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Outbound {
    /// Makes a client that waits so long for a whole answer.
    ///
    /// # Errors
    /// There are no roots, or they can't be read.
    pub fn new(roots: &Roots, timeout: Duration) -> Result<Self, OutboundError> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| OutboundError::Roots(error.to_string()))?
            .with_root_certificates(store(roots)?)
            .with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(limits::OUTBOUND_IDLE_TIMEOUT)
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_max_idle_per_host(limits::OUTBOUND_IDLE_CONNECTIONS_MAX)
            .build(connector);
        Ok(Self { client, timeout })
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// There was no answer in time, or it is longer than [`limits::OUTBOUND_BODY_BYTES_MAX`].
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, OutboundError> {
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let unanswered = |reason| OutboundError::Unanswered { host: host.clone(), reason };
        let answering = async {
            let answer = self.client.request(request).await.map_err(|error| told(&error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, limits::OUTBOUND_BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|error| told(error.as_ref()))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        match tokio::time::timeout(self.timeout, answering).await {
            Ok(answer) => answer.map_err(unanswered),
            Err(_) => Err(unanswered(format!("no answer within {} s", self.timeout.as_secs()))),
        }
    }
}

/// An error with all that led to it, in one line.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn store(roots: &Roots) -> Result<RootCertStore, OutboundError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            let (taken, _) = store.add_parsable_certificates(found.certs);
            if taken == 0 {
                let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                return Err(OutboundError::Roots(format!(
                    "this machine has no root certificates (install ca-certificates, or name a file of roots) {}",
                    errors.join("; ")
                )));
            }
        }
        Roots::File(path) => {
            for root in read(path)? {
                store.add(root).map_err(|error| unusable(path, &error.to_string()))?;
            }
            if store.is_empty() {
                return Err(unusable(path, "there is none in it"));
            }
        }
    }
    Ok(store)
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, OutboundError> {
    let bytes = std::fs::read(path)
        .map_err(|error| OutboundError::Roots(format!("can't read {}: {error}", path.display())))?;
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(path, &error.to_string()))
}

fn unusable(path: &Path, reason: &str) -> OutboundError {
    OutboundError::Roots(format!("{} holds no usable root certificate: {reason}", path.display()))
}
