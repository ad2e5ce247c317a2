//! Sets of ordinals that choose their own form: one, a few, or blocks of sorted places or bits.
//!
//! A value that most documents have costs a bit for each document, a rare one two bytes for each that has it, and a
//! value of one document nothing beyond its entry. Filters read a set block by block.

use crate::block::{self, Bits};
use crate::limits::{ARRAY_MAX, FEW_MAX};

/// A set of ordinals.
#[derive(Debug, Clone)]
pub enum Set {
    /// One ordinal.
    One(u32),
    /// A few ordinals in order; also none.
    Few(Vec<u32>),
    /// Many ordinals, by block.
    Many(Box<Blocks>),
}

/// The blocks of a large set.
#[derive(Debug, Clone, Default)]
pub struct Blocks {
    len: u32,
    keys: Vec<u16>,
    containers: Vec<Container>,
}

/// The members of one block.
#[derive(Debug, Clone)]
enum Container {
    /// Places in order.
    Array(Vec<u16>),
    /// Bits, with the number that are on.
    Bits(u32, Box<Bits>),
}

impl Default for Set {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Set {
    /// Takes bits by block, in the order of blocks.
    pub fn of_blocks<'a>(blocks: impl Iterator<Item = (usize, &'a Bits)>) -> Self {
        let mut many = Blocks::default();
        for (number, bits) in blocks {
            let count = block::count(bits);
            if count == 0 {
                continue;
            }
            many.len += count;
            many.keys.push(u16::try_from(number).expect("invariant: ordinals have at most 30 bits"));
            many.containers.push(if count as usize <= ARRAY_MAX {
                Container::Array(block::places(bits).collect())
            } else {
                Container::Bits(count, Box::new(*bits))
            });
        }
        let len = many.len as usize;
        let set = Self::Many(Box::new(many));
        match len {
            0 => Self::default(),
            1..=FEW_MAX => {
                let few = set.ordinals();
                if let [only] = few[..] { Self::One(only) } else { Self::Few(few) }
            }
            _ => set,
        }
    }

    /// Counts the members.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Few(few) => few.len(),
            Self::Many(blocks) => blocks.len as usize,
        }
    }

    /// Tells whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a member; tells whether it was none before.
    pub fn insert(&mut self, ordinal: u32) -> bool {
        match self {
            Self::Few(few) if few.is_empty() => {
                *self = Self::One(ordinal);
                true
            }
            Self::One(only) if *only == ordinal => false,
            Self::One(only) => {
                *self = Self::Few(vec![ordinal.min(*only), ordinal.max(*only)]);
                true
            }
            Self::Few(few) => {
                let Err(position) = position_in(few, ordinal) else { return false };
                if few.len() < FEW_MAX {
                    few.insert(position, ordinal);
                } else {
                    let mut blocks = Blocks::default();
                    few.iter().for_each(|member| {
                        blocks.insert(*member);
                    });
                    blocks.insert(ordinal);
                    *self = Self::Many(Box::new(blocks));
                }
                true
            }
            Self::Many(blocks) => blocks.insert(ordinal),
        }
    }

    /// Adds members that are in order and larger than all there are.
    pub fn append(&mut self, ordinals: &[u32]) {
        if !self.is_empty() || ordinals.len() > FEW_MAX {
            ordinals.iter().for_each(|ordinal| {
                self.insert(*ordinal);
            });
            self.shrink();
        } else if let [only] = ordinals {
            *self = Self::One(*only);
        } else {
            *self = Self::Few(ordinals.to_vec());
        }
    }

    /// Takes a member away; tells whether it was one.
    pub fn remove(&mut self, ordinal: u32) -> bool {
        match self {
            Self::One(only) => {
                let is_it = *only == ordinal;
                if is_it {
                    *self = Self::default();
                }
                is_it
            }
            Self::Few(few) => {
                let Ok(position) = few.binary_search(&ordinal) else { return false };
                few.remove(position);
                if let [only] = few[..] {
                    *self = Self::One(only);
                }
                true
            }
            Self::Many(blocks) => {
                let is_it = blocks.remove(ordinal);
                // Well below the size at which it became blocks, so that one document does not turn it back and forth.
                if blocks.len as usize <= FEW_MAX / 2 {
                    *self = Self::Few(self.ordinals());
                }
                is_it
            }
        }
    }

    /// Gives all members in order.
    pub fn ordinals(&self) -> Vec<u32> {
        match self {
            Self::One(only) => vec![*only],
            Self::Few(few) => few.clone(),
            Self::Many(blocks) => {
                let mut all = Vec::with_capacity(blocks.len as usize);
                for (key, container) in blocks.keys.iter().zip(&blocks.containers) {
                    let number = usize::from(*key);
                    match container {
                        Container::Array(array) => {
                            all.extend(array.iter().map(|low| block::ordinal(number, *low)));
                        }
                        Container::Bits(_, bits) => {
                            block::for_each_place(bits, |low| all.push(block::ordinal(number, low)));
                        }
                    }
                }
                all
            }
        }
    }

    /// Tells whether it has no member in a block, as far as that is known without a look at each.
    pub fn is_absent(&self, number: usize) -> bool {
        match self {
            Self::One(only) => block::place(*only).0 != number,
            Self::Few(few) => part(few, number).is_empty(),
            Self::Many(blocks) => blocks.container(number).is_none(),
        }
    }

    /// Switches on the bits of the members in a block.
    pub fn unite_into(&self, number: usize, bits: &mut Bits) {
        match self {
            Self::One(only) => {
                if block::place(*only).0 == number {
                    block::switch_on(bits, block::place(*only).1);
                }
            }
            Self::Few(few) => {
                for member in part(few, number) {
                    block::switch_on(bits, block::place(*member).1);
                }
            }
            Self::Many(blocks) => match blocks.container(number) {
                None => {}
                Some(Container::Array(array)) => {
                    for low in array {
                        block::switch_on(bits, *low);
                    }
                }
                Some(Container::Bits(_, own)) => block::unite(bits, own),
            },
        }
    }

    /// Counts the members in a block whose bit is on.
    pub fn count_in(&self, number: usize, bits: &Bits) -> u32 {
        let count =
            |lows: &mut dyn Iterator<Item = u16>| lows.filter(|low| block::is_on(bits, *low)).count() as u32;
        match self {
            Self::One(only) => {
                let (own, low) = block::place(*only);
                u32::from(own == number && block::is_on(bits, low))
            }
            Self::Few(few) => count(&mut part(few, number).iter().map(|member| block::place(*member).1)),
            Self::Many(blocks) => match blocks.container(number) {
                None => 0,
                Some(Container::Array(array)) => count(&mut array.iter().copied()),
                Some(Container::Bits(_, own)) => {
                    own.iter().zip(bits).map(|(own, other)| (own & other).count_ones()).sum()
                }
            },
        }
    }

    /// Counts the members in a block.
    pub fn count_of(&self, number: usize) -> u32 {
        match self {
            Self::One(only) => u32::from(block::place(*only).0 == number),
            Self::Few(few) => part(few, number).len() as u32,
            Self::Many(blocks) => match blocks.container(number) {
                None => 0,
                Some(Container::Array(array)) => array.len() as u32,
                Some(Container::Bits(count, _)) => *count,
            },
        }
    }

    /// Gives the numbers of the blocks in which it has members, in order.
    pub fn blocks(&self) -> Vec<usize> {
        match self {
            Self::One(only) => vec![block::place(*only).0],
            Self::Few(few) => {
                let mut numbers: Vec<usize> = few.iter().map(|member| block::place(*member).0).collect();
                numbers.dedup();
                numbers
            }
            Self::Many(blocks) => blocks.keys.iter().map(|key| usize::from(*key)).collect(),
        }
    }

    /// Gives back memory that was taken in advance.
    pub fn shrink(&mut self) {
        match self {
            Self::One(_) => {}
            Self::Few(few) => few.shrink_to_fit(),
            Self::Many(blocks) => {
                blocks.keys.shrink_to_fit();
                blocks.containers.shrink_to_fit();
                for container in &mut blocks.containers {
                    if let Container::Array(array) = container {
                        array.shrink_to_fit();
                    }
                }
            }
        }
    }

    /// Gives the bytes that it takes beside its own entry.
    pub fn bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Few(few) => few.capacity() * size_of::<u32>(),
            Self::Many(blocks) => {
                let own = size_of::<Blocks>()
                    + blocks.keys.capacity() * size_of::<u16>()
                    + blocks.containers.capacity() * size_of::<Container>();
                let inner = blocks.containers.iter().map(|container| match container {
                    Container::Array(array) => array.capacity() * size_of::<u16>(),
                    Container::Bits(..) => size_of::<Bits>(),
                });
                own + inner.sum::<usize>()
            }
        }
    }
}

