//! A purge beside a running backup: what is restored is sound, and has of each set of the purge all or nothing.

use std::path::Path;

use casement_app::backup::{BackupTarget, BaseRule};
use casement_store::backup::restore::{Point, Restore, restore};
use casement_store::options::Options;
use casement_store::store::Store;

use crate::harness::server::{STREAM, Server};
use crate::purge_races::Contest;
use crate::purges::mentions;

/// Restores what a backup holds at a point; gives how many documents of a case are purged there.
async fn purged_at(from: &Path, point: Point, contest: &Contest) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("restored");
    restore(&Restore { from: from.to_path_buf(), to: to.clone(), point }).unwrap();
    let (store, _feed) = Store::open(Options::new(to.clone())).unwrap();
    assert_eq!(store.verify(STREAM).await.unwrap().fault, None);
    let purged = contest.purged_in(&store).await;
    store.close().await;
    let said = mentions(&to, &contest.word);
    assert_eq!(said.is_empty(), purged == contest.documents(), "{said:?}");
    purged
}

/// Purges a case while a backup runs that begins once so many documents are purged, and restores it at every point since.
async fn a_backup_beside_a_purge_is_sound(rule: BaseRule) {
    let server = Server::start_embedded().await;
    let folder = tempfile::tempdir().unwrap();
    let target = BackupTarget { to: folder.path().join("backup"), bases_kept: None };
    let back_up = async |rule| server.app.back_up(&target, rule).await.unwrap();
    for comments in [3, 60] {
        for taken in Contest::moments(comments) {
            let contest = Contest::begin(&server, comments).await;
            back_up(BaseRule::WhenNeeded).await;
            let before = server.events_total().await;
            let late = async {
                while contest.purged(&server).await < taken {
                    tokio::task::yield_now().await;
                }
                back_up(rule).await;
            };
            let (purge, ()) = tokio::join!(contest.purge(&server), late);
            assert_eq!(purge.status, 204);
            let so_far = purged_at(&target.to, Point::Latest, &contest).await;
            assert!(so_far >= taken, "{so_far}: what was purged before the backup began is purged in it");
            back_up(BaseRule::WhenNeeded).await;
            let after = server.events_total().await;
            // Each set has its events in a row: to an event within a set is to before the set.
            let mut seen = Vec::new();
            for sequence in (before..=after).step_by(if comments == 3 { 1 } else { 7 }).chain([after]) {
                let point = Point::Sequence { workspace: STREAM.to_owned(), sequence };
                seen.push(purged_at(&target.to, point, &contest).await);
            }
            assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&contest.documents())));
            assert!(seen.is_sorted(), "{seen:?}");
            seen.dedup();
            assert_eq!(seen.len() == 2, comments == 3, "a small case goes whole: {seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_increment_beside_a_purge_holds_all_or_nothing_of_a_set() {
    a_backup_beside_a_purge_is_sound(BaseRule::WhenNeeded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_beside_a_purge_holds_all_or_nothing_of_a_set() {
    a_backup_beside_a_purge_is_sound(BaseRule::Now).await;
}
