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
mod history;
#[cfg(test)]
mod house;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod public_keys;
