//! `uploadAttachment`.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use casement_app::attachment::upload::{Upload, add, begin_upload};
use casement_app::once::Attempt;
use casement_wire::attachment::AttachmentDoc;
use casement_wire::error::ErrorKind;
use casement_wire::spelling::Noun;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};

use crate::answer::{Created, Refusal};
use crate::api::Api;
use crate::authentication::Caller;
use crate::body::{idempotency_key, waited};
use crate::limits;
use crate::load::Class;
use crate::parameters::{CasePath, WriteHeader};
use crate::refusals::WriteRefusals;
use crate::routes::attachment::FileBytes;
use crate::routes::attachment::told::{UploadHead, check_bytes};
use crate::routes::{below_case, run};

/// Adds a file to a case.
///
/// The body is the file itself, of any media type but a form, kept as `Content-Type` tells it. `Content-Digest: sha-256=:…:` is
/// checked against the bytes that came.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{streamId}/cases/{caseId}/attachments",
    operation_id = "uploadAttachment",
    tag = "attachments",
    params(
        CasePath,
        ("name" = String, Query, description = "The name of the file; it is made safe.", min_length = 1, max_length = 255, pattern = "^[^\\u0000]*$"),
        WriteHeader
    ),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The bytes of the file."),
    responses(
        (status = 201, description = "What is said about the file.", body = AttachmentDoc, headers(
            ("Location" = String, description = "The address of the file."),
            ("ETag" = String, description = "Its version.")
        )),
        WriteRefusals
    ),
    security(("auth" = []), ("bearer" = []))
)]
pub async fn upload_attachment(
    State(api): State<Api>,
    caller: Caller,
    request: Request,
) -> Result<Created, Refusal> {
    let (parts, body) = request.into_parts();
    let head = UploadHead::read(&parts.headers, &parts.uri)?;
    let key = idempotency_key(&parts.headers)?;
    let work = begin_upload(&api.app, &caller.access, caller.named("caseId"), head.announced);
    let mut upload = run(&api, &caller.waiting, Class::Read, Noun::Case, work).await?;
    pour(body, waited(&parts.extensions), &mut upload).await?;
    let bytes = upload.bytes();
    let received = upload.received().await.map_err(|error| Refusal::of_app(error, Noun::Case))?;
    check_bytes(&head, bytes, received.hash())?;
    // The path names the case and the query the file: another name is another request.
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let attempt = key.map(|key| {
        let mut told = received.hash().to_vec();
        told.extend_from_slice(head.told.media_type.as_bytes());
        Attempt::new(key, path, &told)
    });
    // As long as the disk needs: no use case waits for it, and nothing is acknowledged before.
    let durable = Box::pin(received.durable(&api.app, head.told)).await;
    let durable = durable.map_err(|error| Refusal::of_app(error, Noun::Case))?;
    let work = add(&api.app, &caller.access, durable, attempt.as_ref());
    let rendered = Box::pin(run(&api, &caller.waiting, Class::Write, Noun::Case, work)).await?;
    Ok(Created { rendered, collection: below_case(&caller, "attachments") })
}

/// Takes the bytes as they come, at the least pace of bodies. Time that the disk needs is not the client's.
async fn pour(mut body: Body, mut waited: Duration, upload: &mut Upload) -> Result<(), Refusal> {
    loop {
        let allowed =
            limits::BODY_GRACE + Duration::from_secs(upload.bytes() / limits::BODY_BYTES_PER_SECOND_MIN);
        let patience = allowed.saturating_sub(waited).min(limits::BODY_TIMEOUT);
        let began = Instant::now();
        let Ok(frame) = timeout(patience, body.frame()).await else {
            let detail = "the body did not arrive in time";
            return Err(Refusal::new(ErrorKind::RequestTimeout, detail, None));
        };
        waited += began.elapsed();
        match frame {
            None => return Ok(()),
            Some(Err(_)) => {
                return Err(Refusal::new(ErrorKind::Invalid, "the body ended early or is malformed", None));
            }
            Some(Ok(frame)) => {
                // Trailers say nothing here.
                if let Ok(data) = frame.into_data() {
                    upload.write(data).await.map_err(|error| Refusal::of_app(error, Noun::Case))?;
                }
            }
        }
    }
}
