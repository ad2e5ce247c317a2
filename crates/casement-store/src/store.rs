//! The store: the way in for sets and questions, the way out for what was committed.
//!
//! It checks what it is given and hands it to one of two engines, `sqlite` or `postgres`; it decides nothing itself.
//! Its methods are async because a server is asked over the network; on SQLite point reads are done in place.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::backup::BackupError;
use crate::backup::run::{BackUp, BackedUp};
use crate::document::{Along, Changes, Claim, Document, NewWorkspace, WorkspaceRow};
use crate::error::{CommitError, Health, StoreError};
use crate::event::{ChainReport, Event};
use crate::feed::CommitFeed;
use crate::heads::Heads;
use crate::options::{Options, Server};
use crate::postgres::engine::Postgres;
use crate::queue::Queue;
use crate::set::{Committed, WriteSet};
use crate::sqlite::engine::Sqlite;
use crate::sqlite::{reader, verify};
use crate::{check, limits, postgres};

/// A store of documents, log, counters and claims. Cheap to clone; all clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens the store in the directory, or makes it there, and brings its schema up to date.
    ///
    /// Blocks for as long as it takes to recover SQLite's log and to move it into the database file,
    /// 64 MiB or a little more at the most. Fails if another store has the
    /// directory or a later release has written it.
    pub fn open(options: Options) -> Result<(Store, CommitFeed), StoreError> {
        let (sender, batches) = mpsc::channel(limits::FEED_BATCHES_MAX);
        let engine = Engine::Sqlite(Arc::new(Sqlite::open(&options, sender)?));
        Ok((Store { engine }, CommitFeed::new(batches, None)))
    }

    /// Connects to a database server and brings the schema there up to date, unless another node does. From then on
    /// the store connects again by itself.
    ///
    /// # Errors
    /// The server can't be reached now ([`StoreError::Unreachable`]: try again), or is not usable as it is set up.
    pub async fn connect(server: Server) -> Result<(Store, CommitFeed), StoreError> {
        let (sender, batches) = mpsc::channel(limits::FEED_BATCHES_MAX);
        let postgres = Postgres::connect(server, sender).await?;
        let moves = Some(postgres.moves());
        Ok((Store { engine: Engine::Postgres(postgres) }, CommitFeed::new(batches, moves)))
    }

    fn queue_of(&self) -> &Queue {
        match &self.engine {
            Engine::Sqlite(sqlite) => &sqlite.queue,
            Engine::Postgres(postgres) => postgres.queue(),
        }
    }

    /// Tells whether other nodes may write to the same data.
    pub fn is_shared(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(_) => false,
            Engine::Postgres(_) => true,
        }
    }

    /// Tells whether the store was closed: questions are answered no more.
    pub fn is_closed(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.queue.is_closed(),
            Engine::Postgres(postgres) => postgres.is_closed(),
        }
    }

    /// Asks the heads of all workspaces after this call, in a round that all who ask meanwhile share. `None`: nobody
    /// else writes to the data, so whatever was acknowledged has been applied here.
    ///
    /// # Errors
    /// The database did not answer in time, or could not prove that it is the one that takes the writes.
    pub async fn heads(&self) -> Result<Option<Arc<Heads>>, StoreError> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(postgres) => postgres.heads().await.map(Some),
        }
    }

    /// Makes the row of a workspace. Also `Ok` if one with the same id, account and organisation
    /// is there; its counters stay as they are.
    pub async fn create_workspace(&self, workspace: NewWorkspace) -> Result<(), StoreError> {
        check::workspace(&workspace)
            .map_err(|reason| StoreError::Refused(format!("workspace {}: {reason}", workspace.id)))?;
        let answer = self.queue_of().push_workspace(workspace)?;
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unavailable("the writer has stopped; restart the server".into())),
        }
    }

    /// Lists all workspaces by id.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                sqlite.blocking(|own| reader::workspaces(own.pages().lease()?.connection()?)).await
            }
            Engine::Postgres(own) => postgres::reader::workspaces(own.page().await?.as_ref()).await,
        }
    }

    /// Finds a workspace.
    pub async fn workspace(&self, id: &str) -> Result<Option<WorkspaceRow>, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => reader::workspace(sqlite.point()?.connection()?, id),
            Engine::Postgres(own) => postgres::reader::workspace(own.point().await?.as_ref(), id).await,
        }
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
        Ok(QueuedSet(self.queue_of().push_set(set, bytes)?))
    }

    /// Finds a document.
    ///
    /// On SQLite read in place, without handing over to another thread: that would take longer than the
    /// microseconds of a read from the page cache (4 warm, 20 in a file of 1 GB).
    pub async fn document(
        &self,
        workspace: &str,
        kind: &str,
        id: &str,
    ) -> Result<Option<Document>, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => reader::document(sqlite.point()?.connection()?, workspace, kind, id),
            Engine::Postgres(own) => {
                postgres::reader::document(own.point().await?.as_ref(), workspace, kind, id).await
            }
        }
    }

    /// Finds documents, in the order asked; those that are absent are left out. On SQLite a few are read in
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
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.documents(workspace, kind, ids).await,
            Engine::Postgres(own) => {
                postgres::reader::documents(own.point().await?.as_ref(), workspace, kind, ids).await
            }
        }
    }

    /// Lists the documents of a kind that belong to a parent, by id. An error past
    /// [`limits::CHILDREN_MAX`].
    pub async fn children(
        &self,
        workspace: &str,
        kind: &str,
        parent: &str,
    ) -> Result<Vec<Document>, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let (workspace, kind, parent) = (owned(workspace), owned(kind), owned(parent));
                let children = sqlite.blocking(move |own| {
                    reader::children(own.pages().lease()?.connection()?, &workspace, &kind, &parent)
                });
                children.await
            }
            Engine::Postgres(own) => {
                postgres::reader::children(own.point().await?.as_ref(), workspace, kind, parent).await
            }
        }
    }

    /// Gives one page of the documents of a kind that belong to any of some parents, in one order of their ids. For lists that
    /// go on while new documents come: what was given once is not given again. Besides the page it reads as many ids of each
    /// parent, and no bodies but those of the page.
    ///
    /// # Errors
    /// The page is too large, there are more than [`limits::PARENTS_MAX`] parents, or the database can't be read.
    pub async fn children_page(
        &self,
        workspace: &str,
        kind: &str,
        parents: &[String],
        along: &Along,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let limit = page(limit)?;
        if parents.len() > limits::PARENTS_MAX {
            return Err(StoreError::TooMany { what: "parents asked for", limit: limits::PARENTS_MAX });
        }
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let (workspace, kind) = (owned(workspace), owned(kind));
                let (parents, along) = (parents.to_vec(), along.clone());
                let children = sqlite.blocking(move |own| {
                    let lease = own.pages().lease()?;
                    reader::children_page(lease.connection()?, &workspace, &kind, &parents, &along, limit)
                });
                children.await
            }
            Engine::Postgres(own) => {
                let client = own.point().await?;
                postgres::reader::children_page(&client, workspace, kind, parents, along, limit).await
            }
        }
    }

    /// Counts the documents of a kind that belong to a parent.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn count_children(&self, workspace: &str, kind: &str, parent: &str) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let (workspace, kind, parent) = (owned(workspace), owned(kind), owned(parent));
                let counted = sqlite.blocking(move |own| {
                    reader::count_children(own.pages().lease()?.connection()?, &workspace, &kind, &parent)
                });
                counted.await
            }
            Engine::Postgres(own) => {
                postgres::reader::count_children(own.point().await?.as_ref(), workspace, kind, parent).await
            }
        }
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
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let (workspace, kind, after) = (owned(workspace), owned(kind), after.map(owned));
                let scanned = sqlite.blocking(move |own| {
                    let lease = own.pages().lease()?;
                    reader::scan(lease.connection()?, &workspace, &kind, after.as_deref(), limit)
                });
                scanned.await
            }
            Engine::Postgres(own) => {
                postgres::reader::scan(own.page().await?.as_ref(), workspace, kind, after, limit).await
            }
        }
    }

    /// Finds who holds a key.
    pub async fn claim(&self, workspace: &str, key: &str) -> Result<Option<Claim>, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => reader::claim(sqlite.point()?.connection()?, workspace, key),
            Engine::Postgres(own) => {
                postgres::reader::claim(own.point().await?.as_ref(), workspace, key).await
            }
        }
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
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let workspace = owned(workspace);
                let keys = sqlite.blocking(move |own| {
                    reader::expired_claims(own.pages().lease()?.connection()?, &workspace, at_ms, limit)
                });
                keys.await
            }
            Engine::Postgres(own) => {
                postgres::reader::expired_claims(own.page().await?.as_ref(), workspace, at_ms, limit).await
            }
        }
    }

    /// Gives one page of a workspace's log, after a sequence number.
    pub async fn events(
        &self,
        workspace: &str,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = page(limit)?;
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let workspace = owned(workspace);
                let events = sqlite.blocking(move |own| {
                    reader::events(own.pages().lease()?.connection()?, &workspace, after_sequence, limit)
                });
                events.await
            }
            Engine::Postgres(own) => {
                postgres::reader::events(own.page().await?.as_ref(), workspace, after_sequence, limit).await
            }
        }
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
        let changes = self.changes(workspace, after_sequence, limit).await?;
        Ok(changes.map(|changes| changes.documents).unwrap_or_default())
    }

    /// As [`Store::changed_documents`], with where the log ended at that very moment: once a page reaches it, everything
    /// up to there has been given. `None`: there is no such workspace.
    ///
    /// # Errors
    /// The page is too large, or the database can't be read.
    pub async fn changes(
        &self,
        workspace: &str,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Option<Changes>, StoreError> {
        let to_sequence = after_sequence.saturating_add(page(limit)? as u64);
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.changes(workspace, after_sequence, to_sequence).await,
            Engine::Postgres(own) => {
                postgres::reader::changes(own.page().await?.as_ref(), workspace, after_sequence, to_sequence)
                    .await
            }
        }
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
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let (workspace, document) = (owned(workspace), owned(document));
                let events = sqlite.blocking(move |own| {
                    let lease = own.pages().lease()?;
                    reader::document_events(lease.connection()?, &workspace, &document, after_sequence, limit)
                });
                events.await
            }
            Engine::Postgres(own) => {
                let client = own.point().await?;
                postgres::reader::document_events(&client, workspace, document, after_sequence, limit).await
            }
        }
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
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let (workspace, document) = (owned(workspace), owned(document));
                let events = sqlite.blocking(move |own| {
                    let lease = own.pages().lease()?;
                    reader::document_events_below(
                        lease.connection()?,
                        &workspace,
                        &document,
                        below_sequence,
                        limit,
                    )
                });
                events.await
            }
            Engine::Postgres(own) => {
                let client = own.point().await?;
                postgres::reader::document_events_below(&client, workspace, document, below_sequence, limit)
                    .await
            }
        }
    }

    /// Gives the sequence numbers of a document's events that were not erased, and do not tell of erasures, the first ones
    /// first: for erasing them.
    ///
    /// # Errors
    /// The page is too large, or the database can't be read.
    pub async fn unerased_events(
        &self,
        workspace: &str,
        kind: &str,
        document: &str,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        let (limit, of) = (page(limit)?, (kind, document));
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                reader::unerased_events(sqlite.point()?.connection()?, workspace, of, u64::MAX, limit)
            }
            Engine::Postgres(own) => {
                let client = own.point().await?;
                postgres::reader::unerased_events(&client, workspace, of, u64::MAX, limit).await
            }
        }
    }

    /// Walks a workspace's whole log: contiguous from 1 to the head, every digest and hash right, and nothing missing but what
    /// an event says is erased. Reads page by page, in bounded memory: some 64 bytes for each document whose changes are gone
    /// beside the page. Events committed meanwhile are looked at only where they may tell of an erasure.
    pub async fn verify(&self, workspace: &str) -> Result<ChainReport, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let workspace = owned(workspace);
                sqlite.blocking(move |own| verify::verify(own.pages(), &workspace)).await
            }
            Engine::Postgres(own) => postgres::verify::verify(own, workspace).await,
        }
    }

    /// Adds to a backup: a base when one is needed, then what was written since its last run. The store goes on
    /// meanwhile.
    ///
    /// # Errors
    /// The backup is of another store or damaged, its directory can't be used, the store is closed, or it lies on a
    /// database server, which has tools of its own.
    pub async fn back_up(&self, order: BackUp) -> Result<BackedUp, BackupError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.back_up(order).await,
            Engine::Postgres(_) => Err(StoreError::Refused(limits::NO_BACKUP.into()).into()),
        }
    }

    /// Keeps nothing more for a backup, as [`crate::inspect::Inspection::followers`] names it. What lies there stays.
    ///
    /// # Errors
    /// The store takes no writes, or lies on a database server.
    pub async fn forget_backup(&self, target: &str) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.forget_backup(target.to_owned()).await,
            Engine::Postgres(_) => Err(StoreError::Refused(limits::NO_BACKUP.into())),
        }
    }

    /// Says how well the store is.
    pub fn health(&self) -> Health {
        self.queue_of().health()
    }

    /// Sets the quota of the database file in pages of 16 KiB, `None` for as much as the disk
    /// holds. Holds from the next transaction on; a full store tries at once whether it has room. A database server
    /// has none.
    pub fn set_database_pages_max(&self, database_pages_max: Option<u64>) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.set_database_pages_max(database_pages_max),
            Engine::Postgres(_) => {}
        }
    }

    /// Writes what is queued, empties the log, ends the threads and frees the directory. Sets and
    /// questions that come later are answered as unavailable.
    ///
    /// The feed's consumer must go on until the feed ends, or the queue can't be drained.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
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

fn owned(text: &str) -> String {
    text.to_string()
}

fn page(limit: usize) -> Result<usize, StoreError> {
    if limit == 0 || limit > limits::PAGE_MAX {
        return Err(StoreError::Refused(format!("a page of {limit}; it is 1 to {}", limits::PAGE_MAX)));
    }
    Ok(limit)
}
