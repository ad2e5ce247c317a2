//! Says whether a set or a workspace is acceptable in itself, before anything is read.
//!
//! Pure, and run on the caller's thread. What passes here fits the tables of every engine, so the
//! writer need not look again.

use std::collections::{HashMap, HashSet};

use crate::document::NewWorkspace;
use crate::event::{ERASED, erased_until};
use crate::limits;
use crate::set::{ClaimWrite, DocumentWrite, EventWrite, WriteSet};

/// The largest number that both engines keep in a column.
const NUMBER_MAX: u64 = i64::MAX as u64;

/// Checks a set and gives its size in bytes, or the reason for refusing it.
pub(crate) fn set(set: &WriteSet) -> Result<usize, String> {
    most(set.documents.len(), limits::SET_DOCUMENTS_MAX, "documents")?;
    most(set.events.len(), limits::SET_EVENTS_MAX, "events")?;
    most(set.guards.len(), limits::SET_GUARDS_MAX, "guards")?;
    most(set.claim_guards.len(), limits::SET_GUARDS_MAX, "claim guards")?;
    most(set.head_guards.len(), limits::SET_HEAD_GUARDS_MAX, "head guards")?;
    most(set.claims.len(), limits::SET_CLAIMS_MAX, "claims")?;
    if set.events.is_empty() && (set.claims.is_empty() || set.changes_config) {
        return Err("it has no event".into());
    }
    name(&set.workspace, "workspace")?;
    short(&set.actor, "actor")?;
    short(&set.app, "app")?;
    number(set.config_version.unwrap_or_default(), "config version")?;
    for document in &set.documents {
        document_write(document)?;
    }
    for guard in &set.guards {
        name(&guard.kind, "kind of a guard")?;
        id(&guard.id, "id of a guard")?;
        number(guard.version, "version of a guard")?;
    }
    for guard in &set.claim_guards {
        key(&guard.key, "key of a claim guard")?;
    }
    for guard in &set.head_guards {
        name(&guard.workspace, "workspace of a head guard")?;
        number(guard.sequence, "sequence of a head guard")?;
        if guard.workspace == set.workspace {
            return Err("a head guard names the set's own workspace".into());
        }
    }
    for claim in &set.claims {
        claim_write(claim)?;
    }
    for event in &set.events {
        event_write(event)?;
    }
    keys_once(set)?;
    events_and_documents(set)?;
    let bytes = size_bytes(set);
    most(bytes, limits::SET_BYTES_MAX, "bytes")?;
    Ok(bytes)
}

/// Checks a workspace that is to be made.
pub(crate) fn workspace(workspace: &NewWorkspace) -> Result<(), String> {
    name(&workspace.id, "id")?;
    short(&workspace.account, "account")?;
    short(&workspace.organisation, "organisation")?;
    most(workspace.counters.len(), limits::COUNTERS_MAX, "counters")?;
    for (name, next) in &workspace.counters {
        self::name(name, "name of a counter")?;
        number(*next, "counter")?;
    }
    Ok(())
}

fn document_write(document: &DocumentWrite) -> Result<(), String> {
    name(&document.kind, "kind of a document")?;
    id(&document.id, "id of a document")?;
    if let Some(parent) = &document.parent {
        id(parent, "parent of a document")?;
    }
    number(document.version, "version of a document")?;
    most(document.body.len(), limits::BODY_BYTES_MAX, "bytes in a body")?;
    if document.version != 0 && document.counter.is_some() {
        return Err(format!("{} {} is not new and can't take a number", document.kind, document.id));
    }
    Ok(())
}

fn claim_write(claim: &ClaimWrite) -> Result<(), String> {
    key(claim.key(), "key of a claim")?;
    match claim {
        ClaimWrite::Put { key: _, document, result, expires_ms: _ } => {
            key(document, "document of a claim")?;
            most(result.as_ref().map_or(0, Vec::len), limits::RESULT_BYTES_MAX, "bytes in a result")
        }
        ClaimWrite::Remove { key: _ } | ClaimWrite::RemoveExpired { key: _ } => Ok(()),
    }
}

fn event_write(event: &EventWrite) -> Result<(), String> {
    name(&event.kind, "kind of an event")?;
    name(&event.document_kind, "document kind of an event")?;
    id(&event.document, "document of an event")?;
    if event.kind == ERASED && erased_until(&event.kind, event.changes.as_deref()).is_none() {
        return Err("an event of an erasure doesn't say up to where".into());
    }
    match &event.changes {
        None => Ok(()),
        Some(changes) if changes.is_empty() => Err("an event has changes without a byte".into()),
        Some(changes) => most(changes.len(), limits::CHANGES_BYTES_MAX, "bytes of changes in an event"),
    }
}

