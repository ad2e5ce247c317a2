//! What the store gives back from its log: events, and the outcome of checking their chain.
//!
//! An event of the kind [`ERASED`] tells that changes and salt of earlier events of its document are gone. It says itself up
//! to which event, hashed like everything else, so that what is missing in a log is either told by it or a fault.

use serde::{Deserialize, Serialize};

/// The kind of the events that tell of an erasure. The commit that writes one erases what it tells of.
pub const ERASED: &str = "erased";

/// Gives the last event that one of an erasure covers; `None`: it is another event, or says nothing that can be read.
pub(crate) fn erased_until(kind: &str, changes: Option<&[u8]>) -> Option<u64> {
    if kind != ERASED {
        return None;
    }
    changes.and_then(|changes| changes.try_into().ok()).map(u64::from_be_bytes)
}

/// One entry of a workspace's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the log of the workspace, from 1 without gaps.
    pub sequence: u64,
    /// The operation that caused it; all events of one set carry the same.
    pub operation: [u8; 16],
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who did it.
    pub actor: String,
    /// By which app.
    pub app: String,
    /// What happened.
    pub kind: String,
    /// The kind of the document that it happened to.
    pub document_kind: String,
    /// The id of that document.
    pub document: String,
    /// The version of that document after the set.
    pub version: u64,
    /// The former and new values of what changed; `None` for creations and where they were erased. For an event that tells of
    /// an erasure: the last sequence number that it covers, in eight bytes, the highest first.
    #[serde(with = "serde_bytes")]
    pub changes: Option<Vec<u8>>,
    /// Random bytes that keep the digest from giving the changes away; `None` once erased.
    pub salt: Option<[u8; 16]>,
    /// SHA-256 of salt and changes.
    pub digest: [u8; 32],
    /// SHA-256 of the former event's hash and all of this event but changes and salt.
    pub hash: [u8; 32],
}

/// What a walk over a workspace's log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// The events found in order before the end or the fault.
    pub events: u64,
    /// Those of them whose changes were erased.
    pub erased: u64,
    /// The first fault, `None` when the log is whole.
    pub fault: Option<ChainFault>,
}

/// Where a log stops being what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainFault {
    /// The sequence number where it was noticed.
    pub sequence: u64,
    /// What is wrong there.
    pub reason: String,
}
