//! Making a link for feedback.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use casement_domain::case::feedback::{MakeFeedbackLink, make_feedback_link as decide};
use casement_domain::date::Moment;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_store::set::ClaimWrite;
use casement_wire::feedback::write_feedback_link;

use super::{Link, TOKEN_BYTES, key_of_bytes, place};
use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::{Act, Reads, contended, pending_claims};
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::seal::key::random;
use crate::trace;

/// Makes a link by which the customer of a case, which is named by id or reference id, gives feedback once. The answer alone holds
/// its token.
///
/// # Errors
/// There is no such case, it is deleted or merged, the command has faults, the attempt's key is not usable, or the store takes
/// no writes now.
pub async fn make_feedback_link(
    app: &App,
    access: &Access,
    named: &str,
    command: &MakeFeedbackLink,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = Box::pin(make(app, sending.access(), named, command, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn make(
    app: &App,
    access: &Access,
    named: &str,
    command: &MakeFeedbackLink,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let case = app.case_named(access, named, &mut reads).await?.value;
        let now = app.sources().now();
        let expires_at =
            trace::decide().in_scope(|| decide(&case, command, now)).map_err(AppError::Refused)?;
        let after = app.revocation(workspace.id(), case.id.as_str(), &mut reads).await?;
        let mut bytes = [0; TOKEN_BYTES];
        for (byte, random) in bytes.iter_mut().zip(random(app.sources())) {
            *byte = random;
        }
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let claim = ClaimWrite::Put {
            key: key_of_bytes(&bytes),
            document: case.id.to_string(),
            result: Some(body::encode(&Link { case: case.id.to_string(), after, given: false })),
            expires_ms: Some(expires_at.ms()),
        };
        let sealed = |token: &str| {
            app.keys().ring().seal(&place(workspace.id(), case.id.as_str()), token, app.sources())
        };
        let kept = ticket.map(|ticket| {
            let (case, expires_ms) = (case.id.to_string(), expires_at.ms());
            (ticket, Outcome::FeedbackLink { case, token: sealed(&token), expires_ms })
        });
        let act = Act::of(access, now);
        let pending = pending_claims(&config, act, vec![claim], reads, kept, app.sources());
        if app.commit(workspace, pending, ticket).await?.is_some() {
            return Ok(Done::Committed(rendered(workspace.id(), &token, expires_at)));
        }
    }
    Err(contended())
}

/// Gives a link as an answer. It is no document and has no version.
fn rendered(stream: &str, token: &str, expires_at: Moment) -> Rendered {
    let body = Bytes::from(write_feedback_link(stream, token, expires_at));
    Rendered { body, version: 0, is_replayed: false }
}

impl App {
    /// Gives a link once more, from what was kept of its answer.
    ///
    /// # Errors
    /// The key that it was sealed under is no longer there, or it is damaged.
    pub(crate) fn repeated_link(
        &self,
        stream: &str,
        case: &str,
        sealed: &str,
        expires_ms: i64,
    ) -> Result<Rendered, AppError> {
        match self.keys().ring().open(&place(stream, case), sealed) {
            Ok(token) => Ok(rendered(stream, &token, Moment::from_ms(expires_ms))),
            Err(_) => {
                let mut faults = Faults::new();
                let message = "the link was made and can't be shown again, since the server's key was exchanged; \
                               make another with another key";
                faults.add(FaultKind::Conflict, Key::Body, message);
                Err(AppError::Refused(faults))
            }
        }
    }
}
