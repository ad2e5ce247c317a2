//! A sort order: ordinals in chunks, each in order, so that one document is put in or taken out without moving the rest.
//!
//! An order keeps ordinals alone. What they are compared by stands elsewhere; the caller's functions compare.

use std::cmp::Ordering;

use crate::limits::ORDER_CHUNK_MAX;

/// Ordinals in an order.
#[derive(Debug, Default)]
pub struct Order {
    chunks: Vec<Vec<u32>>,
    len: usize,
}

/// A place in an order: a chunk and a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    chunk: usize,
    within: usize,
}

impl Order {
    /// Takes ordinals that are in order.
    pub fn of(sorted: &[u32]) -> Self {
        // Room in each chunk, so that the first insertions don't split all of them.
        let chunks = sorted.chunks(ORDER_CHUNK_MAX * 3 / 4).map(<[u32]>::to_vec).collect();
        Self { chunks, len: sorted.len() }
    }

    /// Counts the ordinals.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Finds the first place that is not before something. `compare` tells how an ordinal stands to it.
    pub fn lower_bound(&self, compare: impl Fn(u32) -> Ordering) -> Position {
        let is_before = |ordinal: &u32| compare(*ordinal) == Ordering::Less;
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(is_before));
        let within = self.chunks.get(chunk).map_or(0, |chunk| chunk.partition_point(is_before));
        Position { chunk, within }
    }

    /// Puts an ordinal in. `compare` tells how another stands to it; never as equal.
    pub fn insert(&mut self, ordinal: u32, compare: impl Fn(u32) -> Ordering) {
        let at = self.lower_bound(compare);
        self.len += 1;
        let Some(chunk) = self.chunks.get_mut(at.chunk) else {
            // Behind everything: most documents are newer than all others, so full chunks stay full.
            match self.chunks.last_mut() {
                Some(last) if last.len() < ORDER_CHUNK_MAX => last.push(ordinal),
                Some(_) | None => self.chunks.push(vec![ordinal]),
            }
            return;
        };
        chunk.insert(at.within, ordinal);
        if chunk.len() > ORDER_CHUNK_MAX {
            let tail = chunk.split_off(ORDER_CHUNK_MAX / 2);
            chunk.shrink_to(ORDER_CHUNK_MAX * 3 / 4);
            self.chunks.insert(at.chunk + 1, tail);
        }
    }

    /// Takes an ordinal out. `compare` tells how another stands to it: equal for itself alone.
    pub fn remove(&mut self, ordinal: u32, compare: impl Fn(u32) -> Ordering) {
        let at = self.lower_bound(compare);
        let Some(chunk) = self.chunks.get_mut(at.chunk) else { return };
        if chunk.get(at.within) == Some(&ordinal) {
            chunk.remove(at.within);
            self.len -= 1;
            if chunk.is_empty() {
                self.chunks.remove(at.chunk);
            }
        }
    }

    /// Gives the place before the first ordinal.
    pub fn start(&self) -> Position {
        Position { chunk: 0, within: 0 }
    }

    /// Gives the place behind the last ordinal.
    pub fn end(&self) -> Position {
        Position { chunk: self.chunks.len(), within: 0 }
    }

    /// Counts the ordinals from one place up to another.
    pub fn count(&self, from: Position, to: Position) -> usize {
        if from >= to {
            return 0;
        }
        let chunks = self.chunks.get(from.chunk..to.chunk).unwrap_or_default();
        chunks.iter().map(Vec::len).sum::<usize>() + to.within - from.within
    }

    /// Gives the ordinals from one place up to another, in order; from behind when reversed.
    pub fn between(&self, from: Position, to: Position) -> impl DoubleEndedIterator<Item = u32> {
        let last = if from < to { to.chunk.min(self.chunks.len().saturating_sub(1)) } else { 0 };
        let chunks = if from < to { &self.chunks[from.chunk..=last] } else { &[] };
        chunks.iter().enumerate().flat_map(move |(index, chunk)| {
            let number = from.chunk + index;
            let start = if number == from.chunk { from.within } else { 0 };
            let end = if number == to.chunk { to.within } else { chunk.len() };
            chunk.get(start..end).unwrap_or_default().iter().copied()
        })
    }

    /// Gives all ordinals in order, for a snapshot.
    pub fn dump(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(self.len);
        self.chunks.iter().for_each(|chunk| all.extend_from_slice(chunk));
        all
    }

    /// Gives the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let inner = self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<u32>());
        inner.sum::<usize>() + self.chunks.capacity() * size_of::<Vec<u32>>()
    }
}
