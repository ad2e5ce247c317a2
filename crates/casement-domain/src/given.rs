//! What a request says about one key: nothing, null, something unusable, or a value.

/// One key of a request.
///
/// `Invalid` means that the key was there and its fault is already on the list: a rule then neither uses the value
/// nor reports the key as missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// The key is not in the request.
    #[default]
    Absent,
    /// The key is there with a JSON `null`.
    Null,
    /// The key is there, its value is unusable and has a fault on the list.
    Invalid,
    /// The key is there with a value of the right shape.
    Value(T),
}

impl<T> Given<T> {
    /// Gives the value when there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null | Self::Invalid => None,
        }
    }

    /// Tells whether the key is missing: absent, or null where null means absent (creates and lists).
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }
}
