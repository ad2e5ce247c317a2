//! Deleting an attachment.

use casement_domain::attachment::delete::delete_attachment as decide;
use casement_domain::attachment::usage::Usage;
use casement_domain::change::Record;
use casement_domain::version::Versioned;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::attachment::rendered_attachment;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};

/// Deletes an attachment of a case; its bytes go a while later, what is said about it stays. Deleting what is deleted
/// changes nothing.
///
/// # Errors
/// There is none, it has another version than `if_match` demands, its case is deleted, the attempt's key is not usable, or
/// the store takes no writes now.
pub async fn delete_attachment(
    app: &App,
    access: &Access,
    case: &str,
    id: &str,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = delete(app, sending.access(), case, id, if_match, trial.ticket()).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn delete(
    app: &App,
    access: &Access,
    case: &str,
    id: &str,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    // All change the one document of what is used.
    let _turn = workspace.turn(Usage::ID).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let before = app.attachment_of(access, case, id, &mut reads).await?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        // Of a file that came with a merged case, the case that goes on decides.
        let named = app.id_named(access, Noun::Case, case);
        let case = app.case(workspace.id(), &named, &mut reads).await?.ok_or(AppError::NoAttachment)?;
        let usage = app.usage(workspace.id(), &mut reads).await?;
        let now = app.sources().now();
        let decided = decide(&before, &case.value, usage.as_ref(), now).map_err(AppError::Refused)?;
        let Some(change) = decided else {
            let outcome = Outcome::Attachment { id: id.to_owned(), version: before.version };
            return Ok(Done::Unchanged(rendered_attachment(&before), outcome));
        };
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            let deleted = change.records.into_iter().next().map(|record| record.after);
            let (Some(Record::Attachment(value)), Some(outcome)) = (deleted, committed.documents.first())
            else {
                return Err(AppError::Failed("an attachment is missing in its own change".to_owned()));
            };
            let attachment = Versioned { version: outcome.version, number: None, value };
            return Ok(Done::Committed(rendered_attachment(&attachment)));
        }
    }
    Err(contended())
}
