//! Attachments of cases through the router: adding, listing, getting, deleting, and what is refused.

use axum::body::{Body, Bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casement_app::attachment::upload::begin_upload;
use casement_app::jwt_app::Algorithm;
use casement_app::jwt_app::create::{NewJwtApp, create_jwt_app};
use casement_app::jwt_app::revoke::revoke_jwt_app;
use casement_app::limits::UPLOADS_OF_APP_MAX;
use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
use serde_json::{Value, json};

use crate::harness::answer::Answer;
use crate::harness::call::Call;
use crate::harness::server::{HOUR_MS, STREAM, Server};
use crate::harness::token;

/// The SHA-256 of "hello".
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

pub fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId").without("Content-Type")
}

pub fn id(document: &Value) -> &str {
    document["_id"].as_str().unwrap()
}

pub fn upload<'a>(server: &'a Server, case: &Value, name: &str, bytes: &[u8]) -> Call<'a> {
    let path = format!("cases/{}/attachments?name={name}", id(case));
    call(server, "POST", &path)
        .and_header("Content-Length", &bytes.len().to_string())
        .bytes(Bytes::copy_from_slice(bytes))
}

pub async fn added(server: &Server, case: &Value, name: &str, bytes: &[u8]) -> Value {
    upload(server, case, name, bytes).send().await.made()
}

pub fn path(attachment: &Value) -> String {
    format!("cases/{}/attachments/{}", attachment["caseId"].as_str().unwrap(), id(attachment))
}

pub async fn content(server: &Server, attachment: &Value) -> Answer {
    call(server, "GET", &format!("{}/content", path(attachment))).send().await
}

pub async fn listed(server: &Server, case: &Value, query: &str) -> Value {
    call(server, "GET", &format!("cases/{}/attachments{query}", id(case))).send().await.document()
}

/// The files below the directory of bytes.
pub fn files(server: &Server) -> usize {
    let mut count = 0;
    let mut folders = vec![server.bytes_directory()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                count += 1;
            }
        }
    }
    count
}

pub async fn used(server: &Server) -> (u64, u64) {
    let usage = server.store.document(STREAM, "usage", "attachments").await.unwrap().unwrap();
    let usage: Value = serde_json::from_slice(&usage.body).unwrap();
    (usage["attachments"].as_u64().unwrap(), usage["bytes"].as_u64().unwrap())
}

#[tokio::test]
async fn a_file_is_added_told_of_and_got_as_it_was_sent() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let answer = upload(&server, &case, "log%20file.txt", b"hello")
        .and_header("Content-Type", "text/plain; charset=utf-8")
        .send()
        .await;
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    let attachment = answer.made();
    insta::assert_json_snapshot!("attachment", attachment);
    assert_eq!((&attachment["hash"], &attachment["size"]), (&json!(HELLO), &json!(5)));
    let told = call(&server, "GET", &path(&attachment)).send().await.document();
    assert_eq!(told, attachment);
    let by_reference = format!("cases/CS000100/attachments/{}", id(&attachment));
    assert_eq!(call(&server, "GET", &by_reference).send().await.document(), attachment);
    let got = content(&server, &attachment).await;
    assert_eq!((got.status, got.bytes.as_ref()), (200, b"hello".as_slice()));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "5"),
        ("content-disposition", "attachment; filename=\"log file.txt\""),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    assert_eq!(got.header("etag"), Some(format!("\"{HELLO}\"").as_str()));
    let head = call(&server, "HEAD", &format!("{}/content", path(&attachment))).send().await;
    assert_eq!((head.status, head.header("content-length"), head.bytes.len()), (200, Some("5"), 0));
    assert_eq!(server.events_of(id(&attachment)).await[0].kind, "attachment.created");
    let unchanged = call(&server, "GET", "cases/CS000100").send().await;
    assert_eq!(unchanged.header("etag"), Some("\"v1\""), "the case is as it was");
}

