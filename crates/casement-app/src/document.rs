//! Rendered documents: the bytes of one version, kept within a budget.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use casement_domain::list::row::Work;
use casement_domain::workspace::Workspace;
use casement_wire::document::{write_case, write_task};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::limits;

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

/// What a rendered document depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RenderedKey {
    stream: Box<str>,
    id: Box<str>,
    version: u64,
    config_version: u64,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<RenderedKey, Bytes> for ByBytes {
    fn weight(&self, key: &RenderedKey, body: &Bytes) -> u64 {
        (body.len() + key.id.len() + key.stream.len() + size_of::<RenderedKey>()) as u64
    }
}

/// The rendered documents of all workspaces, least used ones dropped first.
#[derive(Debug)]
pub struct RenderedCache {
    cache: Cache<RenderedKey, Bytes, ByBytes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Default for RenderedCache {
    fn default() -> Self {
        Self {
            cache: Cache::with_weighter(limits::RENDERED_ENTRIES, limits::RENDERED_BYTES_MAX, ByBytes),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl RenderedCache {
    /// Gives how many bytes are kept.
    pub fn bytes(&self) -> u64 {
        self.cache.weight()
    }

    /// Gives how many documents were found rendered and how many had to be rendered.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Gives the wire form of a version of a document where it is kept.
    pub fn kept(&self, id: &str, version: u64, workspace: &Workspace) -> Option<Bytes> {
        let kept = self.cache.get(&RenderedKey {
            stream: workspace.stream.as_str().into(),
            id: id.into(),
            version,
            config_version: workspace.config_version,
        });
        // What is not kept is rendered next, and counted there.
        self.hits.fetch_add(u64::from(kept.is_some()), Ordering::Relaxed);
        kept
    }

    /// Gives the wire form of a document.
    pub fn render(&self, work: &Work, numbers: Numbers, workspace: &Workspace) -> Bytes {
        let key = RenderedKey {
            stream: workspace.stream.as_str().into(),
            id: work.id().into(),
            version: numbers.version,
            config_version: workspace.config_version,
        };
        if let Some(body) = self.cache.get(&key) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return body;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let body = Bytes::from(match work {
            Work::Case(case) => write_case(case, numbers.number, workspace),
            Work::Task(task) => write_task(task, numbers.number, numbers.case_number, workspace),
        });
        self.cache.insert(key, body.clone());
        body
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
