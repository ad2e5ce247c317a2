//! Backups: one run, and the task that continues a backup while the server works.
//!
//! What a backup is and how it is written is the store's; here it gets clock and randomness and its rhythm. It needs no
//! access: only whoever holds the data directory or its control socket reaches it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use casement_store::backup::BackupError;
use casement_store::backup::examine::{Damage, Look};
use casement_store::backup::run::{BackUp, BackedUp, TakeBase};
use casement_store::error::StoreError;
use casement_store::inspect::Inspection;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, timeout};

use crate::app::App;
use crate::attachment::backup::{Copied, Due};
use crate::doctor::secrets::keys_needed;
use crate::limits;
use crate::measure::{self, Worker};
use crate::seal::key_file::KeyFile;

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
        match &error {
            BackupError::Refused(reason) => Self::Refused(reason.clone()),
            BackupError::Store(StoreError::Io { source, .. }) => Self::Failed(format!("{error}: {source}")),
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

/// What is known of a target before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing but what the store remembers.
    Unknown,
    /// This process has added to it.
    Continued,
}

/// What a run has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// For the database.
    pub store: BackedUp,
    /// For the bytes of attachments.
    pub attachments: Copied,
}

/// Says why a command may not back a directory up that no server holds: it would change what is there.
///
/// # Errors
/// A later release than that which wrote the database would bring it to its own schema, or would make a key file and seal
/// under it; or the data can't be read.
pub fn check_stays_as_it_is(inspection: &Inspection, key_file: &KeyFile) -> Result<(), BackupFailure> {
    let (found, latest) = inspection.schema();
    if found < latest {
        return Err(BackupFailure::Refused(format!(
            "the database has schema {found}, and this release would bring it to {latest} before it could back it up: make the \
             backup with the release that wrote it, or copy the directory while no server runs"
        )));
    }
    let needed = keys_needed(inspection).map_err(|error| BackupFailure::Failed(error.to_string()))?;
    let is_there = key_file.read().map_err(|error| BackupFailure::Failed(error.to_string()))?.is_some();
    if needed.is_empty() && !is_there {
        return Err(BackupFailure::Refused(format!(
            "there is no key file {}, and a backup makes none: name the one that is in use (--key-file), or start the server \
             once. If an older release wrote the directory, make the backup with that one",
            key_file.path().display()
        )));
    }
    Ok(())
}

impl App {
    /// Runs a backup of this installation once: the database, then the bytes of attachments, as long as they take.
    ///
    /// # Errors
    /// The backup is damaged or of another installation, or the store or the directory can't be used.
    pub async fn back_up(&self, target: &BackupTarget, base: BaseRule) -> Result<Done, BackupFailure> {
        let done = self.back_up_store(target, base, Before::Unknown, Look::Heads).await?;
        let attachments = self.back_up_bytes(&target.to, &mut Due::after(&done)).await?;
        Ok(Done { store: done, attachments })
    }

    /// Runs a backup before the server ends: the database, then the bytes of attachments for a bounded time. The next start
    /// goes on with them.
    ///
    /// # Errors
    /// As [`App::back_up`].
    pub async fn back_up_at_end(&self, target: &BackupTarget) -> Result<(), BackupFailure> {
        let done = self.back_up_store(target, BaseRule::WhenNeeded, Before::Unknown, Look::Bases).await?;
        let mut due = Due::after(&done);
        match timeout(limits::BACKUP_END_WAIT, self.back_up_bytes(&target.to, &mut due)).await {
            Ok(copied) => copied.map(|_| ()),
            Err(_) => {
                tracing::warn!("the backup lacks bytes of attachments; the next start copies them");
                Ok(())
            }
        }
    }

    /// Keeps nothing more for a backup, as `Inspection::followers` names it. What lies there stays.
    ///
    /// # Errors
    /// The store takes no writes.
    pub async fn forget_backup(&self, target: &str) -> Result<(), BackupFailure> {
        Ok(self.store().forget_backup(target).await.map_err(BackupError::from)?)
    }

    async fn back_up_store(
        &self,
        target: &BackupTarget,
        base: BaseRule,
        before: Before,
        look: Look,
    ) -> Result<BackedUp, BackupFailure> {
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
            look,
            is_continued: before == Before::Continued,
            random: [self.sources().salt(), self.sources().salt()],
        };
        Ok(self.store().back_up(order).await?)
    }
}

