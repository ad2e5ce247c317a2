//! Traces by OpenTelemetry: a span for each request, sent to a collector as OTLP over HTTP.
//!
//! Spans wait in a bounded queue and leave in batches by a thread of their own: a collector that is slow or gone costs
//! spans, never a request. Without a collector no span is made. A span tells the method, the route and the status; no ids,
//! no paths, nothing of a body.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::uri::{Scheme, Uri};
use axum::http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use bytes::Bytes;
use casement_app::trace::TARGET;
use http_body_util::Full;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use tokio::runtime::Handle;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::outbound::{Outbound, OutboundError, Roots};
use crate::{limits, measure};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Where traces are sent when the endpoint names no path of its own.
const TRACES_PATH: &str = "/v1/traces";

/// Where a collector takes traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Reads the URL of a collector; `/v1/traces` is added where it is not there.
    ///
    /// # Errors
    /// It is no URL of http or https.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url: Uri = text.parse().map_err(|error| format!("must be a URL: {error}"))?;
        let is_web = url.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
        if !is_web || url.host().is_none_or(str::is_empty) || url.query().is_some() {
            return Err("must be a URL that begins with http:// or https://, without a query".to_owned());
        }
        let base = text.trim_end_matches('/');
        Ok(Self(if base.ends_with(TRACES_PATH) { base.to_owned() } else { format!("{base}{TRACES_PATH}") }))
    }

    /// Gives the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What of all requests is traced: a share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl Share {
    /// Reads a share.
    ///
    /// # Errors
    /// It is no number from 0 to 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| "must be a number from 0 to 1".to_owned())
    }
}

/// The way of spans to a collector.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send. Requests that a client has decided to trace, or not to, follow it; of the others the share is.
    ///
    /// # Errors
    /// The collector can't be believed for want of roots, or the library refuses the endpoint.
    pub fn begin(
        endpoint: &Endpoint,
        share: Share,
        release: &'static str,
        runtime: Handle,
    ) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(&Roots::System, limits::TRACE_REQUEST_TIMEOUT)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(Collector { outbound, runtime, fails: Arc::default() })
            .with_endpoint(endpoint.as_str())
            .with_timeout(limits::TRACE_REQUEST_TIMEOUT)
            .build()
            .map_err(|error| OutboundError::Unanswered {
                host: endpoint.as_str().to_owned(),
                reason: error.to_string(),
            })?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(limits::TRACE_SPANS_QUEUED_MAX)
            .with_max_export_batch_size(limits::TRACE_SPANS_AT_ONCE)
            .with_scheduled_delay(limits::TRACE_PERIOD)
            .build();
        let resource = Resource::builder_empty()
            .with_service_name("casement")
            .with_attribute(KeyValue::new("service.version", release))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share.0))))
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Gives what makes spans of those of the log's library.
    pub fn tracer(&self) -> SdkTracer {
        self.0.tracer("casement")
    }

    /// Sends what waits, at most [`limits::TRACE_END_TIMEOUT`]; what is left then is lost.
    pub async fn end(self) {
        let ending =
            tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(limits::TRACE_END_TIMEOUT));
        if let Ok(Err(error)) = ending.await {
            tracing::warn!(%error, "the last traces could not be delivered");
        }
    }
}

/// The request's context as its client names it (W3C Trace Context); `None` when it names none that can be read.
pub(crate) fn parent(headers: &HeaderMap) -> Option<Context> {
    headers.get(TRACEPARENT)?;
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    context.span().span_context().is_valid().then_some(context)
}

/// The id of the trace of a context.
pub(crate) fn trace_id(context: &Context) -> String {
    context.span().span_context().trace_id().to_string()
}

/// Begins the span of a request.
pub(crate) fn begin(method: &Method, route: &'static str, parent: Option<Context>) -> Span {
    let method = measure::method_name(method);
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    if let Some(parent) = parent {
        // It fails only where no layer collects spans; then there is nothing to tell.
        let _ = span.set_parent(parent);
    }
    span
}

/// Ends the span of a request with its status.
pub(crate) fn end(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Our client under the exporter, which runs on a thread outside of the runtime.
struct Collector {
    outbound: Outbound,
    runtime: Handle,
    /// Whether the last batch was lost: the log tells each change, not each batch.
    fails: Arc<AtomicBool>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl HttpClient for Collector {
    fn send_bytes<'client, 'sending>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'client: 'sending,
        Self: 'sending,
    {
        let outbound = self.outbound.clone();
        let sending = self.runtime.spawn(async move { outbound.send(request.map(Full::new)).await });
        Box::pin(async move {
            let answer: Result<Response<Bytes>, HttpError> = match sending.await {
                Ok(Ok(answer)) if answer.status().is_success() => Ok(answer),
                Ok(Ok(answer)) => Err(format!("the collector answers {}", answer.status()).into()),
                Ok(Err(error)) => Err(error.into()),
                Err(error) => Err(error.into()),
            };
            measure::traces_sent(answer.is_ok());
            let failed_before = self.fails.swap(answer.is_err(), Ordering::Relaxed);
            match &answer {
                Err(error) if !failed_before => {
                    tracing::warn!(%error, "traces are lost: the collector does not take them")
                }
                Ok(_) if failed_before => tracing::info!("the collector takes traces again"),
                Ok(_) | Err(_) => {}
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_collector_is_named_by_its_base_or_the_whole_url() {
        for text in ["http://localhost:4318", "http://localhost:4318/", "http://localhost:4318/v1/traces"] {
            assert_eq!(Endpoint::parse(text).unwrap().as_str(), "http://localhost:4318/v1/traces");
        }
        for wrong in ["", "localhost:4318", "ftp://localhost", "http://", "http://localhost?x=1"] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        for (text, is_share) in
            [("0", true), ("0.25", true), ("1", true), ("1.1", false), ("-1", false), ("NaN", false)]
        {
            assert_eq!(Share::parse(text).is_ok(), is_share, "{text}");
        }
    }

    #[test]
    fn only_a_trace_that_can_be_read_is_followed() {
        let named = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(TRACEPARENT, HeaderValue::from_static(text));
            parent(&headers).map(|context| trace_id(&context))
        };
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(named("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").as_deref(), Some(id));
        for wrong in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "x",
        ] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
