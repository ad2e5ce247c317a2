//! An application on a store in a directory of its own, and the use cases spelled as the wire spells them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use casement_app::access::Access;
use casement_app::app::App;
use casement_app::comment::update::{CommentPath, delete_comment, update_comment};
use casement_app::document::{IfMatch, Rendered};
use casement_app::error::AppError;
use casement_app::index::build::Start;
use casement_app::index::snapshot::DIRECTORY;
use casement_app::jwt_app::JwtApp;
use casement_app::making::NewWorkspaceInput;
use casement_app::purge::purge;
use casement_app::seal::key_file::KeyFile;
use casement_app::sources::Sources;
use casement_domain::date::{Moment, Zone};
use casement_domain::fault::{FaultKind, Faults};
use casement_store::options::Options;
use casement_store::store::Store;
use casement_wire::json::read_object;
use casement_wire::spelling::Noun;
use casement_wire::{case, comment, list, search, task};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Noon of the 29th of May 2025 in UTC.
pub const NOW_MS: i64 = 1_748_520_000_000;
pub const STREAM: &str = "st-1";

/// A running application with one workspace.
pub struct House {
    pub app: Arc<App>,
    pub store: Store,
    pub jwt: JwtApp,
    pub clock: Arc<AtomicI64>,
    next_id: Arc<AtomicU64>,
    following: JoinHandle<Result<(), AppError>>,
    directory: TempDir,
}

fn sources(clock: &Arc<AtomicI64>, next_id: &Arc<AtomicU64>) -> Sources {
    let (clock, id, salt) = (Arc::clone(clock), Arc::clone(next_id), Arc::clone(next_id));
    Sources::new(
        move || Moment::from_ms(clock.load(Ordering::SeqCst)),
        move || u128::from(id.fetch_add(1, Ordering::SeqCst)),
        move || u128::from(salt.fetch_add(1, Ordering::SeqCst)).to_be_bytes(),
    )
}

async fn open(
    directory: &Path,
    sources: Sources,
    start: Start,
) -> (Arc<App>, Store, JoinHandle<Result<(), AppError>>) {
    let (store, feed) = Store::open(Options::new(directory.to_path_buf())).unwrap();
    let key_file = KeyFile::of(directory, None, None);
    let app = App::open(store.clone(), sources, key_file).await.unwrap();
    let following = tokio::spawn(Arc::clone(&app).follow_from(feed, start));
    while !app.is_ready() {
        tokio::task::yield_now().await;
    }
    (app, store, following)
}