#[tokio::test]
async fn a_file_has_any_size_from_none_to_many_parts() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for size in [0, 1, 1024 * 1024, 5 * 1024 * 1024 + 3] {
        let bytes: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
        let path = format!("cases/{}/attachments?name=a.bin", id(&case));
        let pieces = bytes.chunks(65_537).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)));
        let (mut sender, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(1024);
        for piece in pieces {
            sender.send_data(piece.unwrap()).await.unwrap();
        }
        drop(sender);
        let attachment = call(&server, "POST", &path).body(Body::new(body)).send().await.made();
        assert_eq!(attachment["size"], size);
        let got = content(&server, &attachment).await;
        assert_eq!(got.status, 200);
        assert!(got.bytes == bytes, "{size}");
    }
}

#[tokio::test]
async fn images_that_are_what_they_say_are_shown_in_place_and_nothing_else() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for (told, bytes, kind, shown) in [
        ("image/png", png.as_slice(), "inline", "image/png"),
        (
            "image/png",
            b"<html><script>alert(1)</script>".as_slice(),
            "attachment",
            "application/octet-stream",
        ),
        ("text/html", png.as_slice(), "attachment", "application/octet-stream"),
        ("image/svg+xml", b"<svg onload=alert(1)>".as_slice(), "attachment", "application/octet-stream"),
        ("text/javascript", b"alert(1)".as_slice(), "attachment", "application/octet-stream"),
        ("application/pdf", b"%PDF-1.7".as_slice(), "attachment", "application/pdf"),
    ] {
        let answer = upload(&server, &case, "x", bytes).and_header("Content-Type", told).send().await;
        let attachment = answer.made();
        assert_eq!((&attachment["type"], &attachment["isInline"]), (&json!(told), &json!(kind == "inline")));
        let got = content(&server, &attachment).await;
        assert_eq!(got.header("content-type"), Some(shown), "{told}");
        assert_eq!(got.header("content-disposition"), Some(format!("{kind}; filename=\"x\"").as_str()));
    }
}

#[tokio::test]
async fn hostile_names_are_made_safe_in_metadata_and_headers() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for (told, name, header) in [
        ("..%2F..%2Fetc%2Fpasswd", "_.._etc_passwd", "\"_.._etc_passwd\""),
        ("a%0D%0ASet-Cookie:%20x=1", "aSet-Cookie_ x=1", "\"aSet-Cookie_ x=1\""),
        ("photo%E2%80%AEgnp.exe", "photognp.exe", "\"photognp.exe\""),
        ("say%20%22hi%22.txt", "say \"hi\".txt", "\"say _hi_.txt\"; filename*=UTF-8''say%20%22hi%22.txt"),
        ("%C3%9Cbung.txt", "Übung.txt", "\"_bung.txt\"; filename*=UTF-8''%C3%9Cbung.txt"),
        ("100%25.txt", "100%.txt", "\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("...", "attachment", "\"attachment\""),
    ] {
        let attachment = added(&server, &case, told, b"x").await;
        assert_eq!(attachment["name"], name, "{told}");
        let got = content(&server, &attachment).await;
        assert_eq!(
            got.header("content-disposition"),
            Some(format!("attachment; filename={header}").as_str())
        );
    }
}

#[tokio::test]
async fn spans_of_a_file_are_got_by_range() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let bytes: Vec<u8> = (0..1000).map(|place| (place % 251) as u8).collect();
    let attachment = added(&server, &case, "a", &bytes).await;
    let tag = format!("\"{}\"", attachment["hash"].as_str().unwrap());
    let get = || call(&server, "GET", &format!("{}/content", path(&attachment)));
    for (range, span) in
        [("bytes=0-9", 0..10), ("bytes=990-", 990..1000), ("bytes=-5", 995..1000), ("bytes=5-5", 5..6)]
    {
        let answer = get().and_header("Range", range).send().await;
        assert_eq!((answer.status, answer.bytes.as_ref()), (206, &bytes[span.clone()]), "{range}");
        let told = format!("bytes {}-{}/1000", span.start, span.end - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
        assert_eq!(answer.header("content-length"), Some((span.end - span.start).to_string().as_str()));
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    let missed = get().and_header("Range", "bytes=1000-").send().await;
    assert_eq!(missed.header("content-range"), Some("bytes */1000"));
    assert_eq!(missed.refused(416), ["Range"]);
    for (name, value) in
        [("If-Range", "\"other\""), ("If-Range", "Sun, 22 Nov 2026 10:00:00 GMT"), ("X-Nothing", "x")]
    {
        let answer = get().and_header("Range", "bytes=0-9").and_header(name, value).send().await;
        let whole = name == "If-Range";
        assert_eq!(
            (answer.status, answer.bytes.len()),
            if whole { (200, 1000) } else { (206, 10) },
            "{value}"
        );
    }
    let same = get().and_header("Range", "bytes=0-9").and_header("If-Range", &tag).send().await;
    assert_eq!(same.status, 206);
    let known = get().and_header("If-None-Match", &tag).send().await;
    assert_eq!((known.status, known.bytes.len(), known.header("etag")), (304, 0, Some(tag.as_str())));
    let head = call(&server, "HEAD", &format!("{}/content", path(&attachment)));
    let head = head.and_header("Range", "bytes=0-9").send().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("1000")), "a range is of a GET");
    assert_eq!(get().and_header("Range", "bytes=0-1,5-6").send().await.status, 200);
}

