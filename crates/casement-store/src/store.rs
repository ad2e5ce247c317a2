//! The store: the way in for sets and questions, the way out for what was committed.
//!
//! It ties queue, writer and readers together and decides nothing itself. Its methods are async so
//! that a second engine fits behind them; on SQLite point reads are done in place.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::backup::BackupError;
use crate::backup::run::{self, BackUp, BackedUp, Source};
use crate::document::{Claim, Document, NewWorkspace, WorkspaceRow};
use crate::error::{CommitError, Health, StoreError};
use crate::event::{ChainReport, Event};
use crate::lock::{self, DirectoryLock};
use crate::options::Options;
use crate::queue::{CommitReply, Queue};
use crate::set::{Committed, WriteSet};
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::reader::{self, Readers};
use crate::sqlite::writer::Writer;
use crate::sqlite::{schema, verify};
use crate::{check, limits, measure};

/// A store of documents, log, counters and claims. Cheap to clone; all clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: Arc<Queue>,
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

impl Drop for Inner {
    /// A store that is dropped unclosed still writes what is queued; it does not wait for it.
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Store {
    /// Opens the store in the directory, or makes it there, and brings its schema up to date.
    ///
    /// Blocks for as long as it takes to recover SQLite's log and to move it into the database file,
    /// 64 MiB or a little more at the most. Fails if another store has the
    /// directory or a later release has written it.
    pub fn open(options: Options) -> Result<(Store, CommitFeed), StoreError> {
        let lock = Arc::new(lock::take(&options.directory)?);
        let path: PathBuf = options.directory.join(lock::DATABASE);
        let connection = schema::open_writer(&path)?;
        lock::sync(&options.directory)?;
        let queue = Arc::new(Queue::new(options.queue_sets_max));
        let quota_pages = Arc::new(AtomicU64::new(quota(options.database_pages_max)));
        let (sender, receiver) = mpsc::channel(limits::FEED_BATCHES_MAX);
        let point_readers = Readers::open(&path, options.reader_connections.max(1))?;
        let page_readers = Readers::open(&path, limits::SCAN_CONNECTIONS)?;
        let checkpoints = Checkpoints::start(&path, Arc::clone(&queue))?;
        let copies = Arc::new(AtomicUsize::new(0));
        let writer = Writer::new(
            connection,
            Arc::clone(&queue),
            sender,
            checkpoints,
            Arc::clone(&quota_pages),
            Arc::clone(&copies),
        );
        let running = writer.start(Arc::clone(&lock))?;
        let inner = Inner {
            queue,
            point_readers,
            page_readers,
            quota_pages,
            database: path,
            copies,
            running: tokio::sync::Mutex::new(Some(running)),
            lock: Mutex::new(Some(lock)),
        };
        Ok((Store { inner: Arc::new(inner) }, CommitFeed { batches: receiver }))
    }

    /// Makes the row of a workspace. Also `Ok` if one with the same id, account and organisation
    /// is there; its counters stay as they are.
    pub async fn create_workspace(&self, workspace: NewWorkspace) -> Result<(), StoreError> {
        check::workspace(&workspace)
            .map_err(|reason| StoreError::Refused(format!("workspace {}: {reason}", workspace.id)))?;
        let answer = self.inner.queue.push_workspace(workspace)?;
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unavailable("the writer has stopped; restart the server".into())),
        }
    }

    /// Lists all workspaces by id.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || reader::workspaces(inner.page_readers.lease()?.connection()?)).await
    }

    /// Finds a workspace.
    pub async fn workspace(&self, id: &str) -> Result<Option<WorkspaceRow>, StoreError> {
        reader::workspace(self.inner.point_readers.lease()?.connection()?, id)
    }

    /// Queues a set and waits until it is durable and the feed's consumer has acknowledged it.
    ///
    /// Dropping the future does not take the set back. An error other than
    /// [`CommitError::OutcomeUnknown`] means that nothing was written.
    pub async fn commit(&self, set: WriteSet) -> Result<Committed, CommitError> {
        self.queue(set)?.committed().await
    }

    /// Queues a set without waiting: for a caller with many of them. Sets of one workspace are committed in the order
    /// in which they were queued.
    ///
    /// # Errors
    /// The set is not acceptable, the queue is full, or the store takes no sets now; nothing was queued.
    pub fn queue(&self, set: WriteSet) -> Result<QueuedSet, CommitError> {
        let bytes = check::set(&set).map_err(CommitError::Refused)?;
        Ok(QueuedSet(self.inner.queue.push_set(set, bytes)?))
    }

    /// Finds a document.
    ///
    /// Read in place, without handing over to another thread: that would take longer than the
    /// microseconds of a read from the page cache (4 warm, 20 in a file of 1 GB).
    pub async fn document(
        &self,
        workspace: &str,
        kind: &str,
        id: &str,
    ) -> Result<Option<Document>, StoreError> {
        reader::document(self.inner.point_readers.lease()?.connection()?, workspace, kind, id)
    }

    /// Finds documents, in the order asked; those that are absent are left out. A few are read in
    /// place, more of them on a blocking thread.
    pub async fn documents(
        &self,
        workspace: &str,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<Document>, StoreError> {
        if ids.len() > limits::DOCUMENTS_MAX {
            return Err(StoreError::TooMany { what: "documents asked for", limit: limits::DOCUMENTS_MAX });
        }
        if ids.len() <= limits::DOCUMENTS_INLINE_MAX {
            return reader::documents(self.inner.point_readers.lease()?.connection()?, workspace, kind, ids);
        }
        let (inner, workspace, kind, ids) = (self.inner.clone(), owned(workspace), owned(kind), ids.to_vec());
        blocking(move || {
            reader::documents(inner.page_readers.lease()?.connection()?, &workspace, &kind, &ids)
        })
        .await
    }

    /// Lists the documents of a kind that belong to a parent, by id. An error past
    /// [`limits::CHILDREN_MAX`].
    pub async fn children(
        &self,
        workspace: &str,
        kind: &str,
        parent: &str,
    ) -> Result<Vec<Document>, StoreError> {
        let (inner, workspace, kind, parent) =
            (self.inner.clone(), owned(workspace), owned(kind), owned(parent));
        blocking(move || {
            reader::children(inner.page_readers.lease()?.connection()?, &workspace, &kind, &parent)
        })
        .await
    }

    /// Gives one page of all documents of a kind in the order of their ids, after `after`. For
    /// building caches and the index at the start.
    pub async fn scan(
        &self,
        workspace: &str,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let limit = page(limit)?;
        let (inner, workspace, kind) = (self.inner.clone(), owned(workspace), owned(kind));
        let after = after.map(owned);
        blocking(move || {
            let lease = inner.page_readers.lease()?;
            reader::scan(lease.connection()?, &workspace, &kind, after.as_deref(), limit)
        })
        .await
    }

    /// Finds who holds a key.
    pub async fn claim(&self, workspace: &str, key: &str) -> Result<Option<Claim>, StoreError> {
        reader::claim(self.inner.point_readers.lease()?.connection()?, workspace, key)
    }

    /// Gives keys whose claims have ended at a moment (milliseconds since 1970), the longest ended first: for sweeping
    /// them by [`crate::set::ClaimWrite::RemoveExpired`].
    ///
    /// # Errors
    /// The page is too large, or the database can't be read.
    pub async fn expired_claims(
        &self,
        workspace: &str,
        at_ms: i64,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let limit = page(limit)?;
        let (inner, workspace) = (self.inner.clone(), owned(workspace));
        blocking(move || {
            reader::expired_claims(inner.page_readers.lease()?.connection()?, &workspace, at_ms, limit)
        })
        .await
    }

    /// Gives one page of a workspace's log, after a sequence number.
    pub async fn events(
        &self,
        workspace: &str,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = page(limit)?;
        let (inner, workspace) = (self.inner.clone(), owned(workspace));
        blocking(move || {
            reader::events(inner.page_readers.lease()?.connection()?, &workspace, after_sequence, limit)
        })
        .await
    }

    /// Gives one page of the documents that changed after a sequence number, in the order of their last changes: those
    /// whose last event is among the next `limit` of the log. One that changes again meanwhile comes in a later page. For
    /// bringing what was kept of a workspace up to date; the log ends where [`Store::workspace`] says.
    ///
    /// # Errors
    /// The page is too large, or the database can't be read.
    pub async fn changed_documents(
        &self,
        workspace: &str,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let to_sequence = after_sequence.saturating_add(page(limit)? as u64);
        let (inner, workspace) = (self.inner.clone(), owned(workspace));
        blocking(move || {
            let lease = inner.page_readers.lease()?;
            reader::changed_documents(lease.connection()?, &workspace, after_sequence, to_sequence)
        })
        .await
    }

    /// Gives one page of the events of a document, after a sequence number. Documents of different
    /// kinds that share an id share the answer.
    pub async fn document_events(
        &self,
        workspace: &str,
        document: &str,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = page(limit)?;
        let (inner, workspace, document) = (self.inner.clone(), owned(workspace), owned(document));
        blocking(move || {
            let lease = inner.page_readers.lease()?;
            reader::document_events(lease.connection()?, &workspace, &document, after_sequence, limit)
        })
        .await
    }

    /// Gives a page of one document's events, newest first, below a sequence number: for going back to an old version.
    ///
    /// # Errors
    /// The page is too large, or the database can't be read.
    pub async fn document_events_below(
        &self,
        workspace: &str,
        document: &str,
        below_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = page(limit)?;
        let (inner, workspace, document) = (self.inner.clone(), owned(workspace), owned(document));
        blocking(move || {
            let lease = inner.page_readers.lease()?;
            reader::document_events_below(lease.connection()?, &workspace, &document, below_sequence, limit)
        })
        .await
    }

    /// Walks a workspace's whole log: contiguous from 1 to the head, every digest and hash right.
    /// Reads page by page, in bounded memory. Events committed meanwhile are not looked at.
    pub async fn verify(&self, workspace: &str) -> Result<ChainReport, StoreError> {
        let (inner, workspace) = (self.inner.clone(), owned(workspace));
        blocking(move || verify::verify(&inner.page_readers, &workspace)).await
    }

    /// Adds to a backup: a base when one is needed, then what was written since its last run. The store goes on
    /// meanwhile.
    ///
    /// # Errors
    /// The backup is of another store or damaged, its directory can't be used, or the store is closed.
    pub async fn back_up(&self, order: BackUp) -> Result<BackedUp, BackupError> {
        let inner = Arc::clone(&self.inner);
        let running = tokio::task::spawn_blocking(move || {
            let source = Source { database: &inner.database, queue: &inner.queue, copies: &inner.copies };
            run::run(&source, &order)
        });
        running.await.unwrap_or_else(|error| {
            Err(StoreError::Unavailable(format!("a backup was broken off: {error}")).into())
        })
    }

    /// Says how well the store is.
    pub fn health(&self) -> Health {
        self.inner.queue.health()
    }

    /// Sets the quota of the database file in pages of 16 KiB, `None` for as much as the disk
    /// holds. Holds from the next transaction on; a full store tries at once whether it has room.
    pub fn set_database_pages_max(&self, database_pages_max: Option<u64>) {
        self.inner.quota_pages.store(quota(database_pages_max), Ordering::Relaxed);
        self.inner.queue.poke();
    }

    /// Writes what is queued, empties the log, ends the threads and frees the directory. Sets and
    /// questions that come later are answered as unavailable.
    ///
    /// The feed's consumer must go on until the feed ends, or the queue can't be drained.
    pub async fn close(&self) {
        self.inner.queue.close();
        let mut running = self.inner.running.lock().await;
        let Some(handle) = running.take() else { return };
        let inner = Arc::clone(&self.inner);
        let closing = tokio::task::spawn_blocking(move || {
            // A panic of the thread has been told by its guard.
            let _ = handle.join();
            inner.point_readers.close();
            inner.page_readers.close();
            drop(inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        });
        if let Err(error) = closing.await {
            tracing::error!(%error, "closing the store did not end well");
        }
    }
}

/// A set that is queued. Dropping it does not take the set back.
#[derive(Debug)]
pub struct QueuedSet(oneshot::Receiver<Result<Committed, CommitError>>);

impl QueuedSet {
    /// Waits until the set is durable and the feed's consumer has acknowledged it.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn committed(self) -> Result<Committed, CommitError> {
        self.0.await.unwrap_or_else(|_| Err(dropped()))
    }

    /// Waits as [`QueuedSet::committed`], on a thread that may be held up.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn blocking_committed(self) -> Result<Committed, CommitError> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(dropped()))
    }
}

