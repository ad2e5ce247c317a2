//! The command line, by the built binary: init, workspace create, token, serve.

use std::path::Path;

use casement_app::app::App;
use casement_app::seal::key_file::KeyFile;
use casement_store::document::WorkspaceRow;
use casement_store::options::Options;
use casement_store::store::Store;
use serde_json::{Value, json};

use crate::harness::curl::Curl;
use crate::harness::http::{Connection, post};
use crate::harness::program::{Program, casement, failed, init, ready, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM, keys};
use crate::harness::token::signed;

/// Reads the list of everything that a directory holds, from outside of the program.
async fn contents(data: &Path) -> Vec<WorkspaceRow> {
    let (store, _feed) = Store::open(Options::new(data.to_owned())).unwrap();
    let rows = store.workspaces().await.unwrap();
    store.close().await;
    rows
}

fn send(authority: &str, request: &str) -> (u16, Value) {
    let mut connection = Connection::open(authority.parse().unwrap());
    connection.send(request);
    let (head, body) = connection.answer();
    (head.status, body)
}

fn list(authority: &str, account: &str, stream: &str, token: &str) -> (u16, Value) {
    let headers = [("auth", token), ("AccountId", account)];
    let headers: Vec<(String, String)> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    send(authority, &post(&format!("/caseManagement/api/public/analytics/{stream}/getCases"), &headers, "{}"))
}

#[test]
fn init_prints_everything_that_a_client_needs_as_one_json_object() {
    let directory = tempfile::tempdir().unwrap();
    let made = init(&directory.path().join("data"), ACCOUNT, STREAM);
    assert_eq!(
        keys(&made),
        [
            "accountId",
            "streamId",
            "orgId",
            "app",
            "caseTemplates",
            "taskTemplates",
            "statuses",
            "priorities",
            "queues",
            "agents",
        ]
    );
    assert_eq!((&made["accountId"], &made["streamId"]), (&json!(ACCOUNT), &json!(STREAM)));
    assert!(made["orgId"].as_str().unwrap().starts_with("o-"));
    assert_eq!(keys(&made["app"]), ["clientId", "clientSecret", "name"]);
    assert!(made["app"]["clientId"].as_str().unwrap().starts_with("cs-"));
    assert!(made["app"]["clientSecret"].as_str().unwrap().len() >= 64);
    let names = |key: &str| -> Vec<&str> {
        made[key].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
    };
    assert_eq!((names("caseTemplates"), names("taskTemplates")), (vec!["General"], vec!["Follow-up"]));
    assert_eq!(names("statuses"), ["Open", "In-Progress", "On-Hold", "Resolved", "Closed"]);
    assert_eq!(names("priorities"), ["Low", "Medium", "High", "Critical"]);
    assert_eq!(names("queues").len(), 1);
    let scores: Vec<&Value> =
        made["priorities"].as_array().unwrap().iter().map(|entry| &entry["score"]).collect();
    assert_eq!(scores, [5, 10, 12, 15]);
    assert_eq!(made["priorities"][1]["color"], "#16A34A");
    assert_eq!(made["agents"].as_array().unwrap().len(), 1);
    assert_eq!(keys(&made["agents"][0]), ["aId", "agentId", "name", "emailId"]);
    for key in ["caseTemplates", "taskTemplates", "statuses", "priorities", "queues"] {
        assert!(made[key].as_array().unwrap().iter().all(|entry| entry["_id"].is_string()), "{key}");
    }
}

#[tokio::test]
async fn init_leaves_a_directory_that_has_a_workspace_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let before = contents(&data).await;
    for stream in [STREAM, "st-other"] {
        let said = failed(&["init", "--data-dir", text(&data), "--stream-id", stream, "--json"]);
        assert!(said.contains("workspace already"), "{said}");
    }
    assert_eq!(contents(&data).await, before);
}

#[tokio::test]
async fn workspace_create_makes_another_and_refuses_a_stream_that_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let create = ["workspace", "create", "--data-dir", text(&data), "--stream-id", "st-second", "--json"];
    failed(&create);
    let first = init(&data, ACCOUNT, STREAM);
    let second: Value = serde_json::from_str(&succeeded(&create)).unwrap();
    assert_eq!((keys(&second), &second["streamId"]), (keys(&first), &json!("st-second")));
    assert_ne!(second["app"]["clientId"], first["app"]["clientId"]);
    assert_ne!(second["app"]["clientSecret"], first["app"]["clientSecret"]);
    let before = contents(&data).await;
    assert!(failed(&create).contains("st-second"));
    assert_eq!(contents(&data).await, before);
    let (store, _feed) = Store::open(Options::new(data.clone())).unwrap();
    let app =
        App::open(store.clone(), crate::harness::server::fixed_sources(), KeyFile::of(&data, None, None))
            .await
            .unwrap();
    let streams: Vec<String> =
        app.installation().workspaces.iter().map(|entry| entry.stream.as_str().to_owned()).collect();
    assert_eq!(streams, [STREAM, "st-second"]);
    store.close().await;
}

