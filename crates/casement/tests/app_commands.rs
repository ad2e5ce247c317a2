//! `casement app`, by the built binary: with a server and without one.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::forge::Pair;
use crate::harness::http::{Connection, post};
use crate::harness::program::{Program, failed, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM, keys};

/// How long a test waits for a server to be ready.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// A data directory with a workspace.
struct Data {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Data {
    fn make() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        init(&path, ACCOUNT, STREAM);
        Self { directory, path }
    }

    /// Runs a command on apps and gives the JSON that it prints.
    fn app(&self, arguments: &[&str]) -> Value {
        let all = [&["app"], arguments, &["--data-dir", text(&self.path), "--json"]].concat();
        serde_json::from_str(&succeeded(&all)).unwrap()
    }

    /// Runs a command on apps that must fail, and gives what it says.
    fn app_failed(&self, arguments: &[&str]) -> String {
        failed(&[&["app"], arguments, &["--data-dir", text(&self.path)]].concat())
    }

    /// Writes a file beside the data.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    }
}

fn list(address: &str, token: &str) -> u16 {
    let headers = [("auth", token), ("AccountId", ACCOUNT)];
    let headers: Vec<(String, String)> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut connection = Connection::open(address.parse().unwrap());
    let path = format!("/caseManagement/api/public/analytics/{STREAM}/getCases");
    let began = Instant::now();
    loop {
        connection.send(&post(&path, &headers, "{}"));
        let status = connection.answer().0.status;
        // A server that has just started may still build its index.
        if status != 503 || began.elapsed() > WAIT_MAX {
            return status;
        }
    }
}

fn token(app: &Value, secret: &Value) -> String {
    let (id, secret) = (app["clientId"].as_str().unwrap(), secret.as_str().unwrap());
    let algorithm = app["algorithm"].as_str().unwrap();
    let arguments =
        ["token", "--client-id", id, "--client-secret", secret, "--algorithm", algorithm, "--jti"];
    succeeded(&arguments).trim().to_owned()
}

