//! The wire: the spellings of the public API.
//!
//! Reads bytes into commands with all faults at once, and writes documents and errors as bytes. Everything here is
//! pure. The vendor's spellings (`caseTmp`, `iId`, `lname`) live in this crate only; each oddity has a line in
//! docs/quirks.md. This crate imports the domain and nothing else of ours.

pub mod attachment;
pub mod blame;
pub mod case;
pub mod comment;
pub mod configuration;
pub mod document;
pub mod error;
pub mod feedback;
pub mod field;
pub mod history;
pub mod item;
pub mod json;
pub mod language;
pub mod limits;
pub mod list;
pub mod member;
pub mod parameters;
pub mod plan;
pub mod reader;
pub mod relation;
pub mod schema;
pub mod search;
pub mod spelling;
pub mod task;