impl House {
    pub async fn build() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (clock, next_id) = (Arc::new(AtomicI64::new(NOW_MS)), Arc::new(AtomicU64::new(1)));
        let (app, store, following) =
            open(directory.path(), sources(&clock, &next_id), Start::default()).await;
        let jwt = Self::add_workspace(&app, STREAM).await;
        Self { app, store, jwt, clock, next_id, following, directory }
    }

    pub async fn add_workspace(app: &App, stream: &str) -> JwtApp {
        let input = NewWorkspaceInput { stream: Some(stream.to_owned()), ..NewWorkspaceInput::default() };
        app.make_workspace(input).await.unwrap().app
    }

    /// Closes the store and opens it again, with an index that is built from the documents.
    pub async fn reopened(self) -> Self {
        self.reopened_from(Start::default()).await
    }

    /// The same in a given way. `Start` names the snapshots by [`House::snapshots`].
    pub async fn reopened_from(self, start: Start) -> Self {
        self.reopened_after(start, |_| {}).await
    }

    /// The same, with something done to the data directory while no store has it.
    pub async fn reopened_after(self, start: Start, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { app, store, jwt, clock, next_id, following, directory } = self;
        store.close().await;
        following.await.unwrap().unwrap();
        drop((app, store));
        meanwhile(directory.path());
        let (app, store, following) = open(directory.path(), sources(&clock, &next_id), start).await;
        Self { app, store, jwt, clock, next_id, following, directory }
    }

    pub fn access(&self) -> Access {
        self.app.access(&Arc::new(self.jwt.clone()), STREAM, None, None).unwrap()
    }

    pub async fn create_case(&self, body: Value) -> Result<Value, AppError> {
        let command = case::read_create(&object(body), None);
        parsed(
            casement_app::case::create::create_case(&self.app, &self.access(), &command, Zone::UTC, None)
                .await,
        )
    }

    pub async fn update_case(&self, id: &str, body: Value) -> Result<Value, AppError> {
        self.update_case_if(id, body, &IfMatch::Any).await
    }

    pub async fn update_case_if(&self, id: &str, body: Value, if_match: &IfMatch) -> Result<Value, AppError> {
        let command = case::read_update_case(&object(body));
        let access = self.access();
        parsed(
            casement_app::case::update::update_case(
                &self.app,
                &access,
                id,
                &command,
                if_match,
                Zone::UTC,
                None,
            )
            .await,
        )
    }

    pub async fn create_task(&self, body: Value) -> Result<Value, AppError> {
        let command = task::read_create(&object(body));
        parsed(
            casement_app::task::create::create_task(&self.app, &self.access(), &command, Zone::UTC, None)
                .await,
        )
    }

    pub async fn update_task(&self, id: &str, body: Value) -> Result<Value, AppError> {
        let command = task::read_update_task(&object(body));
        let access = self.access();
        parsed(
            casement_app::task::update::update_task(
                &self.app,
                &access,
                id,
                &command,
                &IfMatch::Any,
                Zone::UTC,
                None,
            )
            .await,
        )
    }

    pub async fn purge(&self, noun: Noun, id: &str) -> Result<(), AppError> {
        purge(&self.app, &self.access(), noun, id, &IfMatch::Any, None).await.map(drop)
    }

    pub async fn comment(&self, case: &str, text: &str) -> Result<Value, AppError> {
        let command = comment::read_create_comment(&object(json!({"text": text})));
        let access = self.access();
        parsed(casement_app::comment::create::create_comment(&self.app, &access, case, &command, None).await)
    }

    /// Changes what a comment says; `None` deletes it.
    pub async fn say_again(&self, comment: &Value, text: Option<&str>) -> Result<Value, AppError> {
        let path = CommentPath { case: comment["caseId"].as_str().unwrap(), comment: id(comment) };
        let (access, any) = (self.access(), IfMatch::Any);
        let Some(text) = text else {
            return parsed(delete_comment(&self.app, &access, path, &any, None).await);
        };
        let command = comment::read_update_comment(&object(json!({"text": text})));
        parsed(update_comment(&self.app, &access, path, &command, &any, Zone::UTC, None).await)
    }

    /// Searches by the query language.
    pub async fn search(&self, noun: Noun, body: Value) -> Value {
        let search = search::read_search(&object(body), noun);
        let found = casement_app::list::search(&self.app, &self.access(), noun, search, Zone::UTC).await;
        serde_json::from_slice(&found.unwrap()).unwrap()
    }

    pub async fn list(&self, noun: Noun, body: Value) -> Value {
        self.try_list(noun, body).await.unwrap()
    }

    pub async fn try_list(&self, noun: Noun, body: Value) -> Result<Value, AppError> {
        let query = list::read_query(&object(body), noun);
        let bytes = casement_app::list::list(&self.app, &self.access(), noun, query, Zone::UTC).await?;
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    /// Where the snapshots of the index are.
    pub fn snapshots(&self) -> PathBuf {
        self.directory.path().join(DIRECTORY)
    }

    /// The stored bodies of a kind by id, with their versions.
    pub async fn stored(&self, kind: &str) -> Vec<(String, u64, Map<String, Value>)> {
        let documents = self.store.scan(STREAM, kind, None, 10_000).await.unwrap();
        documents
            .into_iter()
            .map(|document| (document.id, document.version, serde_json::from_slice(&document.body).unwrap()))
            .collect()
    }

    /// Checks the log's chain.
    pub async fn verify(&self) {
        let report = self.store.verify(STREAM).await.unwrap();
        assert_eq!(report.fault, None);
    }
}

fn object(body: Value) -> Map<String, Value> {
    read_object(body.to_string().as_bytes()).unwrap()
}

fn parsed(rendered: Result<Rendered, AppError>) -> Result<Value, AppError> {
    rendered.map(|rendered| serde_json::from_slice(&rendered.body).unwrap())
}

/// The body of a new case.
pub fn new_case(name: &str) -> Value {
    json!({"caseTmp": "General", "name": name, "desc": "", "userInfo": {"_id": "u-customer"}, "source": "rtm",
        "dueDate": "2026-01-01"})
}

/// The body of a new task of a case as it was answered.
pub fn new_task(case: &Value) -> Value {
    json!({"caseId": case["_id"], "caseRefId": case["refId"], "taskTmp": "Follow-up",
        "userInfo": {"_id": "u-customer"}, "source": "rtm"})
}

pub fn id(document: &Value) -> &str {
    document["_id"].as_str().unwrap()
}

/// The faults of a refusal.
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, AppError>) -> Faults {
    match outcome {
        Err(AppError::Refused(faults)) => faults,
        other => panic!("not refused: {other:?}"),
    }
}

/// Gives the answer when there is one; a conflict is `None`, anything else a failure of the test.
pub fn unless_conflict(outcome: Result<Value, AppError>) -> Option<Value> {
    match outcome {
        Ok(value) => Some(value),
        Err(AppError::Refused(faults)) => {
            assert!(faults.list().iter().all(|fault| fault.kind == FaultKind::Conflict), "{faults:?}");
            None
        }
        Err(other) => panic!("{other:?}"),
    }
}
