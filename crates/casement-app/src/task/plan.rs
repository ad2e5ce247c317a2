//! Planning a task: what it depends on, whether its case needs it, and its checklist.

use bytes::Bytes;
use casement_domain::change::{Change, Record};
use casement_domain::task::Task;
use casement_domain::task::plan::{PlanTask, plan_task as decide};
use casement_domain::version::Versioned;
use casement_store::set::Committed;
use casement_wire::plan::{write_case_plan, write_plan};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::workspace::OpenWorkspace;

/// Gives the plan of a task, with the task's entity tag.
///
/// # Errors
/// There is no such task, or the store can't be read.
pub async fn plan(app: &App, access: &Access, named: &str) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, Noun::Task, named);
    let (workspace, mut reads) = (access.workspace.id(), Reads::default());
    let task = app.task(workspace, &id, &mut reads).await?.ok_or(AppError::NotFound)?;
    app.rendered_plan(&access.workspace, &task).await
}

/// Gives the tasks of a case with their plans, each behind those that it depends on.
///
/// # Errors
/// There is no such case, or the store can't be read.
pub async fn case_plan(app: &App, access: &Access, named: &str) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, Noun::Case, named);
    let (workspace, mut reads) = (access.workspace.id(), Reads::default());
    let case = app.case(workspace, &id, &mut reads).await?.ok_or(AppError::NotFound)?;
    let tasks = app.listed_tasks(workspace, &case.value, &mut reads).await?;
    Ok(Bytes::from(write_case_plan(&tasks, &access.workspace.config())))
}

/// Changes the plan of a task. A command that changes nothing gives the plan as it is and makes no event.
///
/// # Errors
/// There is no such task, it has another version than `if_match` demands, the command has faults, the attempt's key is not
/// usable, or the store takes no writes now.
pub async fn plan_task(
    app: &App,
    access: &Access,
    named: &str,
    command: &PlanTask,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let id = app.id_of(access, Noun::Task, named).await?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = Box::pin(change(app, sending.access(), &id, command, if_match, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn change(
    app: &App,
    access: &Access,
    id: &str,
    command: &PlanTask,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    // The case of the first read tells whose turn it is; a merge may move the task to another meanwhile.
    let first = app.task(workspace.id(), id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    let case_id = first.value.case.to_string();
    let _turn = workspace.turn(&case_id).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let before = app.task(workspace.id(), id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let case = app.case_of(workspace.id(), &before.value, &mut reads).await?;
        let siblings = app.listed_tasks(workspace.id(), &case.value, &mut reads).await?;
        let now = app.sources().now();
        let mut ids = app.sources().ids();
        let decided = decide(&config, &access.actor, &before, &case, &siblings, command, now, &mut ids);
        let Some(change) = decided.map_err(AppError::Refused)? else {
            let outcome = Outcome::Plan { id: id.to_owned(), version: before.version };
            return Ok(Done::Unchanged(app.rendered_plan(workspace, &before).await?, outcome));
        };
        let pending = pending(&config, Act::of(access, now), &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            let after = App::changed_task(change, &committed)?;
            return Ok(Done::Committed(app.rendered_plan(workspace, &after).await?));
        }
    }
    Err(contended())
}

impl App {
    /// Gives the plan of a version of a task as an answer; what it says of other tasks is as it is now.
    pub(crate) async fn rendered_plan(
        &self,
        workspace: &OpenWorkspace,
        task: &Versioned<Task>,
    ) -> Result<Rendered, AppError> {
        let awaited = self.tasks(workspace.id(), &task.value.plan.depends_on, &mut Reads::default()).await?;
        let body = Bytes::from(write_plan(task, &awaited, &workspace.config()));
        Ok(Rendered { body, version: task.version, is_replayed: false })
    }

    /// Gives the task of a change as it was committed.
    fn changed_task(change: Change, committed: &Committed) -> Result<Versioned<Task>, AppError> {
        let record = change.records.into_iter().next().map(|record| record.after);
        match (record, committed.documents.first()) {
            (Some(Record::Task(value)), Some(outcome)) => {
                Ok(Versioned { version: outcome.version, number: outcome.number, value })
            }
            _ => Err(AppError::Failed("a plan was committed without its task".to_owned())),
        }
    }
}
