//! What the connections of one address hold together, so that one client can't take the room of all.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What one address holds: bytes of bodies that are read, and of answers that wait. A trusted proxy, which stands for many
/// clients, has none.
#[derive(Debug, Default)]
pub(crate) struct Share {
    bodies: AtomicUsize,
    answers: AtomicUsize,
    /// What the next large answer is expected to have: as much as the largest of late.
    expected: AtomicUsize,
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

    /// Notes how large an answer was.
    pub(crate) fn note_answer(&self, bytes: usize) {
        let expected = self.expected();
        // Up at once and down by steps: whoever asked for much may do so again.
        let next = if bytes > expected { bytes } else { expected - (expected - bytes) / 8 };
        self.expected.store(next, Ordering::Relaxed);
    }

    /// How large the next answer is expected to be.
    pub(crate) fn expected(&self) -> usize {
        self.expected.load(Ordering::Relaxed)
    }

    /// How many bytes of answers wait.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }
}
