//! Use cases on tasks.

pub mod create;
pub mod plan;
pub mod transfer;
pub mod update;
