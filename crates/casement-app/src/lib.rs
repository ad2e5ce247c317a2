//! Use cases: load what a decision needs, let the domain decide, have the store commit, and follow the log.
//!
//! The neighbours above (HTTP, the command line) call the functions here, each of which takes an [`access::Access`]
//! first; no rule and no wire spelling belongs here. Retries are bounded, and what follows the log (the index, the
//! configuration) is applied before a write is acknowledged.

pub mod access;
pub mod app;
pub mod attachment;
pub mod backup;
pub mod blame;
pub mod body;
pub mod case;
mod catch_up;
pub mod certificate;
pub mod comment;
pub mod commit;
pub mod configuration;
pub mod counts;
mod cursor;
pub mod customer;
pub mod deadline;
pub mod doctor;
pub mod document;
pub mod error;
pub mod feedback;
pub mod follower;
pub mod fresh;
pub mod get;
pub mod history;
pub mod index;
pub mod installation;
pub mod jwt_app;
pub mod lease;
pub mod limits;
pub mod list;
pub mod making;
pub mod measure;
pub mod once;
pub mod purge;
pub mod sample;
pub mod scan;
pub mod seal;
pub mod sources;
pub mod sweep;
pub mod task;
pub mod trace;
mod turns;
pub mod undo;
pub mod version;
pub mod workspace;
