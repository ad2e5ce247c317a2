//! A server in the test's own process: a new database, a clock that the test sets, ids that count up.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use axum::Router;
use casement_api::api::{Api, ApiOptions};
use casement_api::rate::Rate;
use casement_api::router::router_of;
use casement_app::app::App;
use casement_app::attachment::Attachments;
use casement_app::error::AppError;
use casement_app::jwt_app::JwtApp;
use casement_app::limits::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_QUOTA_BYTES};
use casement_app::making::NewWorkspaceInput;
use casement_app::seal::key_file::KeyFile;
use casement_app::sources::Sources;
use casement_domain::date::Moment;
use casement_domain::workspace::Workspace;
use casement_store::blobs::Blobs;
use casement_store::event::Event;
use casement_store::feed::CommitFeed;
use casement_store::options::{Directory, Options};
use casement_store::store::Store;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::answer::Answer;
use super::call::Call;
use crate::postgres_server::Database;

pub const ACCOUNT: &str = "6639f7bd58c97ffac0300001";
pub const STREAM: &str = "st-5393141c-723b-579d-8265-27dd9b7f0001";
pub const ORGANISATION: &str = "o-a55026c9-2abd-5503-b212-5fba600a0001";
/// 2026-11-22T10:00:00Z, a Sunday: when every test begins.
pub const START_MS: i64 = 1_795_341_600_000;
/// The due date of [`Server::case_body`], four days later.
pub const DUE: &str = "2026-11-26T12:00:00.000Z";

pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A server. Its database goes with it.
pub struct Server {
    pub app: Arc<App>,
    pub store: Store,
    pub router: Router,
    pub workspace: Workspace,
    pub jwt: JwtApp,
    clock_ms: Arc<AtomicI64>,
    directory: TempDir,
    database: Option<Arc<Database>>,
    #[expect(dead_code, reason = "held so that the store stays open when nobody follows its log")]
    feed: Option<CommitFeed>,
}

impl Server {
    /// Starts a server with one workspace as `init` makes it.
    pub async fn start() -> Self {
        Self::begin(database()).await.0
    }

    /// Starts a server whose attachments may have so many bytes, each and all together.
    pub async fn start_with_room(bytes_max: u64, quota_bytes: u64) -> Self {
        Self::begin_with(database(), |place| Attachments::new(place, bytes_max, quota_bytes)).await.0
    }

    /// Starts a server that keeps the bytes of attachments somewhere else.
    pub async fn start_keeping(blobs: Blobs) -> Self {
        Self::begin_with(database(), |_| roomy(blobs)).await.0
    }

    /// The same in the embedded database, whatever the others do.
    pub async fn start_embedded_keeping(blobs: Blobs) -> Self {
        Self::begin_with(None, |_| roomy(blobs)).await.0
    }

    /// Starts a server that has no place for attachments.
    pub async fn start_without_room() -> Self {
        Self::begin_with(database(), |_| Attachments::off("there is no place")).await.0
    }

    /// Starts a server whose data is on a database server, whatever the others do.
    pub async fn start_on_server() -> Self {
        Self::begin(Some(Database::fresh())).await.0
    }

    /// Starts a server whose data is in the embedded database, whatever the others do.
    pub async fn start_embedded() -> Self {
        Self::begin(None).await.0
    }

    /// Starts another node on the same database, with the same clock and key.
    pub async fn another_node(&self) -> Self {
        self.node_that_hears(Arc::new(AtomicBool::new(true))).await
    }

