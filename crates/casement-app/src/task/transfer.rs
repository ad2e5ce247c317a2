//! Transferring a task.

use casement_domain::item::transfer::Transfer;
use casement_domain::list::row::Work;
use casement_domain::task::transfer::transfer_task as decide;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::trace;

/// Transfers a task that is named by id or reference id. It gives the task as it is where that changes nothing.
///
/// # Errors
/// There is no such task, it has another version than `if_match` demands, the transfer is refused, the attempt's key is not
/// usable, or the store takes no writes now.
pub async fn transfer_task(
    app: &App,
    access: &Access,
    named: &str,
    command: &Transfer,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = Box::pin(carry_out(app, sending.access(), named, command, if_match, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn carry_out(
    app: &App,
    access: &Access,
    named: &str,
    command: &Transfer,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let id = app.id_of(access, Noun::Task, named).await?;
    let first = app.task(workspace.id(), &id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    let _turn = workspace.turn(first.value.case.as_str()).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let before = app.task(workspace.id(), &id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let case = app.case_of(workspace.id(), &before.value, &mut reads).await?;
        let case_number = case.number.unwrap_or_default();
        let now = app.sources().now();
        let decided =
            trace::decide().in_scope(|| decide(&config, &access.actor, &before, &case, command, now));
        let Some(change) = decided.map_err(AppError::Refused)? else {
            let outcome = Outcome::Task { id, version: before.version };
            return Ok(Done::Unchanged(
                app.rendered_work(before.map(Work::Task), case_number, &config),
                outcome,
            ));
        };
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return app.rendered_change(change, &committed, case_number, &config).map(Done::Committed);
        }
    }
    Err(contended())
}
