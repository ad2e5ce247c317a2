//! Tells of what hostile clients can do any number of times: the first time at once, then now and then with how many.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::limits;

/// What has happened since it was told of.
#[derive(Debug)]
pub(crate) struct Sparse(Mutex<Untold>);

#[derive(Debug)]
struct Untold {
    count: u64,
    next: Option<Instant>,
}

impl Sparse {
    /// Begins with nothing told.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Untold { count: 0, next: None }))
    }

    /// Notes that it happened; gives how many times since the last telling when it is time to tell.
    pub(crate) fn note(&self) -> Option<u64> {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold.count = untold.count.saturating_add(1);
        let now = Instant::now();
        if untold.next.is_some_and(|next| now < next) {
            return None;
        }
        untold.next = Some(now + limits::TOLD_AGAIN_AFTER);
        Some(std::mem::take(&mut untold.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_time_is_told_at_once_and_the_others_together() {
        let sparse = Sparse::new();
        assert_eq!(sparse.note(), Some(1));
        for _ in 0..10 {
            assert_eq!(sparse.note(), None);
        }
        tokio::time::advance(limits::TOLD_AGAIN_AFTER).await;
        assert_eq!(sparse.note(), Some(11));
        assert_eq!(sparse.note(), None);
    }
}
