//! What stands between the callers and the writer: a bounded queue, and the store's health.
//!
//! Both live under one lock, so that no set slips in after the writer has given up: whatever is
//! queued when the health turns is answered at once. Nothing here knows an engine.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::document::NewWorkspace;
use crate::error::{CommitError, Health, StoreError};
use crate::limits;
use crate::measure;
use crate::set::{Committed, WriteSet};
use crate::sqlite::journal::JournalOrder;

/// Where the answer to a set goes.
pub(crate) type CommitReply = oneshot::Sender<Result<Committed, CommitError>>;
/// Where the answer to a new workspace, or to an order about the journal, goes.
pub(crate) type WorkspaceReply = oneshot::Sender<Result<(), StoreError>>;

const CLOSED: &str = "it has been closed";

/// The next thing for the writer to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// One transaction's sets, all of one workspace, at least one.
    Sets(Batch),
    /// A workspace to make.
    Workspace(NewWorkspace, WorkspaceReply),
    /// Something that a backup needs noted.
    Journal(JournalOrder, WorkspaceReply),
}

/// Sets and where their answers go, in the same order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) sets: Vec<WriteSet>,
    pub(crate) replies: Vec<CommitReply>,
}

#[derive(Debug)]
enum Waiting {
    Set(Box<WaitingSet>),
    Workspace(Box<(NewWorkspace, WorkspaceReply)>),
    Journal(Box<(JournalOrder, WorkspaceReply)>),
}

impl Waiting {
    /// The workspace that it is for; an order about the journal is for none.
    fn workspace(&self) -> &str {
        match self {
            Waiting::Set(waiting) => &waiting.set.workspace,
            Waiting::Workspace(waiting) => &waiting.0.id,
            Waiting::Journal(_) => "",
        }
    }
}

#[derive(Debug)]
struct WaitingSet {
    set: WriteSet,
    bytes: usize,
    reply: CommitReply,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    health: Health,
    closed: bool,
    /// Somebody wants the writer to look again before its wait is over.
    poked: bool,
    /// The writer waits for work.
    sleeps: bool,
    /// The workspaces that a writer works on, where there are several.
    busy: HashSet<String>,
}

/// The queue to the writers: one thread, or several tasks that never work on the same workspace at a time.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Wakes the thread.
    changed: Condvar,
    /// Wakes a task.
    arrived: Notify,
    length_max: usize,
}

impl Queue {
    /// Makes an empty queue that takes up to `length_max` entries, at least one.
    pub(crate) fn new(length_max: usize) -> Queue {
        let state = State {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            health: Health::Ready,
            closed: false,
            poked: false,
            sleeps: false,
            busy: HashSet::new(),
        };
        let length_max = length_max.max(1);
        Queue { state: Mutex::new(state), changed: Condvar::new(), arrived: Notify::new(), length_max }
    }