/// What the runs for the database have left to do for the bytes of attachments; and a call when there is something.
#[derive(Debug, Default)]
struct Bytes {
    due: Mutex<Due>,
    called: Notify,
}

impl Bytes {
    fn add(&self, due: Due) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).add(due);
        self.called.notify_one();
    }

    fn take(&self) -> Due {
        std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How often something failed in a row, and how long to wait until it is tried again.
#[derive(Debug, Default)]
struct Failures(u32);

impl Failures {
    fn again(&mut self) -> Duration {
        self.0 = self.0.saturating_add(1);
        limits::BACKUP_PERIOD.saturating_mul(self.0).min(limits::BACKUP_WAIT_MAX)
    }
}

/// Continues a backup until the task is ended: the database every [`limits::BACKUP_PERIOD`], and beside it the bytes of
/// attachments, which it never waits for. What fails is tried again, at growing distances; the log says when it begins to
/// fail and when it works again.
pub async fn follow(app: Arc<App>, target: BackupTarget) {
    let bytes = Bytes::default();
    tokio::join!(follow_store(&app, &target, &bytes), follow_bytes(&app, &target, &bytes));
}

async fn follow_store(app: &App, target: &BackupTarget, bytes: &Bytes) {
    let mut ticks = tokio::time::interval(limits::BACKUP_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = Failures::default();
    let (mut before, mut looked, mut told) = (Before::Unknown, None, Vec::new());
    loop {
        ticks.tick().await;
        let is_due = looked.is_none_or(|at: Instant| at.elapsed() >= limits::BACKUP_LOOK_PERIOD);
        let look = if is_due { Look::Heads } else { Look::Bases };
        match app.back_up_store(target, BaseRule::Daily, before, look).await {
            Ok(done) => {
                before = Before::Continued;
                if is_due {
                    looked = Some(Instant::now());
                }
                tell_damages(&done.damages, &mut told);
                bytes.add(Due::after(&done));
                measure::backed_up(done.until_ms);
                measure::worker_done(Worker::Backup, app.sources().now());
                if let Some(base) = &done.base {
                    let file = base.file.display();
                    tracing::info!(%file, bytes = base.bytes, reason = base.reason, "a base was taken");
                }
                if failures.0 > 0 {
                    tracing::info!(failures = failures.0, "the backup works again");
                }
                failures = Failures::default();
            }
            Err(error) => {
                measure::backup_failed();
                measure::worker_failed(Worker::Backup);
                if failures.0 == 0 {
                    tracing::error!(%error, "the backup fails; it is tried again");
                }
                ticks.reset_at(Instant::now() + failures.again());
            }
        }
    }
}

/// Tells of each damage once.
fn tell_damages(damages: &[Damage], told: &mut Vec<Damage>) {
    for damage in damages {
        if !told.contains(damage) {
            measure::backup_failed();
            let (file, reason) = (damage.path.display(), &damage.reason);
            tracing::error!(%file, reason, "a file of the backup is damaged; what only it holds can't be restored");
            told.push(damage.clone());
        }
    }
}

async fn follow_bytes(app: &App, target: &BackupTarget, bytes: &Bytes) {
    let mut failures = Failures::default();
    loop {
        bytes.called.notified().await;
        let mut due = bytes.take();
        match app.back_up_bytes(&target.to, &mut due).await {
            Ok(_) => {
                if failures.0 > 0 {
                    tracing::info!(failures = failures.0, "the backup of attachments works again");
                }
                failures = Failures::default();
            }
            Err(error) => {
                measure::worker_failed(Worker::Backup);
                if failures.0 == 0 {
                    tracing::error!(%error, "the backup of attachments fails; it is tried again");
                }
                tokio::time::sleep(failures.again()).await;
                bytes.add(due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_reason_of_the_system_and_the_file() {
        let source = std::io::ErrorKind::PermissionDenied.into();
        let error = StoreError::Io { action: "make", path: "/mnt/backup".into(), source };
        let told = BackupFailure::from(BackupError::from(error)).to_string();
        assert!(told.contains("/mnt/backup") && told.contains("permission denied"), "{told}");
    }
}
