//! The work that the proof of restoring is made on: several writers, a backup in the midst of it, restarts.
//!
//! Every kind of set that the store knows comes up: new and changed documents, several in one set, numbers, claims with
//! and without an end, claims alone, sweeps, changes of the configuration, misses. The clock runs with the sets, and sets
//! are not always committed in the order of their times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use casement_store::backup::examine::Look;
use casement_store::backup::run::{BackUp, TakeBase};
use casement_store::document::NewWorkspace;
use casement_store::error::CommitError;
use casement_store::feed::CommitFeed;
use casement_store::options::Options;
use casement_store::set::{ClaimWrite, DocumentWrite, EventWrite, WriteSet};
use casement_store::store::Store;
use tokio::task::JoinSet;

use super::model::{KINDS, Step};

const START_MS: i64 = 1_700_000_000_000;
const WRITERS: u64 = 4;
/// Sets that each writer tries in a phase; between two phases the store is opened anew.
const SETS_PER_PHASE: u32 = 250;
/// The largest body, so that the increments come to several files.
const BODY_BYTES_MAX: usize = 6000;
const DOCUMENTS: u64 = 400;
const KEYS: u64 = 120;

/// What was done.
pub struct Worked {
    /// The workspaces.
    pub workspaces: Vec<NewWorkspace>,
    /// The sets in the order of their commits.
    pub steps: Vec<Step>,
    /// Every key that any set named.
    pub keys: Vec<String>,
    /// The last time of the clock, up to which the backup is whole.
    pub until_ms: i64,
    /// The runs of the backup.
    pub runs: u64,
    /// Those that took a base.
    pub bases: u64,
    /// How often the store was opened anew.
    pub restarts: u32,
}

/// What writers and backup share.
struct Shared {
    now_ms: AtomicI64,
    operation: AtomicU64,
    runs: AtomicU64,
    bases: AtomicU64,
    done: AtomicBool,
}

/// Works on a fresh store in a folder, with a backup beside it.
///
/// # Errors
/// When the store or the backup fails.
pub async fn work(folder: &Path, points: u32, random: &mut fastrand::Rng) -> Result<Worked> {
    let workspaces: Vec<NewWorkspace> = ["st-a", "st-b", "st-c"].map(workspace).into();
    let shared = Arc::new(Shared {
        now_ms: AtomicI64::new(START_MS),
        operation: AtomicU64::new(1),
        runs: AtomicU64::new(0),
        bases: AtomicU64::new(0),
        done: AtomicBool::new(false),
    });
    let steps = Arc::new(Mutex::new(Vec::new()));
    let phases = 2 + points / 50;
    for phase in 0..phases {
        let (store, feed) = Store::open(Options::new(folder.join("data")))?;
        let recording = tokio::spawn(record(feed, Arc::clone(&steps)));
        if phase == 0 {
            for workspace in &workspaces {
                store.create_workspace(workspace.clone()).await?;
            }
            // Everything that follows can be restored.
            back_up(&store, folder, &shared, TakeBase::WhenNeeded, random).await?;
        }
        shared.done.store(false, Ordering::SeqCst);
        let backing = tokio::spawn(keep_backed_up(
            store.clone(),
            folder.to_owned(),
            Arc::clone(&shared),
            random.fork(),
        ));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            writers.spawn(write(store.clone(), Arc::clone(&shared), random.fork()));
        }
        while let Some(ended) = writers.join_next().await {
            ended??;
        }
        shared.done.store(true, Ordering::SeqCst);
        backing.await??;
        if phase + 1 == phases {
            back_up(&store, folder, &shared, TakeBase::WhenNeeded, random).await?;
        }
        store.close().await;
        recording.await?;
    }
    let steps = std::mem::take(&mut *steps.lock().expect("invariant: the recorder does not panic"));
    Ok(Worked {
        workspaces,
        steps,
        keys: (0..KEYS).map(|key| format!("key-{key}")).collect(),
        until_ms: shared.now_ms.load(Ordering::SeqCst),
        runs: shared.runs.load(Ordering::Relaxed),
        bases: shared.bases.load(Ordering::Relaxed),
        restarts: phases - 1,
    })
}

/// Acknowledges until the feed ends.
pub async fn acknowledge_all(mut feed: CommitFeed) {
    while let Some(batch) = feed.next().await {
        for committed in batch {
            committed.acknowledge();
        }
    }
}

/// A set that makes a numbered document, for seeing whether a store goes on.
pub fn one_more(workspace: &str) -> WriteSet {
    let mut set = empty(workspace, i64::MAX / 2, 0);
    add(&mut set, "case", "one-more", 0, b"{}".to_vec(), Some("CS"), None);
    set
}

fn workspace(id: &str) -> NewWorkspace {
    NewWorkspace {
        id: id.to_owned(),
        account: "account".to_owned(),
        organisation: "organisation".to_owned(),
        counters: BTreeMap::from([("CS".to_owned(), 100), ("TS".to_owned(), 100)]),
    }
}

async fn record(mut feed: CommitFeed, steps: Arc<Mutex<Vec<Step>>>) {
    while let Some(batch) = feed.next().await {
        for committed in batch {
            let step = Step { set: committed.set.clone(), outcome: committed.outcome.clone() };
            steps.lock().expect("invariant: nobody panics while it is held").push(step);
            committed.acknowledge();
        }
    }
}

