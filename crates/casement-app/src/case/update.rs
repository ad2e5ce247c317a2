//! Updating a case.

use casement_domain::case::Case;
use casement_domain::case::update::{UpdateCase, update_case as decide};
use casement_domain::change::{Change, Record};
use casement_domain::date::Zone;
use casement_domain::given::Given;
use casement_domain::id::TaskId;
use casement_domain::item::input::UpdateInput;
use casement_domain::list::row::Work;
use casement_domain::task::Task;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_store::set::Committed;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::{Act, Reads, contended, pending};
use crate::customer::Freshness;
use crate::document::{IfMatch, Numbers, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::trace;

/// Updates a case. A command that changes nothing gives the case as it is and makes no event.
///
/// # Errors
/// There is no such case, it has another version than `if_match` demands, the command has faults, the attempt's key is not
/// usable, or the store takes no writes now.
pub async fn update_case(
    app: &App,
    access: &Access,
    id: &str,
    command: &UpdateCase,
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

/// The same for a case that is named by id or reference id.
///
/// # Errors
/// As [`update_case`].
pub async fn patch_case(
    app: &App,
    access: &Access,
    named: &str,
    command: &UpdateCase,
    if_match: &IfMatch,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let id = app.id_of(access, Noun::Case, named).await?;
    update_case(app, access, &id, command, if_match, zone, attempt).await
}

/// Deletes a case that is named by id or reference id, or restores it. It gives the case as it is where that changes nothing.
///
/// # Errors
/// As [`update_case`].
pub async fn set_active(
    app: &App,
    access: &Access,
    named: &str,
    active: bool,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    let input = UpdateInput { active: Given::Value(active), ..UpdateInput::default() };
    let command = UpdateCase { input, ..UpdateCase::default() };
    // Boxed: a future that keeps a whole command and then all of its work is large.
    Box::pin(patch_case(app, access, named, &command, if_match, Zone::UTC, attempt)).await
}

async fn update(
    app: &App,
    access: &Access,
    id: &str,
    command: &UpdateCase,
    if_match: &IfMatch,
    zone: Zone,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let _turn = workspace.turn(id).await;
    for attempt in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let freshness = Freshness::of_attempt(attempt);
        let before = app.case(workspace.id(), id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let tasks = if command.may_close(&config) || command.may_restore(&before.value) {
            app.listed_tasks(workspace.id(), &before.value, &mut reads).await?
        } else {
            Vec::new()
        };
        let base = match command.input.read_at {
            Some(read_at) => {
                app.version_at(workspace.id(), &before.clone().map(Record::Case), read_at).await?
            }
            None => None,
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
                command,
                &tasks,
                &customers,
                zone,
                now,
                &mut ids,
            )
        });
        let Some(change) = decided.map_err(AppError::Refused)? else {
            let outcome = Outcome::Case { id: id.to_owned(), version: before.version };
            let case_number = before.number.unwrap_or_default();
            let rendered = app.rendered_work(before.map(Work::Case), case_number, &config);
            return Ok(Done::Unchanged(rendered, outcome));
        };
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return app.rendered_change(change, &committed, 0, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

impl App {
    /// Loads a case and notes that it was read.
    pub(crate) async fn case(
        &self,
        workspace: &str,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Case>>, AppError> {
        // No id that was made here is longer; a longer one need not be looked for.
        if id.len() > casement_store::limits::KEY_BYTES_MAX || id.is_empty() {
            return Ok(None);
        }
        let document = self.store().document(workspace, body::CASE, id).await?;
        reads.document(body::CASE, id, document.as_ref().map_or(0, |document| document.version));
        body::found(document.as_ref(), body::decode_case)
    }

    /// Loads the tasks that a case lists and notes that they were read.
    pub(crate) async fn listed_tasks(
        &self,
        workspace: &str,
        case: &Case,
        reads: &mut Reads,
    ) -> Result<Vec<Versioned<Task>>, AppError> {
        self.tasks(workspace, &case.tasks, reads).await
    }

    /// Loads tasks and notes that they were read; those that there are not, or not any more, are left out.
    pub(crate) async fn tasks(
        &self,
        workspace: &str,
        ids: &[TaskId],
        reads: &mut Reads,
    ) -> Result<Vec<Versioned<Task>>, AppError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let documents = self.store().documents(workspace, body::TASK, &ids).await?;
        for document in &documents {
            reads.document(body::TASK, &document.id, document.version);
        }
        documents.iter().filter_map(|document| body::decode_task(document).transpose()).collect()
    }

    /// Gives the first document of a committed change as an answer; `case_number` is that of a task's case.
    pub(crate) fn rendered_change(
        &self,
        change: Change,
        committed: &Committed,
        case_number: u64,
        config: &Workspace,
    ) -> Result<Rendered, AppError> {
        let record = change.records.into_iter().next().map(|record| record.after);
        let (Some(record), Some(outcome)) = (record, committed.documents.first()) else {
            return Err(AppError::Failed("a change without a document was committed".to_owned()));
        };
        let work = match record {
            Record::Case(case) => Work::Case(case),
            Record::Task(task) => Work::Task(task),
            Record::Customer(_) | Record::Attachment(_) | Record::Usage(_) => {
                return Err(AppError::Failed("a customer is no answer to a command".to_owned()));
            }
            Record::Comment(_) => {
                return Err(AppError::Failed("a comment is no answer to a command on a case".to_owned()));
            }
        };
        let numbers =
            Numbers { version: outcome.version, number: outcome.number.unwrap_or_default(), case_number };
        Ok(Rendered {
            body: self.rendered().render(&work, numbers, config),
            version: numbers.version,
            is_replayed: false,
        })
    }
}
