//! Passed deadlines: marks cases and tasks as breached when their due date passes; contract section 3.

use std::sync::Arc;

use casement_domain::actor::Actor;
use casement_domain::change::{Change, Record, RecordChange};
use casement_domain::item::due::breach;
use casement_domain::version::Versioned;
use casement_store::set::ClaimGuard;
use casement_wire::spelling::Noun;
use tokio::task::JoinSet;

use crate::app::{App, StoreState};
use crate::commit::{Act, Reads, pending};
use crate::error::AppError;
use crate::index::Due;
use crate::lease::{Turn, Work};
use crate::limits;
use crate::measure::{self, Worker};
use crate::workspace::OpenWorkspace;

/// Looks for passed deadlines until the task is ended. The deadlines are an order of the index, so a look costs what
/// has passed, not what there is.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(limits::DEADLINE_PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        mark_passed(&app).await;
    }
}

/// Marks what is due by now in every workspace, where this node has the lease on that. Returns how many documents were
/// marked.
pub async fn mark_passed(app: &Arc<App>) -> usize {
    // A store that takes no writes says so itself; there is no point in trying.
    if !app.is_ready() || app.store_state() != StoreState::Ready {
        return 0;
    }
    let now = app.sources().now();
    let (mut marked, mut failed) = (0, 0_u32);
    for workspace in app.open_workspaces() {
        let due = {
            let index = workspace.index();
            let mut due = index.due_before(Noun::Case, now, limits::DEADLINES_AT_ONCE);
            due.extend(index.due_before(Noun::Task, now, limits::DEADLINES_AT_ONCE));
            due
        };
        if due.is_empty() {
            continue;
        }
        let turn = match app.turn_of(workspace.id(), Work::Deadlines).await {
            Ok(Turn::Others) => continue,
            Ok(turn) => turn,
            Err(error) => {
                failed += 1;
                tracing::warn!(%error, workspace.id = workspace.id(), "the lease on passed deadlines can't be had");
                continue;
            }
        };
        // Side by side, so that the store commits them together.
        let mut marks = JoinSet::new();
        for due in due {
            let (app, workspace, guard) = (Arc::clone(app), Arc::clone(&workspace), turn.guard());
            marks.spawn(async move { (mark(&app, &workspace, &due, guard).await, due) });
        }
        while let Some(ended) = marks.join_next().await {
            match ended {
                Ok((Ok(is_marked), _)) => marked += usize::from(is_marked),
                // The others must not wait for one that can't be marked; the next look tries it again.
                Ok((Err(error), due)) => {
                    failed += 1;
                    tracing::warn!(%error, document.id = due.id, "a passed deadline could not be marked");
                }
                Err(error) => {
                    failed += 1;
                    tracing::error!(%error, "marking a passed deadline ended early");
                }
            }
        }
    }
    match failed {
        0 => measure::worker_done(Worker::Deadlines, app.sources().now()),
        _ => measure::worker_failed(Worker::Deadlines),
    }
    marked
}

/// Marks one document, as a change like any other. One that changed meanwhile is left for the next look.
async fn mark(
    app: &App,
    workspace: &OpenWorkspace,
    due: &Due,
    guard: Option<ClaimGuard>,
) -> Result<bool, AppError> {
    let _turn = workspace.turn(&due.case).await;
    let config = workspace.config();
    let actor = Actor::server();
    let now = app.sources().now();
    let mut reads = Reads::default();
    reads.claims.extend(guard);
    let record = match due.noun {
        Noun::Case => {
            let Some(before) = app.case(workspace.id(), &due.id, &mut reads).await? else {
                return Ok(false);
            };
            breach(&before.value.item, &config, &actor, now).map(|item| {
                let mut after = before.value.clone();
                after.item = item;
                let Versioned { version, number, value } = before;
                changed(version, number, Record::Case(value), Record::Case(after), "case.breached")
            })
        }
        Noun::Task => {
            let Some(before) = app.task(workspace.id(), &due.id, &mut reads).await? else {
                return Ok(false);
            };
            breach(&before.value.item, &config, &actor, now).map(|item| {
                let mut after = before.value.clone();
                after.item = item;
                let Versioned { version, number, value } = before;
                changed(version, number, Record::Task(value), Record::Task(after), "task.breached")
            })
        }
    };
    let Some(record) = record else { return Ok(false) };
    let change = Change { records: vec![record] };
    let act = Act::of_server(&actor, "", now);
    let pending = pending(&config, act, &change, reads, None, app.sources())?;
    Ok(app.commit(workspace, pending, None).await?.is_some())
}

fn changed(
    version: u64,
    number: Option<u64>,
    before: Record,
    after: Record,
    event: &'static str,
) -> RecordChange {
    RecordChange { before: Some(Versioned { version, number, value: before }), after, event }
}
