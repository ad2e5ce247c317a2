//! The query language: one line of text that says which cases or tasks are meant.
//!
//! ```text
//! any     = all { "or" all }
//! all     = part { [ "and" ] part }
//! part    = ( "-" | "not" ) part | "(" any ")" | word | clause
//! clause  = field ( ":" | "<" | "<=" | ">" | ">=" ) value { "," value }
//! ```
//!
//! A word or value with spaces, or one that would be read otherwise, stands in quotes; within them `\"` is a quote and
//! `\\` a backslash. Nothing is guessed: what can't be read is a fault that says where, and nobody gets another list than
//! the one asked for.

mod parts;
mod read;

pub use read::read;
