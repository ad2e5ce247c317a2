//! Creating a comment.

use std::sync::Arc;

use casement_domain::change::Record;
use casement_domain::comment::create::create_comment as decide;
use casement_domain::comment::input::CreateComment;
use casement_domain::version::Versioned;
use casement_store::set::Committed;

use crate::access::Access;
use crate::app::App;
use crate::comment::get::rendered_comment;
use crate::comment::off_the_runtime;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Sending, Ticket};
use casement_domain::change::Change;
use casement_domain::workspace::Workspace;

/// Creates a comment on a case, which stays as it is.
///
/// # Errors
/// There is no such case, the command has faults, the attempt's key is not usable, or the store takes no writes now.
pub async fn create_comment(
    app: &App,
    access: &Access,
    case: &str,
    command: &CreateComment,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = create(app, sending.access(), case, command, trial.ticket()).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn create(
    app: &App,
    access: &Access,
    case: &str,
    command: &CreateComment,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    // A comment is guarded by its case: without turns, a busy case would let comments miss again and again.
    let first = app.case_named(access, case, &mut Reads::default()).await?;
    let _turn = workspace.turn(first.value.id.as_str()).await;
    let attachments = command.input.attachments.value().map(Vec::as_slice).unwrap_or_default();
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let case = app.case_named(access, case, &mut reads).await?;
        let usable = app.usable_attachments(workspace.id(), &case.value, attachments, &mut reads).await?;
        let now = app.sources().now();
        let mut ids = app.sources().ids().take(1).collect::<Vec<u128>>().into_iter();
        let (decided_by, actor, command) = (Arc::clone(&config), access.actor.clone(), command.clone());
        let decided =
            off_the_runtime(move || decide(&decided_by, &actor, &case, &command, &usable, now, &mut ids));
        let change = decided.await?.map_err(AppError::Refused)?;
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return rendered_change(change, &committed, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

/// Gives the comment of a committed change as an answer.
pub(crate) fn rendered_change(
    change: Change,
    committed: &Committed,
    config: &Workspace,
) -> Result<Rendered, AppError> {
    let record = change.records.into_iter().next().map(|record| record.after);
    match (record, committed.documents.first()) {
        (Some(Record::Comment(value)), Some(outcome)) => {
            Ok(rendered_comment(&Versioned { version: outcome.version, number: None, value }, config))
        }
        _ => Err(AppError::Failed("a change of a comment without one was committed".to_owned())),
    }
}