    /// The same, with a switch: while it is off, the node applies nothing that was committed, by itself or by others.
    pub async fn node_that_hears(&self, hears: Arc<AtomicBool>) -> Self {
        let database = self.database.clone();
        let directory = tempfile::tempdir().unwrap();
        let (store, feed) = open(&directory, database.as_deref()).await;
        let key_file = KeyFile::of(directory.path(), Some(key_file(&self.directory).path()), None);
        let first_id = 1_000_000 * NODES.fetch_add(1, Ordering::Relaxed);
        let app = App::open(store.clone(), sources(&self.clock_ms, first_id), key_file).await.unwrap();
        app.keep_attachments(roomy(blobs(&self.directory)));
        let mut follower = Box::pin(Arc::clone(&app).follow(feed));
        tokio::spawn(std::future::poll_fn(move |context| match hears.load(Ordering::Relaxed) {
            true => follower.as_mut().poll(context),
            false => {
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            }
        }));
        while !app.is_ready() {
            tokio::task::yield_now().await;
        }
        let (router, clock_ms) = (unhurried(&app), Arc::clone(&self.clock_ms));
        let (workspace, jwt) = (self.workspace.clone(), self.jwt.clone());
        Self { app, store, router, workspace, jwt, clock_ms, directory, database, feed: None }
    }

    async fn begin(database: Option<Database>) -> (Self, JoinHandle<Result<(), AppError>>) {
        Self::begin_with(database, roomy).await
    }

    async fn begin_with(
        database: Option<Database>,
        attachments: impl FnOnce(Blobs) -> Attachments,
    ) -> (Self, JoinHandle<Result<(), AppError>>) {
        let directory = tempfile::tempdir().unwrap();
        let database = database.map(Arc::new);
        let clock_ms = Arc::new(AtomicI64::new(START_MS));
        let (store, feed) = open(&directory, database.as_deref()).await;
        let app = App::open(store.clone(), sources(&clock_ms, 1), key_file(&directory)).await.unwrap();
        app.keep_attachments(attachments(blobs(&directory)));
        let follower = tokio::spawn(Arc::clone(&app).follow(feed));
        while !app.is_ready() {
            tokio::task::yield_now().await;
        }
        let input = NewWorkspaceInput {
            account: Some(ACCOUNT.to_owned()),
            stream: Some(STREAM.to_owned()),
            organisation: Some(ORGANISATION.to_owned()),
            name: Some("Support".to_owned()),
        };
        let made = app.make_workspace(input).await.unwrap();
        let router = unhurried(&app);
        let (workspace, jwt) = (made.workspace, made.app);
        (Self { app, store, router, workspace, jwt, clock_ms, directory, database, feed: None }, follower)
    }

    /// Starts a server whose index is never built: its log has nobody who follows it.
    pub async fn start_unready() -> Self {
        let (server, follower) = Self::begin(database()).await;
        let Self { app, store, router: former, workspace, jwt, clock_ms, directory, database, feed: _ } =
            server;
        store.close().await;
        follower.await.unwrap().unwrap();
        drop((app, store, former));
        let (store, feed) = open(&directory, database.as_deref()).await;
        let app =
            App::open(store.clone(), sources(&clock_ms, 1_000_000), key_file(&directory)).await.unwrap();
        let router = unhurried(&app);
        Self { app, store, router, workspace, jwt, clock_ms, directory, database, feed: Some(feed) }
    }

    /// Stops the server and starts another on its data, at the same time of the clock.
    pub async fn restarted(self) -> Self {
        let Self { app, store, router: former, workspace, jwt, clock_ms, directory, database, feed: _ } =
            self;
        store.close().await;
        drop((app, store, former));
        let (store, feed) = open(&directory, database.as_deref()).await;
        let app =
            App::open(store.clone(), sources(&clock_ms, 1_000_000), key_file(&directory)).await.unwrap();
        app.keep_attachments(roomy(blobs(&directory)));
        tokio::spawn(Arc::clone(&app).follow(feed));
        while !app.is_ready() {
            tokio::task::yield_now().await;
        }
        let router = unhurried(&app);
        Self { app, store, router, workspace, jwt, clock_ms, directory, database, feed: None }
    }

    /// Gives the directory of the bytes of attachments.
    pub fn bytes_directory(&self) -> PathBuf {
        self.directory.path().join("bytes")
    }

    /// Sets the clock.
    pub fn set_clock(&self, ms: i64) {
        self.clock_ms.store(ms, Ordering::Relaxed);
    }

