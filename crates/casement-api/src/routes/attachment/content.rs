//! `getAttachmentContent`.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use casement_app::attachment::content::{Download, download, find_content};
use casement_domain::attachment::Attachment;
use casement_domain::attachment::kind::Shown;
use casement_wire::attachment::content_disposition;
use casement_wire::error::{ErrorKind, MEDIA_TYPE, Problem};
use casement_wire::spelling::Noun;
use http_body_util::channel::{Channel, Sender};

use crate::answer::Refusal;
use crate::api::Api;
use crate::authentication::Caller;
use crate::load::Class;
use crate::parameters::AttachmentPath;
use crate::refusals::ReadRefusals;
use crate::routes::attachment::FileBytes;
use crate::routes::attachment::span::Wanted;
use crate::routes::run;
use crate::unsent::Pieces;

/// Whatever opens the bytes as a page gets one that can do nothing and belongs to nobody.
const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
/// Pages of other sites can't take the bytes in.
const RESOURCE_POLICY: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));

/// Pieces that wait between the disk and the connection.
const PIECES_AHEAD: usize = 1;

/// Gives the bytes of a file, or a span of them.
///
/// `Range` with one range of bytes, `If-Range` and `If-None-Match` are honoured; the entity tag is the hash. PNG, JPEG, GIF and
/// WebP images that are what they say are `inline`, all else is to be saved.
#[utoipa::path(
    get,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/attachments/{attachmentId}/content",
    operation_id = "getAttachmentContent",
    tag = "attachments",
    params(AttachmentPath),
    responses(
        (status = 200, description = "The bytes.", body = FileBytes, content_type = "*/*"),
        (status = 206, description = "The span that `Range` names.", body = FileBytes, content_type = "*/*"),
        (status = 304, description = "The client has them: `If-None-Match` names the hash."),
        (status = 416, description = "The file has no such span.", body = Problem, content_type = MEDIA_TYPE),
        ReadRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn get_attachment_content(
    State(api): State<Api>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let work = find_content(&api.app, &caller.access, caller.named("caseId"), caller.named("attachmentId"));
    let attachment = run(&api, &caller.waiting, Class::Read, Noun::Case, work).await?;
    let tag = format!("\"{}\"", attachment.hash);
    let (status, span) = match Wanted::of(&headers, attachment.bytes, &tag) {
        Wanted::NotModified => {
            return Ok(described(Response::new(Body::empty()), StatusCode::NOT_MODIFIED, &attachment));
        }
        Wanted::NoSuchPart if method == Method::GET => return Ok(no_such_part(attachment.bytes)),
        Wanted::Part(span) if method == Method::GET => (StatusCode::PARTIAL_CONTENT, span),
        // A range is of a GET alone.
        Wanted::Whole | Wanted::NoSuchPart | Wanted::Part(_) => (StatusCode::OK, 0..attachment.bytes),
    };
    let length = span.end - span.start;
    let range = format!("bytes {}-{}/{}", span.start, span.end.saturating_sub(1), attachment.bytes);
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let work = download(&api.app, &caller.access, &attachment, span);
        // As a list: it keeps pieces for as long as its client likes.
        let download = run(&api, &caller.waiting, Class::List, Noun::Case, work).await?;
        let (sender, body) = Channel::<Bytes, io::Error>::new(PIECES_AHEAD);
        tokio::spawn(send(download, sender));
        Body::new(body)
    };
    let mut response = described(Response::new(body), status, &attachment);
    response.extensions_mut().insert(Pieces);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = HeaderValue::from_str(&range)
    {
        headers.insert(CONTENT_RANGE, range);
    }
    Ok(response)
}

/// Writes what is said about the bytes into the head of an answer.
fn described(mut response: Response, status: StatusCode, attachment: &Attachment) -> Response {
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let media_type = match attachment.shown() {
        Shown::Inline(media_type) | Shown::Saved(media_type) => media_type,
    };
    let texts = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, content_disposition(attachment)),
        (ETAG, format!("\"{}\"", attachment.hash)),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(RESOURCE_POLICY.0, RESOURCE_POLICY.1);
    response
}

fn no_such_part(bytes: u64) -> Response {
    let detail = format!("the file has {bytes} bytes, and none of those that Range names");
    let mut response = Refusal::new(ErrorKind::NoSuchRange, &detail, Some("Range")).into_response();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}")) {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

/// Sends the bytes until the client has them or goes away. Bytes that can't be read end the connection: the client sees that
/// some are missing.
async fn send(mut download: Download, mut sender: Sender<Bytes, io::Error>) {
    loop {
        match download.next().await {
            Ok(Some(bytes)) => {
                if sender.send_data(bytes).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the bytes of an attachment could not be read");
                sender.abort(io::Error::other("the bytes could not be read"));
                return;
            }
        }
    }
}