#[tokio::test]
async fn the_list_has_what_is_not_deleted_in_the_order_of_making_page_by_page() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let other = server.create_case(json!({"name": "Other"})).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c", "d"] {
        made.push(added(&server, &case, name, name.as_bytes()).await);
    }
    added(&server, &other, "x", b"x").await;
    call(&server, "DELETE", &path(&made[1])).send().await.document();
    let kept = [&made[0], &made[2], &made[3]];
    assert_eq!(listed(&server, &case, "").await, json!({"results": kept, "hasMore": false}));
    let first = listed(&server, &case, "?limit=2").await;
    assert_eq!(first, json!({"results": kept[..2], "hasMore": true, "next": id(&made[2])}));
    let rest = listed(&server, &case, &format!("?limit=2&after={}", id(&made[2]))).await;
    assert_eq!(rest, json!({"results": kept[2..], "hasMore": false}));
    for wrong in ["?limit=0", "?limit=101", "?after="] {
        call(&server, "GET", &format!("cases/{}/attachments{wrong}", id(&case))).refused(400).await;
    }
    call(&server, "GET", "cases/ci-none/attachments").refused(404).await;
}

#[tokio::test]
async fn a_deleted_file_leaves_a_trace_and_its_bytes_can_not_be_got() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    assert_eq!(used(&server).await, (1, 5));
    call(&server, "DELETE", &path(&attachment)).and_header("If-Match", "\"v7\"").refused(412).await;
    server.advance(HOUR_MS);
    let delete = || call(&server, "DELETE", &path(&attachment)).and_header("Idempotency-Key", "k");
    let deleted = delete().and_header("If-Match", "\"v1\"").send().await;
    assert_eq!(deleted.header("etag"), Some("\"v2\""));
    let trace = deleted.document();
    assert_eq!((&trace["isDeleted"], &trace["hash"]), (&json!(true), &json!(HELLO)));
    assert_eq!(used(&server).await, (0, 0));
    let again = delete().send().await;
    assert_eq!((again.header("idempotent-replayed"), again.document()), (Some("true"), trace.clone()));
    let twice = call(&server, "DELETE", &path(&attachment)).send().await;
    assert_eq!((twice.header("etag"), twice.document()), (Some("\"v2\""), trace.clone()));
    assert_eq!(call(&server, "GET", &path(&attachment)).send().await.document(), trace);
    call(&server, "GET", &format!("{}/content", path(&attachment))).refused(404).await;
    assert_eq!(server.events_of(id(&attachment)).await[1].kind, "attachment.deleted");
    assert_eq!(used(&server).await, (0, 0), "nothing is given back twice");
}

#[tokio::test]
async fn what_does_not_belong_together_is_not_found() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let other = server.create_case(json!({"name": "Other"})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    let elsewhere = format!("cases/{}/attachments/{}", id(&other), id(&attachment));
    let long = format!("cases/{}/attachments/{}", id(&case), "x".repeat(2_000));
    let none = format!("cases/{}/attachments/at-none", id(&case));
    for wrong in [elsewhere.as_str(), &none, &long] {
        call(&server, "GET", wrong).refused(404).await;
        call(&server, "GET", &format!("{wrong}/content")).refused(404).await;
        call(&server, "DELETE", wrong).refused(404).await;
    }
    upload(&server, &json!({"_id": "ci-none"}), "a", b"x").refused(404).await;
    let foreign = call(&server, "GET", &path(&attachment)).stream("st-other");
    foreign.refused(403).await;
    upload(&server, &case, "a", b"x").stream("st-other").refused(403).await;
    upload(&server, &case, "a", b"x").without("auth").refused(401).await;
    assert_eq!(files(&server), 1);
}