    /// Moves the clock on.
    pub fn advance(&self, ms: i64) {
        self.clock_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Gives the time.
    pub fn now_ms(&self) -> i64 {
        self.clock_ms.load(Ordering::Relaxed)
    }

    /// Begins a request of the first workspace's app, with every header that its operation may ask for.
    pub fn call(&self, operation: &str) -> Call<'_> {
        Call::new(self, operation)
    }

    /// Sends a body to an operation.
    pub async fn post(&self, operation: &str, body: Value) -> Answer {
        self.call(operation).json(&body).send().await
    }

    /// Tells how many events the workspace's log has: an answer that refuses leaves it as it was.
    pub async fn events_total(&self) -> u64 {
        self.store.workspace(STREAM).await.unwrap().unwrap().head
    }

    /// Gives the events of a document.
    pub async fn events_of(&self, document: &str) -> Vec<Event> {
        self.store.document_events(STREAM, document, 0, 1000).await.unwrap()
    }

    /// Sends a request that must be refused with a status, and holds the log against what it was before.
    pub async fn refused(&self, operation: &str, body: &Value, status: u16) -> Vec<String> {
        self.call(operation).json(body).refused(status).await
    }

    /// A body that createCase takes, with some keys set, or taken away where they are null.
    pub fn case_body(&self, changes: Value) -> Value {
        let body = json!({
            "caseTmp": self.workspace.case_templates[0].id,
            "name": "Printer on fire",
            "desc": "It smokes",
            "userInfo": {"_id": "u-customer", "name": "John"},
            "emailId": "john.doe@example.com",
            "phoneNumber": "9023980000",
            "dueDate": DUE,
            "source": "rtm",
        });
        overlaid(body, changes)
    }

    /// Creates a case.
    pub async fn create_case(&self, changes: Value) -> Value {
        self.post("createCase", self.case_body(changes)).await.document()
    }

    /// A body that createTask takes for a case.
    pub fn task_body(&self, case: &Value, changes: Value) -> Value {
        let body = json!({
            "caseId": case["_id"],
            "caseRefId": case["refId"],
            "taskTmp": self.workspace.task_templates[0].id,
            "name": "Call back",
            "userInfo": {"_id": "u-customer", "name": "John"},
            "source": "rtm",
        });
        overlaid(body, changes)
    }

    /// Creates a task.
    pub async fn create_task(&self, case: &Value, changes: Value) -> Value {
        self.post("createTask", self.task_body(case, changes)).await.document()
    }

    /// Updates a case.
    pub async fn update_case(&self, case: &Value, changes: Value) -> Value {
        self.post(&update_of("updateCase", case), changes).await.document()
    }

    /// Updates a task.
    pub async fn update_task(&self, task: &Value, changes: Value) -> Value {
        self.post(&update_of("updateTask", task), changes).await.document()
    }

    /// Gives a case as getCases lists it; `None` when it is not listed.
    pub async fn listed_case(&self, id: &Value) -> Option<Value> {
        self.listed("getCases", id).await
    }

    /// Gives a task as getTasks lists it; `None` when it is not listed.
    pub async fn listed_task(&self, id: &Value) -> Option<Value> {
        self.listed("getTasks", id).await
    }

    async fn listed(&self, operation: &str, id: &Value) -> Option<Value> {
        let page = self.post(operation, json!({"limit": 500})).await.document();
        page["results"].as_array().unwrap().iter().find(|found| found["_id"] == *id).cloned()
    }
}

/// The operation that updates a document.
pub fn update_of(operation: &str, document: &Value) -> String {
    format!("{operation}/{}", document["_id"].as_str().unwrap())
}

/// Sets keys of an object; the marker `"<absent>"` takes a key away.
pub fn overlaid(mut body: Value, changes: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (key, value) in changes {
        if value == ABSENT {
            object.shift_remove(&key);
        } else {
            object.insert(key, value);
        }
    }
    body
}

/// Takes a key away in [`overlaid`].
pub const ABSENT: &str = "<absent>";