/// Each document and each key is written at most once: two writes would have no order.
fn keys_once(set: &WriteSet) -> Result<(), String> {
    let mut documents = HashSet::new();
    for document in &set.documents {
        if !documents.insert((&document.kind, &document.id)) {
            return Err(format!("{} {} is written twice", document.kind, document.id));
        }
    }
    let mut keys = HashSet::new();
    for claim in &set.claims {
        if !keys.insert(claim.key()) {
            return Err(format!("the claim {} is written twice", claim.key()));
        }
    }
    Ok(())
}

/// Each written document has an event, and each event a document whose version the set names.
fn events_and_documents(set: &WriteSet) -> Result<(), String> {
    let mut told: HashMap<(&str, &str), bool> = HashMap::new();
    for guard in &set.guards {
        told.insert((&guard.kind, &guard.id), true);
    }
    for document in &set.documents {
        told.insert((&document.kind, &document.id), false);
    }
    for event in &set.events {
        match told.get_mut(&(event.document_kind.as_str(), event.document.as_str())) {
            Some(seen) => *seen = true,
            None => {
                return Err(format!(
                    "an event is about {} {}, which the set neither writes nor guards",
                    event.document_kind, event.document
                ));
            }
        }
    }
    match told.iter().find(|(_, seen)| !**seen) {
        Some(((kind, id), _)) => Err(format!("{kind} {id} is written without an event")),
        None => Ok(()),
    }
}

/// Counts what the set keeps in memory and writes, give or take the numbers.
fn size_bytes(set: &WriteSet) -> usize {
    let documents: usize = set
        .documents
        .iter()
        .map(|d| d.kind.len() + d.id.len() + d.parent.as_ref().map_or(0, String::len) + d.body.len())
        .sum();
    let events: usize = set
        .events
        .iter()
        .map(|e| e.kind.len() + e.document.len() + e.changes.as_ref().map_or(0, Vec::len))
        .sum();
    let claims: usize = set
        .claims
        .iter()
        .map(|claim| match claim {
            ClaimWrite::Put { key, document, result, expires_ms: _ } => {
                key.len() + document.len() + result.as_ref().map_or(0, Vec::len)
            }
            ClaimWrite::Remove { key } | ClaimWrite::RemoveExpired { key } => key.len(),
        })
        .sum();
    let guards: usize = set.guards.iter().map(|g| g.kind.len() + g.id.len()).sum();
    let claim_guards: usize = set.claim_guards.iter().map(|g| g.key.len()).sum();
    let head_guards: usize = set.head_guards.iter().map(|g| g.workspace.len()).sum();
    size_of::<WriteSet>() + documents + events + claims + guards + claim_guards + head_guards
}

fn most(found: usize, limit: usize, what: &str) -> Result<(), String> {
    if found > limit {
        return Err(format!("it has {found} {what}, the most is {limit}"));
    }
    Ok(())
}

fn key(text: &str, what: &str) -> Result<(), String> {
    filled(text, what, limits::KEY_BYTES_MAX)
}

fn name(text: &str, what: &str) -> Result<(), String> {
    filled(text, what, limits::NAME_BYTES_MAX)
}

fn id(text: &str, what: &str) -> Result<(), String> {
    filled(text, what, limits::ID_BYTES_MAX)
}

fn filled(text: &str, what: &str, bytes_max: usize) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("the {what} is empty"));
    }
    bounded(text, what, bytes_max)
}

/// PostgreSQL keeps no U+0000 in a text, so no engine does.
fn bounded(text: &str, what: &str, bytes_max: usize) -> Result<(), String> {
    if text.len() > bytes_max {
        return Err(format!("the {what} is longer than {bytes_max} bytes"));
    }
    if text.contains('\0') {
        return Err(format!("the {what} holds U+0000"));
    }
    Ok(())
}

fn short(text: &str, what: &str) -> Result<(), String> {
    bounded(text, what, limits::KEY_BYTES_MAX)
}

fn number(value: u64, what: &str) -> Result<(), String> {
    if value >= NUMBER_MAX {
        return Err(format!("the {what} is {value}, the most is {}", NUMBER_MAX - 1));
    }
    Ok(())
}
