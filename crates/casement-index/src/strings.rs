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

    /// Gives the block with every text in its place.
    fn rewritten(&self) -> Self {
        let mut fresh = Self { bytes: Vec::with_capacity(self.bytes.len()), ..Self::default() };
        fresh.starts.reserve_exact(self.starts.len());
        for low in 0..self.starts.len() {
            fresh.push(self.get(low as u16));
        }
        fresh
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
            *own = own.rewritten();
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

    /// Writes the first texts of a block for a snapshot: their number, where each starts, and the texts with their ends.
    pub fn dump_block(&self, number: usize, count: usize, out: &mut Vec<u8>) {
        let Some(own) = self.blocks.get(number) else { return };
        let fresh;
        let own = if own.moved.is_empty() {
            own
        } else {
            fresh = own.rewritten();
            &fresh
        };
        let starts = own.starts.get(..count).unwrap_or(&own.starts);
        let end = own.starts.get(count).map_or(own.bytes.len(), |start| *start as usize);
        out.extend((starts.len() as u32).to_le_bytes());
        starts.iter().for_each(|start| out.extend(start.to_le_bytes()));
        out.extend_from_slice(&own.bytes[..end]);
    }

    /// Takes the next block of a snapshot; `None`: it is none, or the block before it is not full.
    pub fn restore_block(&mut self, content: &[u8]) -> Option<()> {
        let (count, rest) = content.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        if !self.len.is_multiple_of(BLOCK) || count > BLOCK {
            return None;
        }
        let (starts, bytes) = rest.split_at_checked(count * 4)?;
        let starts: Vec<u32> =
            starts.as_chunks::<4>().0.iter().map(|start| u32::from_le_bytes(*start)).collect();
        let ends = starts.iter().skip(1).map(|start| *start as usize).chain([bytes.len()]);
        let mut expected = 0;
        for (start, end) in starts.iter().map(|start| *start as usize).zip(ends) {
            let (last, text) = bytes.get(start..end)?.split_last()?;
            if start != expected || *last != END || str::from_utf8(text).is_err() {
                return None;
            }
            expected = end;
        }
        if expected != bytes.len() {
            return None;
        }
        self.len += count;
        self.blocks.push(StringBlock { bytes: bytes.to_vec(), starts, moved: BTreeMap::new() });
        Some(())
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