fn dropped() -> CommitError {
    CommitError::OutcomeUnknown("the writer or the feed's consumer has dropped the set".into())
}

/// What was committed, in order, for the one who applies it to the index.
#[derive(Debug)]
pub struct CommitFeed {
    batches: mpsc::Receiver<Vec<CommittedSet>>,
}

impl CommitFeed {
    /// Waits for the next batch, the sets of one transaction in commit order. `None` once the store
    /// is closed. Safe to cancel.
    ///
    /// If the feed is dropped the store takes no more sets.
    pub async fn next(&mut self) -> Option<Vec<CommittedSet>> {
        self.batches.recv().await
    }
}

/// A set that is durable and whose caller still waits.
#[derive(Debug)]
pub struct CommittedSet {
    /// The set.
    pub set: WriteSet,
    /// What the commit assigned to it.
    pub outcome: Committed,
    reply: CommitReply,
}

impl CommittedSet {
    pub(crate) fn new(set: WriteSet, outcome: Committed, reply: CommitReply) -> CommittedSet {
        measure::handed_over();
        CommittedSet { set, outcome, reply }
    }

    /// Answers the caller. If this is dropped instead, the caller is told that the outcome is
    /// unknown.
    pub fn acknowledge(self) {
        measure::applied();
        // The caller may have gone away; then nobody needs the answer.
        let _ = self.reply.send(Ok(self.outcome));
    }
}

/// Runs a read that may take long where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => Err(StoreError::Unavailable(format!("a read was broken off: {error}"))),
    }
}

fn owned(text: &str) -> String {
    text.to_string()
}

fn page(limit: usize) -> Result<usize, StoreError> {
    if limit == 0 || limit > limits::PAGE_MAX {
        return Err(StoreError::Refused(format!("a page of {limit}; it is 1 to {}", limits::PAGE_MAX)));
    }
    Ok(limit)
}

/// What SQLite takes for no quota: its own most.
fn quota(database_pages_max: Option<u64>) -> u64 {
    database_pages_max.unwrap_or(schema::PAGES_MAX).clamp(1, schema::PAGES_MAX)
}
