//! What HTTP tells the metrics: requests by route and status, their time, and what was refused for its number.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use casement_domain::date::Moment;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const REQUESTS: &str = "casement_http_requests_total";
const TIME: &str = "casement_http_request_seconds";
const CONNECTIONS: &str = "casement_http_connections";
const REFUSED_CONNECTIONS: &str = "casement_http_connections_refused_total";
const REFUSED_HEADS: &str = "casement_http_heads_refused_total";
const AT_WORK: &str = "casement_http_requests_at_work";
const BODIES: &str = "casement_http_body_bytes_held";
const UNSENT: &str = "casement_http_answer_bytes_waiting";
const AT_WORK_LIMIT: &str = "casement_http_requests_at_work_limit";
const CERTIFICATE_UNTIL: &str = "casement_tls_certificate_expiry_timestamp_seconds";
const TRACE_BATCHES: &str = "casement_trace_batches_total";
const ACME_ORDERS: &str = "casement_acme_orders_total";

/// Tells the recorder what the measures mean.
pub fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests answered, by method, route and status.");
    describe_histogram!(TIME, Unit::Seconds, "Time from a request's head to its answer, by route.");
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections that are open.");
    describe_counter!(REFUSED_CONNECTIONS, Unit::Count, "Connections closed at once for want of a place.");
    describe_counter!(
        REFUSED_HEADS,
        Unit::Count,
        "What came in the place of a request and was answered with 400 or 431 before any route."
    );
    // There from the start, so that an alert sees the first one.
    counter!(REFUSED_CONNECTIONS).absolute(0);
    counter!(REFUSED_HEADS).absolute(0);
    describe_gauge!(BODIES, Unit::Bytes, "Bytes of bodies that requests hold until they are answered.");
    describe_gauge!(UNSENT, Unit::Bytes, "Bytes of answers that wait for their clients, or are expected.");
    describe_gauge!(AT_WORK, Unit::Count, "Requests whose use case runs.");
    describe_gauge!(
        AT_WORK_LIMIT,
        Unit::Count,
        "How many may run; it shrinks while there is too much to do."
    );
    describe_counter!(
        TRACE_BATCHES,
        Unit::Count,
        "Tries to deliver a batch of spans, by outcome: delivered or lost."
    );
    describe_gauge!(CERTIFICATE_UNTIL, Unit::Seconds, "When the TLS certificate in use expires.");
    describe_counter!(
        ACME_ORDERS,
        Unit::Count,
        "Orders for certificates by ACME, by outcome: issued or failed."
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

/// Notes that the head of a request could not be read.
pub(crate) fn head_refused() {
    counter!(REFUSED_HEADS).increment(1);
}

/// Notes the bytes of bodies that requests hold.
#[expect(clippy::cast_precision_loss, reason = "limits stay far below 2^53")]
pub(crate) fn bodies(bytes: usize) {
    gauge!(BODIES).set(bytes as f64);
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

/// Notes when the certificate in use expires.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time stay far below 2^53")]
pub(crate) fn certificate(until: Moment) {
    gauge!(CERTIFICATE_UNTIL).set(until.ms() as f64 / 1000.0);
}

/// Notes a batch of spans.
pub(crate) fn traces_sent(is_delivered: bool) {
    counter!(TRACE_BATCHES, "outcome" => if is_delivered { "delivered" } else { "lost" }).increment(1);
}

/// Notes an order for a certificate.
pub(crate) fn asked_for_certificate(is_issued: bool) {
    counter!(ACME_ORDERS, "outcome" => if is_issued { "issued" } else { "failed" }).increment(1);
}

/// Gives the name of a method: a client may send any, and only known ones become labels.
pub(crate) fn method_name(method: &Method) -> &'static str {
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
