//! Backups: one run, and the task that continues a backup while the server works.
//!
//! What a backup is and how it is written is the store's; here it gets clock and randomness and its rhythm. It needs no
//! access: only whoever holds the data directory or its control socket reaches it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use casement_store::backup::BackupError;
use casement_store::backup::run::{BackUp, BackedUp, TakeBase};
use tokio::time::{Instant, MissedTickBehavior};

use crate::app::App;
use crate::attachment::backup::Copied;
use crate::limits;
use crate::measure::{self, Worker};

/// Where a backup goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupTarget {
    /// Its directory.
    pub to: PathBuf,
    /// How many bases it keeps; `None` keeps all.
    pub bases_kept: Option<NonZeroUsize>,
}

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
pub enum BackupFailure {
    /// What was asked can't be done as it stands; nothing was written.
    #[error("{0}")]
    Refused(String),
    /// The backup is damaged, or the store or a directory can't be used.
    #[error("{0}")]
    Failed(String),
}

impl From<BackupError> for BackupFailure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Refused(reason) => Self::Refused(reason),
            BackupError::File { .. } | BackupError::Store(_) => Self::Failed(error.to_string()),
        }
    }
}

/// When a run takes a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseRule {
    /// When the backup has none that this installation continues.
    WhenNeeded,
    /// Also when the newest is older than a day.
    Daily,
    /// Always.
    Now,
}

/// What a run has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// For the database.
    pub store: BackedUp,
    /// For the bytes of attachments.
    pub attachments: Copied,
}

impl App {
    /// Runs a backup of this installation once: the database, then the bytes of attachments.
    ///
    /// # Errors
    /// The backup is damaged or of another installation, or the store or the directory can't be used.
    pub async fn back_up(&self, target: &BackupTarget, base: BaseRule) -> Result<Done, BackupFailure> {
        let clock = self.sources().clone();
        let base = match base {
            BaseRule::WhenNeeded => TakeBase::WhenNeeded,
            BaseRule::Daily => TakeBase::OlderThan(limits::BACKUP_BASE_PERIOD_MS),
            BaseRule::Now => TakeBase::Now,
        };
        let order = BackUp {
            to: target.to.clone(),
            base,
            bases_kept: target.bases_kept,
            now_ms: Arc::new(move || clock.now().ms()),
            random: [self.sources().salt(), self.sources().salt()],
        };
        let done = self.store().back_up(order).await?;
        let attachments = self.back_up_bytes(&target.to, &done).await?;
        Ok(Done { store: done, attachments })
    }
}

/// Continues a backup every [`limits::BACKUP_PERIOD`] until the task is ended. A run that fails is tried again, at
/// growing distances; the log says when a backup begins to fail and when it works again.
pub async fn follow(app: Arc<App>, target: BackupTarget) {
    let mut ticks = tokio::time::interval(limits::BACKUP_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0_u32;
    loop {
        ticks.tick().await;
        match app.back_up(&target, BaseRule::Daily).await {
            Ok(Done { store: done, .. }) => {
                measure::backed_up(done.until_ms);
                measure::worker_done(Worker::Backup, app.sources().now());
                if let Some(base) = &done.base {
                    let file = base.file.display();
                    tracing::info!(%file, bytes = base.bytes, reason = base.reason, "a base was taken");
                }
                if failures > 0 {
                    tracing::info!(failures, "the backup works again");
                }
                failures = 0;
            }
            Err(error) => {
                measure::backup_failed();
                measure::worker_failed(Worker::Backup);
                if failures == 0 {
                    tracing::error!(%error, "the backup fails; it is tried again");
                }
                failures = failures.saturating_add(1);
                let wait = limits::BACKUP_PERIOD.saturating_mul(failures).min(limits::BACKUP_WAIT_MAX);
                ticks.reset_at(Instant::now() + wait);
            }
        }
    }
}
