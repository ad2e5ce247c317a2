//! The tests of the use cases on a real store: what concurrency, a restart and the log must not break.
//!
//! Each test has a directory, a clock and a source of ids of its own; `house` makes them.

#[cfg(test)]
mod access;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of other crates, which use all of it")]
#[path = "../../casement-domain/tests/documents.rs"]
mod documents;
#[cfg(test)]
mod history;
#[cfg(test)]
mod house;
#[cfg(test)]
mod index;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod public_keys;
#[cfg(test)]
#[path = "../../casement-domain/tests/queries.rs"]
mod queries;
#[cfg(test)]
mod rendered;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod snapshots;
