//! Changing and deleting a comment.

use std::sync::Arc;

use casement_domain::change::Change;
use casement_domain::comment::Comment;
use casement_domain::comment::input::UpdateComment;
use casement_domain::comment::update::{delete_comment as decide_deletion, update_comment as decide};
use casement_domain::date::Zone;
use casement_domain::fault::Faults;
use casement_domain::version::Versioned;

use crate::access::Access;
use crate::app::App;
use crate::comment::create::rendered_change;
use crate::comment::get::rendered_comment;
use crate::comment::off_the_runtime;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::trace;

/// Which comment a path names.
#[derive(Debug, Clone, Copy)]
pub struct CommentPath<'a> {
    /// The case by id or reference id.
    pub case: &'a str,
    /// The id of the comment.
    pub comment: &'a str,
}

/// What is to become of a comment.
#[derive(Clone, Copy)]
enum Deed<'a> {
    Change(&'a UpdateComment, Zone),
    Delete,
}

/// Changes a comment. A command that changes nothing gives it as it is and makes no event.
///
/// # Errors
/// There is no such case or comment, it has another version than `if_match` demands, the command has faults, the
/// attempt's key is not usable, or the store takes no writes now.
pub async fn update_comment(
    app: &App,
    access: &Access,
    path: CommentPath<'_>,
    command: &UpdateComment,
    if_match: &IfMatch,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    once(app, access, path, Deed::Change(command, zone), if_match, attempt).await
}

/// Deletes a comment: who and when stay. Deleting what is deleted changes nothing.
///
/// # Errors
/// As [`update_comment`].
pub async fn delete_comment(
    app: &App,
    access: &Access,
    path: CommentPath<'_>,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    once(app, access, path, Deed::Delete, if_match, attempt).await
}

async fn once(
    app: &App,
    access: &Access,
    path: CommentPath<'_>,
    deed: Deed<'_>,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        // Boxed: it is the largest part, and what only answers a repetition need not have room for it.
        let done = Box::pin(change(app, sending.access(), path, deed, if_match, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn change(
    app: &App,
    access: &Access,
    path: CommentPath<'_>,
    deed: Deed<'_>,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let first = app.case_named(access, path.case, &mut Reads::default()).await?;
    let _turn = workspace.turn(first.value.id.as_str()).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let case = app.case_named(access, path.case, &mut reads).await?;
        let before = app.comment_of(access, &case.value, path.comment, &mut reads).await?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let now = app.sources().now();
        let decided: Result<Option<Change>, Faults> = match deed {
            Deed::Delete => trace::decide().in_scope(|| decide_deletion(&access.actor, &case, &before, now)),
            Deed::Change(command, zone) => {
                let named = command.input.attachments.value().map(Vec::as_slice).unwrap_or_default();
                let usable = app.usable_attachments(workspace.id(), &case.value, named, &mut reads).await?;
                let (decided_by, actor, command) =
                    (Arc::clone(&config), access.actor.clone(), command.clone());
                let (case, before) = (case.clone(), before.clone());
                let decided = off_the_runtime(move || {
                    decide(&decided_by, &actor, &case, &before, &command, &usable, zone, now)
                });
                decided.await?
            }
        };
        let Some(change) = decided.map_err(AppError::Refused)? else {
            return Ok(unchanged(&before, &config));
        };
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return rendered_change(change, &committed, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

fn unchanged(before: &Versioned<Comment>, config: &casement_domain::workspace::Workspace) -> Done {
    let outcome = Outcome::Comment { id: before.value.id.to_string(), version: before.version };
    Done::Unchanged(rendered_comment(before, config), outcome)
}
