//! The corpus and the findings of the fuzzer, as plain tests.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod findings;
