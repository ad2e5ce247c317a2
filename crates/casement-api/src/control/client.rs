//! The other end of the control API, for the command line: over the socket of a running server, or through a router in
//! its own process when none runs.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::control::document::{
    AppDocument, AppliedDocument, AppsDocument, BackupBody, BackupDocument, CreateAppBody, ForgetBackupBody,
    HealthDocument, NothingDocument, RotateAppBody, RotatedKeyDocument,
};
use crate::limits;

/// Where commands go.
#[derive(Debug)]
pub enum Client {
    /// To a running server.
    Server(UnixStream),
    /// To a router in this process, which holds the data directory itself.
    Here(Router),
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was refused.
    #[error("{}", .0.join("; "))]
    Refused(Vec<String>),
    /// The server went away, or its answer can't be read. Whether the command was carried out is not known.
    #[error("the answer of the server can't be read ({0}); look before you try again")]
    Broken(String),
}

impl CommandError {
    fn broken(error: impl std::fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Client {
    /// Makes an app.
    ///
    /// # Errors
    /// The command was refused, or its outcome is not known.
    pub async fn create_app(self, body: &CreateAppBody) -> Result<AppDocument, CommandError> {
        self.post("/apps", body).await
    }

    /// Lists all apps.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn list_apps(self) -> Result<AppsDocument, CommandError> {
        self.ask(Method::GET, "/apps", Bytes::new()).await
    }

    /// Shows an app.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn show_app(self, client_id: &str) -> Result<AppDocument, CommandError> {
        self.ask(Method::GET, &format!("/apps/{}", segment(client_id)), Bytes::new()).await
    }

    /// Gives an app another key.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn rotate_app(
        self,
        client_id: &str,
        body: &RotateAppBody,
    ) -> Result<AppDocument, CommandError> {
        self.post(&format!("/apps/{}/rotate", segment(client_id)), body).await
    }

    /// Revokes an app.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn revoke_app(self, client_id: &str) -> Result<AppDocument, CommandError> {
        self.ask(Method::POST, &format!("/apps/{}/revoke", segment(client_id)), Bytes::new()).await
    }

    /// Shows the configuration of a workspace; `stream` may be absent where there is one.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn show_configuration(self, stream: Option<&str>) -> Result<Value, CommandError> {
        self.ask(Method::GET, &configuration_path(stream, false), Bytes::new()).await
    }

    /// Makes the configuration of a workspace as a document says, or tells what it would change.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn apply_configuration(
        self,
        stream: Option<&str>,
        document: Vec<u8>,
        dry_run: bool,
    ) -> Result<AppliedDocument, CommandError> {
        self.ask(Method::PUT, &configuration_path(stream, dry_run), document.into()).await
    }

    /// Runs a backup. Waits until it has ended.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn back_up(self, body: &BackupBody) -> Result<BackupDocument, CommandError> {
        self.post("/backup", body).await
    }

    /// Ends a backup.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn forget_backup(self, body: &ForgetBackupBody) -> Result<NothingDocument, CommandError> {
        self.post("/backup/forget", body).await
    }

    /// Asks whether the server serves.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn health(self) -> Result<HealthDocument, CommandError> {
        self.ask(Method::GET, "/health", Bytes::new()).await
    }

    /// Puts another key for what is sealed in place. Waits until everything is sealed anew.
    ///
    /// # Errors
    /// As [`Client::create_app`].
    pub async fn rotate_key(self) -> Result<RotatedKeyDocument, CommandError> {
        self.ask(Method::POST, "/key/rotate", Bytes::new()).await
    }

    async fn post<T: DeserializeOwned>(self, path: &str, body: &impl Serialize) -> Result<T, CommandError> {
        let body = serde_json::to_vec(body).map_err(CommandError::broken)?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<T: DeserializeOwned>(
        self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, CommandError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(CommandError::broken)?;
        let response = match self {
            Self::Server(stream) => over_socket(stream, request).await?.map(Body::new),
            Self::Here(router) => {
                let Ok(response) = TowerToHyperService::new(router).call(request.map(Body::new)).await;
                response
            }
        };
        let (parts, body) = response.into_parts();
        let bytes = Limited::new(body, limits::CONTROL_ANSWER_BYTES_MAX).collect().await;
        let bytes = bytes.map_err(CommandError::broken)?.to_bytes();
        if parts.status == StatusCode::OK {
            return serde_json::from_slice(&bytes).map_err(CommandError::broken);
        }
        Err(refused(&bytes).unwrap_or_else(|| CommandError::Broken(format!("status {}", parts.status))))
    }
}

async fn over_socket(
    stream: UnixStream,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, CommandError> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(CommandError::broken)?;
    // It ends with the answer; an error of it shows in the answer.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(CommandError::broken)
}

/// Reads the sentences of a problem.
fn refused(bytes: &[u8]) -> Option<CommandError> {
    let problem: Value = serde_json::from_slice(bytes).ok()?;
    let sentences: Option<Vec<String>> = problem
        .get("errors")?
        .as_array()?
        .iter()
        .map(|entry| entry.get("msg").and_then(Value::as_str).map(str::to_owned))
        .collect();
    sentences.filter(|sentences| !sentences.is_empty()).map(CommandError::Refused)
}

fn configuration_path(stream: Option<&str>, dry_run: bool) -> String {
    let stream = stream.map_or(String::new(), |stream| format!("&stream={}", segment(stream)));
    format!("/configuration?dryRun={dry_run}{stream}")
}

/// Writes a text as one segment of a path, or one value of a query.
fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_holds_no_character_of_a_path() {
        assert_eq!(segment("cs-01935b2a-1c00"), "cs-01935b2a-1c00");
        assert_eq!(segment("../x?é"), "%2E%2E%2Fx%3F%C3%A9");
    }
}
