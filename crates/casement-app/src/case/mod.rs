//! Use cases on cases.

pub mod change;
pub mod create;
pub mod relation;
pub mod update;
