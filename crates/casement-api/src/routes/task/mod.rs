//! Routes of tasks.

pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod history;
pub mod list;
pub mod of_case;
pub mod page;
pub mod patch;
pub mod post;
pub mod restore;
pub mod search;
pub mod transfer;
pub mod update;
