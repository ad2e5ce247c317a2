//! Texts by ordinal, kept one behind the other: ids, which never change, and folded names, which may.

use std::collections::BTreeMap;

use memchr::memmem::Finder;

use crate::block::{self, BLOCK, Bits};
use crate::limits::MOVED_NAMES_MAX;

/// Ends each text. No byte of UTF-8 has this value, so nothing that is looked for spans two texts.
const END: u8 = 0xFF;

/// Texts by ordinal.
#[derive(Debug, Default)]
pub struct Strings {
    blocks: Vec<StringBlock>,
    len: usize,
}

#[derive(Debug, Default)]
struct StringBlock {
    /// The texts one behind the other, each with its end.
    bytes: Vec<u8>,
    /// Where each text starts.
    starts: Vec<u32>,
    /// Texts that changed since the block was written.
    moved: BTreeMap<u16, Box<[u8]>>,
}

impl StringBlock {
    fn written(&self, low: usize) -> &[u8] {
        let start = self.starts[low] as usize;
        let end = self.starts.get(low + 1).map_or(self.bytes.len(), |next| *next as usize) - 1;
        &self.bytes[start..end]
    }

    /// Gives the place of the text that a position lies in, which is not before a known place: most are near.
    fn at(&self, position: u32, from: usize) -> usize {
        let mut step = 1;
        let mut low = from;
        while self.starts.get(low + step).is_some_and(|start| *start <= position) {
            low += step;
            step *= 2;
        }
        let rest = &self.starts[low..self.starts.len().min(low + step)];
        low + rest.partition_point(|start| *start <= position) - 1
    }

    fn get(&self, low: u16) -> &[u8] {
        if !self.moved.is_empty()
            && let Some(moved) = self.moved.get(&low)
        {
            return moved;
        }
        self.written(usize::from(low))
    }

    fn push(&mut self, text: &[u8]) {
        // A block of the longest texts that documents may have stays far below 4 GiB.
        self.starts.push(self.bytes.len() as u32);
        self.bytes.extend_from_slice(text);
        self.bytes.push(END);
    }

    fn rewrite(&mut self) {
        let mut fresh = Self { bytes: Vec::with_capacity(self.bytes.len()), ..Self::default() };
        fresh.starts.reserve_exact(self.starts.len());
        for low in 0..self.starts.len() {
            fresh.push(self.get(low as u16));
        }
        *self = fresh;
    }
}

impl Strings {
    /// Counts the texts.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds the text of the next ordinal. Bytes that no UTF-8 text has are the caller's fault and cut the text short.
    pub fn push(&mut self, text: &str) {
        if self.len.is_multiple_of(BLOCK) {
            if let Some(full) = self.blocks.last_mut() {
                full.bytes.shrink_to_fit();
                full.starts.shrink_to_fit();
            }
            self.blocks.push(StringBlock::default());
        }
        if let Some(last) = self.blocks.last_mut() {
            last.push(text.as_bytes());
        }
        self.len += 1;
    }

    /// Gives the text of an ordinal.
    pub fn get(&self, ordinal: u32) -> &[u8] {
        let (number, low) = block::place(ordinal);
        self.blocks[number].get(low)
    }

    /// Gives the text of an ordinal.
    pub fn text(&self, ordinal: u32) -> &str {
        str::from_utf8(self.get(ordinal)).expect("invariant: only whole texts were put in")
    }

    /// Changes the text of an ordinal.
    pub fn set(&mut self, ordinal: u32, text: &str) {
        let (number, low) = block::place(ordinal);
        let own = &mut self.blocks[number];
        own.moved.insert(low, text.as_bytes().into());
        if own.moved.len() > MOVED_NAMES_MAX {
            own.rewrite();
        }
    }

    /// Tells whether the text of an ordinal contains what is looked for.
    pub fn contains(&self, ordinal: u32, finder: &Finder<'_>) -> bool {
        finder.find(self.get(ordinal)).is_some()
    }

    /// Switches on the bits of the texts of a block that contain what is looked for, which must not be empty.
    pub fn find_into(&self, number: usize, finder: &Finder<'_>, bits: &mut Bits) {
        let Some(own) = self.blocks.get(number) else { return };
        let mut low = 0;
        let mut from = 0;
        while let Some(found) = finder.find(&own.bytes[from..]) {
            let position = (from + found) as u32;
            low = own.at(position, low);
            if own.moved.is_empty() || !own.moved.contains_key(&(low as u16)) {
                block::switch_on(bits, low as u16);
            }
            low += 1;
            match own.starts.get(low) {
                Some(next) => from = *next as usize,
                None => break,
            }
        }
        for (low, text) in &own.moved {
            if finder.find(text).is_some() {
                block::switch_on(bits, *low);
            }
        }
    }

    /// Gives the bytes that they take.
    pub fn bytes(&self) -> usize {
        let inner = self.blocks.iter().map(|own| {
            let moved: usize = own.moved.values().map(|text| text.len() + 32).sum();
            own.bytes.capacity() + own.starts.capacity() * size_of::<u32>() + moved
        });
        inner.sum::<usize>() + self.blocks.capacity() * size_of::<StringBlock>()
    }
}
