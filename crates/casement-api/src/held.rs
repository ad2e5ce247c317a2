//! Bytes of requests that are not answered: how many all of them together hold.
//!
//! A head or a body of which little comes, or whose answer takes long, stays in memory meanwhile. One client may send
//! many of them at once: over many connections, or many streams of one. So all together have a budget. Bodies that apps
//! send have one of their own, which strangers can't take from them, and commands of operators need none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits;
use crate::share::Share;

/// What connections hold of requests that are not whole.
static UNREAD: Budget = Budget::of(limits::ALL_BYTES_HELD_MAX);

/// What requests of apps hold of their bodies.
static BODIES: Budget = Budget::of(limits::ALL_BODY_BYTES_MAX);

/// What requests hold of their bodies that no app answers for.
static STRANGERS: Budget = Budget::of(limits::ALL_STRANGER_BODY_BYTES_MAX);

/// What commands hold of their bodies: as much as the connections to the control socket allow.
static COMMANDS: Budget = Budget::of(usize::MAX);

/// What connections keep of answers that their clients do not take.
static KEPT: Budget = Budget::of(limits::ALL_ANSWER_BYTES_KEPT_MAX);

/// What all together hold, and may.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: AtomicUsize,
    bytes_max: usize,
}

/// What one connection or one request holds.
#[derive(Debug)]
pub(crate) struct Held {
    counted: AtomicUsize,
    budget: &'static Budget,
    share: Option<Arc<Share>>,
}

/// There is no room for more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All together hold as much as they may.
    All,
    /// The client's address holds its share of that.
    Share,
}

impl Budget {
    pub(crate) const fn of(bytes_max: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), bytes_max }
    }
}

/// Gives how many bytes all requests of apps hold of their bodies.
pub(crate) fn bodies() -> usize {
    BODIES.bytes.load(Ordering::Relaxed)
}

impl Held {
    /// What a connection holds of a request that is not whole: nothing yet.
    pub(crate) fn unread() -> Self {
        Self::within(&UNREAD, None)
    }

    /// What a request holds of its body: nothing yet.
    pub(crate) fn body(share: Option<Arc<Share>>) -> Self {
        Self::within(&BODIES, share)
    }

    /// What a request holds of its body that no app answers for: nothing yet.
    pub(crate) fn stranger_body() -> Self {
        Self::within(&STRANGERS, None)
    }

    /// What a command holds of its body: nothing yet.
    pub(crate) fn command_body() -> Self {
        Self::within(&COMMANDS, None)
    }

    /// What a connection keeps of an answer: nothing yet.
    pub(crate) fn kept() -> Self {
        Self::within(&KEPT, None)
    }

    pub(crate) const fn within(budget: &'static Budget, share: Option<Arc<Share>>) -> Self {
        Self { counted: AtomicUsize::new(0), budget, share }
    }

    /// Counts so many bytes instead of those before.
    ///
    /// # Errors
    /// There is no room for them; nothing has changed.
    pub(crate) fn count(&self, bytes: usize) -> Result<(), Full> {
        let before = self.counted.load(Ordering::Relaxed);
        let more = bytes.saturating_sub(before);
        if more > 0 {
            let all = self.budget.bytes.fetch_add(more, Ordering::Relaxed) + more;
            let own = self.share.as_ref().map_or(0, |share| share.add_body(more));
            let full = match (all > self.budget.bytes_max, own > limits::ADDRESS_BODY_BYTES_MAX) {
                (_, true) => Some(Full::Share),
                (true, false) => Some(Full::All),
                (false, false) => None,
            };
            if let Some(full) = full {
                self.free(more);
                return Err(full);
            }
        }
        self.free(before.saturating_sub(bytes));
        self.counted.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Counts nothing any more.
    pub(crate) fn clear(&self) {
        self.free(self.counted.swap(0, Ordering::Relaxed));
    }

    /// Gives how much is counted.
    #[cfg(test)]
    pub(crate) fn counted(&self) -> usize {
        self.counted.load(Ordering::Relaxed)
    }

    fn free(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.budget.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(share) = &self.share {
            share.free_body(bytes);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(budget: &Budget) -> usize {
        budget.bytes.load(Ordering::Relaxed)
    }

    #[test]
    fn all_hold_together_no_more_than_the_budget() {
        static BUDGET: Budget = Budget::of(1000);
        let (most, late) = (Held::within(&BUDGET, None), Held::within(&BUDGET, None));
        most.count(400).unwrap();
        most.count(1000).unwrap();
        assert_eq!(late.count(1), Err(Full::All));
        assert_eq!(bytes(&BUDGET), 1000, "what found no room is not counted");
        most.count(999).unwrap();
        late.count(1).unwrap();
        drop((most, late));
        assert_eq!(bytes(&BUDGET), 0);
    }

    #[test]
    fn one_address_holds_no_more_than_its_share_and_others_have_room() {
        static BUDGET: Budget = Budget::of(limits::ADDRESS_BODY_BYTES_MAX * 2);
        let share = Arc::new(Share::default());
        let [first, second] = [(); 2].map(|()| Held::within(&BUDGET, Some(Arc::clone(&share))));
        first.count(limits::ADDRESS_BODY_BYTES_MAX).unwrap();
        assert_eq!(second.count(1), Err(Full::Share));
        Held::within(&BUDGET, Some(Arc::default())).count(limits::ADDRESS_BODY_BYTES_MAX).unwrap();
        drop(first);
        second.count(limits::ADDRESS_BODY_BYTES_MAX).unwrap();
    }
}
