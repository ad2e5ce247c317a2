//! What the connections of one address hold together, so that one client can't take the room of all.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What one address holds: bytes of bodies that are read, and of answers that wait. A trusted proxy, which stands for many
/// clients, has none.
#[derive(Debug, Default)]
pub(crate) struct Share {
    bodies: AtomicUsize,
    answers: AtomicUsize,
}

impl Share {
    /// Adds bytes of a body; gives how many there are then.
    pub(crate) fn add_body(&self, bytes: usize) -> usize {
        self.bodies.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Takes bytes of a body away.
    pub(crate) fn free_body(&self, bytes: usize) {
        self.bodies.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Adds bytes of an answer.
    pub(crate) fn add_answer(&self, bytes: usize) {
        self.answers.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes bytes of an answer away.
    pub(crate) fn free_answer(&self, bytes: usize) {
        self.answers.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many bytes of answers wait.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }
}
