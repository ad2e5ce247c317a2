//! A request that a test puts together and sends through the router.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::answer::Answer;
use super::server::{ACCOUNT, STREAM, Server};
use super::token;

/// A request. It begins as one that the server takes; a test changes what it is about.
pub struct Call<'a> {
    server: &'a Server,
    method: String,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
}

impl<'a> Call<'a> {
    pub fn new(server: &'a Server, operation: &str) -> Self {
        let path = format!("/caseManagement/api/public/analytics/{STREAM}/{operation}");
        let call = Self { server, method: "POST".to_owned(), path, headers: Vec::new(), body: Body::empty() };
        let token = token::of(&server.jwt, &json!({}));
        call.header("auth", &token).header("AccountId", ACCOUNT).header("Content-Type", "application/json")
    }

    /// Takes another method.
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// Takes another path.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Asks for another stream.
    pub fn stream(self, stream: &str) -> Self {
        let path = self.path.replace(STREAM, stream);
        self.path(&path)
    }

    /// Sets a header in place of one of the same name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.without(name).and_header(name, value)
    }

    /// Adds a header beside one of the same name.
    pub fn and_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        ));
        self
    }

    /// Takes a header away.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| !own.as_str().eq_ignore_ascii_case(name));
        self
    }

    /// Takes every header away.
    pub fn bare(mut self) -> Self {
        self.headers.clear();
        self
    }

    /// Signs with other claims beside the app's id.
    pub fn claims(self, claims: &Value) -> Self {
        let token = token::of(&self.server.jwt, claims);
        self.header("auth", &token)
    }

    /// Acts as an agent.
    pub fn acting_as(self, subject: &str) -> Self {
        self.claims(&json!({"sub": subject}))
    }

    /// Sets the body.
    pub fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// Sets the body to any bytes.
    pub fn bytes(mut self, bytes: impl Into<axum::body::Bytes>) -> Self {
        self.body = Body::from(bytes.into());
        self
    }

    /// Sets the body to any stream.
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sends the request and reads the whole answer.
    pub async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).unwrap();
        let response = self.server.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// Sends a request that must be refused, holds the log against what it was before, and gives the fields at fault.
    pub async fn refused(self, status: u16) -> Vec<String> {
        let server = self.server;
        let before = server.events_total().await;
        let fields = self.send().await.refused(status);
        assert_eq!(server.events_total().await, before, "a refused request changed something");
        fields
    }
}