#[test]
fn apps_are_made_rotated_and_revoked_without_a_server() {
    let data = Data::make();
    let made =
        data.app(&["create", "--name", "  Web\u{1b}site ", "--algorithm", "hs512", "--require-expiry"]);
    assert_eq!(
        keys(&made),
        [
            "clientId",
            "clientSecret",
            "name",
            "accountId",
            "streams",
            "algorithm",
            "requiresExpiry",
            "enforcesJti",
            "active",
            "key",
        ]
    );
    assert_eq!((&made["name"], &made["algorithm"]), (&json!("Website"), &json!("hs512")));
    assert_eq!((&made["accountId"], &made["streams"]), (&json!(ACCOUNT), &json!([STREAM])));
    assert_eq!(made["clientSecret"].as_str().unwrap().len(), 64);
    let id = made["clientId"].as_str().unwrap();
    let rotated = data.app(&["rotate", id, "--grace", "2d"]);
    assert_ne!(rotated["clientSecret"], made["clientSecret"]);
    assert_eq!((&rotated["key"]["number"], rotated["formerKeyEndsAt"].is_string()), (&json!(2), true));
    let listed = data.app(&["list"]);
    assert_eq!(listed["apps"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains("ecret"), "{listed}");
    let shown = data.app(&["show", id]);
    assert_eq!(listed["apps"][1], shown);
    assert_eq!(data.app(&["revoke", id])["active"], false);
    assert!(data.app_failed(&["rotate", id]).contains("revoked"));
    let table = succeeded(&["app", "list", "--data-dir", text(&data.path)]);
    assert_eq!(table.lines().count(), 3);
    assert!(table.lines().nth(2).unwrap().contains("revoked"), "{table}");
}

#[test]
fn what_a_command_says_holds_for_the_next_request_of_a_running_server() {
    let data = Data::make();
    let mut program = Program::serve(&data.path);
    let address = program.address();
    let made = data.app(&["create", "--name", "Website", "--enforce-jti"]);
    let of_first = || token(&made, &made["clientSecret"]);
    let once = of_first();
    assert_eq!((list(&address, &once), list(&address, &once)), (200, 401));
    let id = made["clientId"].as_str().unwrap();
    let rotated = data.app(&["rotate", id]);
    assert_eq!(
        (list(&address, &of_first()), list(&address, &token(&made, &rotated["clientSecret"]))),
        (200, 200)
    );
    let again = data.app(&["rotate", id, "--grace", "0"]);
    assert_eq!(again.get("formerKeyEndsAt"), None);
    for (secret, status) in [(&made, 401), (&rotated, 401), (&again, 200)] {
        assert_eq!(list(&address, &token(&made, &secret["clientSecret"])), status);
    }
    data.app(&["revoke", id]);
    assert_eq!(list(&address, &token(&made, &again["clientSecret"])), 401);
    // Another start finds it so.
    assert!(program.stop());
    assert_eq!(data.app(&["show", id])["active"], false);
}

#[test]
fn an_app_may_sign_with_a_private_key_that_the_server_never_sees() {
    let data = Data::make();
    let mut program = Program::serve(&data.path);
    let address = program.address();
    let (pair, next) = (Pair::generate(), Pair::generate());
    let private = data.file("private.pem", &pair.private_pem());
    let public = data.file("public.pem", &pair.pem());
    let jwk = data.file("next.json", &next.jwk().to_string());
    for algorithm in ["rs256", "rs512"] {
        let said =
            data.app_failed(&["create", "--name", "Web", "--algorithm", algorithm, "--public-key", &private]);
        assert!(said.contains("private key") && said.contains("--public-key"), "{said}");
        assert!(data.app_failed(&["create", "--name", "Web", "--algorithm", algorithm]).contains("required"));
        let made = data.app(&["create", "--name", "Web", "--algorithm", algorithm, "--public-key", &public]);
        assert_eq!((made.get("clientSecret"), &made["key"]["bits"]), (None, &json!(2048)));
        assert_eq!(made["key"]["publicKey"], pair.pem());
        let id = made["clientId"].as_str().unwrap();
        let arguments = ["token", "--client-id", id, "--algorithm", algorithm, "--private-key", &private];
        let token = succeeded(&arguments);
        assert_eq!(list(&address, token.trim()), 200);
        let rotated = data.app(&["rotate", id, "--public-key", &jwk, "--grace", "0s"]);
        assert_eq!(rotated["key"]["publicKey"], next.pem());
        assert_eq!(list(&address, token.trim()), 401);
    }
    assert!(failed(&["token", "--client-id", "cs-1", "--algorithm", "rs256"]).contains("--private-key"));
    assert!(failed(&["token", "--client-id", "cs-1"]).contains("--client-secret"));
    assert!(
        failed(&["token", "--client-id", "cs-1", "--algorithm", "rs256", "--private-key", &public])
            .contains("PUBLIC KEY")
    );
    assert!(program.stop());
}

#[test]
fn all_faults_of_a_command_are_told_at_once_and_nothing_is_made() {
    let data = Data::make();
    let key = data.file("key.pem", "no key");
    let said =
        data.app_failed(&["create", "--name", "\u{7}", "--stream", "st-unknown", "--public-key", &key]);
    for option in ["--name", "--stream", "--public-key"] {
        assert!(said.contains(option), "{said}");
    }
    let id = data.app(&["list"])["apps"][0]["clientId"].as_str().unwrap().to_owned();
    assert!(data.app_failed(&["rotate", &id, "--grace", "31d"]).contains("--grace"));
    for command in ["show", "rotate", "revoke"] {
        for unknown in ["cs-unknown", "../apps", ".", "é?#"] {
            assert!(data.app_failed(&[command, unknown]).contains("no such app"), "{command} {unknown}");
        }
    }
    assert!(
        data.app_failed(&["create", "--name", "Web", "--public-key", "nowhere.pem"]).contains("nowhere.pem")
    );
    assert_eq!(data.app(&["list"])["apps"].as_array().unwrap().len(), 1);
    let empty = data.directory.path().join("empty");
    let said = failed(&["app", "list", "--data-dir", text(&empty)]);
    assert!(said.contains("holds no data") && !empty.exists(), "{said}");
}

#[test]
fn several_streams_must_be_named() {
    let data = Data::make();
    let second =
        ["workspace", "create", "--data-dir", text(&data.path), "--stream-id", "st-second", "--account-id"];
    succeeded(&[second.as_slice(), &[ACCOUNT]].concat());
    assert!(data.app_failed(&["create", "--name", "Web"]).contains("st-second"));
    let made = data.app(&["create", "--name", "Web", "--stream", "st-second", "--stream", STREAM]);
    assert_eq!(made["streams"], json!(["st-second", STREAM]));
}

#[test]
fn the_control_socket_is_the_owners_alone_and_goes_with_the_server() {
    let data = Data::make();
    let socket = data.path.join("control.sock");
    // One that a killed server has left behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let mut program = Program::serve(&data.path);
    program.address();
    let found = fs::symlink_metadata(&socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&data.path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(data.app(&["list"])["apps"].as_array().unwrap().len(), 1);
    assert!(program.stop());
    assert!(!socket.exists());
}

#[test]
fn a_token_that_has_served_has_served_after_a_kill_too() {
    let data = Data::make();
    let mut program = Program::serve(&data.path);
    let address = program.address();
    let made = data.app(&["create", "--name", "Website", "--enforce-jti"]);
    let once = token(&made, &made["clientSecret"]);
    assert_eq!(list(&address, &once), 200);
    // Killed, not stopped: its socket stays behind.
    drop(program);
    assert!(data.path.join("control.sock").exists());
    assert_eq!(data.app(&["list"])["apps"].as_array().unwrap().len(), 2);
    let mut program = Program::serve(&data.path);
    let address = program.address();
    assert_eq!(list(&address, &once), 401);
    assert_eq!(list(&address, &token(&made, &made["clientSecret"])), 200);
    assert!(program.stop());
}

#[test]
fn a_data_directory_of_any_length_is_reached() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d".repeat(120)).join("e".repeat(120));
    init(&path, ACCOUNT, STREAM);
    let mut program = Program::serve(&path);
    program.address();
    let listed = succeeded(&["app", "list", "--data-dir", text(Path::new(&path)), "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["apps"].as_array().unwrap().len(), 1);
    assert!(program.stop());
}

#[test]
fn a_configuration_that_is_applied_holds_for_the_next_request_of_a_running_server() {
    let data = Data::make();
    let file = data.file("configuration.json", r#"{"queues": [{"name": "Returns"}]}"#);
    let faulty = data.file("faulty.json", r#"{"queues": [{"nam": "x"}], "priorities": 5}"#);
    let mut program = Program::serve(&data.path);
    let address = program.address();
    let apply = |arguments: &[&str]| {
        let all = [&["workspace", "apply", "--data-dir", text(&data.path), "--json"], arguments].concat();
        serde_json::from_str::<Value>(&succeeded(&all)).unwrap()
    };
    let show = || succeeded(&["workspace", "show", "--data-dir", text(&data.path)]);
    assert_eq!(apply(&["--file", &file, "--dry-run"])["added"][0]["name"], "Returns");
    assert!(!show().contains("Returns"));
    assert_eq!(apply(&["--file", &file])["dryRun"], false);
    assert!(show().contains("Returns"));
    let said = failed(&["workspace", "apply", "--data-dir", text(&data.path), "--file", &faulty]);
    for part in ["the configuration was not changed", "queues[0].nam: ", "priorities: "] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let wrong = ["workspace", "show", "--data-dir", text(&data.path), "--stream", "st-nowhere&x=1"];
    assert!(failed(&wrong).contains("there is no workspace of the stream st-nowhere&x=1"));

    let made = data.app(&["create", "--name", "Website"]);
    let token = token(&made, &made["clientSecret"]);
    let body = json!({"caseTmp": "General", "name": "A", "desc": "", "userInfo": {"_id": "u-1"}, "source": "rtm",
        "dueDate": "2030-01-01", "queues": ["Returns"]});
    let mut connection = Connection::open(address.parse().unwrap());
    let path = format!("/caseManagement/api/public/analytics/{STREAM}/createCase");
    connection.send(&post(&path, &[("auth".to_owned(), token)], &body.to_string()));
    let (head, case) = connection.answer();
    assert_eq!((head.status, &case["queues"][0]["name"]), (200, &json!("Returns")));
    assert!(program.stop());
}
