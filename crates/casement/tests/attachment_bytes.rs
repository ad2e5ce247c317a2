//! The bytes of attachments beside the documents: sweeps, connections that are cut, restarts, backups, the doctor.

use std::fs::{self, File};
use std::net::Shutdown;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use casement_api::server::{ServerOptions, serve};
use casement_app::attachment::backup::Copied;
use casement_app::attachment::sweep::{Swept, sweep};
use casement_app::backup::{BackupTarget, BaseRule, follow};
use casement_store::backup::description::describe;
use casement_store::blobs::{BlobKey, Blobs};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::attachments::{added, call, content, files, id, path};
use crate::harness::bucket::{Bucket, NAME};
use crate::harness::client::Client;
use crate::harness::http::Connection;
use crate::harness::program::{Program, casement, succeeded, text};
use crate::harness::server::{DAY_MS, HOUR_MS, START_MS, STREAM, Server};
use crate::harness::token;

/// Sets when a file was written.
fn written_at(path: &Path, ms: i64) {
    let at = UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs());
    File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

/// Where the bytes of an attachment are.
fn bytes_of(root: &Path, attachment: &Value) -> PathBuf {
    let name = id(attachment);
    root.join(STREAM).join(&name[name.len() - 2..]).join(name)
}

#[tokio::test]
async fn the_sweep_removes_what_nothing_names_and_what_was_deleted_a_day_ago() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let kept = added(&server, &case, "kept", b"kept").await;
    let deleted = added(&server, &case, "deleted", b"deleted").await;
    call(&server, "DELETE", &path(&deleted)).send().await.document();
    let root = server.bytes_directory();
    let folder = bytes_of(&root, &kept).parent().unwrap().to_path_buf();
    let (orphan, half, foreign) = (
        bytes_of(&root, &json!({"_id": "at-0000-ab"})),
        folder.join("at-half-01#1"),
        root.join("st-other/ab/at-0000-ab"),
    );
    for path in [&orphan, &foreign] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
    }
    for path in [&orphan, &half, &foreign] {
        fs::write(path, b"bytes").unwrap();
        written_at(path, START_MS);
    }
    written_at(&bytes_of(&root, &kept), START_MS - 300 * DAY_MS);
    let expect = |kept, kept_bytes, removed| Swept { kept, kept_bytes, removed };
    assert_eq!(sweep(&server.app).await.unwrap(), expect(3, 16, 0), "all of it is young");
    server.advance(HOUR_MS + 1);
    assert_eq!(sweep(&server.app).await.unwrap(), expect(3, 16, 1));
    assert!(!half.exists());
    server.advance(DAY_MS);
    assert_eq!(sweep(&server.app).await.unwrap(), expect(1, 4, 2));
    assert!(!orphan.exists() && !bytes_of(&root, &deleted).exists());
    assert!(foreign.exists(), "another installation may have its bytes beside ours");
    assert_eq!(content(&server, &kept).await.bytes.as_ref(), b"kept");
    call(&server, "GET", &path(&deleted)).send().await.document();
}

#[tokio::test]
async fn bytes_are_there_after_a_restart() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", &[7; 3_000_000]).await;
    let server = server.restarted().await;
    let got = content(&server, &attachment).await;
    assert_eq!((got.status, got.bytes.len()), (200, 3_000_000));
}

#[tokio::test]
async fn bytes_that_are_gone_are_a_failure_of_ours() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    fs::remove_file(bytes_of(&server.bytes_directory(), &attachment)).unwrap();
    content(&server, &attachment).await.refused(500);
}

#[tokio::test]
async fn bytes_lie_in_a_bucket_as_they_do_in_a_directory() {
    let bucket = Bucket::default();
    let url = format!("s3://{NAME}/some/where");
    let blobs = Blobs::in_bucket(&url, &bucket.listening().await).unwrap();
    let server = Server::start_keeping(blobs).await;
    let case = server.create_case(json!({})).await;
    let large: Vec<u8> = (0..11_000_000_u32).map(|place| (place % 251) as u8).collect();
    let mut made = Vec::new();
    for (name, bytes) in [("large", large.as_slice()), ("small", b"small"), ("empty", b""), ("more", b"more")]
    {
        made.push(added(&server, &case, name, bytes).await);
    }
    assert!(content(&server, &made[0]).await.bytes == large);
    assert_eq!(content(&server, &made[1]).await.bytes.as_ref(), b"small");
    assert_eq!(content(&server, &made[2]).await.bytes.len(), 0);
    let part = call(&server, "GET", &format!("{}/content", path(&made[0])));
    let part = part.and_header("Range", "bytes=10000000-10000009").send().await;
    assert_eq!((part.status, part.bytes.as_ref()), (206, &large[10_000_000..10_000_010]));
    let keys = bucket.keys();
    assert!(
        keys.len() == 4 && keys.iter().all(|key| key.starts_with(&format!("some/where/{STREAM}/"))),
        "{keys:?}"
    );
    call(&server, "DELETE", &path(&made[0])).send().await.document();
    server.set_clock(START_MS + DAY_MS + HOUR_MS);
    let swept = sweep(&server.app).await.unwrap();
    assert_eq!(swept, Swept { kept: 3, kept_bytes: 9, removed: 1 });
    assert_eq!((bucket.keys().len(), bucket.uploads()), (3, (0, 0)));
}

