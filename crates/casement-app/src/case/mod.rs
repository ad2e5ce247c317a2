//! Use cases on cases.

pub mod create;
pub mod update;
