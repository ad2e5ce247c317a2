//! Standard responses.

pub mod list;
pub mod render;
