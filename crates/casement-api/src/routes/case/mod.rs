//! Routes of cases.

pub mod blame;
pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod history;
pub mod list;
pub mod patch;
pub mod plan;
pub mod restore;
pub mod search;
pub mod undo;
pub mod update;