#[tokio::test]
async fn an_upload_to_a_bucket_that_is_given_up_is_told_so() {
    let bucket = Bucket::default();
    let blobs = Blobs::in_bucket(&format!("s3://{NAME}"), &bucket.listening().await).unwrap();
    let mut writer = blobs.begin(&BlobKey::new("st-1", "at-00aa"));
    for _ in 0..12 {
        writer.write(Bytes::from(vec![7; 1024 * 1024])).await.unwrap();
    }
    drop(writer);
    let begun = Instant::now();
    while bucket.uploads() != (0, 1) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", bucket.uploads());
        tokio::task::yield_now().await;
    }
    assert!(bucket.keys().is_empty());
}

/// Waits until there are so many files of bytes.
async fn until_files(server: &Server, count: usize) {
    let begun = Instant::now();
    while files(server) != count {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} files, not {count}", files(server));
        tokio::task::yield_now().await;
    }
}

async fn listening(server: &Server) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, server.router.clone(), ServerOptions::default(), std::future::pending()));
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_leaves_no_bytes() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let address = listening(&server).await;
    let auth = token::of(&server.jwt, &json!({}));
    let head = format!(
        "POST /api/v1/streams/{STREAM}/cases/{}/attachments?name=a HTTP/1.1\r\nHost: localhost\r\nauth: {auth}\r\nContent-Length: 9000000\r\n\r\n",
        id(&case)
    );
    for ends in [Shutdown::Write, Shutdown::Both] {
        let mut connection = Connection::open(address);
        connection.send(&head);
        connection.send(&"x".repeat(4_000_000));
        until_files(&server, 1).await;
        connection.end(ends);
        if ends == Shutdown::Write {
            assert_eq!(connection.head().status, 400, "the length is not that of the bytes");
        }
        until_files(&server, 0).await;
    }
    assert_eq!(server.events_of(id(&case)).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upload_is_answered_before_its_bytes_have_come() {
    let server = Server::start().await;
    let address = listening(&server).await;
    let auth = token::of(&server.jwt, &json!({}));
    for (case, length, status) in [("ci-none", 10, 404), ("ci-none", 60 * 1024 * 1024, 413)] {
        let mut connection = Connection::open(address);
        connection.send(&format!(
            "POST /api/v1/streams/{STREAM}/cases/{case}/attachments?name=a HTTP/1.1\r\nHost: localhost\r\nauth: {auth}\r\nContent-Length: {length}\r\n\r\n"
        ));
        assert_eq!(connection.head().status, status);
    }
}

#[tokio::test]
async fn nodes_that_share_a_directory_see_each_others_files() {
    let server = Server::start_on_server().await;
    let other = server.another_node().await;
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    assert_eq!(content(&other, &attachment).await.bytes.as_ref(), b"hello");
    let second = added(&other, &case, "b", b"world").await;
    assert_eq!(content(&server, &second).await.bytes.as_ref(), b"world");
    call(&other, "DELETE", &path(&attachment)).send().await.document();
    content(&server, &attachment).await.refused(404);
}

#[tokio::test]
async fn a_backup_lets_go_of_what_was_deleted_before_its_oldest_base() {
    let server = Server::start_embedded().await;
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("backup");
    let case = server.create_case(json!({})).await;
    let kept = added(&server, &case, "kept", b"kept").await;
    let gone = added(&server, &case, "gone", b"gone").await;
    let target = BackupTarget { to: to.clone(), bases_kept: NonZeroUsize::new(1) };
    let run = || server.app.back_up(&target, BaseRule::Now);
    let copied = |added, removed| Copied { added, missing: 0, removed };
    assert_eq!(run().await.unwrap().attachments, copied(2, 0));
    let bytes = to.join("attachments");
    server.advance(HOUR_MS);
    assert_eq!(run().await.unwrap().attachments, copied(0, 0));
    call(&server, "DELETE", &path(&gone)).send().await.document();
    assert!(bytes_of(&bytes, &gone).exists(), "the base before the deletion names it");
    server.advance(HOUR_MS);
    assert_eq!(run().await.unwrap().attachments, copied(0, 1));
    assert!(bytes_of(&bytes, &kept).exists() && !bytes_of(&bytes, &gone).exists());
    // What is missing where it is served from does not keep the rest from being backed up.
    let lost = added(&server, &case, "lost", b"lost").await;
    fs::remove_file(bytes_of(&server.bytes_directory(), &lost)).unwrap();
    let further = added(&server, &case, "further", b"further").await;
    let done = server.app.back_up(&target, BaseRule::WhenNeeded).await.unwrap();
    assert_eq!(done.attachments, Copied { added: 1, missing: 1, removed: 0 });
    assert!(bytes_of(&bytes, &further).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_take_long_do_not_keep_the_database_from_being_backed_up() {
    let bucket = Bucket::default();
    let blobs = Blobs::in_bucket(&format!("s3://{NAME}"), &bucket.listening().await).unwrap();
    let server = Server::start_embedded_keeping(blobs).await;
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("backup");
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    bucket.fall_silent();
    let target = BackupTarget { to: to.clone(), bases_kept: None };
    let following = tokio::spawn(follow(std::sync::Arc::clone(&server.app), target));
    let begun = Instant::now();
    while bucket.unanswered() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the bytes are never asked for");
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        server.advance(HOUR_MS);
        server.create_case(json!({})).await;
        while describe(&to).unwrap().is_none_or(|backup| backup.until_ms < server.now_ms()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the backup waits for bytes");
            tokio::task::yield_now().await;
        }
    }
    assert!(!bytes_of(&to.join("attachments"), &attachment).exists(), "they are still waited for");
    following.abort();
}

#[tokio::test]
async fn an_end_that_nobody_waits_for_leaves_no_blob_and_no_parts() {
    let bucket = Bucket::default();
    let blobs = Blobs::in_bucket(&format!("s3://{NAME}"), &bucket.listening().await).unwrap();
    for (mebibytes, was_cut) in [(12, true), (1, true), (12, false)] {
        let key = BlobKey::new("st-1", format!("at-{mebibytes}-aa"));
        let mut writer = blobs.begin(&key);
        for _ in 0..mebibytes {
            writer.write(Bytes::from(vec![7; 1024 * 1024])).await.unwrap();
        }
        let mut ending = Box::pin(writer.finish());
        if !was_cut {
            ending.await.unwrap();
            assert_eq!(bucket.keys().len(), 1);
            continue;
        }
        std::future::poll_fn(|context| {
            assert!(ending.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(ending);
        let begun = Instant::now();
        // Seen ended by what it leaves behind last: the removal.
        while bucket.removals() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", bucket.keys());
            tokio::task::yield_now().await;
        }
        bucket.forget_removals();
        assert_eq!((bucket.keys().len(), bucket.uploads()), (0, (0, 0)));
    }
}

#[tokio::test]
async fn a_backup_of_bytes_goes_on_where_it_was_broken_off() {
    let server = Server::start_embedded().await;
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("backup");
    let case = server.create_case(json!({})).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        made.push(added(&server, &case, name, name.as_bytes()).await);
    }
    let target = BackupTarget { to: to.clone(), bases_kept: None };
    let run = || server.app.back_up(&target, BaseRule::WhenNeeded);
    assert_eq!(run().await.unwrap().attachments, Copied { added: 3, missing: 0, removed: 0 });
    let progress =
        || -> Value { serde_json::from_slice(&fs::read(to.join("attachments.json")).unwrap()).unwrap() };
    let done = progress();
    let head = server.store.workspace(STREAM).await.unwrap().unwrap().head;
    assert_eq!(done, json!({"workspaces": {STREAM: head}}));
    // As it is when a walk ended behind the first, and the last came meanwhile.
    for attachment in &made {
        fs::remove_file(bytes_of(&to.join("attachments"), attachment)).unwrap();
    }
    let broken = json!({"workspaces": {STREAM: head - 1}, "walks": {STREAM: id(&made[0])}});
    fs::write(to.join("attachments.json"), broken.to_string()).unwrap();
    assert_eq!(run().await.unwrap().attachments, Copied { added: 2, missing: 0, removed: 0 });
    assert!(
        !bytes_of(&to.join("attachments"), &made[0]).exists(),
        "what the walk had seen is not looked at again"
    );
    assert_eq!(progress(), done);
    // Another history has another log: everything is looked at.
    fs::write(to.join("attachments.json"), json!({"workspaces": {STREAM: head + 7}}).to_string()).unwrap();
    assert_eq!(run().await.unwrap().attachments, Copied { added: 1, missing: 0, removed: 0 });
}

fn upload(client: &Client, address: &str, case: &Value, name: &str, bytes: &str) -> Value {
    client.send(address, "POST", &format!("cases/{}/attachments?name={name}", id(case)), bytes)
}

fn content_of(client: &Client, address: &str, attachment: &Value) -> (u16, usize) {
    let (head, length) = client.sent(address, "GET", &format!("{}/content", path(attachment)), "").bytes();
    (head.status, length)
}

fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeded(arguments)).unwrap()
}

/// What the doctor says of attachments.
fn finding(data: &Path, further: &[&str]) -> Value {
    let arguments = [&["doctor", "--data-dir", text(data), "--json"], further].concat();
    let output = casement(&arguments).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == "attachments").unwrap().clone()
}

