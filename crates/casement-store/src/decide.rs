//! Decides which sets of a batch pass, and what exactly is to be written for them.
//!
//! Pure: it gets what the engine has read under the workspace's lock and gives a plan that the
//! engine writes. No SQL and no I/O here; every engine uses it unchanged, so that all of them give
//! the same answers. Sets are weighed in order, and each sees what those before it will have
//! written. A miss leaves no trace.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::chain::{self, Link};
use crate::document::is_expired;
use crate::error::{CommitError, Miss};
use crate::event::{Event, erased_until};
use crate::set::{ClaimWrite, Committed, CommittedDocument, DocumentWrite, EventWrite, WriteSet};

/// Kind and id of a document.
pub(crate) type DocumentKey<'a> = (&'a str, &'a str);

/// The row of the workspace that a batch is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The sequence number of the last event.
    pub(crate) sequence: u64,
    /// The hash of the last event.
    pub(crate) hash: [u8; 32],
    /// The version of the configuration.
    pub(crate) config_version: u64,
    /// The next number of each counter.
    pub(crate) counters: BTreeMap<String, u64>,
}

/// A document that exists, as far as a decision needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its version, at least 1.
    pub(crate) version: u64,
    /// The number that it was given.
    pub(crate) number: Option<u64>,
}

/// What the engine must read for a batch, each name once and in order.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    pub(crate) documents: Vec<DocumentKey<'a>>,
    pub(crate) claims: Vec<&'a str>,
    /// Other workspaces.
    pub(crate) heads: Vec<&'a str>,
}

/// What the engine has read. What is not in here does not exist.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    pub(crate) head: Head,
    pub(crate) documents: HashMap<DocumentKey<'a>, Found>,
    /// Who holds each key.
    pub(crate) claims: HashMap<&'a str, Holder<'a>>,
    /// The sequence number of the last event of other workspaces.
    pub(crate) heads: HashMap<&'a str, u64>,
}

/// Who holds a key, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder<'a> {
    pub(crate) document: Cow<'a, str>,
    pub(crate) expires_ms: Option<i64>,
}

/// What is to be written, and what to answer.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// One answer per set, in order; they hold once the plan is durable.
    pub(crate) outcomes: Vec<Result<Committed, CommitError>>,
    /// The last state of each written document, each document once.
    pub(crate) documents: Vec<DocumentRow<'a>>,
    /// The last state of each written key, each key once.
    pub(crate) claims: Vec<&'a ClaimWrite>,
    /// The new events, in order.
    pub(crate) events: Vec<EventRow<'a>>,
    /// The row of the workspace after the batch.
    pub(crate) head: Head,
}

/// A document to insert or to update.
#[derive(Debug)]
pub(crate) struct DocumentRow<'a> {
    pub(crate) write: &'a DocumentWrite,
    /// Whether there is no row of it yet.
    pub(crate) new: bool,
    pub(crate) version: u64,
    pub(crate) number: Option<u64>,
    pub(crate) sequence: u64,
}

/// An event to insert.
#[derive(Debug)]
pub(crate) struct EventRow<'a> {
    pub(crate) set: &'a WriteSet,
    pub(crate) write: &'a EventWrite,
    pub(crate) sequence: u64,
    pub(crate) version: u64,
    pub(crate) digest: [u8; 32],
    pub(crate) hash: [u8; 32],
}

/// What the commit erases: changes and salt of a document's events up to a sequence number, but of those that tell of
/// erasures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Erasure<'a> {
    pub(crate) document_kind: &'a str,
    pub(crate) document: &'a str,
    pub(crate) until: u64,
}

impl<'a> Erasure<'a> {
    /// Reads what an event erases; `None`: nothing. It never covers itself or what comes after it.
    pub(crate) fn of(
        kind: &str,
        changes: Option<&[u8]>,
        (document_kind, document): DocumentKey<'a>,
        sequence: u64,
    ) -> Option<Erasure<'a>> {
        let until = erased_until(kind, changes)?.min(sequence.saturating_sub(1));
        Some(Erasure { document_kind, document, until })
    }

    /// Reads what an event of the log erases.
    pub(crate) fn of_event(event: &'a Event) -> Option<Erasure<'a>> {
        let document = (event.document_kind.as_str(), event.document.as_str());
        Self::of(&event.kind, event.changes.as_deref(), document, event.sequence)
    }
}

impl Plan<'_> {
    /// Gives what the new events erase, in order.
    pub(crate) fn erasures(&self) -> impl Iterator<Item = Erasure<'_>> {
        self.events.iter().filter_map(|row| {
            let EventWrite { kind, document_kind, document, changes, salt: _ } = row.write;
            Erasure::of(kind, changes.as_deref(), (document_kind, document), row.sequence)
        })
    }

    /// Says whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.claims.is_empty()
    }
}

