//! Remembering: documents, log, counters and claims of each workspace.
//!
//! This crate knows bytes and keys, not cases. One ordered log per workspace lies under
//! everything: each accepted [`set::WriteSet`] takes the next sequence numbers, gap-free and in
//! commit order. Writes enter by [`store::Store::commit`] alone; committed sets leave, in order,
//! by the one [`feed::CommitFeed`]. Clocks, randomness and ids are handed in with the set.
//!
//! How it is laid out: `check` says whether a set is acceptable in itself, `decide` (pure, the
//! same for every engine) which sets of a batch pass, `chain` hashes the log, `queue` stands
//! between callers and the writers, `backup` copies what is remembered elsewhere, `transfer` moves it up to a server, `blobs` keeps bytes outside the documents, and `sqlite` and `postgres` hold the
//! two engines.

pub mod backup;
pub mod blobs;
mod chain;
mod check;
pub mod database_url;
mod decide;
pub mod document;
pub mod error;
pub mod event;
pub mod feed;
pub mod heads;
pub mod inspect;
pub mod limits;
mod lock;
pub mod measure;
pub mod options;
mod postgres;
mod queue;
pub mod set;
mod sqlite;
pub mod store;
pub mod transfer;