#[tokio::test]
async fn a_deleted_case_keeps_its_files_and_takes_no_more() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    server.update_case(&case, json!({"isActive": false})).await;
    upload(&server, &case, "b", b"x").refused(409).await;
    call(&server, "DELETE", &path(&attachment)).refused(409).await;
    assert_eq!(content(&server, &attachment).await.bytes.as_ref(), b"hello");
    server.update_case(&case, json!({"isActive": true})).await;
    added(&server, &case, "b", b"x").await;
    assert_eq!(files(&server), 2);
}

#[tokio::test]
async fn a_wrong_head_is_refused_with_every_fault_and_leaves_nothing() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let base = format!("cases/{}/attachments", id(&case));
    let send = |query: &str| call(&server, "POST", &format!("{base}{query}")).bytes("hello");
    assert_eq!(send("").refused(400).await, ["name"]);
    assert_eq!(send("?name=").refused(400).await, ["name"]);
    assert_eq!(send("?name=a%00b").refused(400).await, ["name"]);
    assert_eq!(send(&format!("?name={}", "x".repeat(256))).refused(400).await, ["name"]);
    let several =
        send("?name=").and_header("Content-Type", "nonsense").and_header("Content-Digest", "sha-256=:AA:");
    let mut fields = several.refused(400).await;
    fields.sort();
    assert_eq!(fields, ["Content-Digest", "Content-Type", "name"]);
    let form = send("?name=a").and_header("Content-Type", "multipart/form-data; boundary=x");
    assert_eq!(form.refused(415).await, ["Content-Type"]);
    assert_eq!(
        send("?name=a").and_header("Content-Encoding", "gzip").refused(415).await,
        ["Content-Encoding"]
    );
    assert_eq!(send("?name=a").and_header("Content-Length", "4").refused(400).await, ["Content-Length"]);
    assert_eq!(send("?name=a").and_header("Idempotency-Key", "").refused(400).await, ["Idempotency-Key"]);
    let other = STANDARD.encode([7; 32]);
    let wrong = send("?name=a").and_header("Content-Digest", &format!("sha-256=:{other}:"));
    assert_eq!(wrong.refused(400).await, ["Content-Digest"]);
    assert_eq!(
        send("?name=a").and_header("Digest", &format!("sha-256={other}")).refused(400).await,
        ["Digest"]
    );
    assert_eq!(files(&server), 0);
    let right: Vec<u8> =
        (0..64).step_by(2).map(|place| u8::from_str_radix(&HELLO[place..place + 2], 16).unwrap()).collect();
    let right = format!("sha-256=:{}:", STANDARD.encode(right));
    send("?name=a").and_header("Content-Digest", &right).send().await.made();
}

#[tokio::test]
async fn bytes_past_the_limit_are_refused_whether_announced_or_not() {
    let server = Server::start_with_room(10, 1000).await;
    let case = server.create_case(json!({})).await;
    added(&server, &case, "a", &[7; 10]).await;
    upload(&server, &case, "a", &[7; 11]).refused(413).await;
    upload(&server, &case, "a", &[7; 11]).without("Content-Length").refused(413).await;
    assert_eq!((files(&server), used(&server).await), (1, (1, 10)));
}

#[tokio::test]
async fn the_room_of_a_stream_is_exact_while_twenty_come_at_once() {
    let server = Server::start_with_room(1000, 700).await;
    let case = server.create_case(json!({})).await;
    let bytes = [7; 100];
    // No app has more than its share at once.
    let tokens = [another_app(&server).await, another_app(&server).await, another_app(&server).await];
    let calls = (0..20).map(|place| {
        let call = upload(&server, &case, &place.to_string(), &bytes).without("Content-Length");
        call.header("auth", &tokens[place % 3]).send()
    });
    let mut outcomes = Vec::new();
    for answer in futures_of(calls).await {
        outcomes.push(answer.status);
    }
    outcomes.sort_unstable();
    assert_eq!(outcomes, [[201; 7].as_slice(), &[413; 13]].concat());
    assert_eq!((files(&server), used(&server).await), (7, (7, 700)));
    let first = listed(&server, &case, "?limit=1").await["results"][0].clone();
    upload(&server, &case, "x", &[7; 1]).refused(413).await;
    call(&server, "DELETE", &path(&first)).send().await.document();
    added(&server, &case, "x", &bytes).await;
    assert_eq!(used(&server).await, (7, 700));
}

