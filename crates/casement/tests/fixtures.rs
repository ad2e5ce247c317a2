//! Data directories that earlier releases wrote: this one opens each, tells the same, goes on writing, and finds it sound.
//!
//! `cargo xtask fixture` makes them, once for each release; none is ever changed. What was answered then is answered now;
//! an answer may have gained keys since.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use casement_api::api::{Api, ApiOptions};
use casement_api::router::router_of;
use casement_app::app::App;
use casement_app::attachment::Attachments;
use casement_app::seal::key_file::KeyFile;
use casement_app::sources::Sources;
use casement_domain::date::Moment;
use casement_store::blobs::Blobs;
use casement_store::options::Options;
use casement_store::store::Store;
use flate2::read::ZlibDecoder;
use http_body_util::BodyExt;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::harness::http::{Connection, post};
use crate::harness::program::{Program, casement, succeeded, text};
use crate::harness::token::signed;

/// Bytes of attachments that there is room for.
const BYTES_MAX: u64 = 1024 * 1024;

/// A fixture, copied for one test.
struct Fixture {
    name: String,
    recorded: Value,
    directory: TempDir,
}

impl Fixture {
    /// Copies every fixture.
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut folders: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        assert!(folders.len() >= 2, "{folders:?}");
        folders.iter().map(|folder| Self::copied(folder)).collect()
    }

    fn copied(folder: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::DirBuilder::new().mode(0o700).create(&data).unwrap();
        let mut files = vec![("casement.db", unpacked(&folder.join("casement.db.zlib")))];
        if let Ok(key) = fs::read(folder.join("secrets.key")) {
            files.push(("secrets.key", key));
        }
        for (name, content) in files {
            fs::write(data.join(name), content).unwrap();
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        copied_below(&folder.join("attachments"), &data.join("attachments"));
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            recorded: serde_json::from_slice(&unpacked(&folder.join("recorded.json.zlib"))).unwrap(),
            directory,
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn text(&self, pointer: &str) -> &str {
        self.recorded.pointer(pointer).unwrap().as_str().unwrap()
    }

    fn path(&self, operation: &str) -> String {
        format!("/caseManagement/api/public/analytics/{}/{operation}", self.text("/stream"))
    }

    /// A token of the app that made everything, signed with its present secret.
    fn token(&self) -> String {
        signed(
            Algorithm::HS256,
            self.text("/apps/0/clientSecret"),
            &json!({"appId": self.text("/apps/0/clientId")}),
        )
    }

    fn headers(&self) -> Vec<(String, String)> {
        [("auth", self.token()), ("AccountId", self.text("/account").to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    }

    fn doctor(&self) -> Value {
        let output =
            casement(&["doctor", "--data-dir", text(&self.data()), "--full", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Copies what is below a folder, if it is there.
fn copied_below(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in entries {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied_below(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut content = Vec::new();
    ZlibDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut content).unwrap();
    content
}

/// Tells where an answer lacks something that was recorded; it may have more keys.
fn difference(recorded: &Value, answered: &Value, path: &str) -> Option<String> {
    match (recorded, answered) {
        (Value::Object(recorded), Value::Object(answered)) => recorded.iter().find_map(|(key, value)| {
            let path = format!("{path}/{key}");
            match answered.get(key) {
                Some(answered) => difference(value, answered, &path),
                None => Some(format!("{path} is gone")),
            }
        }),
        (Value::Array(recorded), Value::Array(answered)) if recorded.len() == answered.len() => {
            let mut pairs = recorded.iter().zip(answered).enumerate();
            pairs.find_map(|(at, (one, other))| difference(one, other, &format!("{path}/{at}")))
        }
        (recorded, answered) => {
            (recorded != answered).then(|| format!("{path} was {recorded}, and is {answered}"))
        }
    }
}

/// Asks a question as it was asked then.
async fn ask(fixture: &Fixture, router: &Router, asked: &Value) -> (u16, Value) {
    let stream = fixture.text("/stream");
    let mut request = match asked["path"].as_str() {
        None => Request::post(fixture.path(asked["operation"].as_str().unwrap())),
        Some(path) => Request::builder()
            .method(asked["method"].as_str().unwrap())
            .header("Content-Type", "application/json")
            .uri(format!("/api/v1/streams/{stream}/{path}")),
    };
    for (name, value) in fixture.headers() {
        request = request.header(name, value);
    }
    if let Some(key) = asked["key"].as_str() {
        request = request.header("Idempotency-Key", key);
    }
    let body = if asked["body"].is_null() { Body::empty() } else { Body::from(asked["body"].to_string()) };
    let request = request.body(body).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let answer = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    (status, answer)
}

#[tokio::test]
async fn every_earlier_release_s_data_is_answered_as_it_was_then() {
    for fixture in Fixture::all() {
        let (store, feed) = Store::open(Options::new(fixture.data())).unwrap();
        let (now, count) =
            (AtomicI64::new(fixture.recorded["at_ms"].as_i64().unwrap()), Arc::new(AtomicU64::new(1)));
        let salts = Arc::clone(&count);
        let sources = Sources::new(
            move || Moment::from_ms(now.load(Ordering::Relaxed)),
            move || u128::from(count.fetch_add(1, Ordering::Relaxed)),
            move || u128::from(salts.fetch_add(1, Ordering::Relaxed)).to_be_bytes(),
        );
        let key_file = KeyFile::of(&fixture.data(), None, None);
        let app = App::open(store.clone(), sources, key_file).await.unwrap();
        let bytes = Blobs::in_directory(&fixture.data().join("attachments")).unwrap();
        app.keep_attachments(Attachments::new(bytes, BYTES_MAX, BYTES_MAX));
        tokio::spawn(Arc::clone(&app).follow(feed));
        while !app.is_ready() {
            tokio::task::yield_now().await;
        }
        let heads = async || {
            let workspace = store.workspace(fixture.text("/stream")).await.unwrap().unwrap();
            (workspace.head, workspace.counters)
        };
        let before = heads().await;
        let router = router_of(Api::new(Arc::clone(&app), &ApiOptions::default()));
        let asked = fixture.recorded["asked"].as_array().unwrap();
        assert!(asked.len() > 20, "{}", asked.len());
        for asked in asked {
            let (status, answer) = ask(&fixture, &router, asked).await;
            let found = difference(&asked["answer"], &answer, "");
            assert_eq!(
                (u64::from(status), found),
                (asked["status"].as_u64().unwrap(), None),
                "{}: {asked}",
                fixture.name
            );
        }
        // A write that was sent with its idempotency key then has taken no effect again.
        assert_eq!(heads().await, before, "{}", fixture.name);
        store.close().await;
    }
}

#[test]
fn every_earlier_release_s_data_is_served_written_to_and_sound() {
    for fixture in Fixture::all() {
        let data = fixture.data();
        let mut program = Program::serve(&data);
        let address = program.address();
        let mut connection = Connection::open(address.parse().unwrap());
        let write =
            post(&fixture.path("createCase"), &fixture.headers(), &fixture.recorded["write"].to_string());
        let made = loop {
            connection.send(&write);
            let (head, answer) = connection.answer();
            match head.status {
                503 => std::thread::yield_now(),
                status => {
                    assert_eq!(status, 200, "{}: {answer}", fixture.name);
                    break answer;
                }
            }
        };
        assert!(made["refId"].as_str().unwrap().starts_with("CS0001"), "{made}");
        assert!(program.stop());
        let found = fixture.doctor();
        for finding in found["findings"].as_array().unwrap() {
            let wanted = match finding["check"].as_str().unwrap() {
                // No backup follows it, and the machine of the test may be small.
                "backup" | "disk" | "open-files" => continue,
                _ => "ok",
            };
            assert_eq!(finding["level"], wanted, "{}: {finding}", fixture.name);
        }
        // The check of the secrets above says as well that none is in plain any more.
        assert!(found.to_string().contains("5 secrets can be opened"), "{found}");
        let listed = succeeded(&["app", "list", "--data-dir", text(&data)]);
        assert!(["Website", "Once", "Billing", "Gone"].iter().all(|name| listed.contains(name)), "{listed}");
    }
}

#[test]
fn what_was_recorded_and_is_gone_or_other_is_found_and_what_is_new_is_not() {
    let recorded = json!({"a": [{"b": 1}], "c": null});
    assert_eq!(difference(&recorded, &json!({"a": [{"b": 1, "x": 2}], "c": null, "y": 3}), ""), None);
    for other in [
        json!({"a": [{"b": 1}]}),
        json!({"a": [{"b": 2}], "c": null}),
        json!({"a": [{"b": 1}, {}], "c": null}),
        json!({"a": [], "c": null}),
        json!({"a": [{"b": 1}], "c": 0}),
    ] {
        assert!(difference(&recorded, &other, "").is_some(), "{other}");
    }
}
