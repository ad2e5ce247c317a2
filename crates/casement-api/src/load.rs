//! Overload: how many requests are at work at once, who goes first, and who is told to come back.
//!
//! A request that has been read asks for a place before its use case runs. Past the limit it waits, at most
//! [`limits::QUEUE_WAIT`]; freed places go to writes before reads before lists before exports. The limit follows the
//! load: a probe measures how late the runtime runs its tasks; when that takes too long, the limit shrinks by a tenth,
//! else it grows slowly. So a server that has too much to do does as much as it can, and says so to the rest at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::held;
use crate::limits;
use crate::measure;

/// What sort of work a request is; the first go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Changes something.
    Write,
    /// Reads single documents.
    Read,
    /// Lists, counts, searches.
    List,
    /// Reads very much.
    Export,
}

impl Class {
    const COUNT: usize = 4;

    fn place(self) -> usize {
        match self {
            Self::Write => 0,
            Self::Read => 1,
            Self::List => 2,
            Self::Export => 3,
        }
    }

    /// The part of the limit that a class may use, so that the lesser ones always leave room.
    pub(crate) fn share(self, limit: usize) -> usize {
        match self {
            Self::Write => limit,
            Self::Read => limit - limit / 8,
            Self::List => limit / 2,
            Self::Export => limit / 8,
        }
        .max(1)
    }
}

/// There is no room for the request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

/// The places for requests at work. Clones share them.
#[derive(Debug, Clone)]
pub struct Load(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    limit: usize,
    at_work: [usize; Class::COUNT],
    waiting: [VecDeque<oneshot::Sender<Permit>>; Class::COUNT],
}

/// A place; free again when dropped.
#[derive(Debug)]
pub struct Permit {
    load: Load,
    class: Class,
}

impl Default for Load {
    fn default() -> Self {
        Self::with_limit(limits::AT_WORK_START)
    }
}

impl Load {
    fn with_limit(limit: usize) -> Self {
        let waiting = std::array::from_fn(|_| VecDeque::new());
        Self(Arc::new(Mutex::new(State { limit, at_work: [0; Class::COUNT], waiting })))
    }