/// Runs the backup again and again, now and then with a base, until the writers are done.
async fn keep_backed_up(
    store: Store,
    folder: std::path::PathBuf,
    shared: Arc<Shared>,
    mut random: fastrand::Rng,
) -> Result<()> {
    while !shared.done.load(Ordering::SeqCst) {
        let base = if random.u8(..10) == 0 { TakeBase::Now } else { TakeBase::WhenNeeded };
        back_up(&store, &folder, &shared, base, &mut random).await?;
        tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
    }
    Ok(())
}

async fn back_up(
    store: &Store,
    folder: &Path,
    shared: &Arc<Shared>,
    base: TakeBase,
    random: &mut fastrand::Rng,
) -> Result<()> {
    let clock = Arc::clone(shared);
    let order = BackUp {
        to: folder.join("backup"),
        base,
        bases_kept: None,
        now_ms: Arc::new(move || clock.now_ms.load(Ordering::SeqCst)),
        look: Look::Heads,
        is_continued: false,
        random: [random.u128(..).to_be_bytes(), random.u128(..).to_be_bytes()],
    };
    let done = store.back_up(order).await.context("a run of the backup failed")?;
    shared.runs.fetch_add(1, Ordering::Relaxed);
    shared.bases.fetch_add(u64::from(done.base.is_some()), Ordering::Relaxed);
    Ok(())
}

/// Decides and commits random sets.
async fn write(store: Store, shared: Arc<Shared>, mut random: fastrand::Rng) -> Result<()> {
    for _ in 0..SETS_PER_PHASE {
        let at_ms = shared.now_ms.fetch_add(random.i64(0..4), Ordering::SeqCst);
        let operation = shared.operation.fetch_add(1, Ordering::Relaxed);
        let id = ["st-a", "st-b", "st-c"].get(random.usize(..3)).copied().unwrap_or("st-a");
        let set = decide(&store, empty(id, at_ms, operation), &mut random).await?;
        match store.commit(set).await {
            Ok(_) | Err(CommitError::Missed(_)) => {}
            Err(error) => bail!("a set was not committed: {error}"),
        }
    }
    Ok(())
}

async fn decide(store: &Store, mut set: WriteSet, random: &mut fastrand::Rng) -> Result<WriteSet> {
    let kind_of_set = random.u8(..100);
    if kind_of_set < 80 {
        let mut written = BTreeSet::new();
        for _ in 0..random.usize(1..4) {
            let kind = KINDS.get(random.usize(..2)).copied().unwrap_or("case");
            let id = format!("{kind}-{}", random.u64(..DOCUMENTS));
            if !written.insert(id.clone()) {
                continue;
            }
            let known = store.document(&set.workspace, kind, &id).await?;
            let version = known.map_or(0, |document| document.version);
            let counter = (version == 0 && random.bool()).then_some(if kind == "case" { "CS" } else { "TS" });
            let body = vec![random.u8(b' '..b'~'); random.usize(2..BODY_BYTES_MAX)];
            let parent = random.bool().then(|| format!("case-{}", random.u64(..DOCUMENTS)));
            add(&mut set, kind, &id, version, body, counter, parent);
        }
        set.changes_config = random.u8(..20) == 0;
    }
    if kind_of_set >= 80 || random.bool() {
        let keys: BTreeSet<u64> = (0..random.usize(1..4)).map(|_| random.u64(..KEYS)).collect();
        for key in keys {
            let key = format!("key-{key}");
            set.claims.push(match random.u8(..4) {
                0 => ClaimWrite::Remove { key },
                1 => ClaimWrite::RemoveExpired { key },
                _ => ClaimWrite::Put {
                    key,
                    document: format!("holder-{}", random.u8(..2)),
                    result: random.bool().then(|| vec![7; random.usize(0..300)]),
                    expires_ms: random.bool().then(|| set.at_ms + random.i64(-200..2000)),
                },
            });
        }
    }
    Ok(set)
}

fn empty(workspace: &str, at_ms: i64, operation: u64) -> WriteSet {
    WriteSet {
        workspace: workspace.to_owned(),
        operation: u128::from(operation).to_be_bytes(),
        at_ms,
        actor: "u-writer".to_owned(),
        app: "proof".to_owned(),
        config_version: None,
        changes_config: false,
        guards: Vec::new(),
        claim_guards: Vec::new(),
        head_guards: Vec::new(),
        documents: Vec::new(),
        claims: Vec::new(),
        events: Vec::new(),
    }
}

fn add(
    set: &mut WriteSet,
    kind: &str,
    id: &str,
    version: u64,
    body: Vec<u8>,
    counter: Option<&str>,
    parent: Option<String>,
) {
    let changes = (version > 0).then(|| body.clone());
    set.documents.push(DocumentWrite {
        kind: kind.to_owned(),
        id: id.to_owned(),
        parent,
        version,
        counter: counter.map(ToOwned::to_owned),
        schema: 1,
        body,
    });
    set.events.push(EventWrite {
        kind: if version > 0 { "changed" } else { "created" }.to_owned(),
        document_kind: kind.to_owned(),
        document: id.to_owned(),
        changes,
        salt: set.operation,
    });
}
