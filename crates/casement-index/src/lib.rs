//! Answering: documents as facets, columns, orders and terms in memory, so that lists, counts and searches cost
//! microseconds however many documents there are.
//!
//! An engine knows ordinals and values, not what they mean: the caller hands in plain values and folded words and gets
//! ids and versions back. A plain scan in the tests is what every answer is held against. This crate imports none of the
//! other rooms, reads no clock and no disk.

#![expect(
    clippy::indexing_slicing,
    reason = "the inner loops run over blocks, chunks and interned numbers that stand in bounds by construction"
)]

pub mod answer;
mod block;
mod column;
mod compact;
mod dictionary;
pub mod engine;
mod facet;
mod filter;
pub mod layout;
pub mod limits;
mod lookup;
mod matches;
mod order;
mod page;
mod place;
pub mod query;
mod set;
pub mod snapshot;
mod strings;
mod terms;
pub mod words;

#[cfg(test)]
mod tests;
