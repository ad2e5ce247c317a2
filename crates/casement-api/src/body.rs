//! Request bodies: media type, size, pace, and strict JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method};
use bytes::{Bytes, BytesMut};
use casement_app::once::Attempt;
use casement_wire::error::{ErrorKind, Problem};
use casement_wire::json::read_object;
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::Refusal;
use crate::api::Api;
use crate::held::Held;
use crate::limits;

/// The header that names a write, so that its repetitions take effect once; contract section 11.9.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The body of a write, which must be a JSON object, and what makes its repetitions the same request.
#[derive(Debug)]
pub struct WriteBody {
    /// The body.
    pub object: Map<String, Value>,
    /// This sending of the request, when it has an idempotency key.
    pub attempt: Option<Attempt>,
}

/// Marks a request whose body was awaited for [`limits::BODY_GRACE`] before the request went on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LateBody;

/// A body that must be a JSON object, of someone whom no app answers for.
#[derive(Debug)]
pub struct StrangerBody(pub Map<String, Value>);

/// A body that may be empty, which stands for an empty object.
#[derive(Debug)]
pub struct OptionalJsonBody(pub Map<String, Value>);

/// A write that has no body: what makes its repetitions the same request. A body is not looked at.
#[derive(Debug)]
pub struct BareWrite {
    /// This sending of the request, when it has an idempotency key.
    pub attempt: Option<Attempt>,
}

impl FromRequestParts<Api> for BareWrite {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Refusal> {
        let key = idempotency_key(&parts.headers)?;
        // What has no body is told apart by the query and, where a path has two such writes, by the method.
        let path = match parts.method {
            Method::PUT => format!("PUT {}", parts.uri.path()),
            _ => parts.uri.path().to_owned(),
        };
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self { attempt: key.map(|key| Attempt::new(key, &path, query.as_bytes())) })
    }
}

impl FromRequest<Api> for WriteBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Refusal> {
        let key = idempotency_key(request.headers())?.map(str::to_owned);
        let path = request.uri().path().to_owned();
        let bytes = read(request).await?;
        let object = read_object(&bytes).map_err(|faults| Refusal::of_problem(Problem::of_json(faults)))?;
        Ok(Self { object, attempt: key.map(|key| Attempt::new(&key, &path, &bytes)) })
    }
}

impl<S: Sync> FromRequest<S> for StrangerBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = read_within(request, limits::STRANGER_BODY_BYTES_MAX, &Held::stranger_body()).await?;
        read_object(&bytes).map(StrangerBody).map_err(|faults| Refusal::of_problem(Problem::of_json(faults)))
    }
}

impl<S: Sync> FromRequest<S> for OptionalJsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        read_object(&bytes)
            .map(OptionalJsonBody)
            .map_err(|faults| Refusal::of_problem(Problem::of_json(faults)))
    }
}

/// Reads the idempotency key. One that can't be kept is an error and never treated as absent: the client relies on it.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_printable = |byte: &u8| (b' '..=b'~').contains(byte);
    match std::str::from_utf8(key.as_bytes()) {
        Ok(text)
            if keys.next().is_none()
                && (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len())
                && text.as_bytes().iter().all(is_printable) =>
        {
            Ok(Some(text))
        }
        Ok(_) | Err(_) => {
            let detail = format!(
                "{IDEMPOTENCY_KEY}: must be given once, with 1 to {} printable ASCII characters",
                limits::IDEMPOTENCY_KEY_BYTES_MAX
            );
            Err(Refusal::new(ErrorKind::Invalid, &detail, Some(IDEMPOTENCY_KEY)))
        }
    }
}

async fn read(request: Request) -> Result<Bytes, Refusal> {
    let held = request.extensions().get::<Arc<Held>>().map_or_else(|| Arc::new(Held::body(None)), Arc::clone);
    read_within(request, limits::BODY_BYTES_MAX, &held).await
}

async fn read_within(request: Request, bytes_max: usize, held: &Held) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    check_size(&parts.headers, bytes_max)?;
    check_media_type(&parts.headers)?;
    let waited = waited(&parts.extensions);
    // The head is not needed any more: it may be larger than what is counted for it.
    drop(parts);
    collect(body, waited, bytes_max, held).await
}

/// How long a body was awaited before the request went on.
pub(crate) fn waited(extensions: &Extensions) -> Duration {
    if extensions.get::<LateBody>().is_some() { limits::BODY_GRACE } else { Duration::ZERO }
}

fn too_large(bytes_max: usize) -> Refusal {
    let detail = format!("the body must be at most {bytes_max} bytes long");
    Refusal::new(ErrorKind::BodyTooLarge, &detail, None)
}

fn check_size(headers: &HeaderMap, bytes_max: usize) -> Result<(), Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > bytes_max as u64 => Err(too_large(bytes_max)),
        Some(_) | None => Ok(()),
    }
}

/// Accepts `application/json` with any parameters, in every line; a missing type is read as JSON.
fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_json = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        let media_type = text.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    };
    if !headers.get_all(CONTENT_TYPE).iter().all(is_json) {
        let detail = "the media type of the body must be application/json";
        return Err(Refusal::new(ErrorKind::UnsupportedMediaType, detail, Some("Content-Type")));
    }
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        let detail = "the body must not be compressed";
        return Err(Refusal::new(ErrorKind::UnsupportedMediaType, detail, Some("Content-Encoding")));
    }
    Ok(())
}

/// Reads a whole body. What it takes stays counted until the request is answered.
async fn collect(mut body: Body, waited: Duration, bytes_max: usize, held: &Held) -> Result<Bytes, Refusal> {
    let mut began = Instant::now();
    let mut patience = limits::QUEUE_WAIT;
    let mut bytes = BytesMut::new();
    if !body.is_end_stream() {
        began += room(held, limits::BODY_BYTES_BESIDE, &mut patience).await?;
    }
    loop {
        // Slower than the least pace means: not yet as far as the pace alone would have come.
        let paced = bytes.len() as u64 / limits::BODY_BYTES_PER_SECOND_MIN;
        let deadline =
            began + limits::BODY_TIMEOUT.min(limits::BODY_GRACE + Duration::from_secs(paced)) - waited;
        let Ok(frame) = timeout_at(deadline, body.frame()).await else {
            let detail = "the body did not arrive in time";
            return Err(Refusal::new(ErrorKind::RequestTimeout, detail, None));
        };
        match frame {
            None => return Ok(bytes.freeze()),
            Some(Err(_)) => {
                return Err(Refusal::new(ErrorKind::Invalid, "the body ended early or is malformed", None));
            }
            Some(Ok(frame)) => {
                // Trailers say nothing here.
                if let Ok(data) = frame.into_data() {
                    let length = bytes.len() + data.len();
                    if length > bytes_max {
                        return Err(too_large(bytes_max));
                    }
                    began += room(held, limits::BODY_BYTES_BESIDE + length, &mut patience).await?;
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }
}

/// Waits until there is room for so many bytes of a request, as long as its patience lasts; gives how long, which is not its
/// client's time.
async fn room(held: &Held, bytes: usize, patience: &mut Duration) -> Result<Duration, Refusal> {
    let began = Instant::now();
    while let Err(full) = held.count(bytes) {
        if began.elapsed() >= *patience {
            return Err(Refusal::of_full(full));
        }
        sleep(limits::ROOM_PERIOD).await;
    }
    *patience = patience.saturating_sub(began.elapsed());
    Ok(began.elapsed())
}
