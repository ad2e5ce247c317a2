//! The application: the store, the open workspaces and what is kept in memory about them.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use casement_domain::id::StreamId;
use casement_store::document::NewWorkspace;
use casement_store::error::Health;
use casement_store::feed::{CommitFeed, News};
use casement_store::store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::attachment::Attachments;
use crate::customer::CustomerCache;
use crate::document::RenderedCache;
use crate::error::AppError;
use crate::index::build::Start;
use crate::index::entry::Entry;
use crate::index::progress::Progress;
use crate::installation::{self, INSTALLATION, Installation, stored_jwt_apps};
use crate::jwt_app::JwtApp;
use crate::lease::Leases;
use crate::limits;
use crate::seal::key::{KeyId, Keyring};
use crate::seal::key_file::KeyFile;
use crate::seal::keys::Keys;
use crate::seal::rotate::KeyError;
use crate::sources::Sources;
use crate::workspace::{OpenWorkspace, load_config};

/// Entries of the index that were worked out before their commit, by operation, until the follower takes them.
#[derive(Debug, Default)]
pub(crate) struct Prepared(Mutex<HashMap<[u8; 16], Vec<Option<Entry>>>>);

impl Prepared {
    /// Keeps the entries of an operation as long as the commit is waited for.
    pub(crate) fn keep(&self, operation: [u8; 16], entries: Vec<Option<Entry>>) -> Kept<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(operation, entries);
        Kept { prepared: self, operation }
    }

    pub(crate) fn take(&self, operation: &[u8; 16]) -> Option<Vec<Option<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(operation)
    }
}

/// The entries of one operation in [`Prepared`]; dropped with it.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    prepared: &'a Prepared,
    operation: [u8; 16],
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.prepared.take(&self.operation);
    }
}

/// Whether the store takes writes. Reads go on where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreState {
    /// It does.
    Ready,
    /// The disk is full; it will again once there is room.
    Full(String),
    /// The database can't be reached; it will again once it can. Reads don't go on either.
    Unreachable(String),
    /// It does not until the server is started again.
    RestartRequired(String),
}

/// The application. One process has one.
#[derive(Debug)]
pub struct App {
    store: Store,
    sources: Sources,
    keys: Keys,
    installation: RwLock<Arc<Installation>>,
    workspaces: RwLock<HashMap<StreamId, Arc<OpenWorkspace>>>,
    rendered: RenderedCache,
    customers: CustomerCache,
    prepared: Prepared,
    leases: Leases,
    ready: AtomicBool,
    followed: AtomicBool,
    unindexed: AtomicBool,
    progress: Progress,
    attachments: OnceLock<Attachments>,
    /// Up to where the installation's log is in memory; only kept where other nodes write it too.
    installation_applied: watch::Sender<u64>,
    /// When the database was asked last whether it answers, and why it did not.
    reached: tokio::sync::Mutex<Option<(Instant, Option<String>)>>,
}

impl App {
    /// Opens the installation and its workspaces. The index is empty until [`App::follow`] has built it. The key file is
    /// made when nothing is sealed yet.
    ///
    /// # Errors
    /// The store can't be read, a document in it is damaged, or the key file can't be used.
    pub async fn open(store: Store, sources: Sources, key_file: KeyFile) -> Result<Arc<Self>, KeyError> {
        store
            .create_workspace(NewWorkspace {
                id: INSTALLATION.to_owned(),
                account: INSTALLATION.to_owned(),
                organisation: INSTALLATION.to_owned(),
                counters: std::collections::BTreeMap::new(),
            })
            .await
            .map_err(AppError::from)?;
        let needed: BTreeSet<KeyId> =
            stored_jwt_apps(&store).await?.iter().flat_map(|stored| stored.value.sealed_under()).collect();
        let needed: Vec<KeyId> = needed.into_iter().collect();
        let ring = key_file.keys(&needed, &sources)?;
        let app = Arc::new(Self::closed(store, sources, key_file, ring));
        app.reload_installation().await?;
        Ok(app)
    }

    /// An application that has read nothing yet.
    pub(crate) fn closed(store: Store, sources: Sources, key_file: KeyFile, ring: Keyring) -> Self {
        Self {
            store,
            sources,
            keys: Keys::new(key_file, ring),
            installation: RwLock::new(Arc::new(Installation::default())),
            workspaces: RwLock::new(HashMap::new()),
            rendered: RenderedCache::default(),
            customers: CustomerCache::default(),
            prepared: Prepared::default(),
            leases: Leases::default(),
            ready: AtomicBool::new(false),
            followed: AtomicBool::new(false),
            unindexed: AtomicBool::new(false),
            progress: Progress::default(),
            attachments: OnceLock::new(),
            installation_applied: watch::Sender::new(0),
            reached: tokio::sync::Mutex::new(None),
        }
    }

    /// Builds the index of the documents, then follows the log until the store closes. Runs as a task of its own.
    ///
    /// # Errors
    /// A document can't be read; the server must not go on.
    pub async fn follow(self: Arc<Self>, feed: CommitFeed) -> Result<(), AppError> {
        self.follow_from(feed, Start::default()).await
    }

    /// The same with snapshots, and with words that are made while lists are answered already.
    ///
    /// # Errors
    /// A document can't be read; the server must not go on.
    pub async fn follow_from(self: Arc<Self>, mut feed: CommitFeed, start: Start) -> Result<(), AppError> {
        let mut is_told = false;
        let later = loop {
            match self.build_index(&start).await {
                Err(AppError::Unavailable(_)) if self.is_shared() && self.store.is_closed() => return Ok(()),
                Err(AppError::Unavailable(reason)) if self.is_shared() => {
                    if !is_told {
                        tracing::warn!(
                            reason,
                            "the documents can't be read now; the index is built when they can"
                        );
                    }
                    is_told = true;
                    tokio::time::sleep(limits::CATCH_UP_WAIT).await;
                }
                built => break built?,
            }
        };
        self.ready.store(true, Ordering::Release);
        self.followed.store(true, Ordering::Release);
        // Ended with this future: nobody asks for words then.
        let mut words = JoinSet::new();
        words.spawn(Arc::clone(&self).make_words(later));
        self.take_all(&mut feed).await
    }

