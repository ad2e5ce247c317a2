//! Use cases on tasks.

pub mod create;
pub mod plan;
pub mod update;