#[test]
fn ids_that_are_not_usable_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for wrong in ["", "a b", "st/x", "é", &"x".repeat(65), "installation"] {
        failed(&["init", "--data-dir", text(&data), "--stream-id", wrong]);
        failed(&["init", "--data-dir", text(&data), "--account-id", wrong]);
    }
    init(&data, ACCOUNT, STREAM);
}

#[test]
fn tokens_of_the_token_command_and_tokens_without_expiry_work_for_the_app_of_init() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let made = init(&data, ACCOUNT, STREAM);
    let (id, secret) =
        (made["app"]["clientId"].as_str().unwrap(), made["app"]["clientSecret"].as_str().unwrap());
    let mut program = Program::serve(&data);
    let address = program.address();
    let plain = succeeded(&["token", "--client-id", id, "--client-secret", secret]);
    let agent = made["agents"][0]["emailId"].as_str().unwrap();
    let of_agent =
        succeeded(&["token", "--client-id", id, "--client-secret", secret, "--sub", agent, "--hours", "1"]);
    let eternal = signed(jsonwebtoken::Algorithm::HS256, secret, &json!({"appId": id}));
    for token in [plain.trim(), of_agent.trim(), &eternal] {
        let (status, page) = list(&address, ACCOUNT, STREAM, token);
        assert_eq!((status, &page["totalResults"]), (200, &json!(0)));
    }
    let long = succeeded(&["token", "--client-id", id, "--client-secret", secret, "--algorithm", "hs512"]);
    assert_eq!(list(&address, ACCOUNT, STREAM, long.trim()).0, 401);
    assert!(program.stop());
}

#[test]
fn serve_on_an_empty_directory_prints_commands_that_work() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut program = Program::serve(&data);
    let printed = program.printed_until("-d '{}'");
    let mut commands = printed.match_indices("curl ").map(|(start, _)| Curl::first_of(&printed[start..]));
    let (create, list) = (commands.next().unwrap(), commands.next().unwrap());
    assert_eq!(commands.next().map(|command| command.url), None);
    let ask = |curl: &Curl| send(curl.authority(), &post(curl.path(), &curl.headers, &curl.body));
    let (status, case) = ask(&create);
    assert_eq!((status, &case["refId"]), (200, &json!("CS000100")));
    let (status, page) = ask(&list);
    assert_eq!((status, &page["totalResults"], &page["results"][0]["_id"]), (200, &json!(1), &case["_id"]));
    for id in [&case["accountId"], &case["iId"]] {
        assert!(printed.contains(id.as_str().unwrap()), "{printed}");
    }
    assert!(program.stop());

    // What was acknowledged is there after a start anew.
    let mut program = Program::serve(&data);
    let address = program.address();
    let restarted = Curl { url: list.url.replace(list.authority(), &address), ..list };
    assert_eq!(ready(|| ask(&restarted))["results"], page["results"]);
    assert!(program.stop());
}

#[test]
fn serve_on_a_directory_in_use_fails_with_a_clear_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let (_store, _feed) = Store::open(Options::new(data.clone())).unwrap();
    for (command, further) in [(vec!["serve"], vec!["--listen", "127.0.0.1:0"]), (vec!["init"], vec![])] {
        let arguments = [command, vec!["--data-dir", text(&data)], further].concat();
        let said = failed(&arguments);
        assert!(said.contains("in use") && said.contains(text(&data)), "{said}");
    }
}

#[test]
fn serve_on_an_address_in_use_fails_and_leaves_no_directory_behind() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = failed(&["serve", "--data-dir", text(&data), "--listen", &address]);
    assert!(said.contains(&address), "{said}");
    assert!(!data.exists());
}

