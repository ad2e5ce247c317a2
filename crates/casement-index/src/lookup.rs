//! From a text to its number, where the texts themselves are kept elsewhere.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::limits::LOOKUP_PARTED;

/// Parts of a large lookup. Each grows by itself, so that a growth moves only a small part of all entries at a time.
const PARTS: usize = 256;

/// Finds the number of a text. The caller keeps the texts and compares them.
#[derive(Debug)]
pub struct Lookup {
    hasher: RandomState,
    /// One table while there is little in it, else [`PARTS`] by the upper bits of the hash. With each number half of its
    /// text's hash.
    parts: Vec<HashTable<(u32, u32)>>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self::with_room(0)
    }
}

/// The hash of a text.
#[derive(Debug, Clone, Copy)]
pub struct Hashed(u32);

impl Hashed {
    /// Gives what the table reads, whose uppermost bits must differ within a part too.
    fn spread(half: u32) -> u64 {
        u64::from(half).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl Lookup {
    /// Makes a lookup with room for so many texts.
    pub fn with_room(texts: usize) -> Self {
        let parts = if texts > LOOKUP_PARTED { PARTS } else { 1 };
        // Parts are not quite equal.
        let room = if parts == 1 { texts } else { texts / PARTS + texts / PARTS / 16 };
        let parts = (0..parts).map(|_| HashTable::with_capacity(room)).collect();
        Self { hasher: RandomState::new(), parts }
    }

    /// Hashes a text.
    pub fn hash(&self, text: &[u8]) -> Hashed {
        Hashed(self.hasher.hash_one(text) as u32)
    }

    fn part(&self, half: u32) -> usize {
        if self.parts.len() == 1 { 0 } else { half as usize >> (u32::BITS - PARTS.ilog2()) }
    }

    /// Gives the number of a text; `is_it` compares the text of a number with it.
    pub fn get(&self, Hashed(half): Hashed, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let found = self.parts[self.part(half)]
            .find(Hashed::spread(half), |(other, number)| *other == half && is_it(*number));
        found.map(|(_, number)| *number)
    }

    /// Notes the number of a text that is not there yet.
    pub fn insert(&mut self, Hashed(half): Hashed, number: u32) {
        if self.parts.len() == 1 && self.parts[0].len() >= LOOKUP_PARTED {
            let all = std::mem::replace(self, Self { hasher: self.hasher.clone(), parts: Vec::new() });
            self.parts.resize_with(PARTS, HashTable::new);
            all.parts.into_iter().flatten().for_each(|(half, number)| self.put(half, number));
        }
        self.put(half, number);
    }

    fn put(&mut self, half: u32, number: u32) {
        let part = self.part(half);
        self.parts[part]
            .insert_unique(Hashed::spread(half), (half, number), |(half, _)| Hashed::spread(*half));
    }

    /// Forgets a text's number.
    pub fn remove(&mut self, Hashed(half): Hashed, number: u32) {
        let part = self.part(half);
        let found = self.parts[part].find_entry(Hashed::spread(half), |(_, known)| *known == number);
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    /// Gives the bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(HashTable::allocation_size).sum::<usize>()
            + self.parts.len() * size_of::<HashTable<(u32, u32)>>()
    }
}
