//! The contract restated for tests.
//!
//! `oracle` answers lists by the words of the contract, from documents as clients see them. `targets` are the inputs
//! that fuzzing makes up, each with what must hold whatever comes; `mutation` makes up JSON. Nothing here is part of the
//! server: tests and the fuzzer lean on it, and it shares no code with what it judges beyond the public functions of the
//! other rooms.

#![expect(clippy::indexing_slicing, reason = "an absent key of JSON is null, and a proof may fail loudly")]

pub mod mutation;
pub mod oracle;
pub mod targets;
pub mod world;