/// Nodes that have no workspace yet, and what goes with them.
pub struct EmptyNodes {
    pub apps: Vec<Arc<App>>,
    pub stores: Vec<Store>,
    /// The clock of each.
    pub clocks_ms: Vec<Arc<AtomicI64>>,
    _directories: Vec<TempDir>,
    _database: Database,
}

impl Server {
    /// Starts so many nodes on an empty database.
    pub async fn empty_nodes(count: u64) -> EmptyNodes {
        let database = Database::fresh();
        let (mut apps, mut directories) = (Vec::new(), vec![tempfile::tempdir().unwrap()]);
        let (mut stores, mut clocks_ms) = (Vec::new(), Vec::new());
        let key = directories[0].path().join("secrets.key");
        for node in 1..=count {
            let directory = tempfile::tempdir().unwrap();
            let (store, feed) = open(&directory, Some(&database)).await;
            let key_file = KeyFile::of(directory.path(), Some(&key), None);
            let clock_ms = Arc::new(AtomicI64::new(START_MS));
            let app = App::open(store.clone(), sources(&clock_ms, 1_000_000 * node), key_file).await.unwrap();
            tokio::spawn(Arc::clone(&app).follow(feed));
            apps.push(app);
            stores.push(store);
            clocks_ms.push(clock_ms);
            directories.push(directory);
        }
        EmptyNodes { apps, stores, clocks_ms, _directories: directories, _database: database }
    }
}

/// Gives each further node ids of its own.
static NODES: AtomicU64 = AtomicU64::new(100);

/// The variable that lets every server of the tests keep its data on a PostgreSQL server: `postgres`.
const STORE_VARIABLE: &str = "TEST_STORE";

/// Makes a database where the tests run on a server.
fn database() -> Option<Database> {
    match std::env::var(STORE_VARIABLE).as_deref() {
        Ok("postgres") => Some(Database::fresh()),
        Ok("sqlite") | Err(_) => None,
        Ok(other) => panic!("{STORE_VARIABLE} is {other}; it may be sqlite or postgres"),
    }
}

async fn open(directory: &TempDir, database: Option<&Database>) -> (Store, CommitFeed) {
    let data = directory.path().join("data");
    match database {
        None => Store::open(Options::new(data)).unwrap(),
        Some(database) => {
            let mut server = casement_store::options::Server::new(database.url().parse().unwrap());
            server.directory = Some(Directory::Own(data));
            Store::connect(server).await.unwrap()
        }
    }
}

fn blobs(directory: &TempDir) -> Blobs {
    Blobs::in_directory(&directory.path().join("bytes")).unwrap()
}

fn roomy(blobs: Blobs) -> Attachments {
    Attachments::new(blobs, ATTACHMENT_BYTES_MAX, ATTACHMENTS_QUOTA_BYTES)
}

fn key_file(directory: &TempDir) -> KeyFile {
    KeyFile::of(&directory.path().join("data"), None, None)
}

/// The router of an application, with a rate that no test reaches: those of apps have tests of their own.
fn unhurried(app: &Arc<App>) -> Router {
    let much = NonZeroU32::new(10_000_000).unwrap();
    let options = ApiOptions { rate: Rate { per_second: much, burst: much }, ..ApiOptions::default() };
    router_of(Api::new(Arc::clone(app), &options))
}

/// The sources of an application that only reads.
pub fn fixed_sources() -> Sources {
    sources(&Arc::new(AtomicI64::new(START_MS)), 1)
}

fn sources(clock_ms: &Arc<AtomicI64>, first_id: u64) -> Sources {
    let clock_ms = Arc::clone(clock_ms);
    let (ids, salts) = (AtomicU64::new(first_id), AtomicU64::new(1));
    Sources::new(
        move || Moment::from_ms(clock_ms.load(Ordering::Relaxed)),
        move || u128::from(ids.fetch_add(1, Ordering::Relaxed)),
        move || u128::from(salts.fetch_add(1, Ordering::Relaxed)).to_be_bytes(),
    )
}

/// Gives an object's keys.
pub fn keys(object: &Value) -> Vec<&str> {
    let object: &Map<String, Value> = object.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}