/// Finds where an ordinal stands or belongs; one that comes last, as most do, is found at once.
fn position_in(few: &[u32], ordinal: u32) -> Result<usize, usize> {
    match few.last() {
        Some(last) if *last < ordinal => Err(few.len()),
        Some(_) | None => few.binary_search(&ordinal),
    }
}

/// Gives the members of a block.
fn part(few: &[u32], number: usize) -> &[u32] {
    let (Some(first), Some(last)) = (few.first(), few.last()) else { return &[] };
    if block::place(*last).0 < number || block::place(*first).0 > number {
        return &[];
    }
    let start = few.partition_point(|member| block::place(*member).0 < number);
    let rest = &few[start..];
    &rest[..rest.partition_point(|member| block::place(*member).0 == number)]
}

impl Blocks {
    fn container(&self, number: usize) -> Option<&Container> {
        let key = u16::try_from(number).ok()?;
        // Most large sets have members in every block, so that a block stands at its number.
        if self.keys.get(number) == Some(&key) {
            return self.containers.get(number);
        }
        self.keys.binary_search(&key).ok().and_then(|position| self.containers.get(position))
    }

    fn insert(&mut self, ordinal: u32) -> bool {
        let (number, low) = block::place(ordinal);
        let key = u16::try_from(number).expect("invariant: ordinals have at most 30 bits");
        let position = match self.keys.last() {
            Some(last) if *last == key => self.keys.len() - 1,
            _ => match self.keys.binary_search(&key) {
                Ok(position) => position,
                Err(position) => {
                    self.keys.insert(position, key);
                    self.containers.insert(position, Container::Array(Vec::new()));
                    position
                }
            },
        };
        let container = &mut self.containers[position];
        let is_new = match container {
            Container::Array(array) => {
                let place = match array.last() {
                    Some(last) if *last < low => Err(array.len()),
                    _ => array.binary_search(&low),
                };
                match place {
                    Ok(_) => false,
                    Err(place) if array.len() < ARRAY_MAX => {
                        array.insert(place, low);
                        true
                    }
                    Err(_) => {
                        let mut bits = block::no_bits();
                        array.iter().for_each(|low| {
                            block::switch_on(&mut bits, *low);
                        });
                        block::switch_on(&mut bits, low);
                        *container = Container::Bits(array.len() as u32 + 1, bits);
                        true
                    }
                }
            }
            Container::Bits(count, bits) => {
                let is_new = block::switch_on(bits, low);
                *count += u32::from(is_new);
                is_new
            }
        };
        self.len += u32::from(is_new);
        is_new
    }

