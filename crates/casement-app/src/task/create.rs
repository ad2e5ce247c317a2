//! Creating a task of a case.

use casement_domain::case::reference_id;
use casement_domain::date::Zone;
use casement_domain::task::create::{CreateTask, create_task as decide};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::commit::{Act, Reads, contended, pending};
use crate::customer::Freshness;
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Sending, Ticket};
use crate::trace;

/// Creates a task; its case gets it among its tasks in the same transaction.
///
/// # Errors
/// The command has faults (an unknown case is one), the attempt's key is not usable, or the store takes no writes now.
pub async fn create_task(
    app: &App,
    access: &Access,
    command: &CreateTask,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = create(app, sending.access(), command, zone, trial.ticket()).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

/// Creates a task of a case that is named by id or reference id.
///
/// # Errors
/// As [`create_task`]; and there is no such case.
pub async fn create_task_of(
    app: &App,
    access: &Access,
    named: &str,
    command: CreateTask,
    zone: Zone,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let work = create_within(app, sending.access(), named, command.clone(), zone, trial.ticket());
        let done = Box::pin(work).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn create_within(
    app: &App,
    access: &Access,
    named: &str,
    command: CreateTask,
    zone: Zone,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let id = app.id_of(access, Noun::Case, named).await?;
    let case = app.case(access.workspace.id(), &id, &mut Reads::default()).await?;
    let reference = case.and_then(|case| case.number).map(reference_id).ok_or(AppError::NotFound)?;
    let command = command.within(&id, &reference);
    create(app, access, &command, zone, ticket).await
}

async fn create(
    app: &App,
    access: &Access,
    command: &CreateTask,
    zone: Zone,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let case_id = command.case.value().map(String::as_str).unwrap_or_default();
    let _turn = workspace.turn(case_id).await;
    let customer = command.customer();
    for attempt in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let freshness = Freshness::of_attempt(attempt);
        let case = app.case(workspace.id(), case_id, &mut reads).await?;
        let customers = app.find_customers(workspace.id(), customer.as_ref(), freshness, &mut reads).await?;
        let now = app.sources().now();
        let mut ids = app.sources().ids();
        let decided = trace::decide().in_scope(|| {
            decide(&config, &access.actor, case.as_ref(), command, &customers, zone, now, &mut ids)
        });
        let change = decided.map_err(AppError::Refused)?;
        let case_number = case.and_then(|case| case.number).unwrap_or_default();
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return app.rendered_change(change, &committed, case_number, &config).map(Done::Committed);
        }
    }
    Err(contended())
}
