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
