//! Use cases on tasks.

pub mod create;
pub mod transfer;
pub mod update;
