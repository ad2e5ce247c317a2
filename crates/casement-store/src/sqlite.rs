//! The store on SQLite: one writer thread, one checkpoint thread, and read-only connections.
//!
//! All SQL of this engine is below this module. What passes and what misses is not decided here.

pub(crate) mod checkpoint;
pub(crate) mod copy;
pub(crate) mod engine;
pub(crate) mod inspecting;
pub(crate) mod journal;
pub(crate) mod reader;
pub(crate) mod replay;
pub(crate) mod schema;
pub(crate) mod transferring;
pub(crate) mod verify;
pub(crate) mod writer;
pub(crate) mod writing;
