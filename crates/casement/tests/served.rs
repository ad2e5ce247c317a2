//! The program with its data on a database server: the address and its password, a start without the database, and what
//! only the embedded database can.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::http::Connection;
use crate::harness::program::{Program, casement, failed, succeeded, text};
use crate::harness::relay::{Departure, Relay};
use crate::postgres_server::{Database, programs, psql};

/// How long a test waits for something that must happen.
const WAIT_MAX: Duration = Duration::from_secs(60);

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn asked(address: SocketAddr, path: &str) -> (u16, Option<String>, Value) {
    let mut connection = Connection::open(address);
    connection.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let (head, body) = connection.answer();
    (head.status, head.header("retry-after").map(str::to_owned), body)
}

fn until(mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < WAIT_MAX, "it did not happen in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_password_is_shown_by_nothing() {
    let wrong = ["serve", "--database-url", "postgres://ann:geheim@db:port/casement"];
    let said = failed(&wrong);
    assert!(said.contains("--database-url") && !said.contains("geheim"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("casement.toml");
    std::fs::write(&file, "database_url = \"postgres://ann:geheim@db/casement\"").unwrap();
    let shown = succeeded(&["config", "--config", text(&file)]);
    assert!(shown.contains("postgres://ann:***@db/casement") && !shown.contains("geheim"), "{shown}");
    let output =
        casement(&["init", "--help"]).env("CASEMENT_DATABASE_URL", "postgres://a:geheim@b/c").output();
    assert!(!String::from_utf8_lossy(&output.unwrap().stdout).contains("geheim"));
}

#[test]
fn a_server_listens_before_it_has_its_database_and_takes_it_when_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh();
    let on_server = |words: &str| psql(&programs(), database.port(), "postgres", words);
    on_server(&format!("DROP DATABASE {}", database.name));
    let (url, address) = (database.url(), free_address());
    let listen = address.to_string();
    let data = folder.path().join("data");
    let log = folder.path().join("log");
    let settings = ["--database-url", url.as_str(), "--listen", listen.as_str()];
    let arguments = [&["serve", "--data-dir", text(&data)], &settings[..]].concat();
    let mut child = casement(&arguments)
        .stdout(std::fs::File::create(&log).unwrap())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until(|| TcpStream::connect(address).is_ok());
    until(|| asked(address, "/readyz").0 == 503);
    let (_, _, readiness) = asked(address, "/readyz");
    assert_eq!(readiness["store"], "unreachable");
    assert!(readiness["reason"].as_str().unwrap().contains("CREATE DATABASE"), "{readiness}");
    assert_eq!(asked(address, "/healthz").0, 200);
    let (status, again, _) = asked(address, "/caseManagement/api/public/analytics/st-1/getCases");
    assert_eq!((status, again.as_deref()), (503, Some("1")));

    on_server(&format!("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0", database.name));
    until(|| asked(address, "/readyz").0 == 200);
    assert!(std::fs::read_to_string(&log).unwrap().contains("A workspace with defaults was made for you"));
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

/// Gives an address of a database behind a relay.
fn behind(database: &Database) -> (Relay, String) {
    let relay = Relay::before(database.port());
    let url = database.url().replace(&format!(":{}/", database.port()), &format!(":{}/", relay.port));
    (relay, url)
}

#[test]
fn a_server_whose_database_hangs_is_not_ready_until_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh();
    let (relay, url) = behind(&database);
    let mut program = Program::serve_with(&folder.path().join("data"), &["--database-url", &url]);
    let address: SocketAddr = program.address().parse().unwrap();
    until(|| asked(address, "/readyz").0 == 200);
    relay.stand_still(true);
    // What was found a moment ago counts a moment longer.
    until(|| asked(address, "/readyz").0 == 503);
    let (_, _, readiness) = asked(address, "/readyz");
    assert_eq!(readiness["store"], "unreachable");
    assert!(readiness["reason"].is_string(), "{readiness}");
    relay.stand_still(false);
    until(|| asked(address, "/readyz").0 == 200);
    assert!(program.stop());
}

#[test]
fn a_database_that_goes_away_while_a_server_starts_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh();
    let (relay, url) = behind(&database);
    // The first connection looks at the server and commits; what is read goes over others.
    relay.admit(1);
    let address = free_address();
    let (listen, data) = (address.to_string(), folder.path().join("data"));
    let settings = ["--database-url", url.as_str(), "--listen", listen.as_str()];
    let arguments = [&["serve", "--data-dir", text(&data)], &settings[..]].concat();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut child = casement(&arguments).stdout(log).stderr(std::process::Stdio::null()).spawn().unwrap();
    until(|| relay.refused() > 0 && TcpStream::connect(address).is_ok());
    until(|| asked(address, "/readyz").2["store"] == "unreachable");
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    relay.admit(u32::MAX);
    until(|| asked(address, "/readyz").0 == 200);
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

/// Starts a server for the first time on a database that goes away at a moment, waits until it tells a reason, and lets the
/// database come back. The server must serve then, with the one workspace whose app it printed.
fn a_first_start_ends_with_one_workspace(departure: Departure, is_told: impl Fn(&str) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh();
    let (relay, url) = behind(&database);
    relay.depart(departure);
    let address = free_address();
    let (listen, data) = (address.to_string(), folder.path().join("data"));
    let settings = ["--database-url", url.as_str(), "--listen", listen.as_str()];
    let arguments = [&["serve", "--data-dir", text(&data)], &settings[..]].concat();
    let said = folder.path().join("said");
    let mut child = casement(&arguments)
        .stdout(std::fs::File::create(&said).unwrap())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until(|| relay.is_departed());
    until(|| {
        assert!(child.try_wait().unwrap().is_none(), "{departure:?}: it waits");
        asked(address, "/readyz").2["reason"].as_str().is_some_and(&is_told)
    });
    relay.admit(u32::MAX);
    until(|| asked(address, "/readyz").0 == 200);
    let said = std::fs::read_to_string(&said).unwrap();
    let word_after = |name: &str| {
        let (_, rest) = said.split_once(name).unwrap_or_else(|| panic!("{departure:?}: {said}"));
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let (stream, token) = (word_after("  stream "), word_after("  token (24 h) "));
    // Each workspace is made with one app.
    let listed = succeeded(&["app", "list", "--json", "--data-dir", text(&data), "--database-url", &url]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let apps = listed.as_array().or(listed["apps"].as_array()).unwrap();
    assert_eq!(apps.len(), 1, "{departure:?}: {listed}");
    assert!(apps[0].to_string().contains(&stream), "{departure:?}: {listed}");
    // What was printed reaches it.
    let mut connection = Connection::open(address);
    let path = format!("/api/v1/streams/{stream}/cases");
    connection.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nauth: {token}\r\n\r\n"));
    let (head, body) = connection.answer();
    assert_eq!((head.status, &body["totalResults"]), (200, &Value::from(0)), "{departure:?}: {body}");
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_database_that_goes_away_before_the_first_workspace_is_made_is_waited_for() {
    // The claim by which one node at a time makes it.
    let departure = Departure::Before("lease:first-workspace");
    a_first_start_ends_with_one_workspace(departure, |_| true);
}

#[test]
fn a_first_workspace_whose_commit_was_not_answered_is_made_once() {
    // Not before the store has given up finding out what became of it.
    let is_given_up = |reason: &str| reason != "the database has not answered yet";
    // What lists the workspace has its name.
    a_first_start_ends_with_one_workspace(Departure::AfterCommitOf(r#""name":"Casement""#), is_given_up);
}

#[test]
fn a_server_that_waits_to_make_its_first_workspace_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh();
    let (relay, url) = behind(&database);
    relay.depart(Departure::Before("lease:first-workspace"));
    let (address, data) = (free_address(), folder.path().join("data"));
    let listen = address.to_string();
    let settings = ["--database-url", url.as_str(), "--listen", listen.as_str()];
    let mut child = casement(&[&["serve", "--data-dir", text(&data)], &settings[..]].concat())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until(|| relay.is_departed());
    until(|| asked(address, "/readyz").2["store"] == "unreachable");
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn commands_work_beside_a_server_and_on_another_machine() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh();
    let url = database.url();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let on = |directory: &std::path::Path, words: &[&str]| {
        succeeded(&[words, &["--data-dir", text(directory), "--database-url", &url]].concat())
    };
    let made: Value = serde_json::from_str(&on(&one, &["init", "--json"])).unwrap();
    let mut program = Program::serve_with(&one, &["--database-url", &url]);
    program.address();
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(one.join("secrets.key"), other.join("secrets.key")).unwrap();
    let stream = made["streamId"].as_str().unwrap();
    let added = on(&other, &["app", "create", "--name", "Robot", "--stream", stream, "--json"]);
    let added: Value = serde_json::from_str(&added).unwrap();
    // The first lists it over its server, which heard of it, or will within a poll.
    let id = added["clientId"].as_str().or(added["app"]["clientId"].as_str()).unwrap();
    until(|| on(&one, &["app", "list"]).contains(id));
    assert!(program.stop());
}

#[test]
fn what_only_the_embedded_database_can_says_what_to_use() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to) = (folder.path().join("data"), folder.path().join("backup"));
    let url = ["--data-dir", text(&data), "--database-url", "postgres://ann@127.0.0.1:1/casement"];
    let said = failed(&[&["backup", "--to", text(&to)], &url[..]].concat());
    assert!(said.contains("pg_basebackup"), "{said}");
    let said = failed(&[&["serve", "--backup-to", text(&to)], &url[..]].concat());
    assert!(said.contains("pg_basebackup"), "{said}");
    let said = failed(&[&["key", "rotate"], &url[..]].concat());
    assert!(said.contains("--alone"), "{said}");
    assert!(!to.exists());
}
