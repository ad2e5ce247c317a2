//! What HTTP tells the metrics: requests by route and status, their time, and what was refused for its number.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const REQUESTS: &str = "casement_http_requests_total";
const TIME: &str = "casement_http_request_seconds";
const CONNECTIONS: &str = "casement_http_connections";
const REFUSED_CONNECTIONS: &str = "casement_http_connections_refused_total";
const AT_WORK: &str = "casement_http_requests_at_work";
const UNSENT: &str = "casement_http_answer_bytes_waiting";
const AT_WORK_LIMIT: &str = "casement_http_requests_at_work_limit";

/// Tells the recorder what the measures mean.
pub fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests answered, by method, route and status.");
    describe_histogram!(TIME, Unit::Seconds, "Time from a request's head to its answer, by route.");
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections that are open.");
    describe_counter!(REFUSED_CONNECTIONS, Unit::Count, "Connections closed at once for want of a place.");
    describe_gauge!(UNSENT, Unit::Bytes, "Bytes of answers that wait for their clients, or are expected.");
    describe_gauge!(AT_WORK, Unit::Count, "Requests whose use case runs.");
    describe_gauge!(
        AT_WORK_LIMIT,
        Unit::Count,
        "How many may run; it shrinks while there is too much to do."
    );
}

/// Notes an answered request. `route` is the pattern of a route of ours, never what a client wrote.
pub(crate) fn answered(method: &Method, route: &'static str, status: StatusCode, time: Duration) {
    counter!(REQUESTS, "method" => method_name(method), "route" => route, "status" => status.as_u16().to_string())
        .increment(1);
    histogram!(TIME, "route" => route).record(time);
}

/// Notes that a connection was opened.
pub(crate) fn connection_opened() {
    gauge!(CONNECTIONS).increment(1);
}

/// Notes that a connection was closed.
pub(crate) fn connection_closed() {
    gauge!(CONNECTIONS).decrement(1);
}

/// Notes that a connection was refused.
pub(crate) fn connection_refused() {
    counter!(REFUSED_CONNECTIONS).increment(1);
}

/// Notes the bytes of answers that wait.
#[expect(clippy::cast_precision_loss, reason = "limits stay far below 2^53")]
pub(crate) fn unsent(bytes: usize) {
    gauge!(UNSENT).set(bytes as f64);
}

/// Notes the requests at work and their limit.
#[expect(clippy::cast_precision_loss, reason = "limits stay far below 2^53")]
pub(crate) fn at_work(now: usize, limit: usize) {
    gauge!(AT_WORK).set(now as f64);
    gauge!(AT_WORK_LIMIT).set(limit as f64);
}

/// A client may send any method; only known ones become labels.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
