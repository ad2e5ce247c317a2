//! What is true: the types and rules of case management.
//!
//! Everything here is pure. A rule takes the stored state, the workspace's configuration, who acts, the command
//! and the time, and gives a change or the list of all faults. This crate imports none of the other rooms, reads
//! no clock, makes no random value and knows no spelling of the wire.

pub mod actor;
pub mod attachment;
pub mod case;
pub mod change;
pub mod comment;
pub mod customer;
pub mod date;
pub mod fault;
pub mod given;
pub mod id;
pub mod item;
pub mod limits;
pub mod list;
mod parted;
pub mod rich_text;
pub mod task;
pub mod text;
pub mod version;
pub mod workspace;
