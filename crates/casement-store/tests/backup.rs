//! Backups: what they hold, what is restored from them, and which damages are refused.

mod damage;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use casement_store::backup::BackupError;
use casement_store::backup::description::describe;
use casement_store::backup::examine::Look;
use casement_store::backup::restore::{Point, Restore, Restored, restore};
use casement_store::backup::run::{BackUp, BackedUp, TakeBase};
use casement_store::error::StoreError;
use casement_store::options::Options;
use casement_store::store::Store;
use tempfile::TempDir;

use crate::build::{
    AT_MS, create, decided_at, empty, numbered, putting, removing, sweeping, update, workspace,
};
use crate::conformance::acknowledge_all;
use crate::conformance::erasing::purging;

/// A store with a backup beside it, and a clock that both share.
struct Bench {
    folder: TempDir,
    store: Store,
    now_ms: Arc<AtomicI64>,
    runs: AtomicU8,
}

impl Bench {
    /// Opens a store with the workspaces `w` and `v`.
    async fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("data"));
        for id in ["w", "v"] {
            store.create_workspace(workspace(id)).await.unwrap();
        }
        let now_ms = Arc::new(AtomicI64::new(AT_MS));
        Bench { folder, store, now_ms, runs: AtomicU8::new(1) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn order(&self, base: TakeBase) -> BackUp {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let now_ms = Arc::clone(&self.now_ms);
        BackUp {
            to: self.path("backup"),
            base,
            bases_kept: None,
            now_ms: Arc::new(move || now_ms.load(Ordering::Relaxed)),
            look: Look::Heads,
            is_continued: false,
            random: [[run; 16], [run | 0x80; 16]],
        }
    }

    async fn back_up(&self) -> BackedUp {
        self.store.back_up(self.order(TakeBase::WhenNeeded)).await.unwrap()
    }

    /// Makes a case and an event at a second of the clock.
    async fn create_at(&self, id: &str, seconds: i64) {
        self.now_ms.store(AT_MS + seconds * 1000, Ordering::Relaxed);
        let set = numbered(putting(create("w", id), &format!("key-{id}"), id), "CS");
        self.store.commit(decided_at(set, AT_MS + seconds * 1000)).await.unwrap();
    }

    fn restore(&self, point: Point) -> (PathBuf, Result<Restored, BackupError>) {
        let to = self.path(&format!("restored-{}", self.runs.fetch_add(1, Ordering::Relaxed)));
        let order = Restore { from: self.path("backup"), to: to.clone(), point };
        (to, restore(&order))
    }
}

fn open(directory: &Path) -> Store {
    let (store, feed) = Store::open(Options::new(directory.to_path_buf())).unwrap();
    tokio::spawn(acknowledge_all(feed));
    store
}

/// Everything in a store, as text.
async fn dump(store: &Store, keys: &[&str]) -> BTreeMap<String, String> {
    let mut dump = BTreeMap::new();
    for workspace in store.workspaces().await.unwrap() {
        let id = workspace.id.clone();
        dump.insert(id.clone(), format!("{workspace:?}"));
        for document in store.scan(&id, "case", None, 1000).await.unwrap() {
            dump.insert(format!("{id} {}", document.id), format!("{document:?}"));
        }
        for event in store.events(&id, 0, 1000).await.unwrap() {
            dump.insert(format!("{id} #{}", event.sequence), format!("{event:?}"));
        }
        for key in keys {
            if let Some(claim) = store.claim(&id, key).await.unwrap() {
                dump.insert(format!("{id} @{key}"), format!("{claim:?}"));
            }
        }
        let report = store.verify(&id).await.unwrap();
        assert_eq!(report.fault, None);
    }
    dump
}

async fn dump_of(directory: &Path, keys: &[&str]) -> BTreeMap<String, String> {
    let store = open(directory);
    let dump = dump(&store, keys).await;
    store.close().await;
    dump
}

