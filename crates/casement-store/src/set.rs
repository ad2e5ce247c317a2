//! The write set: everything that one decision read and wants written, as one value.
//!
//! A set passes whole or misses whole. What it read stands in its guards, what it writes in
//! documents, claims and events. The commit, not the set, assigns sequence and reference numbers.

use crate::event::ERASED;

/// One change, with all that its decision relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteSet {
    /// The workspace that it belongs to.
    pub workspace: String,
    /// The operation, named by the caller; all events carry it.
    pub operation: [u8; 16],
    /// When the decision was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who acts.
    pub actor: String,
    /// By which app.
    pub app: String,
    /// The configuration that the decision read: a miss if the workspace has another by now.
    pub config_version: Option<u64>,
    /// Whether the commit raises the configuration's version by one.
    pub changes_config: bool,
    /// The documents that were read and are not written.
    pub guards: Vec<Guard>,
    /// The keys that were read.
    pub claim_guards: Vec<ClaimGuard>,
    /// What was read of other workspaces.
    pub head_guards: Vec<HeadGuard>,
    /// The documents to write; each guards itself by its version.
    pub documents: Vec<DocumentWrite>,
    /// The keys to put or remove, each at most once.
    pub claims: Vec<ClaimWrite>,
    /// What happened: at least one event for each written document and for a change of the
    /// configuration. An event names a document that the set writes or guards. A set that writes
    /// claims alone needs none and takes no sequence number.
    pub events: Vec<EventWrite>,
}

/// A document that was read: a miss if it has another version by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The document's kind.
    pub kind: String,
    /// The document's id.
    pub id: String,
    /// The version that was read, 0 if there was no such document.
    pub version: u64,
}

/// A key that was read: a miss if it is held by another by now. An expired claim holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimGuard {
    /// The key.
    pub key: String,
    /// The document that held it, `None` if it was free.
    pub document: Option<String>,
}

/// The log of another workspace, as far as it was read: a miss if it is longer by now. It is not locked, so it may grow
/// while the set is committed; what had been acknowledged before the commit began is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadGuard {
    /// The workspace.
    pub workspace: String,
    /// The sequence number of the last event that was read.
    pub sequence: u64,
}

/// A document to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentWrite {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The document that it belongs to, if any.
    pub parent: Option<String>,
    /// The version before the set, 0 for a new document; it will have the next.
    pub version: u64,
    /// The counter that gives it its number; for new documents only.
    pub counter: Option<String>,
    /// The schema number of the body.
    pub schema: u32,
    /// The body, without what the commit assigns.
    pub body: Vec<u8>,
}

/// A change to a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimWrite {
    /// Takes the key for a document. A miss if another document holds it, unless a claim guard of
    /// the set names that holder. A claim that has expired when the set was decided holds nothing.
    Put {
        /// The key.
        key: String,
        /// The document that takes it.
        document: String,
        /// Bytes to keep under the key.
        result: Option<Vec<u8>>,
        /// When the claim ends, in milliseconds since 1970: from then on the key is free.
        expires_ms: Option<i64>,
    },
    /// Frees the key, whoever holds it; a free key stays free. Guard it to be sure of the holder.
    Remove {
        /// The key.
        key: String,
    },
    /// Removes the claim if it has expired when the set was decided; else leaves it. Never a miss.
    RemoveExpired {
        /// The key.
        key: String,
    },
}

impl ClaimWrite {
    /// Gives the key that is put or removed.
    pub fn key(&self) -> &str {
        match self {
            ClaimWrite::Put { key, .. } | ClaimWrite::Remove { key } | ClaimWrite::RemoveExpired { key } => {
                key
            }
        }
    }
}

/// Something that happened to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventWrite {
    /// What happened.
    pub kind: String,
    /// The kind of the document that it happened to.
    pub document_kind: String,
    /// The id of that document.
    pub document: String,
    /// The former and new values of what changed; `None` for creations, never empty. See [`EventWrite::erasing`] for what tells
    /// of an erasure.
    pub changes: Option<Vec<u8>>,
    /// Random bytes, fresh for each event.
    pub salt: [u8; 16],
}

impl EventWrite {
    /// Tells of an erasure: the commit takes changes and salt from the earlier events of a document, up to a sequence number.
    /// Events that tell of erasures keep theirs. How many are erased at once is the caller's to bound, see
    /// [`crate::limits::ERASED_EVENTS_MAX`].
    pub fn erasing(document_kind: &str, document: &str, until: u64, salt: [u8; 16]) -> EventWrite {
        EventWrite {
            kind: ERASED.to_owned(),
            document_kind: document_kind.to_owned(),
            document: document.to_owned(),
            changes: Some(until.to_be_bytes().to_vec()),
            salt,
        }
    }
}

/// What the commit assigned to a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The sequence number of the set's first event; without events the next one after the log's last.
    pub first_sequence: u64,
    /// The sequence number of the set's last event; without events that of the log's last.
    pub last_sequence: u64,
    /// The version of the workspace's configuration after the set.
    pub config_version: u64,
    /// The written documents, in the order of the set's.
    pub documents: Vec<CommittedDocument>,
}

/// What the commit assigned to one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedDocument {
    /// Its version after the set.
    pub version: u64,
    /// Its number, whether this set or an earlier one gave it.
    pub number: Option<u64>,
    /// The sequence number of its last event in the set.
    pub sequence: u64,
}
