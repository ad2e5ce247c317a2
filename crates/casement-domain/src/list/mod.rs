//! Lists: which cases or tasks a query means, in which order, and which page of them; contract sections 6 and 7.
//!
//! A query is what a request says. It is resolved against the workspace into a filter and an order, which are values
//! that any engine can answer. The plain functions here ([`filter::Filter::matches`], [`order::Order::compare`]) are
//! the definition that every faster engine is held against.

pub mod expression;
pub mod filter;
pub mod grouping;
pub mod order;
pub mod query;
pub mod resolve;
pub mod row;
