//! One entry of the journal: what one set, or the making of a workspace, wrote into the tables.
//!
//! Kept in the journal as long as a backup needs it, and in a backup's increments for good, there together with the
//! set's events. Pure. The encoding (postcard) is part of the data: variants and fields are only ever added at the end,
//! under a new [`FORMAT`] when older readers would misread them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::NewWorkspace;
use crate::event::Event;
use crate::set::{ClaimWrite, Committed, WriteSet};

/// The number of the encoding of entries and frames.
pub(crate) const FORMAT: u32 = 1;

/// What was written at one position of the journal.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry<'a> {
    /// A workspace was made.
    #[serde(borrow)]
    Workspace(MadeEntry<'a>),
    /// A set was committed.
    Set(SetEntry<'a>),
}

/// The row of a new workspace.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MadeEntry<'a> {
    pub(crate) id: &'a str,
    pub(crate) account: &'a str,
    pub(crate) organisation: &'a str,
    pub(crate) counters: BTreeMap<&'a str, u64>,
}

/// What a set wrote, its events apart.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetEntry<'a> {
    pub(crate) workspace: &'a str,
    /// The set's events; an empty range when it has none.
    pub(crate) first_sequence: u64,
    pub(crate) last_sequence: u64,
    pub(crate) config_version: u64,
    /// The next number of each counter that the set took numbers of.
    pub(crate) counters: BTreeMap<&'a str, u64>,
    #[serde(borrow)]
    pub(crate) documents: Vec<DocumentEntry<'a>>,
    pub(crate) claims: Vec<ClaimEntry<'a>>,
}

/// A document as the set left it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DocumentEntry<'a> {
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
    pub(crate) parent: Option<&'a str>,
    pub(crate) number: Option<u64>,
    pub(crate) version: u64,
    pub(crate) sequence: u64,
    pub(crate) schema: u32,
    #[serde(with = "serde_bytes")]
    pub(crate) body: &'a [u8],
}

/// A claim that the set wrote.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClaimEntry<'a> {
    /// It was put.
    Put {
        key: &'a str,
        document: &'a str,
        #[serde(with = "serde_bytes", borrow)]
        result: Option<&'a [u8]>,
        expires_ms: Option<i64>,
    },
    /// It was removed.
    Remove { key: &'a str },
    /// It was removed if it had ended at the entry's time.
    RemoveExpired { key: &'a str },
}

/// An entry as it stands in an increment.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame<'a> {
    pub(crate) position: u64,
    /// When the set was decided, in milliseconds since 1970. The making of a workspace has the time of what is before it.
    pub(crate) at_ms: i64,
    #[serde(borrow)]
    pub(crate) entry: Entry<'a>,
    pub(crate) events: Vec<Event>,
}

impl<'a> Entry<'a> {
    /// Notes what a set wrote.
    pub(crate) fn of_set(set: &'a WriteSet, committed: &Committed) -> Entry<'a> {
        let mut counters = BTreeMap::new();
        let mut documents = Vec::with_capacity(set.documents.len());
        for (write, given) in set.documents.iter().zip(&committed.documents) {
            if let (Some(counter), Some(number)) = (&write.counter, given.number) {
                counters.insert(counter.as_str(), number + 1);
            }
            documents.push(DocumentEntry {
                kind: &write.kind,
                id: &write.id,
                parent: write.parent.as_deref(),
                number: given.number,
                version: given.version,
                sequence: given.sequence,
                schema: write.schema,
                body: &write.body,
            });
        }
        Entry::Set(SetEntry {
            workspace: &set.workspace,
            first_sequence: committed.first_sequence,
            last_sequence: committed.last_sequence,
            config_version: committed.config_version,
            counters,
            documents,
            claims: set.claims.iter().map(ClaimEntry::of).collect(),
        })
    }

    /// Notes that a workspace was made.
    pub(crate) fn of_workspace(workspace: &'a NewWorkspace) -> Entry<'a> {
        Entry::Workspace(MadeEntry {
            id: &workspace.id,
            account: &workspace.account,
            organisation: &workspace.organisation,
            counters: workspace.counters.iter().map(|(name, next)| (name.as_str(), *next)).collect(),
        })
    }

    /// Gives the workspace, and the range of its events that belong to the entry.
    pub(crate) fn range(&self) -> (&'a str, u64, u64) {
        match self {
            Entry::Workspace(made) => (made.id, 1, 0),
            Entry::Set(set) => (set.workspace, set.first_sequence, set.last_sequence),
        }
    }
}

impl<'a> ClaimEntry<'a> {
    fn of(claim: &'a ClaimWrite) -> ClaimEntry<'a> {
        match claim {
            ClaimWrite::Put { key, document, result, expires_ms } => {
                ClaimEntry::Put { key, document, result: result.as_deref(), expires_ms: *expires_ms }
            }
            ClaimWrite::Remove { key } => ClaimEntry::Remove { key },
            ClaimWrite::RemoveExpired { key } => ClaimEntry::RemoveExpired { key },
        }
    }
}

/// Writes an entry or a frame.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("invariant: texts, numbers and bytes can always be written to memory")
}

/// Reads an entry or a frame; the bytes must hold it and nothing else.
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(format!("{} bytes too many", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame<'static> {
        let document = DocumentEntry {
            kind: "case",
            id: "c1",
            parent: None,
            number: Some(100),
            version: 1,
            sequence: 7,
            schema: 1,
            body: b"{}",
        };
        let claim = ClaimEntry::Put { key: "k", document: "c1", result: Some(b"r"), expires_ms: Some(9) };
        let set = SetEntry {
            workspace: "w",
            first_sequence: 7,
            last_sequence: 7,
            config_version: 1,
            counters: BTreeMap::from([("CS", 101)]),
            documents: vec![document],
            claims: vec![claim, ClaimEntry::Remove { key: "l" }, ClaimEntry::RemoveExpired { key: "m" }],
        };
        let event = Event {
            sequence: 7,
            operation: [1; 16],
            at_ms: 5,
            actor: "ann".into(),
            app: "console".into(),
            kind: "created".into(),
            document_kind: "case".into(),
            document: "c1".into(),
            version: 1,
            changes: None,
            salt: Some([2; 16]),
            digest: [3; 32],
            hash: [4; 32],
        };
        Frame { position: 3, at_ms: 5, entry: Entry::Set(set), events: vec![event] }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = encode(&frame());
        assert_eq!(decode::<Frame<'_>>(&bytes).unwrap(), frame());
    }

    #[test]
    fn the_encoding_of_a_frame_does_not_change() {
        let bytes = encode(&frame());
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (FORMAT, bytes.len(), hex.as_str()),
            (1, 179, "08470be297dd6454931329a505b9ed9914cbea171c93e9234bf38f88b7d0d0f4")
        );
    }

    #[test]
    fn bytes_that_are_too_few_or_too_many_are_refused() {
        let bytes = encode(&frame());
        for end in 0..bytes.len() {
            assert!(decode::<Frame<'_>>(&bytes[..end]).is_err(), "{end}");
        }
        assert!(decode::<Frame<'_>>(&[bytes, vec![0]].concat()).is_err());
    }
}
