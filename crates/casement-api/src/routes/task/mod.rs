//! Routes of tasks.

pub mod count;
pub mod create;
pub mod list;
pub mod search;
pub mod update;
