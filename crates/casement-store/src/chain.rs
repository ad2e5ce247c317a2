//! The hash chain of a workspace's log: how events are hashed, and how a log is checked.
//!
//! Pure, and the same for every engine. The encoding below is part of the data: it is never
//! reinterpreted, a new one takes a new tag.

use std::collections::HashMap;

use aws_lc_rs::digest;

use crate::decide::Erasure;
use crate::event::{ChainFault, ERASED, Event};

/// What stands before everything that is hashed, and names the encoding.
const TAG: &[u8] = b"casement event 1";

/// The hash before the first event.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

/// An event's columns without changes, salt, digest and hash.
pub(crate) struct Link<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) sequence: u64,
    pub(crate) operation: &'a [u8; 16],
    pub(crate) at_ms: i64,
    pub(crate) actor: &'a str,
    pub(crate) app: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) document_kind: &'a str,
    pub(crate) document: &'a str,
    pub(crate) version: u64,
}

/// Hashes an event's salt and changes; absent changes count as empty.
pub(crate) fn digest(salt: &[u8; 16], changes: Option<&[u8]>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt);
    context.update(changes.unwrap_or_default());
    bytes(&context.finish())
}

/// Hashes an event onto the one before it. Every field goes in with its length before it, so no
/// two events have the same encoding.
pub(crate) fn hash(former: &[u8; 32], link: &Link<'_>, digest: &[u8; 32]) -> [u8; 32] {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(TAG);
    for field in [
        former.as_slice(),
        link.workspace.as_bytes(),
        &link.sequence.to_be_bytes(),
        link.operation,
        &link.at_ms.to_be_bytes(),
        link.actor.as_bytes(),
        link.app.as_bytes(),
        link.kind.as_bytes(),
        link.document_kind.as_bytes(),
        link.document.as_bytes(),
        &link.version.to_be_bytes(),
        digest,
    ] {
        text.extend_from_slice(&(field.len() as u64).to_be_bytes());
        text.extend_from_slice(field);
    }
    bytes(&digest::digest(&digest::SHA256, &text))
}

fn bytes(digest: &digest::Digest) -> [u8; 32] {
    digest.as_ref().try_into().expect("invariant: SHA-256 gives 32 bytes")
}

/// A walk over a log from its first event, one event after the other.
///
/// Changes and salt of an event may be missing when a later event tells of their erasure. What is missing is kept as one number
/// for each document until that event comes; that nothing is left of what an event says is erased, the caller looks up.
pub(crate) struct Walk<'a> {
    workspace: &'a str,
    former: [u8; 32],
    events: u64,
    erased: u64,
    /// The last event of each document whose changes are missing and that no event told of yet, by [`document_hash`].
    untold: HashMap<[u8; 32], u64>,
}

impl<'a> Walk<'a> {
    /// Stands before the first event.
    pub(crate) fn new(workspace: &'a str) -> Walk<'a> {
        Walk { workspace, former: GENESIS, events: 0, erased: 0, untold: HashMap::new() }
    }

    /// Gives the number of events whose changes were erased.
    pub(crate) fn erased(&self) -> u64 {
        self.erased
    }

    /// Gives the number of events that were found whole, which is the last one's sequence number.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Takes the next event, or says what is wrong with it. Gives what the event says is erased: of that nothing may be left.
    pub(crate) fn step<'e>(&mut self, event: &'e Event) -> Result<Option<Erasure<'e>>, ChainFault> {
        let expected = self.events + 1;
        if event.sequence != expected {
            return Err(fault(expected, format!("event {} stands in its place", event.sequence)));
        }
        match (&event.salt, &event.changes) {
            (Some(salt), changes) if digest(salt, changes.as_deref()) == event.digest => {}
            (Some(_), _) => {
                let reason = "changes or salt are not those that the digest was made of";
                return Err(fault(expected, reason.into()));
            }
            (None, _) if event.kind == ERASED => {
                return Err(fault(expected, "it tells of an erasure and has no salt".into()));
            }
            (None, Some(_)) => return Err(fault(expected, "it has changes and no salt".into())),
            (None, None) => {
                self.erased += 1;
                self.untold.insert(document_hash(&event.document_kind, &event.document), expected);
            }
        }
        let link = Link {
            workspace: self.workspace,
            sequence: event.sequence,
            operation: &event.operation,
            at_ms: event.at_ms,
            actor: &event.actor,
            app: &event.app,
            kind: &event.kind,
            document_kind: &event.document_kind,
            document: &event.document,
            version: event.version,
        };
        if hash(&self.former, &link, &event.digest) != event.hash {
            return Err(fault(expected, "the event is not the one that the hash was made of".into()));
        }
        self.former = event.hash;
        self.events = expected;
        let erasure = Erasure::of_event(event);
        if let Some(Erasure { document_kind, document, until }) = erasure {
            let key = document_hash(document_kind, document);
            if self.untold.get(&key).is_some_and(|last| *last <= until) {
                self.untold.remove(&key);
            }
        }
        Ok(erasure)
    }

    /// Gives the first event that must be told of by an event behind the end of the walk.
    pub(crate) fn untold(&self) -> Option<ChainFault> {
        let first = self.untold.values().min()?;
        Some(fault(*first, "the salt is missing and no event tells of an erasure".into()))
    }

    /// Compares the end of the walk with what the workspace says about its log.
    pub(crate) fn end(&self, head: u64, head_hash: &[u8; 32]) -> Result<(), ChainFault> {
        if self.events != head {
            return Err(fault(self.events + 1, format!("missing, while the workspace counts {head} events")));
        }
        if &self.former != head_hash {
            return Err(fault(head, "the workspace names another last hash".into()));
        }
        Ok(())
    }
}

/// Names a document in bytes of one length.
fn document_hash(kind: &str, id: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(kind.len() as u64).to_be_bytes());
    context.update(kind.as_bytes());
    context.update(id.as_bytes());
    bytes(&context.finish())
}

/// Says that something is left of what an event says is erased.
pub(crate) fn not_erased(sequence: u64) -> ChainFault {
    fault(sequence, "it tells of an erasure, and an event that it covers still has its changes".into())
}

fn fault(sequence: u64, reason: String) -> ChainFault {
    ChainFault { sequence, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link<'a>(actor: &'a str, app: &'a str) -> Link<'a> {
        Link {
            workspace: "w",
            sequence: 1,
            operation: &[7; 16],
            at_ms: 1_700_000_000_000,
            actor,
            app,
            kind: "created",
            document_kind: "case",
            document: "c1",
            version: 1,
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_encoding_does_not_change() {
        let digest = digest(&[9; 16], Some(b"{}"));
        assert_eq!(hex(&digest), "7b36974dde41367e0e402dccfd92e70558946afcfc082b4f6ea0b2dba358919e");
        assert_eq!(
            hex(&hash(&GENESIS, &link("ann", "console"), &digest)),
            "ad30c96a98e6a7f80e027abc979ae5637d247f2aa8fb03650bae6662cc4db0d2"
        );
    }

    #[test]
    fn bytes_that_move_between_fields_change_the_hash() {
        let digest = [1; 32];
        assert_ne!(hash(&GENESIS, &link("ab", "c"), &digest), hash(&GENESIS, &link("a", "bc"), &digest));
    }

    #[test]
    fn the_digest_depends_on_the_salt() {
        assert_ne!(digest(&[1; 16], Some(b"x")), digest(&[2; 16], Some(b"x")));
    }
}
