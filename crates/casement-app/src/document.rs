//! Rendered documents: the bytes of one version, kept within a budget.

mod shown;

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use casement_domain::list::row::Work;
use casement_domain::workspace::Workspace;
use casement_wire::document::{write_case, write_task};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::limits;

use self::shown::{Contents, Shown};

/// A document as an answer, with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The wire form.
    pub body: Bytes,
    /// The version that the bytes show.
    pub version: u64,
    /// Whether the request was carried out before, and this is its answer once more.
    pub is_replayed: bool,
}

impl Rendered {
    /// The answer of what leaves no document.
    pub fn nothing() -> Self {
        Self { body: Bytes::new(), version: 0, is_replayed: false }
    }

    /// Gives the entity tag: strong and opaque; contract section 11.9.
    pub fn entity_tag(&self) -> String {
        entity_tag(self.version)
    }
}

/// Gives the entity tag of a version.
pub fn entity_tag(version: u64) -> String {
    format!("\"v{version}\"")
}

/// Which versions of a document a request accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version.
    Any,
    /// One of these entity tags.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Tells whether a version is accepted.
    pub fn accepts(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&entity_tag(version)),
        }
    }
}

/// A version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RenderedKey {
    stream: Box<str>,
    id: Box<str>,
    version: u64,
}

/// The same, for a look that must not copy texts: it hashes as the key does.
#[derive(Debug, Hash)]
struct BorrowedKey<'a> {
    stream: &'a str,
    id: &'a str,
    version: u64,
}

impl Equivalent<RenderedKey> for BorrowedKey<'_> {
    fn equivalent(&self, key: &RenderedKey) -> bool {
        self.version == key.version && *self.id == *key.id && *self.stream == *key.stream
    }
}

/// A wire form with what it shows of the configuration, and the last version of that for which it is known to be right.
#[derive(Debug, Clone)]
struct Entry(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    body: Bytes,
    shown: Shown,
    config_version: AtomicU64,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<RenderedKey, Entry> for ByBytes {
    fn weight(&self, key: &RenderedKey, Entry(kept): &Entry) -> u64 {
        let texts = kept.body.len() + key.id.len() + key.stream.len();
        (texts + kept.shown.bytes() + size_of::<RenderedKey>() + size_of::<Kept>()) as u64
    }
}

/// The rendered documents of all workspaces, least used ones dropped first. A change of the configuration drops what shows
/// the changed entries, when it is asked for.
#[derive(Debug)]
pub struct RenderedCache {
    documents: Cache<RenderedKey, Entry, ByBytes>,
    hasher: RandomState,
    /// The newest configuration of each workspace that was asked for.
    contents: RwLock<HashMap<Box<str>, Arc<Contents>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Default for RenderedCache {
    fn default() -> Self {
        let documents = Cache::with_weighter(limits::RENDERED_ENTRIES, limits::RENDERED_BYTES_MAX, ByBytes);
        Self {
            documents,
            hasher: RandomState::new(),
            contents: RwLock::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl RenderedCache {
    /// Gives how many bytes are kept.
    pub fn bytes(&self) -> u64 {
        self.documents.weight()
    }

    /// Gives how many documents were found rendered and how many had to be rendered.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Gives the wire form of a version of a document where it is kept and still right.
    pub fn kept(&self, id: &str, version: u64, config: &Workspace) -> Option<Bytes> {
        let kept = self.right(id, version, config);
        // What is not kept is rendered next, and counted there.
        self.hits.fetch_add(u64::from(kept.is_some()), Ordering::Relaxed);
        kept
    }

    fn right(&self, id: &str, version: u64, config: &Workspace) -> Option<Bytes> {
        let Entry(kept) = self.documents.get(&BorrowedKey { stream: config.stream.as_str(), id, version })?;
        if kept.config_version.load(Ordering::Relaxed) == config.config_version {
            return Some(kept.body.clone());
        }
        self.contents(config).still_shows(&kept.shown).then(|| {
            kept.config_version.store(config.config_version, Ordering::Relaxed);
            kept.body.clone()
        })
    }

    /// Gives the wire form of a document.
    pub fn render(&self, work: &Work, numbers: Numbers, config: &Workspace) -> Bytes {
        if let Some(body) = self.kept(work.id(), numbers.version, config) {
            return body;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let body = Bytes::from(match work {
            Work::Case(case) => write_case(case, numbers.number, config),
            Work::Task(task) => write_task(task, numbers.number, numbers.case_number, config),
        });
        let key = RenderedKey {
            stream: config.stream.as_str().into(),
            id: work.id().into(),
            version: numbers.version,
        };
        let kept = Kept {
            body: body.clone(),
            shown: self.contents(config).shown(work, config),
            config_version: AtomicU64::new(config.config_version),
        };
        self.documents.insert(key, Entry(Arc::new(kept)));
        body
    }

    /// Gives what the entries of a configuration hold. One that is older than the newest is worked out for the occasion.
    fn contents(&self, config: &Workspace) -> Arc<Contents> {
        let newest = {
            let contents = self.contents.read().unwrap_or_else(PoisonError::into_inner);
            contents.get(config.stream.as_str()).cloned()
        };
        let known = newest.as_ref().map(|newest| newest.config_version);
        if let Some(newest) = newest.filter(|newest| newest.config_version == config.config_version) {
            return newest;
        }
        let made = Arc::new(Contents::of(config, self.hasher.clone()));
        if known.is_none_or(|known| known < config.config_version) {
            let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
            contents.insert(config.stream.as_str().into(), Arc::clone(&made));
        }
        made
    }
}

/// What the commit assigned to a document that is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Its version.
    pub version: u64,
    /// The number that its reference id shows.
    pub number: u64,
    /// For a task: the number of its case.
    pub case_number: u64,
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_borrowed_key_finds_what_was_put_under_the_same_key_and_no_other() {
        let key = |id: &str, version| RenderedKey { stream: "st-1".into(), id: id.into(), version };
        let borrowed = BorrowedKey { stream: "st-1", id: "ci-1", version: 2 };
        let hasher = RandomState::new();
        assert_eq!(hasher.hash_one(&borrowed), hasher.hash_one(key("ci-1", 2)));
        assert!(borrowed.equivalent(&key("ci-1", 2)));
        assert!(!borrowed.equivalent(&key("ci-1", 3)) && !borrowed.equivalent(&key("ci-2", 2)));
    }
}
