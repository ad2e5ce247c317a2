//! Backups of which something is gone or damaged: what a run does about it, what is told, what can still be restored.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use casement_store::backup::BackupError;
use casement_store::backup::examine::{Look, examine};
use casement_store::backup::restore::Point;
use casement_store::backup::run::{BackUp, TakeBase};
use casement_store::error::Health;

use super::{Bench, KEYS, dump, dump_of};
use crate::build::{AT_MS, update};

impl Bench {
    /// The files whose names begin so, in their order.
    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("backup")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix)).collect();
        files.sort();
        files
    }

    /// A base and three increments after it.
    async fn with_increments() -> Bench {
        let bench = Bench::new().await;
        bench.create_at("a", 1).await;
        bench.back_up().await;
        for version in 1..=3 {
            bench.store.commit(update("w", "a", version, &b"x".repeat(1_048_576))).await.unwrap();
            bench.back_up().await;
        }
        assert_eq!(bench.files("increment-").len(), 3);
        bench
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_which_a_file_is_gone_or_cut_begins_anew_and_names_it() {
    for (prefix, place, is_cut) in [
        ("base-", 0, false),
        ("base-", 0, true),
        ("increment-", 0, false),
        ("increment-", 1, false),
        ("increment-", 1, true),
    ] {
        let bench = Bench::with_increments().await;
        let whole = examine(&bench.path("backup"), Look::Contents).unwrap().unwrap();
        assert_eq!((whole.damages.len(), whole.files, whole.is_latest_whole), (0, 4, true));
        let path = bench.files(prefix)[place].clone();
        match is_cut {
            true => fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1_000).unwrap(),
            false => fs::remove_file(&path).unwrap(),
        }
        for look in [Look::Heads, Look::Contents] {
            let found = examine(&bench.path("backup"), look).unwrap().unwrap();
            assert!(!found.is_latest_whole && !found.bases[0].is_whole, "{found:?}");
            assert_eq!(found.damages.len(), 1, "{found:?}");
        }
        // Nothing was written meanwhile: it is noticed all the same.
        let run = bench.back_up().await;
        let reason = run.base.expect("the latest state would be lost").reason;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let before = place == 0 && prefix == "increment-";
        assert!(before || reason.contains(&name), "{reason}");
        assert_eq!(run.damages.len(), 1);
        let expected = dump(&bench.store, &KEYS).await;
        let (to, restored) = bench.restore(Point::Latest);
        restored.unwrap();
        assert_eq!(dump_of(&to, &KEYS).await, expected);
        // The next run goes on, and still says what can't be restored, until it is not promised any more.
        let next = bench.back_up().await;
        assert_eq!((next.base, next.damages), (None, run.damages));
        let order =
            BackUp { bases_kept: std::num::NonZeroUsize::new(1), ..bench.order(TakeBase::WhenNeeded) };
        bench.store.back_up(order).await.unwrap();
        assert_eq!(bench.back_up().await.damages, []);
        assert!(examine(&bench.path("backup"), Look::Contents).unwrap().unwrap().is_latest_whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_was_flipped_is_found_by_reading_everything() {
    let bench = Bench::with_increments().await;
    for path in [bench.files("base-").remove(0), bench.files("increment-").remove(1)] {
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(examine(&bench.path("backup"), Look::Heads).unwrap().unwrap().is_latest_whole);
        let found = examine(&bench.path("backup"), Look::Contents).unwrap().unwrap();
        assert_eq!((found.is_latest_whole, &found.damages[0].path), (false, &path));
        fs::write(&path, whole).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_base_is_passed_over_for_an_older_one_that_leads_to_the_same_state() {
    let bench = Bench::with_increments().await;
    bench.store.back_up(bench.order(TakeBase::Now)).await.unwrap();
    bench.create_at("b", 2).await;
    bench.back_up().await;
    let expected = dump(&bench.store, &KEYS).await;
    let newest = bench.files("base-").pop().unwrap();
    fs::write(&newest, "no base").unwrap();
    let (to, restored) = bench.restore(Point::Latest);
    let restored = restored.unwrap();
    assert_eq!(dump_of(&to, &KEYS).await, expected);
    assert_eq!(restored.damages.iter().map(|damage| &damage.path).collect::<Vec<_>>(), [&newest]);
    let found = examine(&bench.path("backup"), Look::Heads).unwrap().unwrap();
    assert_eq!(found.bases.iter().map(|base| base.is_whole).collect::<Vec<_>>(), [true, false]);
    assert!(found.is_latest_whole);
    // Another series ends at another state: none of its bases stands in for one that is lost.
    let taken = bench.back_up().await.base.expect("the newest base is damaged");
    fs::remove_file(taken.file).unwrap();
    assert!(matches!(bench.restore(Point::Latest).1, Err(BackupError::File { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_only_increment_is_named_by_its_own_name() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    bench.create_at("b", 2).await;
    bench.back_up().await;
    bench.store.back_up(bench.order(TakeBase::Now)).await.unwrap();
    bench.create_at("c", 3).await;
    bench.back_up().await;
    let increment = bench.files("increment-").remove(0);
    fs::remove_file(&increment).unwrap();
    match bench.restore(Point::Latest).1 {
        Err(BackupError::File { path, .. }) => assert_eq!(path, increment),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_there_and_is_gone_is_begun_anew_only_when_it_is_asked_for() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    fs::rename(bench.path("backup"), bench.path("unmounted")).unwrap();
    let refused = |refused: Result<_, BackupError>| {
        let said = match refused {
            Err(BackupError::Refused(said)) => said,
            other => panic!("{other:?}"),
        };
        assert!(said.contains("mounted") && said.contains("--base"), "{said}");
    };
    refused(bench.store.back_up(bench.order(TakeBase::OlderThan(1))).await);
    assert!(!bench.path("backup").exists());
    fs::create_dir_all(bench.path("backup/lost+found")).unwrap();
    refused(bench.store.back_up(bench.order(TakeBase::WhenNeeded)).await);
    // Also where the store has given it up meanwhile, for whoever knows that it was there.
    bench.store.forget_backup(bench.path("backup").canonicalize().unwrap().to_str().unwrap()).await.unwrap();
    let continued = BackUp { is_continued: true, ..bench.order(TakeBase::WhenNeeded) };
    refused(bench.store.back_up(continued).await);
    assert!(bench.store.back_up(bench.order(TakeBase::Now)).await.unwrap().base.is_some());
    assert!(bench.back_up().await.base.is_none());
    // A first run that was broken off is no backup that is gone.
    fs::remove_file(bench.path("backup/manifest.json")).unwrap();
    assert!(bench.back_up().await.base.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn bases_between_which_nothing_was_written_have_a_file_each() {
    let bench = Bench::new().await;
    bench.create_at("a", 1).await;
    bench.back_up().await;
    for seconds in [2, 3] {
        bench.now_ms.store(AT_MS + seconds * 1000, Ordering::Relaxed);
        bench.store.back_up(bench.order(TakeBase::Now)).await.unwrap();
    }
    let found = examine(&bench.path("backup"), Look::Contents).unwrap().unwrap();
    assert_eq!((found.bases.len(), found.damages), (3, vec![]));
    for seconds in [1, 2, 3] {
        bench.restore(Point::Time(AT_MS + seconds * 1000)).1.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_is_copied_and_followed_once_it_has_room() {
    for is_known in [false, true] {
        let bench = Bench::new().await;
        bench.create_at("a", 1).await;
        if is_known {
            bench.back_up().await;
            fs::remove_file(bench.files("base-").remove(0)).unwrap();
        }
        bench.store.set_database_pages_max(Some(1));
        let mut version = 1;
        while bench.store.health() == Health::Ready {
            // The last of them has no room.
            let _ = bench.store.commit(update("w", "a", version, &b"x".repeat(60_000))).await;
            version += 1;
            assert!(version < 1_000, "the quota does not bite");
        }
        // Each run that somebody asks for takes one; those that go on by themselves take one a day.
        for _ in 0..2 {
            let base = bench.back_up().await.base.expect("it can't be continued");
            assert!(base.reason.contains("full"), "{}", base.reason);
        }
        let refused = bench.store.back_up(bench.order(TakeBase::OlderThan(1_000))).await.unwrap_err();
        assert!(refused.to_string().contains("casement.db can't note"), "{refused}");
        let expected = dump(&bench.store, &KEYS).await;
        let (to, restored) = bench.restore(Point::Latest);
        restored.unwrap();
        assert_eq!(dump_of(&to, &KEYS).await, expected);
        bench.store.set_database_pages_max(None);
        let begun = Instant::now();
        while bench.store.health() != Health::Ready {
            assert!(begun.elapsed() < Duration::from_secs(20), "it has room again");
            tokio::task::yield_now().await;
        }
        assert!(bench.back_up().await.base.is_some());
        assert!(bench.back_up().await.base.is_none());
        // Another store without an identity does not take it for its own.
        let other = Bench::new().await;
        other.create_at("b", 1).await;
        let order = BackUp { to: bench.path("backup"), ..other.order(TakeBase::WhenNeeded) };
        assert!(other.store.back_up(order).await.unwrap_err().to_string().contains("another installation"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_its_manifest_is_left_alone() {
    let bench = Bench::with_increments().await;
    let manifest = bench.path("backup/manifest.json");
    let kept = fs::read(&manifest).unwrap();
    fs::remove_file(&manifest).unwrap();
    for base in [TakeBase::WhenNeeded, TakeBase::Now] {
        let refused = bench.store.back_up(bench.order(base)).await.unwrap_err();
        assert!(refused.to_string().contains("manifest.json is missing"), "{refused}");
    }
    fs::write(&manifest, kept).unwrap();
    assert_eq!(bench.back_up().await.base, None);
    bench.restore(Point::Latest).1.unwrap();
}
