//! What stands in the log: one line for each request when it is asked for, nothing of a body or a token, no control
//! characters; JSON that can be read.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::curl::Curl;
use crate::harness::http::{Connection, post};
use crate::harness::program::Program;

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// Serves with further arguments, creates a case that fails and one that does not, stops, and gives the request and the log.
fn logged(further: &[&str]) -> (Curl, String, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("server.log");
    let mut program = Program::serve_logging(&directory.path().join("data"), further, &log);
    let curl = Curl::first_of(
        &program
            .printed_until("-d '{}'")
            .split_once("curl -s ")
            .map(|(_, rest)| format!("curl -s {rest}"))
            .unwrap(),
    );
    let mut connection = Connection::open(curl.authority().parse().unwrap());
    let mut headers = curl.headers.clone();
    headers.push(("X-Request-Id".to_owned(), "given-1".to_owned()));
    headers.push(("traceparent".to_owned(), format!("00-{TRACE_ID}-b7ad6b7169203331-01")));
    connection.send(&post(curl.path(), &headers, &curl.body));
    assert_eq!(connection.answer().0.status, 200);
    connection.send(&post("/nowhere", &[], "a secret body"));
    connection.answer();
    connection.send(&post("/api/v1/streams/st-1/feedback/a-secret-link", &[], "{}"));
    assert_eq!(connection.answer().0.status, 404);
    assert!(program.stop());
    (curl, fs::read_to_string(log).unwrap(), directory)
}

fn json_lines(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn the_access_log_has_one_line_for_each_request() {
    let (_, log, _kept) = logged(&["--access-log", "--log", "error", "--log-format", "json"]);
    let lines = json_lines(&log);
    assert_eq!(lines.len(), 3, "{log}");
    let line = &lines[0];
    for (key, value) in [
        ("message", "access"),
        ("method", "POST"),
        ("route", "/caseManagement/api/public/analytics/{streamId}/createCase"),
        ("request.id", "given-1"),
        ("trace.id", TRACE_ID),
        ("client", "127.0.0.1"),
    ] {
        assert_eq!(line[key], value, "{key}: {line}");
    }
    assert_eq!(line["status"], 200);
    assert!(line["bytes"].as_u64().unwrap() > 100 && line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
    assert!(line["app.id"].as_str().unwrap().starts_with("cs-"), "{line}");
    assert!(lines[1].get("app.id").is_none(), "nobody was authenticated: {}", lines[1]);
}

#[test]
fn without_the_access_log_a_request_that_succeeds_has_no_line() {
    let (_, log, _kept) = logged(&["--log", "info", "--log-format", "json"]);
    assert!(json_lines(&log).iter().all(|line| line.get("request.id").is_none()), "{log}");
}

#[test]
fn at_no_level_do_tokens_or_bodies_or_control_characters_reach_the_log() {
    for format in ["text", "json"] {
        let (curl, log, _kept) = logged(&["--access-log", "--log", "trace", "--log-format", format]);
        assert!(log.contains("a request was answered"), "{log}");
        let (_, token) = curl.headers.iter().find(|(name, _)| name == "auth").unwrap();
        for secret in [token.as_str(), "john.doe", "a secret body", "a-secret-link", "My first case"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        assert!(log.chars().all(|character| character == '\n' || !character.is_control()), "{log:?}");
    }
}
