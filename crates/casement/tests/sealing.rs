//! Sealed secrets: what is on the disk, the key file and its faults, rotating the key, restoring.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use casement_app::installation::{INSTALLATION, KIND_APP};
use casement_app::jwt_app::create::{NewJwtApp, create_jwt_app};
use casement_app::jwt_app::rotate::{Rotation, rotate_jwt_app};
use casement_app::jwt_app::{Algorithm, stored};
use casement_app::seal::rotate::{rotate_key, seal_all};
use serde_json::{Value, json};

use crate::harness::configuration::jwt_app;
use crate::harness::http::{Connection, post};
use crate::harness::program::{Program, casement, failed, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM, Server};
use crate::harness::token::{of, secret_of};

/// A data directory that `init` has made, and what it said.
struct Made {
    directory: tempfile::TempDir,
    data: std::path::PathBuf,
    said: Value,
}

impl Made {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let said = init(&data, ACCOUNT, STREAM);
        Self { directory, data, said }
    }

    fn key_path(&self) -> std::path::PathBuf {
        self.data.join("secrets.key")
    }

    fn secret(&self) -> &str {
        self.said["app"]["clientSecret"].as_str().unwrap()
    }

    /// Runs a command on the data that must succeed, and gives the JSON that it prints.
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&succeeded(&[arguments, &["--data-dir", text(&self.data), "--json"]].concat()))
            .unwrap()
    }

    /// Runs a command on the data that must fail, and gives what it says.
    fn failed(&self, arguments: &[&str]) -> String {
        failed(&[arguments, &["--data-dir", text(&self.data)]].concat())
    }

    fn beside(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// What the doctor says of the secrets.
    fn doctor(&self, further: &[&str]) -> Value {
        let arguments = [&["doctor", "--data-dir", text(&self.data), "--json"], further].concat();
        let output = casement(&arguments).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = found["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == "secrets").unwrap().clone()
    }
}

/// Whether a file below a directory holds some bytes.
fn holds(directory: &Path, needle: &str) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        // A socket can't be read.
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

fn key_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| line.starts_with("key ")).map(str::to_owned).collect()
}

