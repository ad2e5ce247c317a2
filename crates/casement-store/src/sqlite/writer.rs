//! The one writer: a thread that commits what is queued, batch by batch.
//!
//! While a commit runs, arriving sets pile up and go together into the next. It hands committed
//! batches to the feed in order. A failed commit stops it: for a while if the disk is full, for
//! good if nobody can tell what is on the disk.

use std::iter::zip;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc;

use crate::document::NewWorkspace;
use crate::error::{CommitError, Health, StoreError};
use crate::feed::CommittedSet;
use crate::limits;
use crate::lock::DirectoryLock;
use crate::measure;
use crate::queue::{Batch, PanicGuard, Queue, Work, WorkspaceReply};
use crate::sqlite::checkpoint::{self, Checkpoints, Mode};
use crate::sqlite::journal::{self, JournalOrder};
use crate::sqlite::writing;

/// The writer's connection and everything that it reports to.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: Connection,
    queue: Arc<Queue>,
    feed: mpsc::Sender<Vec<CommittedSet>>,
    checkpoints: Checkpoints,
    /// The quota that is wanted, and the one that the connection has.
    quota_pages: Arc<AtomicU64>,
    quota_pages_set: u64,
    /// The copies of the database that are being made; each keeps the log from being restarted.
    copies: Arc<AtomicUsize>,
    /// The length of the log when a checkpoint was last asked for.
    log_pages_seen: u64,
}

/// What a failed transaction means.
#[derive(Debug)]
enum Failure {
    /// Another program holds the database. Nothing was written.
    Busy(String),
    /// No room. Nothing was written.
    Full(String),
    /// Nobody can tell what was written.
    Unknown(String),
}

impl Writer {
    /// Puts the parts together; nothing runs yet.
    pub(crate) fn new(
        connection: Connection,
        queue: Arc<Queue>,
        feed: mpsc::Sender<Vec<CommittedSet>>,
        checkpoints: Checkpoints,
        quota_pages: Arc<AtomicU64>,
        copies: Arc<AtomicUsize>,
    ) -> Writer {
        Writer {
            connection,
            queue,
            feed,
            checkpoints,
            quota_pages,
            quota_pages_set: 0,
            copies,
            log_pages_seen: 0,
        }
    }

