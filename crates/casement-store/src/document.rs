//! What the store gives back from its tables: documents, claims and workspaces.
//!
//! Plain records without behaviour. Bodies and results are bytes; what they mean is known above.

use std::collections::BTreeMap;

use crate::limits;

/// A document as it was committed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its kind, a case or a comment for example.
    pub kind: String,
    /// Its id, unique within workspace and kind.
    pub id: String,
    /// The document that it belongs to, if any.
    pub parent: Option<String>,
    /// The number that a counter gave it when it was made.
    pub number: Option<u64>,
    /// How many sets have written it: 1 when new.
    pub version: u64,
    /// The sequence number of its last event.
    pub sequence: u64,
    /// The schema number of the body.
    pub schema: u32,
    /// The body.
    pub body: Vec<u8>,
}

/// Where a page of the documents of some parents begins, and which way it goes along their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Along {
    /// Down from the last id, or from those before this one.
    Down(Option<String>),
    /// Up from the first id, or from those after this one.
    Up(Option<String>),
}

impl Along {
    /// Gives the text that all ids of the page come before, or after.
    pub(crate) fn place(&self) -> &str {
        match self {
            Self::Down(before) => before.as_deref().unwrap_or(limits::ID_END),
            // No id is empty, so everything comes after the empty text.
            Self::Up(after) => after.as_deref().unwrap_or_default(),
        }
    }
}

/// A unique key and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key, unique within the workspace.
    pub key: String,
    /// The id of the document that holds the key.
    pub document: String,
    /// What the holder left under the key.
    pub result: Option<Vec<u8>>,
    /// When the claim ends, in milliseconds since 1970. An expired claim is still read until a set
    /// removes it or puts another in its place, but it holds the key no longer.
    pub expires_ms: Option<i64>,
}

impl Claim {
    /// Tells whether the claim has ended at a moment, in milliseconds since 1970.
    pub fn is_expired(&self, at_ms: i64) -> bool {
        is_expired(self.expires_ms, at_ms)
    }
}

/// Tells whether a claim that ends at a moment has ended; the one rule for readers and writers.
pub(crate) fn is_expired(expires_ms: Option<i64>, at_ms: i64) -> bool {
    expires_ms.is_some_and(|expires_ms| expires_ms <= at_ms)
}

/// A workspace to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWorkspace {
    /// Its id.
    pub id: String,
    /// The account that it belongs to.
    pub account: String,
    /// The organisation that it belongs to.
    pub organisation: String,
    /// Its counters and the next number of each.
    pub counters: BTreeMap<String, u64>,
}

/// A workspace as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// Its id.
    pub id: String,
    /// The account that it belongs to.
    pub account: String,
    /// The organisation that it belongs to.
    pub organisation: String,
    /// The sequence number of its last event, 0 when there is none.
    pub head: u64,
    /// The version of its configuration: 1 when new, one more with each set that changes it.
    pub config_version: u64,
    /// Its counters and the next number of each.
    pub counters: BTreeMap<String, u64>,
}

/// What changed in a workspace, and where its log ended at the moment of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The sequence number of the last event.
    pub head: u64,
    /// The version of the configuration.
    pub config_version: u64,
    /// The documents, in the order of their last changes.
    pub documents: Vec<Document>,
}
