//! The connections for reading: a few, each of which carries many questions at once.
//!
//! One that has ended, or that was made before the server was last seen to change, is replaced when it is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use crate::error::StoreError;
use crate::postgres::connect::Purpose;
use crate::postgres::engine::Shared;
use crate::postgres::link::Link;

/// Connections for one purpose.
#[derive(Debug)]
pub(crate) struct Pool {
    purpose: Purpose,
    slots: Vec<Mutex<Option<Arc<Link>>>>,
    next: AtomicUsize,
}

impl Pool {
    /// Makes a pool of so many connections; they are made when they are asked for.
    pub(crate) fn new(purpose: Purpose, count: usize) -> Pool {
        let slots = std::iter::repeat_with(Mutex::default).take(count.max(1)).collect();
        Pool { purpose, slots, next: AtomicUsize::new(0) }
    }

    /// Gives a connection, in turn.
    pub(crate) async fn link(&self, shared: &Shared) -> Result<Arc<Link>, StoreError> {
        if shared.is_closed() {
            return Err(StoreError::Unavailable("it has been closed".into()));
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
        let slot = self.slots.get(turn).expect("invariant: the turn is below the number of slots");
        let mut slot = slot.lock().await;
        let generation = shared.generation();
        if let Some(link) = slot.as_ref().filter(|link| link.is_usable() && link.generation >= generation) {
            return Ok(Arc::clone(link));
        }
        *slot = None;
        // Boxed: it is large, and most questions find a connection.
        let link = Box::pin(shared.target.link(&self.purpose, generation)).await?;
        let link = Arc::new(link.until_replaced(shared.generations()));
        *slot = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Ends the connections.
    pub(crate) async fn close(&self) {
        for slot in &self.slots {
            drop(slot.lock().await.take());
        }
    }
}
