//! Moves the log into the database file beside the writer, so that commits seldom wait for it.
//!
//! One thread with its own connection. It sleeps until the writer wakes it. It never makes the
//! writer wait (PASSIVE), which also means that it can't reset the log while writes keep coming:
//! that is the writer's part.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use rusqlite::{Connection, ErrorCode};

use crate::error::{Health, StoreError};
use crate::queue::{PanicGuard, Queue};
use crate::sqlite::schema;

/// The checkpoint thread, as the writer sees it.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Signal {
    asked: Mutex<Asked>,
    changed: Condvar,
    /// Held for as long as a checkpoint runs.
    running: Mutex<()>,
}

#[derive(Debug, Default)]
struct Asked {
    checkpoint: bool,
    stop: bool,
}

/// How a checkpoint ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// Whether readers or another checkpoint kept it from its end.
    pub(crate) busy: bool,
    /// The pages in the log.
    pub(crate) pages: u64,
}

/// How far a checkpoint goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Does nothing, tells how long the log is.
    Noop,
    /// Moves what it can without making anybody wait.
    Passive,
    /// Moves everything and lets the next write begin the log anew.
    Restart,
    /// The same, and cuts the file to nothing.
    Truncate,
}

/// Runs a checkpoint on a connection.
pub(crate) fn checkpoint(connection: &Connection, mode: Mode) -> Result<Log, rusqlite::Error> {
    let sql = match mode {
        Mode::Noop => "PRAGMA wal_checkpoint(NOOP)",
        Mode::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Mode::Restart => "PRAGMA wal_checkpoint(RESTART)",
        Mode::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    connection.prepare_cached(sql)?.query_row([], |row| {
        let pages: i64 = row.get(1)?;
        // -1 stands for a log that has not been begun.
        Ok(Log { busy: row.get(0)?, pages: u64::try_from(pages).unwrap_or(0) })
    })
}

/// Says what a failed checkpoint means. A lock that is held or a full disk passes by itself; after
/// any other error the database file may not hold what was written to it, and the log, which does,
/// must not be reset.
pub(crate) fn report(queue: &Queue, error: &rusqlite::Error) {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => {
            tracing::warn!(%error, "a checkpoint has to be tried again");
        }
        Some(_) | None => {
            tracing::error!(%error, "a checkpoint failed; the store takes no more writes");
            queue.fail(format!(
                "moving the log into the database failed ({error}); nothing acknowledged is lost, look at \
                 the disk and restart the server"
            ));
        }
    }
}

impl Checkpoints {
    /// Starts the thread.
    pub(crate) fn start(path: &Path, queue: Arc<Queue>) -> Result<Checkpoints, StoreError> {
        let connection = schema::open_checkpointer(path)?;
        let signal = Arc::new(Signal::default());
        let asked = Arc::clone(&signal);
        let thread = Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || run(&connection, &asked, &queue))
            .map_err(|source| StoreError::Io { action: "start a thread for", path: path.into(), source })?;
        Ok(Checkpoints { signal, thread: Some(thread) })
    }

    /// Asks for a checkpoint and does not wait for it.
    pub(crate) fn wake(&self) {
        self.signal.lock().checkpoint = true;
        self.signal.changed.notify_all();
    }

    /// Waits for the checkpoint that the thread may be at, and keeps it from the next until the
    /// guard is dropped.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.signal.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Checkpoints {
    /// Ends the thread and waits for the checkpoint that it may be at.
    fn drop(&mut self) {
        self.signal.lock().stop = true;
        self.signal.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told by its guard.
            let _ = thread.join();
        }
    }
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a checkpoint is asked for; says no once the thread shall end.
    fn wait(&self) -> bool {
        let asked = self.lock();
        let mut asked = self
            .changed
            .wait_while(asked, |asked| !asked.checkpoint && !asked.stop)
            .unwrap_or_else(PoisonError::into_inner);
        asked.checkpoint = false;
        !asked.stop
    }
}

fn run(connection: &Connection, signal: &Signal, queue: &Queue) {
    let _guard = PanicGuard { queue, thread: "checkpoint" };
    while signal.wait() {
        match queue.health() {
            Health::Ready | Health::Full { .. } | Health::Unreachable { .. } => {
                let _running = signal.running.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = checkpoint(connection, Mode::Passive) {
                    report(queue, &error);
                }
            }
            Health::RestartRequired { .. } => {}
        }
    }
}
