//! A column: one number for each document, or none.

use std::cmp::Ordering;

use crate::block::{self, BLOCK, Bits};
use crate::order::Order;
use crate::set::Set;

/// Stands for no value.
pub const NONE: i64 = i64::MIN;

/// The numbers of all documents.
#[derive(Debug, Default)]
pub struct Column {
    blocks: Vec<ColumnBlock>,
    len: usize,
    /// Documents without a value.
    pub missing: Set,
    /// The documents with a value in its order, where the layout asks for one.
    pub order: Option<Order>,
}

#[derive(Debug)]
struct ColumnBlock {
    values: Vec<i64>,
    /// No value of the block is smaller or larger. They widen, and never narrow.
    smallest: i64,
    largest: i64,
}

/// A span of numbers with both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The smallest.
    pub low: i64,
    /// The largest.
    pub high: i64,
}

impl Span {
    /// Tells whether a number lies in it; [`NONE`] never does.
    pub fn contains(self, value: i64) -> bool {
        value != NONE && self.low <= value && value <= self.high
    }
}

/// How a block's values lie to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// None is in it.
    Outside,
    /// All that exist are in it.
    Inside,
    /// Each must be looked at.
    Across,
}

impl Column {
    /// Counts the documents.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Gives the value of a document.
    pub fn get(&self, ordinal: u32) -> i64 {
        let (number, low) = block::place(ordinal);
        self.blocks[number].values[usize::from(low)]
    }

    /// Adds the value of the next document. The order is the caller's task.
    pub fn push(&mut self, value: i64) {
        if self.len.is_multiple_of(BLOCK) {
            let values = if self.len == 0 { Vec::new() } else { Vec::with_capacity(BLOCK) };
            self.blocks.push(ColumnBlock { values, smallest: i64::MAX, largest: NONE });
        }
        let ordinal = self.len as u32;
        if let Some(own) = self.blocks.last_mut() {
            own.values.push(value);
            own.widen(value);
        }
        self.len += 1;
        if value == NONE {
            self.missing.insert(ordinal);
        }
    }

    /// Changes the value of a document. The order is the caller's task.
    pub fn set(&mut self, ordinal: u32, value: i64) {
        let (number, low) = block::place(ordinal);
        let own = &mut self.blocks[number];
        own.values[usize::from(low)] = value;
        own.widen(value);
        if value == NONE {
            self.missing.insert(ordinal);
        } else {
            self.missing.remove(ordinal);
        }
    }

    /// Tells how the values of a block lie to a span.
    pub fn lie(&self, number: usize, span: Span) -> Lie {
        let Some(own) = self.blocks.get(number) else { return Lie::Outside };
        if span.low > span.high || own.largest < span.low || own.smallest > span.high {
            Lie::Outside
        } else if span.low <= own.smallest && own.largest <= span.high {
            Lie::Inside
        } else {
            Lie::Across
        }
    }

    /// Switches on the bits of the documents of a block whose value lies in a span.
    pub fn find_into(&self, number: usize, span: Span, bits: &mut Bits) {
        let Some(own) = self.blocks.get(number) else { return };
        for (word, values) in bits.iter_mut().zip(own.values.chunks(64)) {
            let mut found = 0_u64;
            for (place, value) in values.iter().enumerate() {
                found |= u64::from(span.contains(*value)) << place;
            }
            *word |= found;
        }
    }

    /// Gives the values of the documents of a block.
    pub fn block_values(&self, number: usize) -> &[i64] {
        self.blocks.get(number).map_or(&[], |own| &own.values)
    }

    /// Writes the first values of a block for a snapshot.
    pub fn dump_block(&self, number: usize, count: usize, out: &mut Vec<u8>) {
        let values = self.block_values(number);
        let values = values.get(..count).unwrap_or(values);
        values.iter().for_each(|value| out.extend(value.to_le_bytes()));
    }

    /// Takes the next values of a snapshot; `None`: they are none.
    pub fn restore(&mut self, content: &[u8]) -> Option<()> {
        let (values, rest) = content.as_chunks::<8>();
        values.iter().for_each(|value| self.push(i64::from_le_bytes(*value)));
        rest.is_empty().then_some(())
    }

    /// Gives numbers that no value of a block is below or above, where there is a value.
    pub fn block_ends(&self, number: usize) -> Option<(i64, i64)> {
        let own = self.blocks.get(number)?;
        (own.smallest <= own.largest).then_some((own.smallest, own.largest))
    }

    /// Gives numbers that no value is below or above, where there is a value.
    pub fn ends(&self) -> Option<(i64, i64)> {
        let smallest = self.blocks.iter().map(|own| own.smallest).min()?;
        let largest = self.blocks.iter().map(|own| own.largest).max()?;
        (smallest <= largest).then_some((smallest, largest))
    }

    /// Gives the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let values: usize = self.blocks.iter().map(|own| own.values.capacity() * size_of::<i64>()).sum();
        values + self.missing.bytes() + self.order.as_ref().map_or(0, Order::bytes)
    }
}

impl ColumnBlock {
    fn widen(&mut self, value: i64) {
        if value != NONE {
            self.smallest = self.smallest.min(value);
            self.largest = self.largest.max(value);
        }
    }
}

/// Compares two documents by value, then by id.
pub fn compare(column: &Column, ids: &crate::strings::Strings, left: u32, right: u32) -> Ordering {
    column.get(left).cmp(&column.get(right)).then_with(|| ids.get(left).cmp(ids.get(right)))
}
