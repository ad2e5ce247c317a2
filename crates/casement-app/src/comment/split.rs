//! Splitting a comment off into a case of its own.

use casement_domain::case::create::CreateCase;
use casement_domain::comment::split::{filled, split_comment as decide};
use casement_domain::date::Zone;

use crate::access::Access;
use crate::app::App;
use crate::case::create::rendered;
use crate::case::linked;
use crate::comment::update::CommentPath;
use crate::commit::{Act, Reads, contended, pending};
use crate::customer::Freshness;
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Sending, Ticket};
use crate::trace;

/// Makes a case of a comment, in one set with the links of both cases and the trace in the comment. What the command does not
/// say comes from the comment and its case.
///
/// # Errors
/// There is no such case or comment, the comment has another version than `if_match` demands, the command has faults, the case
/// can't be changed, the comment is deleted or was split off before, the attempt's key is not usable, or the store takes no
/// writes now.
pub async fn split_comment(
    app: &App,
    access: &Access,
    path: CommentPath<'_>,
    command: &CreateCase,
    if_match: &IfMatch,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        // Boxed: it is the largest part, and what only answers a repetition need not have room for it.
        let done =
            Box::pin(split(app, sending.access(), path, command, if_match, zone, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn split(
    app: &App,
    access: &Access,
    path: CommentPath<'_>,
    command: &CreateCase,
    if_match: &IfMatch,
    zone: Zone,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let id = app.id_of(access, casement_wire::spelling::Noun::Case, path.case).await?;
    // The case changes too: whoever changes it waits in the same line.
    let _turn = workspace.turn(&id).await;
    for attempt in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let case = app.case(workspace.id(), &id, &mut reads).await?.ok_or(AppError::NotFound)?;
        let comment = app.comment_of(access, &case.value, path.comment, &mut reads).await?;
        if !if_match.accepts(comment.version) {
            return Err(AppError::VersionDiffers);
        }
        let filled = filled(command, &case.value, &comment.value);
        let freshness = Freshness::of_attempt(attempt);
        let customer = filled.customer();
        let customers = app.find_customers(workspace.id(), customer.as_ref(), freshness, &mut reads).await?;
        let named = linked(&case.value).chain(&comment.value.split_into);
        let gone = app.gone(workspace.id(), named).await?;
        let now = app.sources().now();
        let mut ids = app.sources().ids();
        let change = trace::decide()
            .in_scope(|| {
                let (actor, ids) = (&access.actor, &mut ids);
                decide(&config, actor, &case, &comment, &filled, &customers, &gone, zone, now, ids)
            })
            .map_err(AppError::Refused)?;
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return rendered(&change, &committed, &config).map(Done::Committed);
        }
    }
    Err(contended())
}
