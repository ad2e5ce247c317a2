//! The tests of samples: what they are like, on a workspace with its configuration.

#[cfg(test)]
mod samples;