/// Lists what the sets name.
pub(crate) fn names(sets: &[WriteSet]) -> Names<'_> {
    let mut documents = Vec::with_capacity(sets.len());
    let (mut claims, mut heads) = (Vec::new(), Vec::new());
    for set in sets {
        documents.extend(set.documents.iter().map(|d| (d.kind.as_str(), d.id.as_str())));
        documents.extend(set.guards.iter().map(|g| (g.kind.as_str(), g.id.as_str())));
        claims.extend(set.claims.iter().map(ClaimWrite::key));
        claims.extend(set.claim_guards.iter().map(|g| g.key.as_str()));
        heads.extend(set.head_guards.iter().map(|g| g.workspace.as_str()));
    }
    documents.sort_unstable();
    documents.dedup();
    claims.sort_unstable();
    claims.dedup();
    heads.sort_unstable();
    heads.dedup();
    Names { documents, claims, heads }
}

/// Weighs the sets of one workspace in order. The sets have passed `check`.
pub(crate) fn decide<'a>(known: Known<'a>, sets: &'a [WriteSet]) -> Plan<'a> {
    let mut batch = Batch {
        plan: Plan {
            outcomes: Vec::with_capacity(sets.len()),
            documents: Vec::with_capacity(sets.len()),
            claims: Vec::new(),
            events: Vec::with_capacity(sets.len()),
            head: known.head,
        },
        documents: known.documents,
        claims: known.claims,
        heads: known.heads,
        document_rows: HashMap::new(),
        claim_rows: HashMap::new(),
    };
    for set in sets {
        let outcome = batch.weigh(set);
        batch.plan.outcomes.push(outcome);
    }
    batch.plan
}

/// The state of a batch between two of its sets.
struct Batch<'a> {
    plan: Plan<'a>,
    documents: HashMap<DocumentKey<'a>, Found>,
    claims: HashMap<&'a str, Holder<'a>>,
    heads: HashMap<&'a str, u64>,
    /// Where in the plan a document or a key stands already.
    document_rows: HashMap<DocumentKey<'a>, usize>,
    claim_rows: HashMap<&'a str, usize>,
}

impl<'a> Batch<'a> {
    fn weigh(&mut self, set: &'a WriteSet) -> Result<Committed, CommitError> {
        for counter in set.documents.iter().filter_map(|document| document.counter.as_ref()) {
            if !self.plan.head.counters.contains_key(counter) {
                return Err(CommitError::Refused(format!("the workspace has no counter {counter}")));
            }
        }
        let misses = self.misses(set);
        if misses.is_empty() { Ok(self.pass(set)) } else { Err(CommitError::Missed(misses)) }
    }

    fn misses(&self, set: &WriteSet) -> Vec<Miss> {
        let mut misses = Vec::new();
        let found = self.plan.head.config_version;
        if let Some(expected) = set.config_version
            && expected != found
        {
            misses.push(Miss::Config { expected, found });
        }
        let written = set.documents.iter().map(|d| (&d.kind, &d.id, d.version));
        let guarded = set.guards.iter().map(|g| (&g.kind, &g.id, g.version));
        for (kind, id, expected) in written.chain(guarded) {
            let found = self.documents.get(&(kind.as_str(), id.as_str())).map_or(0, |found| found.version);
            if expected != found {
                misses.push(Miss::Document { kind: kind.clone(), id: id.clone(), expected, found });
            }
        }
        for guard in &set.head_guards {
            let found = self.heads.get(guard.workspace.as_str()).copied().unwrap_or_default();
            if found > guard.sequence {
                let (workspace, expected) = (guard.workspace.clone(), guard.sequence);
                misses.push(Miss::Head { workspace, expected, found });
            }
        }
        for guard in &set.claim_guards {
            if self.holder(&guard.key, set.at_ms) != guard.document.as_deref() {
                misses.push(Miss::Claim { key: guard.key.clone() });
            }
        }
        for claim in &set.claims {
            if self.is_taken(set, claim) {
                misses.push(Miss::Claim { key: claim.key().to_string() });
            }
        }
        misses
    }

    /// Gives the document that holds a key at a moment.
    fn holder(&self, key: &str, at_ms: i64) -> Option<&str> {
        let holder = self.claims.get(key)?;
        (!is_expired(holder.expires_ms, at_ms)).then_some(holder.document.as_ref())
    }

