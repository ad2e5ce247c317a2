//! An open workspace: its configuration and its index, both kept in the order of the log.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use casement_domain::id::StreamId;
use casement_domain::workspace::Workspace;
use casement_store::store::Store;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard, watch};

use crate::body;
use crate::error::AppError;
use crate::index::{Index, over_statuses};
use crate::installation::WorkspaceEntry;
use crate::limits;
use crate::once::InFlight;
use crate::scan::scan_all;

/// The kinds of the configuration in the store.
pub mod kinds {
    /// Statuses.
    pub const STATUS: &str = "status";
    /// Priorities.
    pub const PRIORITY: &str = "priority";
    /// Queues.
    pub const QUEUE: &str = "queue";
    /// Fields.
    pub const FIELD: &str = "field";
    /// Case templates.
    pub const CASE_TEMPLATE: &str = "case-template";
    /// Task templates.
    pub const TASK_TEMPLATE: &str = "task-template";
    /// Agents.
    pub const AGENT: &str = "agent";
    /// Standard responses.
    pub const STANDARD_RESPONSE: &str = "standard-response";
}

/// A workspace that requests can reach.
#[derive(Debug)]
pub struct OpenWorkspace {
    stream: StreamId,
    config: watch::Sender<Arc<Workspace>>,
    index: RwLock<Index>,
    turns: Vec<Mutex<()>>,
    in_flight: InFlight,
    /// Up to where the log has been applied; only kept where other nodes write it too.
    applied: watch::Sender<u64>,
    /// Up to where the log is in the snapshot of the index.
    kept: AtomicU64,
    /// Whether something was purged that may still be in the snapshot.
    has_purged: AtomicBool,
    /// Held while a snapshot is written: one at a time.
    keeping: Arc<Mutex<()>>,
}

impl OpenWorkspace {
    /// Opens a workspace with an empty index.
    pub fn new(config: Workspace) -> Self {
        let mut index = Index::default();
        index.deadlines_by = Some(over_statuses(&config));
        Self {
            stream: config.stream.clone(),
            config: watch::Sender::new(Arc::new(config)),
            index: RwLock::new(index),
            applied: watch::Sender::new(0),
            kept: AtomicU64::new(0),
            has_purged: AtomicBool::new(false),
            keeping: Arc::default(),
            turns: std::iter::repeat_with(|| Mutex::new(())).take(limits::TURNS).collect(),
            in_flight: InFlight::default(),
        }
    }

    /// Gives the id of the workspace in the store, which is its stream.
    pub fn id(&self) -> &str {
        self.stream.as_str()
    }

    /// Gives the stream that it is.
    pub(crate) fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Gives the configuration.
    pub fn config(&self) -> Arc<Workspace> {
        Arc::clone(&self.config.borrow())
    }

    pub(crate) fn set_config(&self, config: Workspace) {
        self.config.send_replace(Arc::new(config));
    }

    /// Waits until a version of the configuration has come with the log, at most [`limits::CONFIG_WAIT`].
    pub(crate) async fn wait_for_config(&self, version: u64) {
        let mut config = self.config.subscribe();
        let arrived = config.wait_for(|config| config.config_version >= version);
        // What has not come by then is for the caller to notice.
        let _ = tokio::time::timeout(limits::CONFIG_WAIT, arrived).await;
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits up to where the log has been applied.
    pub(crate) fn tell_applied(&self) {
        let sequence = self.index().sequence;
        self.applied.send_replace(sequence);
    }

    /// Waits until the log has been applied up to a sequence number.
    pub(crate) async fn wait_for(&self, sequence: u64) {
        if self.index().sequence < sequence {
            // An error says that the sender is gone, and this holds it.
            let _ = self.applied.subscribe().wait_for(|applied| *applied >= sequence).await;
        }
    }

    /// Gives up to where the log is in the snapshot of the index; 0: there is none.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Waits for the turn to write a snapshot.
    pub(crate) async fn keeping(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.keeping).lock_owned().await
    }

    pub(crate) fn set_kept(&self, sequence: u64) {
        self.kept.store(sequence, Ordering::Relaxed);
    }

    /// Notes whether something was purged that may still be in the snapshot; gives what was noted before.
    pub(crate) fn set_purged(&self, has_purged: bool) -> bool {
        self.has_purged.swap(has_purged, Ordering::Relaxed)
    }

    /// Tells whether something was purged that may still be in the snapshot.
    pub(crate) fn has_purged(&self) -> bool {
        self.has_purged.load(Ordering::Relaxed)
    }

    /// Gives the idempotency keys that are being worked on.
    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// Waits for the turn of a command on a document, so that commands on a hot document don't burn retries.
    pub(crate) async fn turn(&self, document: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        document.hash(&mut hasher);
        let turns = u64::try_from(self.turns.len()).unwrap_or(1).max(1);
        let place = usize::try_from(hasher.finish() % turns).unwrap_or(0);
        self.turns.get(place).expect("invariant: the place is within the turns").lock().await
    }
}

async fn entries<T: DeserializeOwned>(
    store: &Store,
    workspace: &str,
    kind: &str,
) -> Result<Vec<T>, AppError> {
    let documents = scan_all(store, workspace, kind).await?;
    documents.iter().map(|document| body::decode(document).map(|entry| entry.value)).collect()
}

/// Reads the configuration of a workspace.
///
/// # Errors
/// The store can't be read, or a document in it is damaged.
pub async fn load_config(store: &Store, entry: &WorkspaceEntry) -> Result<Workspace, AppError> {
    let mut config = read_config(store, entry).await?;
    // Where others write too, what was read may be of several versions: then it is read again.
    for _ in 1..limits::CONFIG_READS_MAX {
        if !store.is_shared() {
            break;
        }
        let again = store.workspace(entry.stream.as_str()).await?;
        if again.is_some_and(|row| row.config_version == config.config_version) {
            break;
        }
        config = read_config(store, entry).await?;
    }
    Ok(config)
}

async fn read_config(store: &Store, entry: &WorkspaceEntry) -> Result<Workspace, AppError> {
    let id = entry.stream.as_str();
    let row =
        store.workspace(id).await?.ok_or_else(|| AppError::Failed(format!("workspace {id} is missing")))?;
    Ok(Workspace {
        account: entry.account.clone(),
        organisation: entry.organisation.clone(),
        stream: entry.stream.clone(),
        config_version: row.config_version,
        created_at: entry.created_at,
        statuses: entries(store, id, kinds::STATUS).await?,
        priorities: entries(store, id, kinds::PRIORITY).await?,
        queues: entries(store, id, kinds::QUEUE).await?,
        fields: entries(store, id, kinds::FIELD).await?,
        case_templates: entries(store, id, kinds::CASE_TEMPLATE).await?,
        task_templates: entries(store, id, kinds::TASK_TEMPLATE).await?,
        agents: entries(store, id, kinds::AGENT).await?,
        standard_responses: entries(store, id, kinds::STANDARD_RESPONSE).await?,
    })
}
