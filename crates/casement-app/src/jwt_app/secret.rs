//! Secrets: texts that are never printed by accident.

use std::fmt;

use serde::Deserialize;

use crate::sources::Sources;

/// A secret that is never printed, nor written but by whoever reveals it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Makes one of 32 random bytes, written as 64 hex digits.
    pub fn fresh(sources: &Sources) -> Self {
        let bytes = [sources.salt(), sources.salt()];
        Self(bytes.iter().flatten().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Gives the secret itself, for the few places that need it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}
