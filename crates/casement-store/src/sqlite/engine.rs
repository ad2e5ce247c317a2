//! The engine on SQLite: ties queue, writer thread, checkpoints and readers together.
//!
//! Point reads are done in place, on the asking task's own thread; pages and walks on blocking threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::backup::BackupError;
use crate::backup::run::{self, BackUp, BackedUp, Source};
use crate::document::{Changes, Document};
use crate::error::StoreError;
use crate::feed::CommittedSet;
use crate::limits;
use crate::lock::{self, DirectoryLock};
use crate::options::Options;
use crate::queue::Queue;
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::journal::JournalOrder;
use crate::sqlite::reader::{self, Lease, Readers};
use crate::sqlite::schema;
use crate::sqlite::writer::Writer;

/// An open database file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pub(crate) queue: Arc<Queue>,
    /// For point reads, which the asking task does itself.
    point_readers: Readers,
    /// For pages and walks, which run on tokio's blocking threads, so that they never keep a point
    /// read waiting for a connection.
    page_readers: Readers,
    quota_pages: Arc<AtomicU64>,
    database: PathBuf,
    /// The copies of the database that are being made.
    copies: Arc<AtomicUsize>,
    /// Taken by whoever closes the store; the async lock makes a second closer wait for the first.
    running: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<Arc<DirectoryLock>>>,
}

impl Drop for Sqlite {
    /// A store that is dropped unclosed still writes what is queued; it does not wait for it.
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Sqlite {
    /// Opens the database in the directory, or makes it, and starts the threads; committed sets go into the feed.
    pub(crate) fn open(
        options: &Options,
        feed: mpsc::Sender<Vec<CommittedSet>>,
    ) -> Result<Sqlite, StoreError> {
        let lock = match lock::refuse_without_database(&options.directory) {
            Ok(()) => lock::take(&options.directory)?,
            Err(gone) if !options.directory.join(lock::LOCK).exists() => return Err(gone),
            Err(_) => {
                // Another store may have been making the database: then its lock tells, or it is done now.
                let lock = lock::take(&options.directory)?;
                lock::refuse_without_database(&options.directory)?;
                lock
            }
        };
        let lock = Arc::new(lock);
        let path: PathBuf = options.directory.join(lock::DATABASE);
        let connection = schema::open_writer(&path)?;
        lock::sync(&options.directory)?;
        let queue = Arc::new(Queue::new(options.queue_sets_max));
        let quota_pages = Arc::new(AtomicU64::new(quota(options.database_pages_max)));
        let point_readers = Readers::open(&path, options.reader_connections.max(1))?;
        let page_readers = Readers::open(&path, limits::SCAN_CONNECTIONS)?;
        let checkpoints = Checkpoints::start(&path, Arc::clone(&queue))?;
        let copies = Arc::new(AtomicUsize::new(0));
        let writer = Writer::new(
            connection,
            Arc::clone(&queue),
            feed,
            checkpoints,
            Arc::clone(&quota_pages),
            Arc::clone(&copies),
        );
        let running = writer.start(Arc::clone(&lock))?;
        Ok(Sqlite {
            queue,
            point_readers,
            page_readers,
            quota_pages,
            database: path,
            copies,
            running: tokio::sync::Mutex::new(Some(running)),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// Takes a connection for a point read.
    pub(crate) fn point(&self) -> Result<Lease<'_>, StoreError> {
        self.point_readers.lease()
    }

    /// The connections for pages and walks.
    pub(crate) fn pages(&self) -> &Readers {
        &self.page_readers
    }

    /// Finds documents; a few in place, more of them on a blocking thread.
    pub(crate) async fn documents(
        self: &Arc<Self>,
        workspace: &str,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<Document>, StoreError> {
        if ids.len() <= limits::DOCUMENTS_INLINE_MAX {
            return reader::documents(self.point()?.connection()?, workspace, kind, ids);
        }
        let (workspace, kind, ids) = (workspace.to_owned(), kind.to_owned(), ids.to_vec());
        self.blocking(move |own| {
            reader::documents(own.page_readers.lease()?.connection()?, &workspace, &kind, &ids)
        })
        .await
    }

    /// Gives what changed, with the head of the same moment.
    pub(crate) async fn changes(
        self: &Arc<Self>,
        workspace: &str,
        after_sequence: u64,
        to_sequence: u64,
    ) -> Result<Option<Changes>, StoreError> {
        let workspace = workspace.to_owned();
        self.blocking(move |own| {
            let lease = own.page_readers.lease()?;
            let transaction = lease.connection()?.unchecked_transaction()?;
            let Some(row) = reader::workspace(&transaction, &workspace)? else { return Ok(None) };
            let documents = reader::changed_documents(&transaction, &workspace, after_sequence, to_sequence)?;
            Ok(Some(Changes { head: row.head, config_version: row.config_version, documents }))
        })
        .await
    }

    /// Runs a read that may take long where it holds up no other task.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Sqlite) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let own = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&own)).await {
            Ok(answer) => answer,
            Err(error) => Err(StoreError::Unavailable(format!("a read was broken off: {error}"))),
        }
    }

    /// Adds to a backup.
    pub(crate) async fn back_up(self: &Arc<Self>, order: BackUp) -> Result<BackedUp, BackupError> {
        let own = Arc::clone(self);
        let running = tokio::task::spawn_blocking(move || {
            let source = Source { database: &own.database, queue: &own.queue, copies: &own.copies };
            run::run(&source, &order)
        });
        running.await.unwrap_or_else(|error| {
            Err(StoreError::Unavailable(format!("a backup was broken off: {error}")).into())
        })
    }

    /// Keeps nothing more for a backup.
    pub(crate) async fn forget_backup(&self, target: String) -> Result<(), StoreError> {
        let answer = self.queue.push_journal(JournalOrder::Forget { target })?;
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unavailable("the writer has stopped; restart the server".into())),
        }
    }

    /// Sets the quota of the database file.
    pub(crate) fn set_database_pages_max(&self, database_pages_max: Option<u64>) {
        self.quota_pages.store(quota(database_pages_max), Ordering::Relaxed);
        self.queue.poke();
    }

    /// Writes what is queued, empties the log, ends the threads and frees the directory.
    pub(crate) async fn close(self: &Arc<Self>) {
        self.queue.close();
        let mut running = self.running.lock().await;
        let Some(handle) = running.take() else { return };
        let own = Arc::clone(self);
        let closing = tokio::task::spawn_blocking(move || {
            // A panic of the thread has been told by its guard.
            let _ = handle.join();
            own.point_readers.close();
            own.page_readers.close();
            drop(own.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        });
        if let Err(error) = closing.await {
            tracing::error!(%error, "closing the store did not end well");
        }
    }
}

/// What SQLite takes for no quota: its own most.
fn quota(database_pages_max: Option<u64>) -> u64 {
    database_pages_max.unwrap_or(schema::PAGES_MAX).clamp(1, schema::PAGES_MAX)
}