const KEYS: [&str; 5] = ["key-a", "key-b", "key-c", "key-d", "kept"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_is_what_was_backed_up() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    assert!(bench.back_up().await.base.is_some());
    bench.create_at("b", 2).await;
    bench.store.commit(update("w", "a", 1, b"{\"x\":1}")).await.unwrap();
    bench.store.commit(putting(create("v", "c"), "kept", "c")).await.unwrap();
    let second = bench.back_up().await;
    assert_eq!((second.base, second.changes), (None, 3));
    let expected = dump(&bench.store, &KEYS).await;
    let (to, restored) = bench.restore(Point::Latest);
    let restored = restored.unwrap();
    assert_eq!(restored.changes, 3);
    assert_eq!(restored.heads, [("v".into(), 1), ("w".into(), 3)]);
    assert_eq!(dump_of(&to, &KEYS).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_sequence_number_since_the_base_can_be_restored() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    let mut states = vec![dump(&bench.store, &KEYS).await];
    for (second, id) in [(2, "b"), (3, "c"), (4, "d")] {
        bench.create_at(id, second).await;
        states.push(dump(&bench.store, &KEYS).await);
        bench.back_up().await;
    }
    for (sequence, expected) in (1..).zip(&states) {
        let (to, restored) = bench.restore(Point::Sequence { workspace: "w".into(), sequence });
        restored.unwrap();
        assert_eq!(dump_of(&to, &KEYS).await, *expected, "{sequence}");
        let (to, restored) = bench.restore(Point::Time(AT_MS + sequence as i64 * 1000));
        restored.unwrap();
        assert_eq!(dump_of(&to, &KEYS).await, *expected, "{sequence} s");
    }
    for (workspace, sequence) in [("w", 0), ("w", 5), ("x", 1)] {
        let (to, refused) = bench.restore(Point::Sequence { workspace: workspace.into(), sequence });
        assert!(matches!(refused, Err(BackupError::Refused(_))), "{workspace} {sequence}");
        assert!(!to.exists());
    }
    for seconds in [0, 5] {
        let (_, refused) = bench.restore(Point::Time(AT_MS + seconds * 1000));
        assert!(matches!(refused, Err(BackupError::Refused(_))), "{seconds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_without_events_and_swept_claims_are_restored_as_they_were() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.store.commit(putting(empty("w"), "kept", "a")).await.unwrap();
    bench.back_up().await;
    let with_claim = dump(&bench.store, &KEYS).await;
    assert!(with_claim.contains_key("w @kept"));
    let (to, restored) = bench.restore(Point::Latest);
    restored.unwrap();
    assert_eq!(dump_of(&to, &KEYS).await, with_claim);
    let after = crate::build::EXPIRES_MS;
    bench.store.commit(decided_at(sweeping(empty("w"), "kept"), after - 1)).await.unwrap();
    bench.store.commit(decided_at(sweeping(empty("w"), "kept"), after)).await.unwrap();
    bench.store.commit(removing(empty("w"), "key-a")).await.unwrap();
    bench.back_up().await;
    let without = dump(&bench.store, &KEYS).await;
    assert!(!without.contains_key("w @kept") && !without.contains_key("w @key-a"));
    let (to, restored) = bench.restore(Point::Latest);
    restored.unwrap();
    assert_eq!(dump_of(&to, &KEYS).await, without);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_not_torn_by_a_sequence_number_within_it() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    let before = dump(&bench.store, &KEYS).await;
    let both = crate::build::writing(create("w", "b"), "case", "c", 0, b"{}");
    bench.store.commit(both).await.unwrap();
    bench.back_up().await;
    let (to, restored) = bench.restore(Point::Sequence { workspace: "w".into(), sequence: 2 });
    assert_eq!(restored.unwrap().heads, [("v".into(), 0), ("w".into(), 1)]);
    assert_eq!(dump_of(&to, &KEYS).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_made_after_the_base_is_restored() {
    let bench = Bench::new().await;
    bench.back_up().await;
    bench.store.create_workspace(workspace("new")).await.unwrap();
    bench.store.commit(create("new", "a")).await.unwrap();
    bench.back_up().await;
    let expected = dump(&bench.store, &KEYS).await;
    let (to, restored) = bench.restore(Point::Latest);
    assert_eq!(restored.unwrap().changes, 2);
    assert_eq!(dump_of(&to, &KEYS).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_store_goes_on_and_its_next_backup_begins_with_a_base() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.create_at("b", 2).await;
    bench.back_up().await;
    let (to, restored) = bench.restore(Point::Sequence { workspace: "w".into(), sequence: 1 });
    restored.unwrap();
    bench.store.close().await;
    let store = open(&to);
    bench.now_ms.store(AT_MS + 10_000, Ordering::Relaxed);
    store.commit(decided_at(create("w", "c"), AT_MS + 9_000)).await.unwrap();
    let run = store.back_up(bench.order(TakeBase::WhenNeeded)).await.unwrap();
    assert!(run.base.is_some());
    assert_eq!(run.bases, 2);
    let expected = dump(&store, &KEYS).await;
    let (to, restored) = bench.restore(Point::Latest);
    restored.unwrap();
    assert_eq!(dump_of(&to, &KEYS).await, expected);
    // The line that was left is still there, up to where it went.
    let (to, restored) = bench.restore(Point::Time(AT_MS + 2_000));
    restored.unwrap();
    assert!(dump_of(&to, &KEYS).await.contains_key("w b"));
    let (_, refused) = bench.restore(Point::Time(AT_MS + 5_000));
    assert!(matches!(refused, Err(BackupError::Refused(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn old_bases_go_with_what_only_they_need() {
    let bench = Bench::new().await;
    for (second, id) in [(1, "a"), (2, "b"), (3, "c")] {
        bench.create_at(id, second).await;
        let order = BackUp { bases_kept: NonZeroUsize::new(2), ..bench.order(TakeBase::Now) };
        bench.store.back_up(order).await.unwrap();
    }
    let described = describe(&bench.path("backup")).unwrap().unwrap();
    assert_eq!(described.bases_ms, [AT_MS + 2000, AT_MS + 3000]);
    let (_, refused) = bench.restore(Point::Time(AT_MS + 1500));
    assert!(matches!(refused, Err(BackupError::Refused(_))));
    for second in [2, 3] {
        let (to, restored) = bench.restore(Point::Time(AT_MS + second * 1000));
        restored.unwrap();
        assert_eq!(dump_of(&to, &KEYS).await.contains_key("w c"), second == 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_or_missing_byte_of_a_backup_is_noticed_before_anything_is_written() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.create_at("b", 2).await;
    bench.back_up().await;
    let files: Vec<PathBuf> = fs::read_dir(bench.path("backup"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap() != "lock")
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for path in files {
        let whole = fs::read(&path).unwrap();
        let places = (0..whole.len()).filter(|place| {
            // Every byte of head and tail, some of the long middle.
            *place < 600 || whole.len() - place < 600 || place % 4093 == 0
        });
        for place in places {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            fs::write(&path, damaged).unwrap();
            refused_naming(&bench, &path, &format!("flipped at {place}"));
        }
        for length in [0, 1, 7, 8, 11, 12, 100, whole.len() / 2, whole.len() - 32, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            refused_naming(&bench, &path, &format!("cut at {length}"));
        }
        fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
        refused_naming(&bench, &path, "a byte too many");
        fs::remove_file(&path).unwrap();
        refused_naming(&bench, &path, "missing");
        fs::write(&path, whole).unwrap();
    }
    bench.restore(Point::Latest).1.unwrap();
}

fn refused_naming(bench: &Bench, path: &Path, what: &str) {
    let (to, refused) = bench.restore(Point::Latest);
    match refused {
        Err(BackupError::File { path: named, .. }) => assert_eq!(named, path, "{what}"),
        other => panic!("{what} of {}: {other:?}", path.display()),
    }
    assert!(!to.exists(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_backup_is_refused() {
    let (bench, other) = (Bench::new().await, Bench::new().await);
    other.runs.store(50, Ordering::Relaxed);
    for bench in [&bench, &other] {
        bench.create_at("a", 1).await;
        bench.back_up().await;
    }
    let base = |bench: &Bench| {
        let names = fs::read_dir(bench.path("backup")).unwrap().map(|entry| entry.unwrap().path());
        names.into_iter().find(|path| path.to_string_lossy().contains("base-")).unwrap()
    };
    fs::copy(base(&other), base(&bench)).unwrap();
    let (_, refused) = bench.restore(Point::Latest);
    assert!(refused.unwrap_err().to_string().contains("another installation"));
    let order = BackUp { to: bench.path("backup"), ..other.order(TakeBase::WhenNeeded) };
    let refused = other.store.back_up(order).await.unwrap_err();
    assert!(refused.to_string().contains("another installation"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_that_are_not_fit_are_refused() {
    let bench = Bench::new().await;
    for to in ["data", "data/backup"] {
        let order = BackUp { to: bench.path(to), ..bench.order(TakeBase::WhenNeeded) };
        let refused = bench.store.back_up(order).await.unwrap_err();
        assert!(refused.to_string().contains("data directory"), "{refused}");
    }
    fs::create_dir(bench.path("backup")).unwrap();
    fs::write(bench.path("backup").join("letter"), "mine").unwrap();
    let refused = bench.store.back_up(bench.order(TakeBase::WhenNeeded)).await.unwrap_err();
    assert!(refused.to_string().contains("letter"), "{refused}");
    fs::remove_file(bench.path("backup").join("letter")).unwrap();
    bench.back_up().await;
    let to = bench.path("full");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("letter"), "mine").unwrap();
    let order = Restore { from: bench.path("backup"), to, point: Point::Latest };
    assert!(restore(&order).unwrap_err().to_string().contains("not empty"));
    let order = Restore { from: bench.path("none"), to: bench.path("new"), point: Point::Latest };
    assert!(restore(&order).unwrap_err().to_string().contains("no backup here"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_broken_off_leaves_a_directory_that_no_store_opens() {
    let bench = Bench::new().await;
    bench.back_up().await;
    let (to, restored) = bench.restore(Point::Latest);
    restored.unwrap();
    fs::write(to.join("restore-unfinished"), "").unwrap();
    let refused = Store::open(Options::new(to)).unwrap_err();
    assert!(matches!(refused, StoreError::Unfinished { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_run_left_behind_is_cleaned_up() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    let manifest = fs::read(bench.path("backup").join("manifest.json")).unwrap();
    bench.create_at("b", 2).await;
    bench.back_up().await;
    // As if the run had ended after its increment and before its manifest.
    fs::write(bench.path("backup").join("manifest.json"), manifest).unwrap();
    fs::write(bench.path("backup").join("copy.unfinished"), "half").unwrap();
    let run = bench.back_up().await;
    assert!(run.base.is_some(), "the store had been told that the backup went further");
    assert!(!bench.path("backup").join("copy.unfinished").exists());
    let expected = dump(&bench.store, &KEYS).await;
    let (to, restored) = bench.restore(Point::Latest);
    restored.unwrap();
    assert_eq!(dump_of(&to, &KEYS).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_survives_restarts_of_the_store() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.create_at("b", 2).await;
    bench.store.close().await;
    let store = open(&bench.path("data"));
    store.commit(decided_at(create("w", "c"), AT_MS + 3000)).await.unwrap();
    let run = store.back_up(bench.order(TakeBase::WhenNeeded)).await.unwrap();
    assert_eq!((run.base, run.changes), (None, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_put_back_by_hand_begins_a_new_series() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.store.close().await;
    let (data, copy) = (bench.path("data/casement.db"), bench.path("copy.db"));
    fs::copy(&data, &copy).unwrap();
    for (seconds, ids) in [(2, ["b", "c"]), (5, ["d", "e"])] {
        let store = open(&bench.path("data"));
        for id in ids {
            store.commit(decided_at(create("w", id), AT_MS + seconds * 1000)).await.unwrap();
        }
        bench.now_ms.store(AT_MS + seconds * 1000, Ordering::Relaxed);
        let run = store.back_up(bench.order(TakeBase::WhenNeeded)).await.unwrap();
        assert_eq!(run.base.is_some(), seconds == 5);
        store.close().await;
        fs::copy(&copy, &data).unwrap();
    }
    let (to, restored) = bench.restore(Point::Latest);
    restored.unwrap();
    let dump = dump_of(&to, &KEYS).await;
    assert!(dump.contains_key("w e") && !dump.contains_key("w c"));
}

/// Counts how often a text stands in the files of a directory.
fn mentions(directory: &Path, text: &str) -> usize {
    let files = fs::read_dir(directory).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.map(|bytes| bytes.windows(text.len()).filter(|found| *found == text.as_bytes()).count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_not_in_what_is_restored_to_a_moment_after_it() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.store.commit(update("w", "a", 1, &b"secret ".repeat(5_000))).await.unwrap();
    bench.back_up().await;
    bench.store.commit(update("w", "a", 2, b"secret")).await.unwrap();
    bench.create_at("b", 2).await;
    bench.back_up().await;
    bench.store.commit(update("w", "a", 3, &b"secret ".repeat(6_000))).await.unwrap();
    bench.store.commit(decided_at(purging("a", 4, u64::MAX), AT_MS + 3000)).await.unwrap();
    bench.create_at("c", 4).await;
    bench.back_up().await;
    let expected = dump(&bench.store, &KEYS).await;
    for point in [Point::Latest, Point::Time(AT_MS + 4000)] {
        let (to, restored) = bench.restore(point);
        restored.unwrap();
        assert_eq!(dump_of(&to, &KEYS).await, expected);
        assert_eq!(mentions(&to, "secret"), 0);
    }
    // What a backup took before has it until its bases go.
    let (to, restored) = bench.restore(Point::Time(AT_MS + 2000));
    restored.unwrap();
    assert!(mentions(&to, "secret") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_restored_to_before_an_erasure_tells_what_it_lacks() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.create_at("b", 2).await;
    bench.store.commit(decided_at(update("w", "a", 1, b"said"), AT_MS + 2000)).await.unwrap();
    bench.store.commit(decided_at(update("w", "b", 1, b"said"), AT_MS + 2000)).await.unwrap();
    bench.store.commit(decided_at(purging("a", 2, u64::MAX), AT_MS + 3000)).await.unwrap();
    bench.store.commit(decided_at(purging("b", 2, u64::MAX), AT_MS + 3000)).await.unwrap();
    // The events of before the erasures are taken only now, without what they said.
    bench.back_up().await;
    let (to, restored) = bench.restore(Point::Time(AT_MS + 2000));
    assert_eq!(restored.unwrap().heads, [("v".into(), 0), ("w".into(), 6)]);
    let store = open(&to);
    let report = store.verify("w").await.unwrap();
    assert_eq!((report.events, report.erased, report.fault), (6, 4, None));
    let last = store.events("w", 4, 9).await.unwrap();
    let told: Vec<_> = last.iter().map(|event| (event.document.as_str(), event.actor.as_str())).collect();
    assert_eq!(told, [("a", "restore"), ("b", "restore")]);
    // The documents are as they were, and the log goes on.
    let found = store.document("w", "case", "b").await.unwrap().unwrap();
    assert_eq!((found.version, found.body.as_slice()), (2, b"said".as_slice()));
    store.commit(update("w", "b", 2, b"more")).await.unwrap();
    assert_eq!(store.verify("w").await.unwrap().fault, None);
    // To after the first erasure: the second is told in place of the one that was left out.
    let (to, restored) = bench.restore(Point::Sequence { workspace: "w".into(), sequence: 5 });
    restored.unwrap();
    let store = open(&to);
    assert_eq!(store.verify("w").await.unwrap().fault, None);
    assert_eq!(store.events("w", 5, 9).await.unwrap().len(), 1);
}
