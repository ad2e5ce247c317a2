//! Routes of cases.

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
pub mod post;
pub mod restore;
pub mod search;
pub mod transfer;
pub mod unlink;
pub mod unwatch;
pub mod update;
pub mod watch;
pub mod watchers;
