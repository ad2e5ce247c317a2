//! From a text to its number, where the texts themselves are kept elsewhere.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// Parts of a lookup. Each grows by itself, so that a growth moves only a small part of all entries at a time.
const PARTS: usize = 256;

/// Finds the number of a text. The caller keeps the texts and compares them.
#[derive(Debug)]
pub struct Lookup {
    hasher: RandomState,
    /// The lower half of each text's hash, and its number.
    parts: Vec<HashTable<(u32, u32)>>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self { hasher: RandomState::new(), parts: (0..PARTS).map(|_| HashTable::new()).collect() }
    }
}

impl Lookup {
    /// Makes a lookup with room for so many texts.
    pub fn with_room(texts: usize) -> Self {
        let room = texts / PARTS + texts / PARTS / 16;
        Self {
            hasher: RandomState::new(),
            parts: (0..PARTS).map(|_| HashTable::with_capacity(room)).collect(),
        }
    }
}

/// The hash of a text.
#[derive(Debug, Clone, Copy)]
pub struct Hashed {
    part: usize,
    rest: u32,
}

impl Hashed {
    fn spread(rest: u32) -> u64 {
        // The table reads the upper bits too: the half is written twice.
        u64::from(rest) << 32 | u64::from(rest)
    }
}

impl Lookup {
    /// Hashes a text.
    pub fn hash(&self, text: &[u8]) -> Hashed {
        let hash = self.hasher.hash_one(text);
        Hashed { part: (hash >> 56) as usize % PARTS, rest: hash as u32 }
    }

    /// Gives the number of a text; `is_it` compares the text of a number with it.
    pub fn get(&self, hashed: Hashed, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let found = self.parts[hashed.part]
            .find(Hashed::spread(hashed.rest), |(rest, number)| *rest == hashed.rest && is_it(*number));
        found.map(|(_, number)| *number)
    }

    /// Notes the number of a text that is not there yet.
    pub fn insert(&mut self, hashed: Hashed, number: u32) {
        let entry = (hashed.rest, number);
        self.parts[hashed.part]
            .insert_unique(Hashed::spread(hashed.rest), entry, |(rest, _)| Hashed::spread(*rest));
    }

    /// Forgets a text's number.
    pub fn remove(&mut self, hashed: Hashed, number: u32) {
        let found =
            self.parts[hashed.part].find_entry(Hashed::spread(hashed.rest), |(_, known)| *known == number);
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
