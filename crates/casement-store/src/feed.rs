//! What a store tells of commits, in their order.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::heads::MovedWorkspace;
use crate::measure;
use crate::postgres::moves::Moves;
use crate::queue::CommitReply;
use crate::set::{Committed, WriteSet};

/// What was committed, in order, for the one who applies it to the index.
#[derive(Debug)]
pub struct CommitFeed {
    batches: mpsc::Receiver<Vec<CommittedSet>>,
    /// What other nodes committed; `None` where there are none.
    moves: Option<Arc<Moves>>,
}

/// What the feed tells.
#[derive(Debug)]
pub enum News {
    /// The sets of one transaction of this node, in commit order.
    Committed(Vec<CommittedSet>),
    /// A workspace whose log has gone on by other nodes; what changed is asked by [`crate::store::Store::changes`].
    Moved(MovedWorkspace),
}

impl CommitFeed {
    /// Makes the feed of a store.
    pub(crate) fn new(batches: mpsc::Receiver<Vec<CommittedSet>>, moves: Option<Arc<Moves>>) -> CommitFeed {
        CommitFeed { batches, moves }
    }

    /// Waits for the next batch, the sets of one transaction in commit order. `None` once the store
    /// is closed. Safe to cancel.
    ///
    /// If the feed is dropped the store takes no more sets.
    pub async fn next(&mut self) -> Option<Vec<CommittedSet>> {
        self.batches.recv().await
    }

    /// Waits for the next batch as [`CommitFeed::next`], or until other nodes have committed something. Of one
    /// workspace the sets of this node come in commit order, with gaps where other nodes' are.
    pub async fn news(&mut self) -> Option<News> {
        let Some(moves) = &self.moves else { return self.batches.recv().await.map(News::Committed) };
        tokio::select! {
            batch = self.batches.recv() => batch.map(News::Committed),
            moved = moves.next() => Some(News::Moved(moved)),
        }
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