    /// Starts the thread. It keeps the directory locked for as long as it runs.
    pub(crate) fn start(self, lock: Arc<DirectoryLock>) -> Result<JoinHandle<()>, StoreError> {
        Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                self.run();
                drop(lock);
            })
            .map_err(|source| StoreError::Io {
                action: "start a thread for",
                path: "the store".into(),
                source,
            })
    }

    fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        let _guard = PanicGuard { queue: &queue, thread: "writer" };
        while let Some(work) = queue.take() {
            match work {
                Work::Sets(batch) => self.commit(batch),
                Work::Workspace(workspace, reply) => self.create_workspace(&workspace, reply),
                Work::Journal(order, reply) => self.write_order(&order, reply),
            }
            self.wait_for_room();
        }
        self.end();
    }

    fn commit(&mut self, batch: Batch) {
        if self.feed.is_closed() {
            self.feed_is_gone();
            let reason = "the consumer of the commit feed is gone; nothing was written";
            return answer_all(batch, &CommitError::Unavailable(reason.into()));
        }
        let began = Instant::now();
        let outcome = self.apply_quota().and_then(|()| writing::write_sets(&self.connection, &batch.sets));
        let outcomes = match outcome {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let answer = self.give_up(&error);
                return answer_all(batch, &answer);
            }
        };
        let mut committed = Vec::with_capacity(batch.sets.len());
        let missed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        for ((set, reply), outcome) in zip(zip(batch.sets, batch.replies), outcomes) {
            match outcome {
                Ok(outcome) => committed.push(CommittedSet::new(set, outcome, reply)),
                // The caller may have gone away; then nobody needs the answer.
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        measure::committed(committed.len(), missed, began.elapsed());
        if committed.is_empty() {
            return;
        }
        // A batch that can't be handed over is dropped, and so its callers learn that the outcome
        // is unknown.
        if self.feed.blocking_send(committed).is_err() {
            self.feed_is_gone();
        }
        self.tend_log();
    }

    fn create_workspace(&mut self, workspace: &NewWorkspace, reply: WorkspaceReply) {
        let outcome = self.apply_quota().and_then(|()| writing::write_workspace(&self.connection, workspace));
        let answer = match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Refused(format!(
                "workspace {} exists with another account or organisation",
                workspace.id
            ))),
            Err(error) => Err(StoreError::Unavailable(self.give_up(&error).to_string())),
        };
        // The caller may have gone away; then nobody needs the answer.
        let _ = reply.send(answer);
    }

    fn write_order(&mut self, order: &JournalOrder, reply: WorkspaceReply) {
        let outcome = self.apply_quota().and_then(|()| journal::write_order(&self.connection, order));
        let answer = outcome.map_err(|error| StoreError::Unavailable(self.give_up(&error).to_string()));
        // The caller may have gone away; then nobody needs the answer.
        let _ = reply.send(answer);
    }

    /// Ends the failed transaction, sets the health and gives the answer for the callers.
    fn give_up(&mut self, error: &rusqlite::Error) -> CommitError {
        match self.roll_back(error) {
            Failure::Busy(reason) => {
                tracing::warn!(%error, "another program holds the database; its sets were not written");
                CommitError::Unavailable(reason)
            }
            Failure::Full(reason) => {
                tracing::error!(%error, "the disk or the quota is full; the store takes no writes for now");
                self.queue.fill(reason.clone());
                CommitError::Unavailable(reason)
            }
            Failure::Unknown(reason) => {
                tracing::error!(%error, "a write failed; the store takes no more writes");
                self.queue.fail(reason.clone());
                CommitError::OutcomeUnknown(reason)
            }
        }
    }

    fn roll_back(&self, error: &rusqlite::Error) -> Failure {
        let unknown = |error: &rusqlite::Error| {
            Failure::Unknown(format!(
                "writing to the disk failed ({error}) and the outcome of the last sets is unknown; look at \
                 the disk and restart the server"
            ))
        };
        if !self.connection.is_autocommit()
            && let Err(error) = writing::run(&self.connection, "ROLLBACK")
        {
            return unknown(&error);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::Busy(
                "another program holds the database, a backup perhaps; nothing was written, try again later"
                    .into(),
            ),
            Some(ErrorCode::DiskFull) => Failure::Full(
                "the disk or the database's quota is full; nothing was written. Make room or raise the \
                 quota, the store goes on by itself"
                    .into(),
            ),
            Some(_) | None => unknown(error),
        }
    }

    /// While the store is full, tries to write until it can; the waits grow up to a limit.
    fn wait_for_room(&mut self) {
        let mut time = limits::PROBE_WAIT_MIN;
        loop {
            match self.queue.health() {
                Health::Full { .. } => {}
                Health::Ready | Health::Unreachable { .. } | Health::RestartRequired { .. } => return,
            }
            if !self.queue.wait(time) {
                return;
            }
            time = (time * 2).min(limits::PROBE_WAIT_MAX);
            // What can be moved out of the log makes room in it.
            self.checkpoints.wake();
            match self.apply_quota().and_then(|()| writing::probe(&self.connection)) {
                Ok(()) => {
                    tracing::info!("the store has room again and takes writes");
                    self.queue.recover();
                }
                Err(error) => match self.roll_back(&error) {
                    Failure::Busy(_) | Failure::Full(_) => {}
                    Failure::Unknown(reason) => {
                        tracing::error!(%error, "a write failed; the store takes no more writes");
                        self.queue.fail(reason);
                    }
                },
            }
        }
    }

    fn feed_is_gone(&self) {
        tracing::error!("the consumer of the commit feed is gone; the store takes no more writes");
        self.queue.fail("the consumer of the commit feed is gone; restart the server".into());
    }

    fn apply_quota(&mut self) -> Result<(), rusqlite::Error> {
        let wanted = self.quota_pages.load(Ordering::Relaxed);
        if wanted != self.quota_pages_set {
            self.connection.pragma_update_and_check(None, "max_page_count", wanted, |_| Ok(()))?;
            self.quota_pages_set = wanted;
        }
        Ok(())
    }

    /// Keeps the log bounded: wakes the checkpoint thread as it grows, and past a limit restarts
    /// the log here, where no other write can come between.
    fn tend_log(&mut self) {
        let outcome = checkpoint::checkpoint(&self.connection, Mode::Noop).and_then(|log| {
            measure::log_pages(log.pages);
            if log.pages < self.log_pages_seen {
                self.log_pages_seen = 0;
            }
            if log.pages - self.log_pages_seen < limits::CHECKPOINT_PAGES {
                return Ok(());
            }
            self.log_pages_seen = log.pages;
            // While a copy is made the log can't be restarted: waiting for it would only hold the writes up.
            if log.pages < limits::RESTART_PAGES || self.copies.load(Ordering::Relaxed) > 0 {
                self.checkpoints.wake();
                return Ok(());
            }
            self.restart_log()
        });
        if let Err(error) = outcome {
            checkpoint::report(&self.queue, &error);
        }
    }

    /// Waits for the checkpoint thread, which is how a slow disk slows the writes down, and a little
    /// for readers of old pages. What can't be done now is tried again as the log grows on.
    fn restart_log(&self) -> Result<(), rusqlite::Error> {
        let _paused = self.checkpoints.pause();
        self.connection.busy_timeout(limits::RESTART_WAIT)?;
        let outcome = checkpoint::checkpoint(&self.connection, Mode::Restart);
        self.connection.busy_timeout(limits::BUSY_WAIT)?;
        let log = outcome?;
        if log.busy {
            tracing::warn!(log.pages = log.pages, "a reader keeps the log from starting anew");
        }
        Ok(())
    }

    /// Ends the checkpoint thread and, if the store is sound, leaves an empty log behind.
    fn end(self) {
        drop(self.checkpoints);
        match self.queue.health() {
            Health::Ready | Health::Full { .. } | Health::Unreachable { .. } => {
                if let Err(error) = checkpoint::checkpoint(&self.connection, Mode::Truncate) {
                    checkpoint::report(&self.queue, &error);
                }
            }
            Health::RestartRequired { .. } => {}
        }
    }
}

fn answer_all(batch: Batch, answer: &CommitError) {
    for reply in batch.replies {
        // The caller may have gone away; then nobody needs the answer.
        let _ = reply.send(Err(answer.clone()));
    }
}