fn write_key(path: &Path, lines: &[String]) {
    fs::write(path, format!("casement key file 1\n{}\n", lines.join("\n"))).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn fresh_key_line(directory: &Path) -> String {
    let path = directory.join("fresh.key");
    succeeded(&["key", "make", "--to", text(&path)]);
    let line = key_lines(&path).remove(0);
    fs::remove_file(path).unwrap();
    line
}

#[test]
fn no_secret_and_no_key_is_on_the_disk_outside_the_key_file() {
    let made = Made::new();
    let to = made.beside("backup");
    let rotated = made.json(&["app", "rotate", made.said["app"]["clientId"].as_str().unwrap()]);
    let created = made.json(&["app", "create", "--name", "Another"]);
    made.json(&["backup", "--to", text(&to)]);
    let mut program = Program::serve(&made.data);
    program.address();
    made.json(&["app", "create", "--name", "While it serves"]);
    made.json(&["backup", "--to", text(&to)]);
    let key = key_lines(&made.key_path()).remove(0);
    let key = key.rsplit(' ').next().unwrap();
    let secrets =
        [made.secret(), rotated["clientSecret"].as_str().unwrap(), created["clientSecret"].as_str().unwrap()];
    for secret in secrets {
        assert!(!holds(&made.data, secret) && !holds(&to, secret));
    }
    assert!(program.stop());
    assert!(!holds(&made.data, secrets[1]) && !holds(&to, key));
    // The same look finds what is there.
    assert!(holds(&made.data, "While it serves") && holds(&made.data, key) && holds(&to, "Another"));
    assert_eq!(fs::metadata(made.key_path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_server_does_not_start_without_the_right_key_file_and_says_what_to_do() {
    let made = Made::new();
    let (path, away) = (made.key_path(), made.beside("away.key"));
    let id = key_lines(&path)[0].split(' ').nth(1).unwrap().to_owned();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--log", "error"];
    let commands: [&[&str]; 3] = [&serve, &["app", "list"], &["key", "rotate"]];
    let everywhere = |reasons: &[&str], level: &str| {
        for command in commands {
            let said = made.failed(command);
            assert!(reasons.iter().all(|reason| said.contains(reason)), "{said}");
        }
        let finding = made.doctor(&[]);
        assert_eq!(finding["level"], level, "{finding}");
        assert!(
            reasons.iter().all(|reason| finding["message"].as_str().unwrap().contains(reason)),
            "{finding}"
        );
    };
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    everywhere(&["mode 640", "chmod 600"], "error");
    fs::rename(&path, &away).unwrap();
    everywhere(&[&id, "no key file", "--key-file"], "error");
    assert!(!path.exists(), "no command makes another key");
    write_key(&path, &[fresh_key_line(made.directory.path())]);
    everywhere(&[&id, "secrets.key holds", "--key-file"], "error");
    fs::write(&path, "key\n").unwrap();
    everywhere(&["not usable", "first line"], "error");
    fs::set_permissions(&away, Permissions::from_mode(0o600)).unwrap();
    let named = ["--key-file", text(&away)];
    made.json(&[&["app", "list"], &named[..]].concat());
    let finding = made.doctor(&named);
    assert_eq!(finding["level"], "ok", "{finding}");
    assert!(finding["message"].as_str().unwrap().contains("1 secrets can be opened"), "{finding}");
    let mut program = Program::serve_with(&made.data, &named);
    program.address();
    assert!(program.stop());
}

#[test]
fn a_credential_of_the_service_manager_is_taken_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let (data, credentials) = (directory.path().join("data"), directory.path().join("credentials"));
    fs::create_dir(&credentials).unwrap();
    let credential = credentials.join("casement.key");
    write_key(&credential, &[fresh_key_line(directory.path())]);
    fs::set_permissions(&credential, Permissions::from_mode(0o440)).unwrap();
    let run = |arguments: &[&str]| -> Output {
        let arguments = [arguments, &["--data-dir", text(&data)]].concat();
        casement(&arguments).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap()
    };
    assert!(run(&["init"]).status.success());
    assert!(!data.join("secrets.key").exists());
    assert!(run(&["app", "list"]).status.success());
    let said = String::from_utf8(run(&["key", "rotate"]).stderr).unwrap();
    assert!(said.contains("service manager"), "{said}");
    // As its sentence says: the new line before the former one, a start, the former line out.
    let former = key_lines(&credential).remove(0);
    let fresh = fresh_key_line(directory.path());
    write_key(&credential, &[fresh.clone(), former]);
    assert!(run(&["app", "list"]).status.success());
    write_key(&credential, &[fresh]);
    assert!(run(&["app", "list"]).status.success());
}

#[test]
fn a_key_is_rotated_with_and_without_a_server_and_every_app_keeps_its_secret() {
    let made = Made::new();
    let before = key_lines(&made.key_path());
    let rotated = made.json(&["key", "rotate"]);
    assert_eq!((&rotated["sealed"], rotated["formerKeyIds"].as_array().unwrap().len()), (&json!(1), 1));
    let between = key_lines(&made.key_path());
    assert!(between.len() == 1 && between != before);
    made.json(&["app", "create", "--name", "Second"]);
    let mut program = Program::serve(&made.data);
    let address = program.address();
    let rotated = made.json(&["key", "rotate"]);
    assert_eq!(rotated["sealed"], 2);
    let after = key_lines(&made.key_path());
    assert!(after.len() == 1 && after[0].contains(rotated["keyId"].as_str().unwrap()) && after != between);
    let id = made.said["app"]["clientId"].as_str().unwrap();
    let token = succeeded(&["token", "--client-id", id, "--client-secret", made.secret()]);
    let path = format!("/caseManagement/api/public/analytics/{STREAM}/getCases");
    let headers = [("auth", token.trim()), ("AccountId", ACCOUNT)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut connection = Connection::open(address.parse().unwrap());
    let status = loop {
        connection.send(&post(&path, &headers, "{}"));
        match connection.answer().0.status {
            // Its index is still being built.
            503 => std::thread::yield_now(),
            status => break status,
        }
    };
    assert_eq!(status, 200);
    assert!(program.stop());
    assert_eq!(made.doctor(&[])["level"], "ok");
}

#[test]
fn a_rotation_that_was_broken_off_is_ended_by_the_next_start() {
    let made = Made::new();
    let former = key_lines(&made.key_path()).remove(0);
    let fresh = fresh_key_line(made.directory.path());
    // The file was written, nothing was sealed yet.
    write_key(&made.key_path(), &[fresh.clone(), former]);
    let finding = made.doctor(&[]);
    assert_eq!(finding["level"], "warning", "{finding}");
    made.json(&["app", "list"]);
    assert_eq!(key_lines(&made.key_path()), [fresh]);
    assert_eq!(made.doctor(&[])["level"], "ok");
}

#[test]
fn a_lost_key_is_given_up_for_new_secrets_and_one_that_is_there_is_not() {
    let made = Made::new();
    let id = key_lines(&made.key_path())[0].split(' ').nth(1).unwrap().to_owned();
    assert!(made.failed(&["key", "forget", &id]).contains("is not lost"));
    assert!(made.failed(&["key", "forget", "0000000000000000"]).contains("nothing is sealed"));
    let second = made.json(&["app", "create", "--name", "Second"]);
    fs::remove_file(made.key_path()).unwrap();
    let given = made.json(&["key", "forget", &id]);
    let apps = given["apps"].as_array().unwrap();
    assert_eq!(apps.len(), 2);
    assert!(apps.iter().all(|app| {
        let secret = app["clientSecret"].as_str().unwrap();
        secret.len() == 64 && secret != made.secret() && secret != second["clientSecret"]
    }));
    assert_eq!(made.doctor(&[])["level"], "ok");
    let listed = made.json(&["app", "list"]);
    assert!(listed["apps"].as_array().unwrap().iter().all(|app| app["key"]["number"] == 2), "{listed}");
}

#[test]
fn a_restored_directory_needs_the_key_of_its_time() {
    let made = Made::new();
    let (to, copy) = (made.beside("backup"), made.beside("copy.key"));
    let done = made.json(&["backup", "--to", text(&to)]);
    let said = succeeded(&["backup", "--data-dir", text(&made.data), "--to", text(&to)]);
    assert!(said.contains(done["keyId"].as_str().unwrap()) && said.contains("not in it"), "{said}");
    fs::copy(made.key_path(), &copy).unwrap();
    made.json(&["key", "rotate"]);
    let new = made.beside("new");
    let restore = ["restore", "--from", text(&to), "--data-dir", text(&new), "--json"];
    let restored: Value = serde_json::from_str(&succeeded(&restore)).unwrap();
    assert_eq!(restored["keyIds"], json!([done["keyId"]]));
    let list = ["app", "list", "--data-dir", text(&new)];
    assert!(failed(&list).contains(done["keyId"].as_str().unwrap()));
    succeeded(&[&list[..], &["--key-file", text(&copy)]].concat());
    fs::copy(&copy, new.join("secrets.key")).unwrap();
    succeeded(&list);
    // The check is made in the end: the directory is there, and the exit code says that its key is not.
    let again = made.beside("again");
    let restore = ["restore", "--from", text(&to), "--data-dir", text(&again)];
    let wrong = casement(&[&restore[..], &["--key-file", text(&made.key_path())]].concat()).output().unwrap();
    assert!(!wrong.status.success());
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains(done["keyId"].as_str().unwrap()), "{said}");
    let third = made.beside("third");
    succeeded(&["restore", "--from", text(&to), "--data-dir", text(&third), "--key-file", text(&copy)]);
}

#[tokio::test]
async fn what_an_earlier_release_left_in_plain_is_sealed_as_a_change_that_tells_nothing() {
    let server = Server::start().await;
    let secret = "a secret of thirty-two characters";
    let plain = json!({
        "client_id": "cs-old", "name": "Old", "user": "u-old", "account": ACCOUNT, "algorithm": "hs256",
        "secret": secret, "former_secret": "another secret of those characters", "former_ends_at": 1_800_000_000_000_i64,
        "scopes": ["case-management-configuration"], "streams": [STREAM], "requires_expiry": false, "active": true
    });
    server.register_body("cs-old", &plain).await;
    let body = async || server.store.document(INSTALLATION, KIND_APP, "cs-old").await.unwrap().unwrap();
    assert!(String::from_utf8(body().await.body).unwrap().contains(secret));
    let app = server.app.jwt_app("cs-old").unwrap();
    let events = server.store.workspace(INSTALLATION).await.unwrap().unwrap().head;
    assert_eq!(seal_all(&server.app).await.unwrap().sealed, 1);
    let stored = body().await;
    assert_eq!((stored.schema, stored.version), (stored::SCHEMA, 2));
    assert!(!String::from_utf8(stored.body).unwrap().contains("characters"));
    let sealed = server.store.events(INSTALLATION, events, 10).await.unwrap();
    assert_eq!(
        (sealed.len(), sealed[0].kind.as_str(), sealed[0].changes.as_deref()),
        (1, "app.sealed", Some(&b"{}"[..]))
    );
    // It is the same value, so that tokens that were verified stay so.
    assert!(std::sync::Arc::ptr_eq(&app, &server.app.jwt_app("cs-old").unwrap()));
    let token = of(&app, &json!({}));
    assert_eq!(server.call("getCases").header("auth", &token).json(&json!({})).send().await.status, 200);
    assert_eq!(seal_all(&server.app).await.unwrap().sealed, 0);
    assert!(server.store.verify(INSTALLATION).await.unwrap().fault.is_none());
}

#[tokio::test]
async fn apps_of_both_keys_are_opened_and_brought_under_the_first() {
    let server = Server::start().await;
    for id in ["cs-1", "cs-2", "cs-3"] {
        server.register(&jwt_app(id, "a secret of thirty-two characters", &[STREAM])).await;
    }
    let path = server.app.key_file().path().to_owned();
    let former = key_lines(&path).remove(0);
    let fresh = fresh_key_line(path.parent().unwrap());
    write_key(&path, &[fresh.clone(), former]);
    let server = server.restarted().await;
    let rotation = Rotation { public_key: None, grace_ms: 0 };
    rotate_jwt_app(&server.app, "cs-2", &rotation).await.unwrap();
    // Now one app is under the new key and four are not, as after a crash in the midst of a rotation.
    let server = server.restarted().await;
    assert_eq!(seal_all(&server.app).await.unwrap().sealed, 3);
    assert_eq!(key_lines(&path), [fresh]);
    let server = server.restarted().await;
    assert_eq!(server.app.installation().apps.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_that_are_made_and_rotated_while_the_key_is_rotated_are_all_kept() {
    let server = Server::start().await;
    let input = |name: String| NewJwtApp {
        name,
        streams: Vec::new(),
        algorithm: Algorithm::Hs256,
        public_key: None,
        requires_expiry: false,
        enforces_jti: false,
    };
    let first = create_jwt_app(&server.app, input("first".to_owned())).await.unwrap().app;
    let making = async {
        let mut secrets = Vec::new();
        for number in 0..20 {
            let made = create_jwt_app(&server.app, input(format!("App {number}"))).await.unwrap();
            secrets.push((made.app.client_id.to_string(), made.secret.unwrap()));
        }
        secrets
    };
    let changing = async {
        let rotation = Rotation { public_key: None, grace_ms: 1000 };
        for _ in 0..20 {
            rotate_jwt_app(&server.app, first.client_id.as_str(), &rotation).await.unwrap();
        }
    };
    let rotating = async {
        for _ in 0..10 {
            rotate_key(&server.app).await.unwrap();
        }
    };
    let (secrets, (), ()) = tokio::join!(making, changing, rotating);
    assert_eq!(key_lines(server.app.key_file().path()).len(), 1);
    let server = server.restarted().await;
    for (id, secret) in secrets {
        let app = server.app.jwt_app(&id).unwrap();
        assert_eq!(secret_of(&app), secret.reveal(), "{id}");
    }
    assert!(server.store.verify(INSTALLATION).await.unwrap().fault.is_none());
}
