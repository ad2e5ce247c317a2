//! The tests of the wire from outside: what is read, what is written, and that the two fit.
//!
//! `documents` makes random documents and is shared with the domain's tests.

#[cfg(test)]
mod any_body;
#[cfg(test)]
mod configuration;
#[cfg(test)]
#[path = "../../casement-domain/tests/documents.rs"]
mod documents;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod json;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod round_trip;
