//! Blocks: runs of ordinals that are worked on as bits, small enough to stay in the processor's nearest cache.

use crate::limits::BLOCK_BITS;

/// Documents of one block.
pub const BLOCK: usize = 1 << BLOCK_BITS;
/// Words of the bits of one block.
pub const WORDS: usize = BLOCK / 64;

/// One bit for each document of a block.
pub type Bits = [u64; WORDS];

/// Gives the block of an ordinal and its place in it.
pub fn place(ordinal: u32) -> (usize, u16) {
    ((ordinal >> BLOCK_BITS) as usize, (ordinal & (BLOCK as u32 - 1)) as u16)
}

/// Gives the ordinal of a place in a block.
pub fn ordinal(block: usize, low: u16) -> u32 {
    ((block as u32) << BLOCK_BITS) | u32::from(low)
}

/// Gives bits that are all off.
pub fn no_bits() -> Box<Bits> {
    Box::new([0; WORDS])
}

/// Switches a bit on; tells whether it was off.
pub fn switch_on(bits: &mut Bits, low: u16) -> bool {
    let word = &mut bits[usize::from(low) / 64];
    let mask = 1_u64 << (low % 64);
    let was_off = *word & mask == 0;
    *word |= mask;
    was_off
}

/// Switches a bit off; tells whether it was on.
pub fn switch_off(bits: &mut Bits, low: u16) -> bool {
    let word = &mut bits[usize::from(low) / 64];
    let mask = 1_u64 << (low % 64);
    let was_on = *word & mask != 0;
    *word &= !mask;
    was_on
}

/// Tells whether a bit is on.
pub fn is_on(bits: &Bits, low: u16) -> bool {
    bits[usize::from(low) / 64] >> (low % 64) & 1 == 1
}

/// Counts the bits that are on.
pub fn count(bits: &Bits) -> u32 {
    bits.iter().map(|word| word.count_ones()).sum()
}

/// Tells whether no bit is on.
pub fn is_empty(bits: &Bits) -> bool {
    bits.iter().all(|word| *word == 0)
}

/// Switches on all bits that are on in the other.
pub fn unite(bits: &mut Bits, other: &Bits) {
    for (word, other) in bits.iter_mut().zip(other) {
        *word |= other;
    }
}

/// Switches off all bits that are off in the other.
pub fn intersect(bits: &mut Bits, other: &Bits) {
    for (word, other) in bits.iter_mut().zip(other) {
        *word &= other;
    }
}

/// Switches off all bits that are on in the other.
pub fn subtract(bits: &mut Bits, other: &Bits) {
    for (word, other) in bits.iter_mut().zip(other) {
        *word &= !other;
    }
}

/// Switches each bit over.
pub fn invert(bits: &mut Bits) {
    for word in bits.iter_mut() {
        *word = !*word;
    }
}

/// Switches on the first `documents` bits.
pub fn switch_on_first(bits: &mut Bits, documents: usize) {
    for (index, word) in bits.iter_mut().enumerate() {
        *word = match documents.saturating_sub(index * 64) {
            0 => 0,
            rest @ 1..64 => (1 << rest) - 1,
            _ => u64::MAX,
        };
    }
}

/// Gives the places that are on, in order.
pub fn places(bits: &Bits) -> impl Iterator<Item = u16> {
    bits.iter().enumerate().flat_map(|(index, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let low = index as u32 * 64 + rest.trailing_zeros();
            rest &= rest - 1;
            Some(low as u16)
        })
    })
}

/// Calls for each place that is on, in order; faster than [`places`] where each counts.
pub fn for_each_place(bits: &Bits, mut visit: impl FnMut(u16)) {
    for (index, word) in bits.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            visit((index as u32 * 64 + rest.trailing_zeros()) as u16);
            rest &= rest - 1;
        }
    }
}
