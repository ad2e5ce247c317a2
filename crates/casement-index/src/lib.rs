//! Answering: rows in memory, kept in log order.
//!
//! A table holds one row per document of a kind and answers which rows match, how many there are and which come first.
//! It knows versions, deadlines and what the caller's functions say of a row, not what a row means. This one scans;
//! engines that don't are held against it. This crate imports none of the other rooms.

pub mod table;
