//! Updating a task.

use casement_domain::case::Case;
use casement_domain::change::Record;
use casement_domain::date::Zone;
use casement_domain::given::Given;
use casement_domain::item::input::UpdateInput;
use casement_domain::list::row::Work;
use casement_domain::task::Task;
use casement_domain::task::update::{UpdateTask, update_task as decide};
use casement_domain::version::Versioned;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::{Act, Reads, contended, pending};
use crate::customer::Freshness;
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::trace;

/// Updates a task. A command that changes nothing gives the task as it is and makes no event.
///
/// # Errors
/// There is no such task, it has another version than `if_match` demands, the command has faults, the attempt's key is not
/// usable, or the store takes no writes now.
pub async fn update_task(
    app: &App,
    access: &Access,
    id: &str,
    command: &UpdateTask,
    if_match: &IfMatch,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        // Boxed: it is the largest part, and what only answers a repetition need not have room for it.
        let done = Box::pin(update(app, sending.access(), id, command, if_match, zone, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

/// The same for a task that is named by id or reference id.
///
/// # Errors
/// As [`update_task`].
pub async fn patch_task(
    app: &App,
    access: &Access,
    named: &str,
    command: &UpdateTask,
    if_match: &IfMatch,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let id = app.id_of(access, Noun::Task, named).await?;
    update_task(app, access, &id, command, if_match, zone, attempt).await
}

/// Deletes a task that is named by id or reference id, or restores it. It gives the task as it is where that changes nothing.
///
/// # Errors
/// As [`update_task`].
pub async fn set_active(
    app: &App,
    access: &Access,
    named: &str,
    active: bool,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    let input = UpdateInput { active: Given::Value(active), ..UpdateInput::default() };
    let command = UpdateTask { input, ..UpdateTask::default() };
    // Boxed: a future that keeps a whole command and then all of its work is large.
    Box::pin(patch_task(app, access, named, &command, if_match, Zone::UTC, attempt)).await
}

async fn update(
    app: &App,
    access: &Access,
    id: &str,
    command: &UpdateTask,
    if_match: &IfMatch,
    zone: Zone,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    // The case of the first read tells whose turn it is; a merge may move the task to another meanwhile.
    let first = app.task(workspace.id(), id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
    let case_id = first.value.case.to_string();
    let _turn = workspace.turn(&case_id).await;
    for attempt in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let freshness = Freshness::of_attempt(attempt);
        let before = app.task(workspace.id(), id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let case = app.case_of(workspace.id(), &before.value, &mut reads).await?;
        let base = match command.input.read_at {
            Some(read_at) => {
                app.version_at(workspace.id(), &before.clone().map(Record::Task), read_at).await?
            }
            None => None,
        };
        let awaited = if command.may_restore(&before.value) {
            app.listed_tasks(workspace.id(), &case.value, &mut reads).await?
        } else if command.may_end(&config) {
            app.tasks(workspace.id(), &before.value.plan.depends_on, &mut reads).await?
        } else {
            Vec::new()
        };
        let customer = command.customer(base.as_ref().unwrap_or(&before.value));
        let customers = app.find_customers(workspace.id(), customer, freshness, &mut reads).await?;
        let now = app.sources().now();
        let mut ids = app.sources().ids();
        let decided = trace::decide().in_scope(|| {
            decide(
                &config,
                &access.actor,
                &before,
                base.as_ref(),
                &case,
                &awaited,
                command,
                &customers,
                zone,
                now,
                &mut ids,
            )
        });
        let case_number = case.number.unwrap_or_default();
        let Some(change) = decided.map_err(AppError::Refused)? else {
            let outcome = Outcome::Task { id: id.to_owned(), version: before.version };
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

impl App {
    /// Loads a task and notes that it was read.
    pub(crate) async fn task(
        &self,
        workspace: &str,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Task>>, AppError> {
        // No id that was made here is longer; a longer one need not be looked for.
        if id.len() > casement_store::limits::KEY_BYTES_MAX || id.is_empty() {
            return Ok(None);
        }
        let document = self.store().document(workspace, body::TASK, id).await?;
        reads.document(body::TASK, id, document.as_ref().map_or(0, |document| document.version));
        body::found(document.as_ref(), body::decode_task)
    }

    /// Loads the case of a task and notes that it was read.
    ///
    /// # Errors
    /// The case was purged since the task was read, and the task with it.
    pub(crate) async fn case_of(
        &self,
        workspace: &str,
        task: &Task,
        reads: &mut Reads,
    ) -> Result<Versioned<Case>, AppError> {
        self.case(workspace, task.case.as_str(), reads).await?.ok_or(AppError::NotFound)
    }
}
