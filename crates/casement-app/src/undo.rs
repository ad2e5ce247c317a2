//! Undoing one change of a case or task, which its event names by the version that it made.

use casement_domain::case::Case;
use casement_domain::case::undo::undo_case;
use casement_domain::change::Record;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::item::undo::Undone;
use casement_domain::list::row::Work;
use casement_domain::task::Task;
use casement_domain::task::undo::undo_task;
use casement_domain::version::Versioned;
use casement_wire::spelling::Noun;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::app::App;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};

/// Which change of which document.
#[derive(Debug, Clone, Copy)]
pub struct UndoCommand<'a> {
    /// The sort of document.
    pub noun: Noun,
    /// Its id or reference id.
    pub named: &'a str,
    /// The version that the change made.
    pub version: u64,
}

/// Takes one change back and leaves what others changed since. It gives the document as it is where nothing is left to be taken
/// back.
///
/// # Errors
/// There is no such document or version, it has another version than `if_match` demands, a key was changed again since, the
/// change can't be told or would break a rule, the attempt's key is not usable, or the store takes no writes now.
pub async fn undo(
    app: &App,
    access: &Access,
    command: UndoCommand<'_>,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let id = app.id_of(access, command.noun, command.named).await?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = match command.noun {
            Noun::Case => {
                Box::pin(of_case(app, sending.access(), &id, command.version, if_match, trial.ticket())).await
            }
            Noun::Task => {
                Box::pin(of_task(app, sending.access(), &id, command.version, if_match, trial.ticket())).await
            }
        };
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn of_case(
    app: &App,
    access: &Access,
    id: &str,
    version: u64,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    // Before the turn: what was does not change, and the way back may be long.
    let first = app.case(workspace.id(), id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    let around = app.around::<Case>(workspace.id(), &first.map(Record::Case), version).await?;
    let _turn = workspace.turn(id).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let before = app.case(workspace.id(), id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let undone = Undone { former: &around.0, made: &around.1 };
        let may_restore = undone.former.item.active && !before.value.item.active;
        let tasks = match undone.former.item.is_closed(&config) || may_restore {
            true => app.listed_tasks(workspace.id(), &before.value, &mut reads).await?,
            false => Vec::new(),
        };
        let now = app.sources().now();
        let decided = undo_case(&config, &access.actor, &before, undone, &tasks, now);
        let Some(change) = decided.map_err(AppError::Refused)? else {
            let outcome = Outcome::Case { id: id.to_owned(), version: before.version };
            let number = before.number.unwrap_or_default();
            return Ok(Done::Unchanged(app.rendered_work(before.map(Work::Case), number, &config), outcome));
        };
        let pending = pending(&config, Act::of(access, now), &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return app.rendered_change(change, &committed, 0, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

async fn of_task(
    app: &App,
    access: &Access,
    id: &str,
    version: u64,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    // The case of the first read tells whose turn it is; a merge may move the task to another meanwhile.
    let first = app.task(workspace.id(), id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    let case_id = first.value.case.to_string();
    // Before the turn: what was does not change, and the way back may be long.
    let around = app.around::<Task>(workspace.id(), &first.map(Record::Task), version).await?;
    let _turn = workspace.turn(&case_id).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let before = app.task(workspace.id(), id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let case = app.case_of(workspace.id(), &before.value, &mut reads).await?;
        let undone = Undone { former: &around.0, made: &around.1 };
        let now = app.sources().now();
        let siblings = app.listed_tasks(workspace.id(), &case.value, &mut reads).await?;
        let decided = undo_task(&config, &access.actor, &before, undone, &case, &siblings, now);
        let number = case.number.unwrap_or_default();
        let Some(change) = decided.map_err(AppError::Refused)? else {
            let outcome = Outcome::Task { id: id.to_owned(), version: before.version };
            return Ok(Done::Unchanged(app.rendered_work(before.map(Work::Task), number, &config), outcome));
        };
        let pending = pending(&config, Act::of(access, now), &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return app.rendered_change(change, &committed, number, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

impl App {
    /// Gives the versions of a document before and after a change.
    async fn around<T: DeserializeOwned>(
        &self,
        workspace: &str,
        stored: &Versioned<Record>,
        version: u64,
    ) -> Result<(T, T), AppError> {
        let refused = |message: &str| {
            let mut faults = Faults::new();
            faults.add(FaultKind::Conflict, Key::Body, message);
            AppError::Refused(faults)
        };
        if version == 0 || version > stored.version {
            return Err(AppError::NotFound);
        }
        if version == 1 {
            return Err(refused("the making of a document can't be undone; delete it"));
        }
        let versions = self.versions_around(workspace, stored, version).await?;
        versions.ok_or_else(|| refused("the log no longer tells what this change was"))
    }
}
