//! The sweep: removes claims that have ended, such as idempotency keys after their 7 days. They hold nothing from the
//! moment of their end; the sweep gives their room back.

use std::sync::Arc;

use casement_domain::actor::Actor;
use casement_store::error::CommitError;
use casement_store::set::{ClaimWrite, WriteSet};

use crate::app::{App, StoreState};
use crate::error::AppError;
use crate::installation::INSTALLATION;
use crate::lease::{Turn, Work, is_lease};
use crate::limits;
use crate::measure::{self, Worker};

/// Sweeps until the task is ended.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(limits::SWEEP_PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match sweep(&app).await {
            Ok(_) => measure::worker_done(Worker::Sweep, app.sources().now()),
            Err(error) => {
                measure::worker_failed(Worker::Sweep);
                tracing::warn!(%error, "claims that have ended could not be removed");
            }
        }
    }
}

/// Removes what has ended by now. Returns how many claims were looked at.
///
/// # Errors
/// The store can't be read or takes no writes now; what is left is removed by the next sweep.
pub async fn sweep(app: &App) -> Result<usize, AppError> {
    // A store that takes no writes says so itself; there is no point in trying.
    if !app.is_ready() || app.store_state() != StoreState::Ready {
        return Ok(0);
    }
    let mut swept = 0;
    for workspace in app.open_workspaces() {
        swept += sweep_workspace(app, workspace.id()).await?;
    }
    Ok(swept + sweep_workspace(app, INSTALLATION).await?)
}

async fn sweep_workspace(app: &App, workspace: &str) -> Result<usize, AppError> {
    let mut swept = 0;
    loop {
        let at_ms = app.sources().now().ms();
        let ended = app.store().expired_claims(workspace, at_ms, limits::SWEEP_PAGE).await?;
        let count = ended.len();
        // Those of leases stay: there are few, and each sweep would leave another.
        let keys: Vec<String> = ended.into_iter().filter(|key| !is_lease(key)).collect();
        if keys.is_empty() {
            return Ok(swept);
        }
        let turn = app.turn_of(workspace, Work::Sweep).await?;
        if turn == Turn::Others {
            return Ok(swept);
        }
        let set = WriteSet {
            workspace: workspace.to_owned(),
            operation: app.sources().operation(),
            at_ms,
            actor: Actor::server().id.to_string(),
            app: String::new(),
            config_version: None,
            changes_config: false,
            guards: Vec::new(),
            claim_guards: turn.guard().into_iter().collect(),
            head_guards: Vec::new(),
            documents: Vec::new(),
            claims: keys.into_iter().map(|key| ClaimWrite::RemoveExpired { key }).collect(),
            events: Vec::new(),
        };
        match app.store().commit(set).await {
            Ok(_) => swept += count,
            Err(CommitError::Missed(_)) => return Ok(swept),
            Err(error) => {
                let missed = || AppError::Failed("a miss was answered above".to_owned());
                return Err(AppError::of_commit(error).unwrap_or_else(missed));
            }
        }
        if count < limits::SWEEP_PAGE {
            return Ok(swept);
        }
    }
}