#[test]
fn a_configuration_is_shown_tried_applied_and_applied_again() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("configuration.json"));
    init(&data, ACCOUNT, STREAM);
    let apply = |further: &[&str]| {
        let arguments = ["workspace", "apply", "--data-dir", text(&data), "--file", text(&file)];
        succeeded(&[arguments.as_slice(), further].concat())
    };
    let show = || succeeded(&["workspace", "show", "--data-dir", text(&data), "--stream", STREAM]);
    let document = json!({"queues": [{"name": "Returns"}, {"name": "Default", "active": false}]});
    std::fs::write(&file, document.to_string()).unwrap();
    let before = show();
    assert!(apply(&["--dry-run"]).ends_with("2 entries would be added or changed; nothing was written.\n"));
    assert_eq!(show(), before);
    let report: Value = serde_json::from_str(&apply(&["--json"])).unwrap();
    let names =
        |key: &str| report[key].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    let (added, changed): (Vec<Value>, Vec<Value>) = (names("added"), names("changed"));
    assert_eq!((added, changed), (vec![json!("Returns")], vec![json!("Default")]));
    assert_eq!(apply(&[]), "Nothing to change.\n");
    std::fs::write(&file, show()).unwrap();
    assert_eq!(apply(&[]), "Nothing to change.\n");
}

#[test]
fn a_configuration_that_can_not_be_applied_is_told_with_every_fault_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("configuration.json"));
    std::fs::write(
        &file,
        r#"{"queues": [{"nam": "x"}], "fields": [{"name": "A", "format": "number", "pattern": "a"}]}"#,
    )
    .unwrap();
    let arguments = ["workspace", "apply", "--data-dir", text(&data), "--file", text(&file)];
    assert!(failed(&arguments).contains("holds no data"));
    assert!(!data.exists());
    init(&data, ACCOUNT, STREAM);
    let said = failed(&arguments);
    for path in ["queues[0].nam: ", "queues[0].name: ", "fields[0].pattern: "] {
        assert!(said.contains(path), "{said}");
    }
    let missing = directory.path().join("missing.json");
    let said = failed(&["workspace", "apply", "--data-dir", text(&data), "--file", text(&missing)]);
    assert!(said.contains("missing.json"), "{said}");
    let said = failed(&["workspace", "show", "--data-dir", text(&data), "--stream", "st-none"]);
    assert!(said.contains("st-none"), "{said}");
}

#[test]
fn the_version_and_the_help_are_printed() {
    assert_eq!(succeeded(&["version"]), format!("casement {}\n", env!("CARGO_PKG_VERSION")));
    let version: Value = serde_json::from_str(&succeeded(&["version", "--json"])).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    for arguments in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["init", "--help"],
        vec!["token", "--help"],
        vec!["backup", "--help"],
        vec!["restore", "--help"],
    ] {
        assert!(succeeded(&arguments).contains("Examples:"), "{arguments:?}");
    }
}

#[test]
fn config_tells_each_setting_and_where_it_comes_from() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("casement.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\nrate_burst = 5\ntrusted_proxies = [\"10.0.0.0/8\"]\n")
        .unwrap();
    let output = casement(&["config", "--json", "--rate-burst", "6", "--config", text(&file)])
        .env("CASEMENT_LOG", "warn")
        .env("CASEMENT_LISTEN", "127.0.0.1:2")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let setting = |value: &str, origin: &str| json!({"value": value, "origin": origin});
    assert_eq!(said["listen"], setting("127.0.0.1:2", "CASEMENT_LISTEN"));
    assert_eq!(said["rate_burst"], setting("6", "--rate-burst"));
    assert_eq!(said["trusted_proxies"], setting("10.0.0.0/8", text(&file)));
    assert_eq!(said["log"], setting("warn", "CASEMENT_LOG"));
    assert_eq!(said["data_dir"], setting("casement-data", "default"));
    assert_eq!(said["tls_key"], json!({"value": null, "origin": "default"}));
}

#[test]
fn every_unknown_or_wrong_setting_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("casement.toml");
    std::fs::write(&file, "lissten = \"x\"\nrate_burst = 0\nlog_format = \"xml\"\n").unwrap();
    let said = failed(&["serve", "--config", text(&file)]);
    for part in [text(&file), "lissten: there is no such setting", "rate_burst: ", "log_format: "] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(failed(&["serve", "--config", "absent.toml"]).contains("absent.toml"));
    let output =
        casement(&["config"]).env("CASEMENT_LISTNE", "x").env("CASEMENT_DATADIR", "y").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("CASEMENT_LISTNE") && said.contains("CASEMENT_DATADIR"), "{said}");
}

#[test]
fn the_file_in_the_current_folder_holds_for_every_command() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("casement.toml"), "data_dir = \"kept-here\"\n").unwrap();
    let output = casement(&["init", "--json"]).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(directory.path().join("kept-here/casement.db").exists());
}
