//! Creating a case.

use bytes::Bytes;
use casement_domain::case::create::{CreateCase, create_case as decide};
use casement_domain::change::{Change, Record};
use casement_domain::date::Zone;
use casement_domain::task::Task;
use casement_domain::workspace::Workspace;
use casement_store::set::Committed;
use casement_wire::document::write_created_case;

use crate::access::Access;
use crate::app::App;
use crate::commit::{Act, Reads, contended, pending};
use crate::customer::Freshness;
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Sending, Ticket};
use crate::trace;

/// Creates a case with the tasks of its template, and its customer when it is a new one.
///
/// # Errors
/// The command has faults, the attempt's key is not usable, or the store takes no writes now.
pub async fn create_case(
    app: &App,
    access: &Access,
    command: &CreateCase,
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

async fn create(
    app: &App,
    access: &Access,
    command: &CreateCase,
    zone: Zone,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let customer = command.customer();
    for attempt in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let freshness = Freshness::of_attempt(attempt);
        let customers = app.find_customers(workspace.id(), customer.as_ref(), freshness, &mut reads).await?;
        let now = app.sources().now();
        let mut ids = app.sources().ids();
        let change = trace::decide()
            .in_scope(|| decide(&config, &access.actor, command, &customers, zone, now, &mut ids))
            .map_err(AppError::Refused)?;
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return rendered(&change, &committed, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

/// Gives the answer to a change that makes a case.
pub(crate) fn rendered(
    change: &Change,
    committed: &Committed,
    config: &Workspace,
) -> Result<Rendered, AppError> {
    let mut case = None;
    let mut tasks: Vec<(&Task, u64)> = Vec::new();
    for (record, outcome) in change.records.iter().zip(&committed.documents) {
        let number = outcome.number.unwrap_or_default();
        match &record.after {
            // One that was there before is changed beside it.
            Record::Case(_) if record.before.is_some() => {}
            Record::Case(made) => case = Some((made, number, outcome.version)),
            Record::Task(task) => tasks.push((task, number)),
            Record::Customer(_) | Record::Attachment(_) | Record::Usage(_) | Record::Comment(_) => {}
        }
    }
    let (case, number, version) =
        case.ok_or_else(|| AppError::Failed("a new case is missing in its own change".to_owned()))?;
    Ok(Rendered {
        body: Bytes::from(write_created_case(case, number, &tasks, config)),
        version,
        is_replayed: false,
    })
}
