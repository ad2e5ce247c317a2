//! Revoking the links for feedback on a case.

use casement_domain::case::feedback::revoke_feedback_links as decide;
use casement_domain::list::row::Work;
use casement_store::set::ClaimWrite;

use super::revocation_key;
use crate::access::Access;
use crate::app::App;
use crate::commit::{Act, Reads, contended, pending_claims};
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};

/// Revokes all links for feedback on a case, which is named by id or reference id. The answer is the case, which
/// stays as it is; it may be deleted or merged.
///
/// # Errors
/// There is no such case, the attempt's key is not usable, or the store takes no writes now.
pub async fn revoke_feedback_links(
    app: &App,
    access: &Access,
    named: &str,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = Box::pin(revoke(app, sending.access(), named, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn revoke(
    app: &App,
    access: &Access,
    named: &str,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let case = app.case_named(access, named, &mut reads).await?;
        app.revocation(workspace.id(), case.value.id.as_str(), &mut reads).await?;
        let now = app.sources().now();
        let claim = ClaimWrite::Put {
            key: revocation_key(case.value.id.as_str()),
            document: format!("{:032x}", u128::from_be_bytes(app.sources().operation())),
            result: None,
            expires_ms: Some(decide(now).ms()),
        };
        let (id, version, number) =
            (case.value.id.to_string(), case.version, case.number.unwrap_or_default());
        let kept = ticket.map(|ticket| (ticket, Outcome::Case { id, version }));
        let pending = pending_claims(&config, Act::of(access, now), vec![claim], reads, kept, app.sources());
        if app.commit(workspace, pending, ticket).await?.is_some() {
            return Ok(Done::Committed(app.rendered_work(case.map(Work::Case), number, &config)));
        }
    }
    Err(contended())
}
