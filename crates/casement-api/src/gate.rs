//! What every request passes: its id, the limits of its head, and the headers and the log line of its answer.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use casement_app::sources::Sources;
use tracing::{Instrument, Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::answer::{Cause, OVERLOAD};
use crate::api::Api;
use crate::client::{self, Peer};
use crate::head;
use crate::limits;
use crate::measure;
use crate::rate::Noted;
use crate::routes::table::ROUTES;
use crate::sparse::Sparse;
use crate::traces;
use crate::unsent::{Waiting, follow_compressed};

/// The header that names a request, taken from the client or made here, and repeated in the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The target of the lines of the access log.
pub const ACCESS_TARGET: &str = "casement_access";

/// Where the client id of a request's app is noted, for the access log.
pub(crate) type NotedApp = Arc<OnceLock<String>>;

/// Tells how long a request took in the server, in milliseconds (W3C Server Timing), where the options say so.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What overload refuses, any number of times.
static OVERLOADED: Sparse = Sparse::new();

/// Stands for every path that is no route.
const NO_ROUTE: &str = "none";

/// What every answer has unless its route says otherwise. The last two keep pages of other sites out of windows and bytes.
const FIXED_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the fixed headers to those that an answer has of its own.
pub(crate) fn add_fixed(headers: &mut HeaderMap) {
    for (name, value) in FIXED_HEADERS {
        // A page may have a policy of its own.
        headers.entry(name).or_insert(value);
    }
}

/// Passes a request on, unless its head is over a limit.
pub async fn pass(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let noted = Noted::default();
    request.extensions_mut().insert(Noted::clone(&noted));
    let waiting = request.extensions().get::<Waiting>().cloned();
    let client = client_text(&request, &api);
    let id = request_id(request.headers(), api.app.sources());
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, |route| known(route.as_str()));
    let method = request.method().clone();
    let parent = traces::parent(request.headers());
    let mut trace = parent.as_ref().map(traces::trace_id);
    let span = if api.has_traces { traces::begin(&method, route, parent) } else { Span::none() };
    let noted_app = NotedApp::default();
    if api.has_access_log {
        request.extensions_mut().insert(NotedApp::clone(&noted_app));
    }
    let mut response = match head::refused(&request) {
        None => next.run(request).instrument(span.clone()).await,
        Some(refused) => refused,
    };
    response = follow_compressed(&api.unsent, response, waiting.as_ref());
    if api.has_traces {
        traces::end(&span, response.status());
        trace.get_or_insert_with(|| traces::trace_id(&span.context()));
    }
    let id_text = id.to_str().unwrap_or_default();
    let time = began.elapsed();
    measure::answered(&method, route, response.status(), time);
    let status = response.status().as_u16();
    let duration_ms = time.as_secs_f64() * 1000.0;
    let trace_id = trace.as_deref();
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) if cause == OVERLOAD => {
            tracing::debug!(request.id = id_text, trace.id = trace_id, %method, route, status, duration_ms, client, cause, "a request could not be served");
            if let Some(count) = OVERLOADED.note() {
                tracing::warn!(
                    count,
                    route,
                    client,
                    "requests were refused: too much to do; this is the last one's route and client"
                );
            }
        }
        Some(Cause(cause)) if status == StatusCode::SERVICE_UNAVAILABLE.as_u16() => {
            tracing::warn!(request.id = id_text, trace.id = trace_id, %method, route, status, duration_ms, client, cause, "a request could not be served");
        }
        Some(Cause(cause)) => {
            tracing::error!(request.id = id_text, trace.id = trace_id, %method, route, status, duration_ms, client, cause, "a request failed");
        }
        None => {
            tracing::debug!(request.id = id_text, trace.id = trace_id, %method, route, status, duration_ms, client, "a request was answered")
        }
    }
    if api.has_access_log {
        let (bytes, app) = (response.body().size_hint().exact(), noted_app.get().map(String::as_str));
        tracing::event!(target: ACCESS_TARGET, Level::INFO, request.id = id_text, trace.id = trace_id, %method, route, status, duration_ms, bytes, app.id = app, client, "access");
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    add_fixed(headers);
    if api.server_timing
        && let Ok(timing) = HeaderValue::from_str(&format!("total;dur={duration_ms:.3}"))
    {
        headers.insert(SERVER_TIMING, timing);
    }
    if let Some(allowance) = noted.get() {
        allowance.write(headers);
    }
    response
}

/// Gives a route of the table by its path.
fn known(path: &str) -> &'static str {
    ROUTES.iter().find(|route| route.path == path).map_or(NO_ROUTE, |route| route.path)
}

/// The client's address for the log; empty where there is no connection.
fn client_text(request: &Request, api: &Api) -> String {
    let peer = request.extensions().get::<Peer>();
    peer.map(|peer| client::address(peer.0.ip(), request.headers(), &api.trusted_proxies).to_string())
        .unwrap_or_default()
}

/// Takes the client's request id when it is short and plain, else makes one.
fn request_id(headers: &HeaderMap, sources: &Sources) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let given = headers.get(REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=limits::REQUEST_ID_CHARACTERS_MAX).contains(&bytes.len()) && bytes.iter().all(plain)
    });
    given.cloned().unwrap_or_else(|| {
        let id = sources.ids().next().unwrap_or_default();
        HeaderValue::from_str(&format!("{id:032x}")).unwrap_or(HeaderValue::from_static("none"))
    })
}
