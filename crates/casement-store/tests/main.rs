//! The tests of the store from outside.
//!
//! `conformance` holds the facts that every engine keeps; `sqlite` and `postgres` run them on their engine and add
//! those that are its own; `server` starts a PostgreSQL server; `model` plays random work against a model;
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
mod postgres;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sqlite;
