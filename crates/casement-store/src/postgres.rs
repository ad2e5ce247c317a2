//! The store on a PostgreSQL server: several nodes write to one database, and none holds state that matters.
//!
//! All SQL of this engine is below this module. What passes and what misses is not decided here. `connect` makes
//! connections and refuses servers that would lose something, `link` is one of them, `writer` and `writing` commit,
//! `outcome` finds out what became of a commit whose answer was lost, `rounds` makes reads fresh, `news` and `moves`
//! tell what other nodes committed.

pub(crate) mod connect;
pub(crate) mod engine;
pub(crate) mod inspecting;
pub(crate) mod judge;
pub(crate) mod link;
pub(crate) mod moves;
pub(crate) mod news;
pub(crate) mod outcome;
pub(crate) mod pool;
pub(crate) mod reader;
pub(crate) mod rounds;
pub(crate) mod schema;
pub(crate) mod tls;
pub(crate) mod transferring;
pub(crate) mod verify;
pub(crate) mod writer;
pub(crate) mod writing;