    fn remove(&mut self, ordinal: u32) -> bool {
        let (number, low) = block::place(ordinal);
        let Some(position) = u16::try_from(number).ok().and_then(|key| self.keys.binary_search(&key).ok())
        else {
            return false;
        };
        let container = &mut self.containers[position];
        let (was_in, left) = match container {
            Container::Array(array) => match array.binary_search(&low) {
                Ok(place) => {
                    array.remove(place);
                    (true, array.len())
                }
                Err(_) => (false, array.len()),
            },
            Container::Bits(count, bits) => {
                let was_in = block::switch_off(bits, low);
                *count -= u32::from(was_in);
                if *count as usize <= ARRAY_MAX / 2 {
                    let array: Vec<u16> = block::places(bits).collect();
                    let left = array.len();
                    *container = Container::Array(array);
                    (was_in, left)
                } else {
                    (was_in, *count as usize)
                }
            }
        };
        if left == 0 {
            self.keys.remove(position);
            self.containers.remove(position);
        }
        self.len -= u32::from(was_in);
        was_in
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_has_what_was_put_in_and_not_taken_out(
            steps in prop::collection::vec((any::<bool>(), prop_oneof![4 => 0..200_u32, 1 => 0..3_000_u32]), 0..600),
            block in 0..12_usize,
        ) {
            let (mut set, mut plain) = (Set::default(), BTreeSet::new());
            for (is_put, ordinal) in steps {
                if is_put {
                    prop_assert_eq!(set.insert(ordinal), plain.insert(ordinal));
                } else {
                    prop_assert_eq!(set.remove(ordinal), plain.remove(&ordinal));
                }
                prop_assert_eq!(set.len(), plain.len());
            }
            prop_assert_eq!(set.ordinals(), plain.iter().copied().collect::<Vec<u32>>());
            let in_block: Vec<u32> = plain.iter().copied().filter(|own| block::place(*own).0 == block).collect();
            let mut bits = block::no_bits();
            set.unite_into(block, &mut bits);
            let found: Vec<u32> = block::places(&bits).map(|low| block::ordinal(block, low)).collect();
            prop_assert_eq!(&found, &in_block);
            prop_assert_eq!(set.is_absent(block), in_block.is_empty());
            prop_assert_eq!(set.count_of(block) as usize, in_block.len());
            prop_assert_eq!(set.blocks().contains(&block), !in_block.is_empty());
            let mut odd = block::no_bits();
            in_block.iter().filter(|own| **own % 2 == 1).for_each(|own| {
                block::switch_on(&mut odd, block::place(*own).1);
            });
            prop_assert_eq!(set.count_in(block, &odd), block::count(&odd));
            let blocks: Vec<(usize, Box<Bits>)> = set
                .blocks()
                .into_iter()
                .map(|number| {
                    let mut bits = block::no_bits();
                    set.unite_into(number, &mut bits);
                    (number, bits)
                })
                .collect();
            let again = Set::of_blocks(blocks.iter().map(|(number, bits)| (*number, &**bits)));
            prop_assert_eq!(again.ordinals(), set.ordinals());
        }
    }
}
