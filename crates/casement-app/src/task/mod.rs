//! Use cases on tasks.

pub mod create;
pub mod update;
