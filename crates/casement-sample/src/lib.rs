//! Believable data from a seed: what people might have asked of a workspace over four years, as commands of the domain
//! with the time at which each was sent. Whoever runs them decides each by the domain's rules, so that what comes of it is
//! what the API could have made.
//!
//! [`configuration`] is what the commands rely on, [`sample`] gives them in the order of time. Pure: the same seed gives the
//! same commands. Knows the domain alone; commits nothing.

mod calendar;
pub mod configuration;
mod customers;
mod dice;
mod entries;
mod life;
mod prose;
pub mod sample;
mod words;