    /// Follows the log without an index, until the store closes: enough for what works on the installation alone, and
    /// done at once however many cases there are. Runs as a task of its own.
    ///
    /// # Errors
    /// A document of the installation can't be read.
    pub fn follow_installation(
        self: Arc<Self>,
        mut feed: CommitFeed,
    ) -> impl Future<Output = Result<(), AppError>> + Send {
        self.unindexed.store(true, Ordering::Release);
        // Here and not in the task: whoever spawns it may commit at once.
        self.followed.store(true, Ordering::Release);
        async move { self.take_all(&mut feed).await }
    }

    async fn take_all(&self, feed: &mut CommitFeed) -> Result<(), AppError> {
        while let Some(news) = feed.news().await {
            match news {
                News::Committed(batch) => {
                    for committed in batch {
                        self.apply_in_order(&committed).await?;
                        committed.acknowledge();
                    }
                }
                News::Moved(moved) => self.catch_up_with(&moved.workspace).await?,
            }
        }
        Ok(())
    }

    /// Gives how far the index is built.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Tells whether the index holds every document. Words may still be missing; see [`App::progress`].
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Tells whether somebody takes what is committed: before that, a commit would wait for the index.
    pub(crate) fn is_followed(&self) -> bool {
        self.followed.load(Ordering::Acquire)
    }

    /// Tells whether what is committed goes into an index, in this process.
    pub(crate) fn keeps_index(&self) -> bool {
        !self.unindexed.load(Ordering::Acquire)
    }

    /// Tells whether the store takes writes.
    pub fn store_state(&self) -> StoreState {
        match self.store.health() {
            Health::Ready => StoreState::Ready,
            Health::Full { reason } => StoreState::Full(reason),
            Health::Unreachable { reason } => StoreState::Unreachable(reason),
            Health::RestartRequired { reason } => StoreState::RestartRequired(reason),
        }
    }

    /// Tells the same, and on a database server whether it answers now: one that hangs keeps its connections.
    /// All who ask within [`limits::REACHED_KEPT`] get one answer, since it costs the server a small commit.
    pub async fn reached_store_state(&self) -> StoreState {
        let mut reached = self.reached.lock().await;
        let is_new = reached.as_ref().is_some_and(|(at, _)| at.elapsed() < limits::REACHED_KEPT);
        if !is_new {
            let failure = self.store.heads().await.err().map(|error| error.to_string());
            *reached = Some((Instant::now(), failure));
        }
        match (self.store_state(), reached.as_ref().and_then(|(_, failure)| failure.clone())) {
            (StoreState::Ready, Some(reason)) => StoreState::Unreachable(reason),
            (state, _) => state,
        }
    }

    /// Tells whether other nodes may write to the same data.
    pub fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Gives a JWT app by client id.
    pub fn jwt_app(&self, client_id: &str) -> Option<Arc<JwtApp>> {
        self.installation().apps.get(client_id).cloned()
    }

    /// Gives the installation.
    pub fn installation(&self) -> Arc<Installation> {
        Arc::clone(&self.installation.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives the clock and the sources of ids.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Gives the key file.
    pub fn key_file(&self) -> &KeyFile {
        self.keys.file()
    }

    /// Gives the id of the key that seals.
    pub fn key_id(&self) -> KeyId {
        self.keys.ring().current().id()
    }

    /// Says where the bytes of attachments are and how many there may be: once, before the first request. Without it there is
    /// nowhere for them.
    pub fn keep_attachments(&self, attachments: Attachments) {
        // A second time would be a fault of whoever starts the program; the first one holds.
        let _ = self.attachments.set(attachments);
    }

    pub(crate) fn attachments(&self) -> Option<&Attachments> {
        self.attachments.get()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn installation_applied(&self) -> &watch::Sender<u64> {
        &self.installation_applied
    }

    pub(crate) fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(crate) fn customers(&self) -> &CustomerCache {
        &self.customers
    }

    pub(crate) fn rendered(&self) -> &RenderedCache {
        &self.rendered
    }

    pub(crate) fn workspace(&self, stream: &StreamId) -> Option<Arc<OpenWorkspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).get(stream).cloned()
    }

    pub(crate) fn open_workspaces(&self) -> Vec<Arc<OpenWorkspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Reads the installation anew and opens the workspaces that it lists and that are not open yet.
    pub(crate) async fn reload_installation(&self) -> Result<(), AppError> {
        // First the head: what is read after it holds at least that.
        let head = match self.store.is_shared() {
            true => self.store.workspace(INSTALLATION).await?.map_or(0, |row| row.head),
            false => 0,
        };
        let installation = installation::load(&self.store, || self.keys.ring(), &self.installation()).await?;
        for entry in &installation.workspaces {
            if self.workspace(&entry.stream).is_none() {
                let config = load_config(&self.store, entry).await?;
                let opened = Arc::new(OpenWorkspace::new(config));
                let mut workspaces = self.workspaces.write().unwrap_or_else(PoisonError::into_inner);
                workspaces.insert(entry.stream.clone(), opened);
            }
        }
        *self.installation.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(installation);
        self.installation_applied.send_if_modified(|applied| {
            let is_later = head > *applied;
            *applied = head.max(*applied);
            is_later
        });
        Ok(())
    }
}
