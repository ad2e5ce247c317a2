//! Versions of stored documents.

/// A document with the version at which it was read; 0 stands for a document that is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// Counts the document's changes from 1.
    pub version: u64,
    /// The number that its reference id shows; cases and tasks have one.
    pub number: Option<u64>,
    /// The document.
    pub value: T,
}

impl<T> Versioned<T> {
    /// Makes another value of the document, of the same version.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Versioned<U> {
        Versioned { version: self.version, number: self.number, value: make(self.value) }
    }
}