/// Runs futures side by side on the task of the test.
async fn futures_of<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_pending = false;
        for (future, done) in &mut running {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => is_pending = true,
                }
            }
        }
        if is_pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn a_repeated_upload_takes_effect_once_and_another_under_its_key_is_refused() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let send =
        |name: &str, bytes: &[u8]| upload(&server, &case, name, bytes).and_header("Idempotency-Key", "k");
    let first = send("a", b"hello").send().await.made();
    let again = send("a", b"hello").send().await;
    assert_eq!((again.header("idempotent-replayed"), again.made()), (Some("true"), first.clone()));
    assert_eq!(send("a", b"hullo").refused(422).await, ["Idempotency-Key"]);
    assert_eq!(send("b", b"hello").refused(422).await, ["Idempotency-Key"]);
    let typed = send("a", b"hello").and_header("Content-Type", "text/plain");
    assert_eq!(typed.refused(422).await, ["Idempotency-Key"]);
    call(&server, "DELETE", &path(&first)).send().await.document();
    assert_eq!(send("a", b"hello").send().await.made(), first, "the answer is that of then");
    assert_eq!(files(&server), 1, "what came for nothing is gone");
    let at_once =
        (0..5).map(|_| upload(&server, &case, "c", b"hello").and_header("Idempotency-Key", "c").send());
    let answers = futures_of(at_once).await;
    assert!(answers.iter().all(|answer| answer.made() == answers[0].made()));
    assert_eq!(files(&server), 2);
}

#[tokio::test]
async fn without_a_place_for_bytes_uploads_say_so() {
    let server = Server::start_without_room().await;
    let case = server.create_case(json!({})).await;
    let refused = upload(&server, &case, "a", b"x").send().await;
    assert_eq!(refused.json()["detail"], "there is no place");
    refused.refused(503);
    assert_eq!(listed(&server, &case, "").await, json!({"results": [], "hasMore": false}));
}

/// Puts so many copies of an attachment beside it, behind it in the order of the list.
async fn copied(server: &Server, attachment: &Value, count: u64) {
    let original = server.store.document(STREAM, "attachment", id(attachment)).await.unwrap().unwrap();
    for first in (0..count).step_by(200) {
        let ids = (first..count.min(first + 200)).map(|place| format!("at-copy-{place:04}"));
        let mut set = WriteSet {
            workspace: STREAM.to_owned(),
            operation: u128::from(first + 1).to_be_bytes(),
            at_ms: server.now_ms(),
            actor: "u-test".to_owned(),
            app: String::new(),
            config_version: None,
            changes_config: false,
            guards: Vec::new(),
            claim_guards: Vec::new(),
            head_guards: Vec::new(),
            documents: Vec::new(),
            claims: Vec::new(),
            events: Vec::new(),
        };
        for id in ids {
            let body = String::from_utf8(original.body.clone()).unwrap();
            set.documents.push(DocumentWrite {
                kind: original.kind.clone(),
                id: id.clone(),
                parent: original.parent.clone(),
                version: 0,
                counter: None,
                schema: original.schema,
                body: body.replace(&original.id, &id).into_bytes(),
            });
            set.events.push(EventWrite {
                kind: "attachment.created".to_owned(),
                document_kind: original.kind.clone(),
                document: id,
                changes: None,
                salt: [0; 16],
            });
        }
        server.store.commit(set).await.unwrap();
    }
}

#[tokio::test]
async fn a_case_takes_a_thousand_files() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let first = added(&server, &case, "a", b"x").await;
    copied(&server, &first, 998).await;
    added(&server, &case, "last", b"x").await;
    assert_eq!(upload(&server, &case, "a", b"x").refused(409).await, ["attachments"]);
    assert_eq!(listed(&server, &case, "").await["results"].as_array().unwrap().len(), 100);
    call(&server, "DELETE", &path(&first)).send().await.document();
    added(&server, &case, "a", b"x").await;
    upload(&server, &case, "a", b"x").refused(409).await;
}