    /// Takes a place, waiting for one a bounded time.
    ///
    /// # Errors
    /// There was none in time, or too many wait already.
    pub async fn enter(&self, class: Class) -> Result<Permit, Overloaded> {
        let freed = {
            let mut state = self.state();
            if state.has_room(class) {
                state.count(class, 1);
                return Ok(Permit { load: self.clone(), class });
            }
            state.enqueue(class)?
        };
        match tokio::time::timeout(limits::QUEUE_WAIT, freed).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Overloaded),
        }
    }

    /// Follows the load until the task is ended.
    pub async fn follow(self) {
        loop {
            let began = Instant::now();
            tokio::time::sleep(limits::LOAD_PERIOD).await;
            self.adapt(began.elapsed().saturating_sub(limits::LOAD_PERIOD));
            let (at_work, limit) = self.at_work();
            measure::at_work(at_work, limit);
            measure::bodies(held::bodies());
        }
    }

    /// Sets the limit after the runtime was so late.
    fn adapt(&self, lateness: Duration) {
        let mut state = self.state();
        if lateness > limits::LATENESS_MAX {
            state.limit = (state.limit - state.limit / 10).max(limits::AT_WORK_MIN);
        } else if state.limit < limits::AT_WORK_MAX {
            state.limit += limits::AT_WORK_STEP;
            let freed = state.dispatch(self);
            drop(state);
            drop(freed);
        }
    }

    /// Gives how many requests are at work, and how many may be.
    pub fn at_work(&self) -> (usize, usize) {
        let state = self.state();
        (state.total(), state.limit)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn total(&self) -> usize {
        self.at_work.iter().sum()
    }

    fn has_room(&self, class: Class) -> bool {
        let own = self.at_work.get(class.place()).copied().unwrap_or_default();
        self.total() < self.limit && own < class.share(self.limit)
    }

    fn count(&mut self, class: Class, change: isize) {
        if let Some(own) = self.at_work.get_mut(class.place()) {
            *own = own.saturating_add_signed(change);
        }
    }

    fn enqueue(&mut self, class: Class) -> Result<oneshot::Receiver<Permit>, Overloaded> {
        let queue = self.waiting.get_mut(class.place()).ok_or(Overloaded)?;
        // Those who have given up leave their place in the queue behind; they are the oldest.
        while queue.front().is_some_and(oneshot::Sender::is_closed) {
            queue.pop_front();
        }
        if queue.len() >= limits::QUEUE_REQUESTS_MAX {
            return Err(Overloaded);
        }
        let (sender, receiver) = oneshot::channel();
        queue.push_back(sender);
        Ok(receiver)
    }

    /// Hands free places to those who wait. Gives back the permits that nobody took, to be dropped without the lock.
    fn dispatch(&mut self, load: &Load) -> Vec<Permit> {
        let mut untaken = Vec::new();
        for class in [Class::Write, Class::Read, Class::List, Class::Export] {
            while self.has_room(class) {
                let Some(next) = self.waiting.get_mut(class.place()).and_then(VecDeque::pop_front) else {
                    break;
                };
                if next.is_closed() {
                    continue;
                }
                self.count(class, 1);
                if let Err(permit) = next.send(Permit { load: load.clone(), class }) {
                    untaken.push(permit);
                }
            }
        }
        untaken
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let untaken = {
            let mut state = self.load.state();
            state.count(self.class, -1);
            state.dispatch(&self.load)
        };
        drop(untaken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn freed_places_go_to_writes_before_reads_before_lists() {
        let load = Load::with_limit(1);
        let first = load.enter(Class::List).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for class in [Class::Export, Class::List, Class::Read, Class::Write] {
            let (load, order) = (load.clone(), Arc::clone(&order));
            tasks.spawn(async move {
                let permit = load.enter(class).await.unwrap();
                order.lock().unwrap().push(class);
                tokio::task::yield_now().await;
                drop(permit);
            });
            tokio::task::yield_now().await;
        }
        drop(first);
        tasks.join_all().await;
        assert_eq!(*order.lock().unwrap(), [Class::Write, Class::Read, Class::List, Class::Export]);
        assert_eq!(load.at_work().0, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_is_told_to_come_back() {
        let load = Load::with_limit(1);
        let held = load.enter(Class::Write).await.unwrap();
        let began = Instant::now();
        assert_eq!(load.enter(Class::Write).await.unwrap_err(), Overloaded);
        assert_eq!(began.elapsed(), limits::QUEUE_WAIT);
        drop(held);
        assert!(load.enter(Class::Write).await.is_ok(), "the one that gave up took no place");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_goes_away_gives_its_place_to_the_next() {
        let load = Load::with_limit(1);
        let held = load.enter(Class::Write).await.unwrap();
        let gone = tokio::spawn({
            let load = load.clone();
            async move { load.enter(Class::Write).await }
        });
        let next = tokio::spawn({
            let load = load.clone();
            async move { load.enter(Class::Write).await.map(drop) }
        });
        tokio::task::yield_now().await;
        gone.abort();
        let _ = gone.await;
        drop(held);
        assert_eq!(next.await.unwrap(), Ok(()));
        assert_eq!(load.at_work().0, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn lists_leave_room_for_writes() {
        let load = Load::with_limit(4);
        let _lists = [load.enter(Class::List).await.unwrap(), load.enter(Class::List).await.unwrap()];
        assert!(load.enter(Class::List).await.is_err());
        assert!(load.enter(Class::Write).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded() {
        let load = Load::with_limit(1);
        let _held = load.enter(Class::Write).await.unwrap();
        let waiting: Vec<_> = (0..limits::QUEUE_REQUESTS_MAX)
            .map(|_| {
                let load = load.clone();
                tokio::spawn(async move { load.enter(Class::Write).await.map(drop) })
            })
            .collect();
        while load.state().waiting[0].len() < limits::QUEUE_REQUESTS_MAX {
            tokio::task::yield_now().await;
        }
        let began = Instant::now();
        assert!(load.enter(Class::Write).await.is_err());
        assert_eq!(began.elapsed(), Duration::ZERO, "not even a moment's wait");
        for task in waiting {
            assert!(task.await.unwrap().is_err());
        }
    }

    #[test]
    fn the_limit_follows_the_lateness_of_the_runtime() {
        let load = Load::default();
        for _ in 0..1000 {
            load.adapt(limits::LATENESS_MAX * 2);
        }
        assert_eq!(load.at_work().1, limits::AT_WORK_MIN);
        for _ in 0..10_000 {
            load.adapt(Duration::ZERO);
        }
        assert_eq!(load.at_work().1, limits::AT_WORK_MAX);
    }
}
