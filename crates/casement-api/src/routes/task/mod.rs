//! Routes of tasks.

pub mod blame;
pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod history;
pub mod list;
pub mod of_case;
pub mod page;
pub mod patch;
pub mod plan;
pub mod post;
pub mod purge;
pub mod restore;
pub mod search;
pub mod transfer;
pub mod undo;
pub mod update;