#[tokio::test]
async fn a_page_ends_behind_a_thousand_deleted_files_and_says_where_to_go_on() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let first = added(&server, &case, "a", b"x").await;
    let deleted = added(&server, &case, "b", b"x").await;
    call(&server, "DELETE", &path(&deleted)).send().await.document();
    copied(&server, &deleted, 1_200).await;
    let page = listed(&server, &case, "?limit=1").await;
    assert_eq!((&page["results"], &page["hasMore"]), (&json!([first]), &json!(true)));
    let rest = listed(&server, &case, &format!("?after={}", page["next"].as_str().unwrap())).await;
    assert_eq!(rest, json!({"results": [], "hasMore": false}));
}

/// Begins an upload whose bytes come piece by piece, and does something else once it has begun.
pub async fn upload_around<T>(
    server: &Server,
    case: &Value,
    meanwhile: impl Future<Output = T>,
) -> (Answer, T) {
    let (mut sender, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(1);
    let upload = upload(server, case, "early", b"").without("Content-Length").body(Body::new(body)).send();
    let rest = async move {
        // The third is taken over when the first was read.
        for _ in 0..3 {
            sender.send_data(Bytes::from_static(b"x")).await.unwrap();
        }
        let done = meanwhile.await;
        drop(sender);
        done
    };
    tokio::join!(upload, rest)
}

#[tokio::test]
async fn a_file_whose_bytes_took_longer_is_listed_behind_one_that_overtook_it() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let (early, late) = upload_around(&server, &case, added(&server, &case, "late", b"late")).await;
    let early = early.made();
    assert!(id(&early) > id(&late), "its id is that of the end of its bytes");
    assert_eq!(content(&server, &early).await.bytes.as_ref(), b"xxx");
    assert_eq!(files(&server), 2);
    assert!(early["createdAt"].as_str() > late["createdAt"].as_str(), "no two have the same moment");
    assert_eq!(listed(&server, &case, "").await["results"], json!([late, early]));
    let rest = |after: &Value| format!("?after={}", id(after));
    assert_eq!(listed(&server, &case, &rest(&late)).await["results"], json!([early]));
    call(&server, "DELETE", &path(&late)).send().await.document();
    assert_eq!(
        listed(&server, &case, &rest(&late)).await["results"],
        json!([early]),
        "a deleted one has a place"
    );
    call(&server, "GET", &format!("cases/{}/attachments?after=at-none", id(&case))).refused(404).await;
}

#[tokio::test]
async fn a_file_of_an_app_that_was_revoked_while_its_bytes_came_is_not_added() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let revoking = async { revoke_jwt_app(&server.app, server.jwt.client_id.as_str()).await.unwrap() };
    let (refused, _) = upload_around(&server, &case, revoking).await;
    refused.refused(401);
    assert_eq!(files(&server), 0);
    assert!(server.store.document(STREAM, "usage", "attachments").await.unwrap().is_none());
}

/// Makes another app; gives a token of it.
async fn another_app(server: &Server) -> String {
    let input = NewJwtApp {
        name: "Other".to_owned(),
        streams: Vec::new(),
        algorithm: Algorithm::Hs256,
        public_key: None,
        requires_expiry: false,
        enforces_jti: false,
    };
    token::of(&create_jwt_app(&server.app, input).await.unwrap().app, &json!({}))
}

#[tokio::test]
async fn an_app_sends_at_most_a_quarter_of_the_files_at_once() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let other = another_app(&server).await;
    let app = server.app.jwt_app(server.jwt.client_id.as_str()).unwrap();
    let access = server.app.access(&app, STREAM, None, None).unwrap();
    let mut begun = Vec::new();
    for _ in 0..UPLOADS_OF_APP_MAX {
        begun.push(begin_upload(&server.app, &access, id(&case), None).await.unwrap());
    }
    let refused = upload(&server, &case, "a", b"x").send().await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.json()["detail"].as_str().unwrap().contains("8 files"));
    refused.refused(429);
    upload(&server, &case, "a", b"x").header("auth", &other).send().await.made();
    begun.pop();
    added(&server, &case, "b", b"x").await;
}
