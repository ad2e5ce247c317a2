//! Random work from several tasks against a sequential model, replayed in the order of the feed.

use std::collections::BTreeMap;

use casement_store::error::CommitError;
use casement_store::feed::CommitFeed;
use casement_store::options::Options;
use casement_store::set::{ClaimWrite, WriteSet};
use casement_store::store::Store;
use proptest::prelude::*;
use tokio::task::JoinSet;

use crate::build::{
    empty, guarding, guarding_claim, numbered, putting, removing, under_config, workspace, writing,
};

/// One set of one task: which documents it writes, what else it guards and claims.
#[derive(Clone, Debug)]
struct Step {
    documents: Vec<(u8, bool)>,
    guard: Option<u8>,
    claim: Option<(u8, bool, bool)>,
    config: Option<bool>,
    /// Names a version that can't be right.
    wrong: bool,
}

fn tasks() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (
        prop::collection::vec((0..5u8, any::<bool>()), 1..3),
        prop::option::of(0..5u8),
        prop::option::of((0..3u8, any::<bool>(), any::<bool>())),
        prop::option::weighted(0.2, any::<bool>()),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(documents, guard, claim, config, wrong)| Step {
            documents,
            guard,
            claim,
            config,
            wrong,
        });
    prop::collection::vec(prop::collection::vec(step, 1..12), 2..5)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    head: u64,
    config_version: u64,
    next_number: u64,
    /// Version, number, sequence and body of each document.
    documents: BTreeMap<String, (u64, Option<u64>, u64, Vec<u8>)>,
    claims: BTreeMap<String, String>,
}

impl Model {
    /// Applies a set that has passed; everything that it relied on must hold here.
    fn apply(&mut self, set: &WriteSet, committed: &casement_store::set::Committed) {
        let version = |model: &Model, id: &str| model.documents.get(id).map_or(0, |document| document.0);
        for guard in &set.guards {
            assert_eq!(version(self, &guard.id), guard.version);
        }
        for guard in &set.claim_guards {
            assert_eq!(self.claims.get(&guard.key), guard.document.as_ref());
        }
        assert!(set.config_version.is_none_or(|version| version == self.config_version));
        self.config_version += u64::from(set.changes_config);
        assert_eq!(committed.config_version, self.config_version);
        assert_eq!(committed.first_sequence, self.head + 1);
        for (document, given) in set.documents.iter().zip(&committed.documents) {
            assert_eq!(version(self, &document.id), document.version);
            let former = self.documents.get(&document.id).and_then(|former| former.1);
            let number = if document.counter.is_some() {
                self.next_number += 1;
                Some(self.next_number - 1)
            } else {
                former
            };
            self.head += 1;
            assert_eq!(
                (given.version, given.number, given.sequence),
                (document.version + 1, number, self.head)
            );
            let row = (given.version, number, self.head, document.body.clone());
            self.documents.insert(document.id.clone(), row);
        }
        assert_eq!(committed.last_sequence, self.head);
        for claim in &set.claims {
            match claim {
                ClaimWrite::Put { key, document, .. } => {
                    let former = self.claims.insert(key.clone(), document.clone());
                    let guarded = set.claim_guards.iter().any(|guard| guard.key == *key);
                    assert!(guarded || former.is_none_or(|former| former == *document));
                }
                ClaimWrite::Remove { key } => drop(self.claims.remove(key)),
                ClaimWrite::RemoveExpired { .. } => unreachable!("no step sweeps"),
            }
        }
    }
}

async fn replay(mut feed: CommitFeed) -> (Model, usize) {
    let mut model = Model { config_version: 1, next_number: 1, ..Model::default() };
    let mut sets = 0;
    while let Some(batch) = feed.next().await {
        for committed in batch {
            model.apply(&committed.set, &committed.outcome);
            sets += 1;
            committed.acknowledge();
        }
    }
    (model, sets)
}

/// Reads, decides and commits, as the rooms above do; others may come between.
async fn attempt(store: &Store, step: &Step, body: &[u8]) -> Result<(), CommitError> {
    let version = async |id: &str| {
        store.document("w", "case", id).await.unwrap().map_or(0, |document| document.version)
    };
    let mut set = empty("w");
    for (id, wants_number) in &step.documents {
        let id = format!("d{id}");
        if set.documents.iter().any(|document| document.id == id) {
            continue;
        }
        let version = version(&id).await + if step.wrong { 1_000_000 } else { 0 };
        set = writing(set, "case", &id, version, body);
        set = if *wants_number && version == 0 { numbered(set, "CS") } else { set };
    }
    if let Some(id) = step.guard {
        let id = format!("d{id}");
        set = guarding(set, "case", &id, version(&id).await);
    }
    if let Some((key, guarded, remove)) = step.claim {
        let (key, document) = (format!("k{key}"), set.documents[0].id.clone());
        if guarded {
            let holder = store.claim("w", &key).await.unwrap().map(|claim| claim.document);
            set = guarding_claim(set, &key, holder.as_deref());
        }
        set = if remove { removing(set, &key) } else { putting(set, &key, &document) };
    }
    if let Some(changes) = step.config {
        let version = store.workspace("w").await.unwrap().unwrap().config_version;
        set = under_config(set, version, changes);
    }
    store.commit(set).await.map(drop)
}

async fn play(tasks: Vec<Vec<Step>>) {
    let directory = tempfile::tempdir().unwrap();
    let (store, feed) = Store::open(Options::new(directory.path().to_path_buf())).unwrap();
    store.create_workspace(workspace("w")).await.unwrap();
    let replaying = tokio::spawn(replay(feed));
    let mut working = JoinSet::new();
    for (task, steps) in tasks.into_iter().enumerate() {
        let store = store.clone();
        working.spawn(async move {
            let mut passed = 0;
            for (place, step) in steps.iter().enumerate() {
                match attempt(&store, step, format!("{task} {place}").as_bytes()).await {
                    Ok(()) => {
                        assert!(!step.wrong);
                        passed += 1;
                    }
                    Err(CommitError::Missed(misses)) => assert!(!misses.is_empty()),
                    Err(other) => panic!("{other:?}"),
                }
            }
            passed
        });
    }
    let passed: usize = working.join_all().await.into_iter().sum();

    let row = store.workspace("w").await.unwrap().unwrap();
    let mut found = Model {
        head: row.head,
        config_version: row.config_version,
        next_number: row.counters["CS"],
        ..Model::default()
    };
    for document in store.scan("w", "case", None, 100).await.unwrap() {
        let row = (document.version, document.number, document.sequence, document.body);
        found.documents.insert(document.id, row);
    }
    for key in ["k0", "k1", "k2"] {
        if let Some(claim) = store.claim("w", key).await.unwrap() {
            found.claims.insert(claim.key, claim.document);
        }
    }
    let report = store.verify("w").await.unwrap();
    store.close().await;
    let (model, sets) = replaying.await.unwrap();
    assert_eq!(found, model);
    assert_eq!(sets, passed);
    assert_eq!((report.events, report.fault), (model.head, None));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_work_ends_as_the_model_says(tasks in tasks()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(play(tasks));
    }
}