#[test]
fn a_backup_holds_the_bytes_and_a_restore_puts_them_back() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    let client = Client::new(&data);
    let backup = ["backup", "--data-dir", text(&data), "--to", text(&to), "--json"];
    let mut program = Program::serve(&data);
    let address = program.address();
    let case = client.create(&address, "One");
    let first = upload(&client, &address, &case, "first", &"a".repeat(2_500_000));
    assert_eq!(json_of(&backup)["attachments"], 1);
    let second = upload(&client, &address, &case, "second", "second");
    let gone = upload(&client, &address, &case, "gone", "gone");
    assert_eq!(json_of(&backup)["attachments"], 2);
    client.send(&address, "DELETE", &path(&gone), "");
    let idle = json_of(&backup);
    assert_eq!((&idle["attachments"], &idle["attachmentsMissing"]), (&json!(0), &json!(0)));
    assert!(program.stop());

    let copy = directory.path().join("copy");
    let restored = json_of(&["restore", "--from", text(&to), "--data-dir", text(&copy), "--json"]);
    assert_eq!((&restored["attachments"], &restored["attachmentsMissing"]), (&json!(2), &json!([])));
    fs::copy(data.join("secrets.key"), copy.join("secrets.key")).unwrap();
    let mut program = Program::serve(&copy);
    let address = program.address();
    upload(&client, &address, &case, "third", "third");
    assert_eq!(content_of(&client, &address, &first), (200, 2_500_000));
    assert_eq!(content_of(&client, &address, &second), (200, 6));
    assert_eq!(content_of(&client, &address, &gone).0, 404);
    assert!(program.stop());
    let sound = finding(&copy, &["--full"]);
    assert_eq!(sound["level"], "ok", "{sound}");
    assert!(sound["message"].as_str().unwrap().starts_with("3 attachments with 2500011 bytes"), "{sound}");

    // Bytes that were changed where they lie are found, and a restore does not take them.
    let damaged = bytes_of(&to.join("attachments"), &first);
    fs::write(&damaged, "b".repeat(2_500_000)).unwrap();
    let other = directory.path().join("other");
    fs::remove_file(bytes_of(&to.join("attachments"), &second)).unwrap();
    let restore = ["restore", "--from", text(&to), "--data-dir", text(&other), "--json"];
    let output = casement(&restore).output().unwrap();
    let restored: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(restored["attachmentsDamaged"], json!([format!("{STREAM}/{}", id(&first))]));
    assert_eq!(restored["attachmentsMissing"], json!([format!("{STREAM}/{}", id(&second))]));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the bytes of 2 attachments"), "{output:?}");
    let missing = finding(&other, &[]);
    assert_eq!(missing["level"], "error", "{missing}");
    fs::write(bytes_of(&copy.join("attachments"), &second), "SECOND").unwrap();
    assert_eq!(finding(&copy, &[])["level"], "ok", "the size is right");
    assert_eq!(finding(&copy, &["--full"])["level"], "error", "the hash is not");
}

#[test]
fn what_a_killed_server_left_unfinished_is_removed_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let client = Client::new(&data);
    let half = data.join("attachments").join(STREAM).join("ab").join("at-0000-ab#1");
    let orphan = half.with_file_name("at-0000-ab");
    fs::create_dir_all(half.parent().unwrap()).unwrap();
    for path in [&half, &orphan] {
        fs::write(path, b"half").unwrap();
        // The beginning of the year 2000: long ago by any clock.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
        File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let mut program = Program::serve(&data);
    let address = program.address();
    let case = client.create(&address, "One");
    upload(&client, &address, &case, "a", "hello");
    let begun = Instant::now();
    while half.exists() || orphan.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::yield_now();
    }
    assert!(program.stop());
    assert_eq!(finding(&data, &[])["level"], "ok");
}
