//! What a condition found: bits by block, with exact counts.

use crate::block::{self, BLOCK, Bits};
use crate::set::Set;

/// The documents that match, as bits by block. Blocks without a match hold nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Matches {
    blocks: Vec<Option<Box<Bits>>>,
    counts: Vec<u32>,
    total: u64,
}

impl Matches {
    /// Gives no matches among so many documents.
    pub fn none(documents: usize) -> Self {
        let blocks = documents.div_ceil(BLOCK);
        Self { blocks: (0..blocks).map(|_| None).collect(), counts: vec![0; blocks], total: 0 }
    }

    /// Counts the matches. After [`Matches::unite_set`] or [`Matches::switch_on`] only once [`Matches::settle`] ran.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Counts the blocks.
    pub fn blocks_len(&self) -> usize {
        self.blocks.len()
    }

    /// Gives the bits of a block, where it has a match.
    pub fn bits(&self, number: usize) -> Option<&Bits> {
        self.blocks.get(number)?.as_deref()
    }

    /// Counts the matches of a block.
    pub fn count(&self, number: usize) -> u32 {
        self.counts.get(number).copied().unwrap_or_default()
    }

    /// Puts the bits of a block in.
    pub fn put(&mut self, number: usize, bits: &Bits) {
        let count = block::count(bits);
        self.total += u64::from(count);
        self.total -= u64::from(self.counts[number]);
        self.counts[number] = count;
        self.blocks[number] = (count > 0).then(|| Box::new(*bits));
    }

    /// Adds a document.
    pub fn switch_on(&mut self, ordinal: u32) {
        let (number, low) = block::place(ordinal);
        block::switch_on(self.blocks[number].get_or_insert_with(block::no_bits), low);
    }

    /// Adds the members of a set.
    pub fn unite_set(&mut self, set: &Set) {
        match set {
            Set::One(only) => self.switch_on(*only),
            Set::Few(few) => few.iter().for_each(|ordinal| self.switch_on(*ordinal)),
            Set::Many(_) => {
                for number in set.blocks() {
                    set.unite_into(number, self.blocks[number].get_or_insert_with(block::no_bits));
                }
            }
        }
    }

    /// Counts anew what was added.
    pub fn settle(&mut self) {
        self.total = 0;
        for (count, bits) in self.counts.iter_mut().zip(&self.blocks) {
            *count = bits.as_deref().map_or(0, block::count);
            self.total += u64::from(*count);
        }
    }

    /// Adds the matches of another.
    pub fn unite(&mut self, other: &Self) {
        for (own, bits) in self.blocks.iter_mut().zip(&other.blocks) {
            if let Some(bits) = bits {
                block::unite(own.get_or_insert_with(block::no_bits), bits);
            }
        }
        self.settle();
    }

    /// Turns over what matches among so many documents.
    pub fn invert(&mut self, documents: usize) {
        let mut bits = [0; block::WORDS];
        for number in 0..self.blocks.len() {
            block::switch_on_first(&mut bits, documents.saturating_sub(number * BLOCK));
            if let Some(own) = &self.blocks[number] {
                block::subtract(&mut bits, own);
            }
            self.counts[number] = 0;
            self.blocks[number] = None;
            let count = block::count(&bits);
            if count > 0 {
                self.blocks[number] = Some(Box::new(bits));
                self.counts[number] = count;
            }
        }
        self.total = self.counts.iter().map(|count| u64::from(*count)).sum();
    }

    /// Gives the matches that the other has too, and those that it lacks.
    pub fn part(&self, other: &Self) -> (Self, Self) {
        let (mut both, mut rest) =
            (Self::none(self.blocks.len() * BLOCK), Self::none(self.blocks.len() * BLOCK));
        for (number, bits) in self.blocks.iter().enumerate() {
            let Some(bits) = bits else { continue };
            match other.bits(number) {
                None => rest.put(number, bits),
                Some(others) => {
                    let mut own = **bits;
                    block::intersect(&mut own, others);
                    both.put(number, &own);
                    own.copy_from_slice(&**bits);
                    block::subtract(&mut own, others);
                    rest.put(number, &own);
                }
            }
        }
        (both, rest)
    }

    /// Tells whether a document matches.
    pub fn contains(&self, ordinal: u32) -> bool {
        let (number, low) = block::place(ordinal);
        match self.blocks.get(number) {
            Some(Some(bits)) => block::is_on(bits, low),
            Some(None) | None => false,
        }
    }

    /// Calls for each match in the order of ordinals.
    pub fn for_each(&self, mut visit: impl FnMut(u32)) {
        for (number, bits) in self.blocks.iter().enumerate() {
            if let Some(bits) = bits {
                block::for_each_place(bits, |low| visit(block::ordinal(number, low)));
            }
        }
    }

    /// Gives the matches that are in a set too, or those that are not.
    pub fn split(&self, sets: &[&Set], are_in: bool) -> Self {
        let mut part = Self::none(self.blocks.len() * BLOCK);
        let mut own = [0; block::WORDS];
        for (number, bits) in self.blocks.iter().enumerate() {
            let Some(bits) = bits else { continue };
            own.fill(0);
            for set in sets {
                set.unite_into(number, &mut own);
            }
            if !are_in {
                block::invert(&mut own);
            }
            block::intersect(&mut own, bits);
            part.put(number, &own);
        }
        part
    }

    /// Gives all matches as a set. What was added counts without [`Matches::settle`].
    pub fn to_set(&self) -> Set {
        let blocks = self.blocks.iter().enumerate();
        Set::of_blocks(blocks.filter_map(|(number, bits)| Some((number, bits.as_deref()?))))
    }
}
