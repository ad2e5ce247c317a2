//! The engine on a server: its connections, its tasks, and what they share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

use crate::error::StoreError;
use crate::feed::CommittedSet;
use crate::heads::Heads;
use crate::limits;
use crate::lock::{self, DirectoryLock};
use crate::options::{Directory, FreshReads, Server};
use crate::postgres::connect::{Purpose, Target};
use crate::postgres::link::Link;
use crate::postgres::moves::Moves;
use crate::postgres::news::{self, Untold};
use crate::postgres::pool::Pool;
use crate::postgres::rounds::{self, Rounds};
use crate::postgres::schema;
use crate::postgres::transferring;
use crate::postgres::writer;
use crate::queue::Queue;

/// What the tasks of one store share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) queue: Queue,
    pub(crate) moves: Arc<Moves>,
    pub(crate) untold: Untold,
    pub(crate) rounds: Rounds,
    pub(crate) fresh_reads: FreshReads,
    /// The writers that have a connection.
    pub(crate) writers_up: AtomicUsize,
    /// Goes up when the server may have been replaced: connections for reading that were made before are not used any more.
    generation: watch::Sender<u64>,
    close: watch::Sender<bool>,
}

impl Shared {
    /// Gives the generation; see [`Link::generation`].
    pub(crate) fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    /// Gives the generation as it moves on.
    pub(crate) fn generations(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Says that the server may have been replaced.
    pub(crate) fn next_generation(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// Tells whether the store is closed.
    pub(crate) fn is_closed(&self) -> bool {
        *self.close.borrow()
    }

    /// Waits until the store is closed.
    pub(crate) async fn closed(&self) {
        // An error says that the sender is gone, and this holds it.
        let _ = self.close.subscribe().wait_for(|closed| *closed).await;
    }
}

/// A store on a server.
#[derive(Debug)]
pub(crate) struct Postgres {
    shared: Arc<Shared>,
    points: Pool,
    pages: Pool,
    /// Those that write, and those that serve reads.
    writers: Mutex<JoinSet<()>>,
    followers: Mutex<JoinSet<()>>,
    lock: Mutex<Option<DirectoryLock>>,
}

impl Drop for Postgres {
    /// A store that is dropped unclosed ends: its tasks are aborted with their sets.
    fn drop(&mut self) {
        self.shared.queue.close();
        self.shared.close.send_replace(true);
    }
}

impl Postgres {
    /// Connects, migrates and starts the tasks; committed sets go into the feed.
    pub(crate) async fn connect(
        server: Server,
        feed: mpsc::Sender<Vec<CommittedSet>>,
    ) -> Result<Arc<Postgres>, StoreError> {
        let lock = match &server.directory {
            Some(Directory::Own(directory)) => Some(lock::take(directory)?),
            Some(Directory::Common(directory)) => {
                lock::make(directory)?;
                None
            }
            None => None,
        };
        let target = Target::new(server.url, server.fresh_reads)?;
        let first = target.link(&Purpose::Write, 0).await?;
        for warning in target.warnings(&first).await? {
            tracing::warn!("{warning}");
        }
        schema::migrate(&first).await?;
        if let Some(reason) = transferring::refusal(&first).await? {
            return Err(StoreError::Unusable(reason));
        }
        let shared = Arc::new(Shared {
            target,
            queue: Queue::new(server.queue_sets_max),
            moves: Arc::default(),
            untold: Untold::default(),
            rounds: Rounds::default(),
            fresh_reads: server.fresh_reads,
            writers_up: AtomicUsize::new(1),
            generation: watch::Sender::new(0),
            close: watch::Sender::new(false),
        });
        let (mut writers, mut followers) = (JoinSet::new(), JoinSet::new());
        writers.spawn(writer::run(Arc::clone(&shared), feed.clone(), Some(first)));
        for _ in 1..server.writers {
            writers.spawn(writer::run(Arc::clone(&shared), feed.clone(), None));
        }
        followers.spawn(news::run(Arc::clone(&shared)));
        followers.spawn(rounds::run(Arc::clone(&shared)));
        Ok(Arc::new(Postgres {
            shared,
            points: Pool::new(Purpose::Read(limits::POINT_READ_WAIT), limits::SERVER_POINT_READERS),
            pages: Pool::new(Purpose::Read(limits::PAGE_READ_WAIT), limits::SERVER_PAGE_READERS),
            writers: Mutex::new(writers),
            followers: Mutex::new(followers),
            lock: Mutex::new(lock),
        }))
    }

    /// The queue to the writers.
    pub(crate) fn queue(&self) -> &Queue {
        &self.shared.queue
    }

    /// What the feed tells of other nodes.
    pub(crate) fn moves(&self) -> Arc<Moves> {
        Arc::clone(&self.shared.moves)
    }

    /// Gives a connection for a point read.
    pub(crate) async fn point(&self) -> Result<Arc<Link>, StoreError> {
        self.points.link(&self.shared).await
    }

    /// Gives a connection for pages and walks.
    pub(crate) async fn page(&self) -> Result<Arc<Link>, StoreError> {
        self.pages.link(&self.shared).await
    }

    /// Tells whether the store was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Joins a round.
    pub(crate) async fn heads(&self) -> Result<Arc<Heads>, StoreError> {
        if self.shared.is_closed() {
            return Err(StoreError::Unavailable("it has been closed".into()));
        }
        self.shared.rounds.join().await
    }

    /// Writes what is queued and ends the connections.
    pub(crate) async fn close(&self) {
        self.shared.queue.close();
        let mut writers = self.writers.lock().await;
        let written = async { while writers.join_next().await.is_some() {} };
        if tokio::time::timeout(limits::SERVER_CLOSE_WAIT, written).await.is_err() {
            tracing::error!("what was queued could not be written in time; its outcome is unknown");
        }
        writers.shutdown().await;
        self.shared.close.send_replace(true);
        self.followers.lock().await.shutdown().await;
        self.points.close().await;
        self.pages.close().await;
        drop(self.lock.lock().await.take());
    }
}