    /// Queues a set of so many bytes.
    pub(crate) fn push_set(
        &self,
        set: WriteSet,
        bytes: usize,
    ) -> Result<oneshot::Receiver<Result<Committed, CommitError>>, CommitError> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.lock();
        if let Some(reason) = state.refusal() {
            return Err(CommitError::Unavailable(reason));
        }
        let bytes_full =
            !state.waiting.is_empty() && state.waiting_bytes.saturating_add(bytes) > limits::QUEUE_BYTES_MAX;
        if state.waiting.len() >= self.length_max || bytes_full {
            return Err(CommitError::Overloaded);
        }
        state.waiting_bytes += bytes;
        state.waiting.push_back(Waiting::Set(Box::new(WaitingSet { set, bytes, reply })));
        self.wake(state);
        Ok(answer)
    }

    /// Queues a workspace to make.
    pub(crate) fn push_workspace(
        &self,
        workspace: NewWorkspace,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.push_order(Waiting::Workspace(Box::new((workspace, reply))))?;
        Ok(answer)
    }

    /// Queues an order about the journal.
    pub(crate) fn push_journal(
        &self,
        order: JournalOrder,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.push_order(Waiting::Journal(Box::new((order, reply))))?;
        Ok(answer)
    }

    fn push_order(&self, order: Waiting) -> Result<(), StoreError> {
        let mut state = self.lock();
        if let Some(reason) = state.refusal() {
            return Err(StoreError::Unavailable(reason));
        }
        if state.waiting.len() >= self.length_max {
            return Err(StoreError::Unavailable("too many sets wait for the writer; try again later".into()));
        }
        state.waiting.push_back(order);
        self.wake(state);
        Ok(())
    }

    /// Waits for work and takes it; `None` once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.take() {
                measure::queued(state.waiting.len());
                return Some(work);
            }
            if state.closed {
                return None;
            }
            state.sleeps = true;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleeps = false;
        }
    }

    /// Waits for work of a workspace that no other task works on, and takes it; `None` once the queue is closed and
    /// nothing is left for this task. The workspace is the caller's until [`Queue::release`].
    pub(crate) async fn take_free(&self) -> Option<Work> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut state = self.lock();
                if let Some(work) = state.take_free() {
                    measure::queued(state.waiting.len());
                    if state.has_free() {
                        self.arrived.notify_one();
                    }
                    return Some(work);
                }
                if state.closed && state.waiting.is_empty() {
                    // The next task learns it from this one.
                    self.arrived.notify_one();
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// Gives a workspace free after its work is done.
    pub(crate) fn release(&self, workspace: &str) {
        let mut state = self.lock();
        state.busy.remove(workspace);
        if state.has_free() || state.closed {
            self.arrived.notify_one();
        }
    }

    /// Wakes the writer when it sleeps: waking one that is awake would cost a system call for each set.
    fn wake(&self, state: MutexGuard<'_, State>) {
        let sleeps = state.sleeps;
        let is_free = state.waiting.back().is_some_and(|last| !state.busy.contains(last.workspace()));
        drop(state);
        if sleeps {
            self.changed.notify_all();
        }
        if is_free {
            self.arrived.notify_one();
        }
    }

    /// Waits until the time is over, somebody pokes, or the queue is closed; says whether it is
    /// still open.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let state = self.lock();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| !state.closed && !state.poked)
            .unwrap_or_else(PoisonError::into_inner);
        state.poked = false;
        !state.closed
    }

    /// Ends a [`Queue::wait`] early.
    pub(crate) fn poke(&self) {
        self.lock().poked = true;
        self.changed.notify_all();
    }

    /// Takes nothing more; what is queued is still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
        self.arrived.notify_one();
    }

    /// Tells whether it takes nothing more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Gives the health.
    pub(crate) fn health(&self) -> Health {
        self.lock().health.clone()
    }

    /// Says that the disk or the quota is full, and answers all that waits. What needs a restart
    /// still needs it.
    pub(crate) fn fill(&self, reason: String) {
        self.stop(Health::Full { reason: reason.clone() }, reason);
    }

    /// Says that writing has ended until a restart, and answers all that waits. The first reason
    /// stays.
    pub(crate) fn fail(&self, reason: String) {
        self.stop(Health::RestartRequired { reason: reason.clone() }, reason);
    }

    /// Says that the database can't be reached or takes no writes, and answers all that waits.
    pub(crate) fn lose(&self, reason: String) {
        self.stop(Health::Unreachable { reason: reason.clone() }, reason);
    }

    /// Says that a store that was full or without its database can write again.
    pub(crate) fn recover(&self) {
        let mut state = self.lock();
        match state.health {
            Health::Full { .. } | Health::Unreachable { .. } => state.health = Health::Ready,
            Health::Ready | Health::RestartRequired { .. } => {}
        }
    }

    fn stop(&self, health: Health, reason: String) {
        let waiting = {
            let mut state = self.lock();
            match state.health {
                Health::Ready | Health::Full { .. } | Health::Unreachable { .. } => state.health = health,
                Health::RestartRequired { .. } => {}
            }
            state.waiting_bytes = 0;
            mem::take(&mut state.waiting)
        };
        // A caller that has gone away needs no answer, so failed sends are nothing.
        for entry in waiting {
            match entry {
                Waiting::Set(waiting) => {
                    let _ = waiting.reply.send(Err(CommitError::Unavailable(reason.clone())));
                }
                Waiting::Workspace(waiting) => {
                    let _ = waiting.1.send(Err(StoreError::Unavailable(reason.clone())));
                }
                Waiting::Journal(waiting) => {
                    let _ = waiting.1.send(Err(StoreError::Unavailable(reason.clone())));
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two changes that belong together, so a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refusal(&self) -> Option<String> {
        if self.closed {
            return Some(CLOSED.into());
        }
        match &self.health {
            Health::Ready => None,
            Health::Full { reason } | Health::Unreachable { reason } | Health::RestartRequired { reason } => {
                Some(reason.clone())
            }
        }
    }

    fn has_free(&self) -> bool {
        self.waiting.iter().any(|waiting| !self.busy.contains(waiting.workspace()))
    }

    /// Takes the first work whose workspace nobody works on. What is behind other work of its workspace stays there.
    fn take_free(&mut self) -> Option<Work> {
        let place = self.waiting.iter().position(|waiting| !self.busy.contains(waiting.workspace()))?;
        let first = self.waiting.remove(place)?;
        self.busy.insert(first.workspace().to_owned());
        Some(self.work(first))
    }

    fn take(&mut self) -> Option<Work> {
        let first = self.waiting.pop_front()?;
        Some(self.work(first))
    }

    fn work(&mut self, first: Waiting) -> Work {
        match first {
            Waiting::Workspace(waiting) => {
                let (workspace, reply) = *waiting;
                Work::Workspace(workspace, reply)
            }
            Waiting::Journal(waiting) => {
                let (order, reply) = *waiting;
                Work::Journal(order, reply)
            }
            Waiting::Set(first) => Work::Sets(self.take_batch(*first)),
        }
    }

    /// Takes the sets of the first one's workspace, up to the limits of a batch, and leaves those
    /// of other workspaces in their order. A workspace to be made is not overtaken: sets behind it
    /// may be the first of it.
    fn take_batch(&mut self, first: WaitingSet) -> Batch {
        let workspace = first.set.workspace.clone();
        let mut batch = Batch::default();
        let mut batch_bytes = first.bytes;
        batch.sets.push(first.set);
        batch.replies.push(first.reply);
        let mut kept = VecDeque::new();
        while batch.sets.len() < limits::BATCH_SETS_MAX && batch_bytes < limits::BATCH_BYTES_MAX {
            match self.waiting.pop_front() {
                Some(Waiting::Set(waiting)) if waiting.set.workspace == workspace => {
                    batch_bytes += waiting.bytes;
                    batch.sets.push(waiting.set);
                    batch.replies.push(waiting.reply);
                }
                Some(Waiting::Set(other)) => kept.push_back(Waiting::Set(other)),
                Some(other @ (Waiting::Workspace(_) | Waiting::Journal(_))) => {
                    kept.push_back(other);
                    break;
                }
                None => break,
            }
        }
        if !kept.is_empty() {
            kept.append(&mut self.waiting);
            self.waiting = kept;
        }
        self.waiting_bytes = self.waiting_bytes.saturating_sub(batch_bytes);
        batch
    }
}

/// Stands guard over a thread of the store: should it panic, nobody waits for it in vain.
pub(crate) struct PanicGuard<'a> {
    pub(crate) queue: &'a Queue,
    pub(crate) thread: &'static str,
}

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(thread = self.thread, "a thread of the store has panicked; restart the server");
            self.queue.fail(format!(
                "the {} thread has stopped by a fault in the program; restart the server",
                self.thread
            ));
        }
    }
}

#[cfg(test)]
mod tests;
