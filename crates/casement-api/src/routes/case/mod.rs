//! Routes of cases.

pub mod blame;
pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod history;
pub mod link;
pub mod links;
pub mod list;
pub mod merge;
pub mod page;
pub mod patch;
pub mod plan;
pub mod post;
pub mod purge;
pub mod resolution;
pub mod restore;
pub mod search;
pub mod transfer;
pub mod undo;
pub mod unlink;
pub mod unwatch;
pub mod update;
pub mod watch;
pub mod watchers;
