//! The tests of the store from outside.
//!
//! `conformance` holds the facts that every engine keeps; `sqlite` runs them on SQLite and adds
//! those that are SQLite's own; `model` plays random work against a model;
//! `backup` is about backups and what is restored from them.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod build;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod model;
#[cfg(test)]
mod sqlite;
