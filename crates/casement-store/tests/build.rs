//! Builds write sets, so that a test names only what it is about.

use std::collections::BTreeMap;

use casement_store::document::NewWorkspace;
use casement_store::set::{ClaimGuard, ClaimWrite, DocumentWrite, EventWrite, Guard, HeadGuard, WriteSet};

/// A workspace with the counters CS and TS, both at 1.
pub fn workspace(id: &str) -> NewWorkspace {
    NewWorkspace {
        id: id.into(),
        account: "acme".into(),
        organisation: "support".into(),
        counters: BTreeMap::from([("CS".into(), 1), ("TS".into(), 1)]),
    }
}

/// When the sets of these tests are decided.
pub const AT_MS: i64 = 1_700_000_000_000;
/// When the claims of these tests end: a day later.
pub const EXPIRES_MS: i64 = AT_MS + 86_400_000;

/// A set without content.
pub fn empty(workspace: &str) -> WriteSet {
    WriteSet {
        workspace: workspace.into(),
        operation: [1; 16],
        at_ms: AT_MS,
        actor: "ann".into(),
        app: "console".into(),
        config_version: None,
        changes_config: false,
        guards: vec![],
        claim_guards: vec![],
        head_guards: vec![],
        documents: vec![],
        claims: vec![],
        events: vec![],
    }
}

/// Adds what was read of another workspace's log.
pub fn guarding_head(mut set: WriteSet, workspace: &str, sequence: u64) -> WriteSet {
    set.head_guards.push(HeadGuard { workspace: workspace.into(), sequence });
    set
}

/// A set that makes a case.
pub fn create(workspace: &str, id: &str) -> WriteSet {
    writing(empty(workspace), "case", id, 0, b"{}")
}

/// A set that updates a case, with changes in its event.
pub fn update(workspace: &str, id: &str, version: u64, body: &[u8]) -> WriteSet {
    let mut set = writing(empty(workspace), "case", id, version, body);
    set.events[0].changes = Some(body.to_vec());
    set
}

/// Adds a document and its event.
pub fn writing(mut set: WriteSet, kind: &str, id: &str, version: u64, body: &[u8]) -> WriteSet {
    set.documents.push(DocumentWrite {
        kind: kind.into(),
        id: id.into(),
        parent: None,
        version,
        counter: None,
        schema: 1,
        body: body.into(),
    });
    set.events.push(event(kind, id));
    set
}

pub fn event(kind: &str, id: &str) -> EventWrite {
    EventWrite {
        kind: "changed".into(),
        document_kind: kind.into(),
        document: id.into(),
        changes: None,
        salt: [9; 16],
    }
}

/// Lets the last document take a number.
pub fn numbered(mut set: WriteSet, counter: &str) -> WriteSet {
    set.documents.last_mut().unwrap().counter = Some(counter.into());
    set
}

/// Puts the last document under a parent.
pub fn under(mut set: WriteSet, parent: &str) -> WriteSet {
    set.documents.last_mut().unwrap().parent = Some(parent.into());
    set
}

pub fn guarding(mut set: WriteSet, kind: &str, id: &str, version: u64) -> WriteSet {
    set.guards.push(Guard { kind: kind.into(), id: id.into(), version });
    set
}

pub fn guarding_claim(mut set: WriteSet, key: &str, document: Option<&str>) -> WriteSet {
    set.claim_guards.push(ClaimGuard { key: key.into(), document: document.map(Into::into) });
    set
}

pub fn putting(mut set: WriteSet, key: &str, document: &str) -> WriteSet {
    set.claims.push(ClaimWrite::Put {
        key: key.into(),
        document: document.into(),
        result: Some(b"kept".to_vec()),
        expires_ms: Some(EXPIRES_MS),
    });
    set
}

/// Lets the set be decided at another time.
pub fn decided_at(mut set: WriteSet, at_ms: i64) -> WriteSet {
    set.at_ms = at_ms;
    set
}

pub fn sweeping(mut set: WriteSet, key: &str) -> WriteSet {
    set.claims.push(ClaimWrite::RemoveExpired { key: key.into() });
    set
}

pub fn removing(mut set: WriteSet, key: &str) -> WriteSet {
    set.claims.push(ClaimWrite::Remove { key: key.into() });
    set
}

pub fn under_config(mut set: WriteSet, version: u64, changes: bool) -> WriteSet {
    set.config_version = Some(version);
    set.changes_config = changes;
    set
}
