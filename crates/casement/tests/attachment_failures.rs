//! Attachments when something fails halfway: a store that takes no writes, a bucket that refuses, a sweep beside uploads.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use casement_app::attachment::sweep::{Swept, sweep};
use casement_store::blobs::Blobs;
use serde_json::{Value, json};

use crate::attachments::{added, call, content, files, id, listed, path, upload, upload_around, used};
use crate::harness::bucket::{Bucket, NAME};
use crate::harness::server::{DAY_MS, HOUR_MS, START_MS, Server};

/// Fills the store until it takes no writes.
async fn filled(server: &Server) {
    server.store.set_database_pages_max(Some(1));
    let body = server.case_body(json!({"desc": "x".repeat(60_000)}));
    for made in 0.. {
        assert!(made < 1000, "the quota does not bite");
        if server.post("createCase", body.clone()).await.status == 503 {
            return;
        }
    }
}

/// Makes room again, and waits until the store has noticed.
async fn emptied(server: &Server) {
    server.store.set_database_pages_max(None);
    let begun = Instant::now();
    while server.post("createCase", server.case_body(json!({}))).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "there is room again");
        tokio::task::yield_now().await;
    }
}

/// The files that are being written.
fn unfinished(server: &Server) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![server.bytes_directory()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap().to_string_lossy().contains('#') {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn a_deletion_that_is_not_committed_leaves_the_file_and_the_room_as_they_were() {
    let server = Server::start_embedded().await;
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    filled(&server).await;
    let delete = || call(&server, "DELETE", &path(&attachment)).and_header("Idempotency-Key", "k");
    delete().refused(503).await;
    assert_eq!(content(&server, &attachment).await.bytes.as_ref(), b"hello");
    assert_eq!(used(&server).await, (1, 5));
    server.advance(2 * DAY_MS);
    assert_eq!(
        sweep(&server.app).await.unwrap(),
        Swept::default(),
        "a store that takes no writes is not swept"
    );
    emptied(&server).await;
    assert_eq!(listed(&server, &case, "").await["results"], json!([attachment]));
    assert_eq!(delete().send().await.document()["isDeleted"], true, "the refusal was not kept under the key");
    assert_eq!(used(&server).await, (0, 0));
}

#[tokio::test]
async fn an_upload_that_is_not_committed_takes_no_room_and_its_bytes_go() {
    let server = Server::start_embedded().await;
    let case = server.create_case(json!({})).await;
    let (refused, ()) = upload_around(&server, &case, filled(&server)).await;
    refused.refused(503);
    upload(&server, &case, "b", b"x").refused(503).await;
    emptied(&server).await;
    assert!(
        server
            .store
            .document(crate::harness::server::STREAM, "usage", "attachments")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(listed(&server, &case, "").await["results"], json!([]));
    // Whoever can't tell whether a set was committed leaves its bytes to the sweep.
    for path in below(&server) {
        written_at(&path, START_MS);
    }
    server.advance(DAY_MS + HOUR_MS);
    sweep(&server.app).await.unwrap();
    assert_eq!(files(&server), 0);
    added(&server, &case, "early", b"xxx").await;
    assert_eq!(used(&server).await, (1, 3));
}

fn below(server: &Server) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![server.bytes_directory()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

fn written_at(path: &PathBuf, ms: i64) {
    let at = UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs());
    File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

#[tokio::test]
async fn a_sweep_beside_an_upload_of_the_same_bytes_takes_neither_from_the_other() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let part = Bytes::from(vec![7; 1_500_000]);
    let whole = [part.clone(), part.clone(), part.clone()].concat();
    let gone = added(&server, &case, "gone", &whole).await;
    let kept = added(&server, &case, "kept", &whole).await;
    call(&server, "DELETE", &path(&gone)).send().await.document();
    server.advance(DAY_MS + HOUR_MS);
    let (mut sender, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(1);
    let upload = upload(&server, &case, "new", b"").without("Content-Length").body(Body::new(body)).send();
    let rest = async {
        for _ in 0..3 {
            sender.send_data(part.clone()).await.unwrap();
        }
        let begun = Instant::now();
        // All whole parts, so that nothing is written any more until the upload ends. By their room on the disk: a later part may
        // be written before an earlier one, which leaves a hole.
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |found| found.blocks() * 512);
        while unfinished(&server).iter().map(size).sum::<u64>() < 4 * 1024 * 1024 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it is not written");
            tokio::task::yield_now().await;
        }
        for path in unfinished(&server) {
            written_at(&path, server.now_ms() - HOUR_MS / 2);
        }
        let swept = sweep(&server.app).await.unwrap();
        drop(sender);
        swept
    };
    let (new, swept) = tokio::join!(upload, rest);
    assert_eq!(swept, Swept { kept: 1, kept_bytes: 4_500_000, removed: 1 });
    let new = new.made();
    assert_eq!((&new["hash"], &new["size"]), (&kept["hash"], &json!(4_500_000)));
    for attachment in [&kept, &new] {
        assert!(content(&server, attachment).await.bytes == whole);
    }
    assert_eq!(used(&server).await, (2, 9_000_000));
}

async fn in_bucket() -> (Bucket, Server, Value) {
    let bucket = Bucket::default();
    let blobs = Blobs::in_bucket(&format!("s3://{NAME}"), &bucket.listening().await).unwrap();
    let server = Server::start_keeping(blobs).await;
    let case = server.create_case(json!({})).await;
    (bucket, server, case)
}

#[tokio::test]
async fn what_a_sweep_could_not_remove_the_next_one_removes() {
    let (bucket, server, case) = in_bucket().await;
    let gone = added(&server, &case, "gone", b"gone").await;
    let kept = added(&server, &case, "kept", b"kept").await;
    call(&server, "DELETE", &path(&gone)).send().await.document();
    server.set_clock(START_MS + DAY_MS + HOUR_MS);
    bucket.refuse(true);
    sweep(&server.app).await.unwrap_err();
    assert_eq!(bucket.keys().len(), 2);
    assert_eq!(content(&server, &kept).await.bytes.as_ref(), b"kept");
    content(&server, &gone).await.refused(404);
    bucket.refuse(false);
    assert_eq!(sweep(&server.app).await.unwrap(), Swept { kept: 1, kept_bytes: 4, removed: 1 });
    assert_eq!(bucket.keys().len(), 1);
}

#[tokio::test]
async fn a_file_that_was_overtaken_moves_within_the_bucket() {
    let (bucket, server, case) = in_bucket().await;
    let (early, late) = upload_around(&server, &case, added(&server, &case, "late", b"late")).await;
    let early = early.made();
    assert!(id(&early) > id(&late));
    assert_eq!(content(&server, &early).await.bytes.as_ref(), b"xxx");
    assert_eq!(bucket.keys().len(), 2, "{:?}", bucket.keys());
    assert!(bucket.keys().iter().any(|key| key.ends_with(id(&early))));
}

#[tokio::test]
async fn a_file_that_can_not_move_behind_the_one_that_overtook_it_is_not_added() {
    let (bucket, server, case) = in_bucket().await;
    let overtaking = async {
        added(&server, &case, "late", b"late").await;
        bucket.refuse_copies();
    };
    let (early, ()) = upload_around(&server, &case, overtaking).await;
    early.refused(503);
    assert_eq!(used(&server).await, (1, 4));
    let begun = Instant::now();
    while bucket.keys().len() > 1 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", bucket.keys());
        tokio::task::yield_now().await;
    }
}