    /// Says whether the set puts a key that another document holds and that the set does not
    /// guard. A guard that names the wrong holder is a miss of its own.
    fn is_taken(&self, set: &WriteSet, claim: &ClaimWrite) -> bool {
        match claim {
            ClaimWrite::Put { key, document, .. } => match self.holder(key, set.at_ms) {
                Some(holder) => {
                    holder != document.as_str() && !set.claim_guards.iter().any(|guard| guard.key == *key)
                }
                None => false,
            },
            ClaimWrite::Remove { .. } | ClaimWrite::RemoveExpired { .. } => false,
        }
    }

    fn pass(&mut self, set: &'a WriteSet) -> Committed {
        if set.changes_config {
            self.plan.head.config_version += 1;
        }
        let first_sequence = self.plan.head.sequence + 1;
        let sequences = self.write_events(set);
        let documents = set
            .documents
            .iter()
            .map(|write| {
                let sequence = sequences.get(&(write.kind.as_str(), write.id.as_str())).copied();
                self.write_document(write, sequence.expect("invariant: check wants an event per document"))
            })
            .collect();
        for claim in &set.claims {
            self.write_claim(claim, set.at_ms);
        }
        Committed {
            first_sequence,
            last_sequence: self.plan.head.sequence,
            config_version: self.plan.head.config_version,
            documents,
        }
    }

    /// Chains the events of a set and gives the last sequence number of each document in it.
    fn write_events(&mut self, set: &'a WriteSet) -> HashMap<DocumentKey<'a>, u64> {
        let mut versions: HashMap<DocumentKey<'a>, u64> = HashMap::new();
        versions.extend(set.guards.iter().map(|g| ((g.kind.as_str(), g.id.as_str()), g.version)));
        versions.extend(set.documents.iter().map(|d| ((d.kind.as_str(), d.id.as_str()), d.version + 1)));
        let mut sequences = HashMap::new();
        for write in &set.events {
            let document = (write.document_kind.as_str(), write.document.as_str());
            let version = versions.get(&document).copied();
            let version = version.expect("invariant: check wants each event's document written or guarded");
            let head = &mut self.plan.head;
            head.sequence += 1;
            let digest = chain::digest(&write.salt, write.changes.as_deref());
            let link = Link {
                workspace: &set.workspace,
                sequence: head.sequence,
                operation: &set.operation,
                at_ms: set.at_ms,
                actor: &set.actor,
                app: &set.app,
                kind: &write.kind,
                document_kind: &write.document_kind,
                document: &write.document,
                version,
            };
            head.hash = chain::hash(&head.hash, &link, &digest);
            sequences.insert(document, head.sequence);
            let (sequence, hash) = (head.sequence, head.hash);
            self.plan.events.push(EventRow { set, write, sequence, version, digest, hash });
        }
        sequences
    }

    fn write_document(&mut self, write: &'a DocumentWrite, sequence: u64) -> CommittedDocument {
        let key = (write.kind.as_str(), write.id.as_str());
        let version = write.version + 1;
        let number = match &write.counter {
            Some(counter) => Some(self.take_number(counter)),
            None => self.documents.get(&key).and_then(|found| found.number),
        };
        self.documents.insert(key, Found { version, number });
        let place = self.document_rows.get(&key).copied();
        match place.and_then(|place| self.plan.documents.get_mut(place)) {
            Some(row) => *row = DocumentRow { write, new: row.new, version, number, sequence },
            None => {
                self.document_rows.insert(key, self.plan.documents.len());
                let new = write.version == 0;
                self.plan.documents.push(DocumentRow { write, new, version, number, sequence });
            }
        }
        CommittedDocument { version, number, sequence }
    }

    fn take_number(&mut self, counter: &str) -> u64 {
        let next = self.plan.head.counters.get_mut(counter);
        let next = next.expect("invariant: weigh refuses a set with an unknown counter");
        let number = *next;
        *next += 1;
        number
    }

    fn write_claim(&mut self, claim: &'a ClaimWrite, at_ms: i64) {
        match claim {
            ClaimWrite::Put { key, document, expires_ms, result: _ } => {
                let holder = Holder { document: Cow::Borrowed(document), expires_ms: *expires_ms };
                self.claims.insert(key, holder);
            }
            ClaimWrite::Remove { key } => {
                self.claims.remove(key.as_str());
            }
            ClaimWrite::RemoveExpired { key } => {
                let holder = self.claims.get(key.as_str());
                if !holder.is_some_and(|holder| is_expired(holder.expires_ms, at_ms)) {
                    return;
                }
                self.claims.remove(key.as_str());
            }
        }
        let place = self.claim_rows.get(claim.key()).copied();
        match place.and_then(|place| self.plan.claims.get_mut(place)) {
            Some(row) => *row = claim,
            None => {
                self.claim_rows.insert(claim.key(), self.plan.claims.len());
                self.plan.claims.push(claim);
            }
        }
    }
}

#[cfg(test)]
mod tests;
