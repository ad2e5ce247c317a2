//! `casement sample` by the built binary: what it makes is sound, and what it refuses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::program::{Program, casement, failed, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM};

fn sample(data: &Path, cases: &str, further: &[&str]) -> Value {
    let arguments = ["sample", "--data-dir", text(data), "--cases", cases, "--json"];
    serde_json::from_str(&succeeded(&[&arguments, further].concat())).unwrap()
}

/// Holds that the doctor, who reads everything, finds nothing but what the machine of the test is like.
fn assert_sound(data: &Path) {
    let arguments = ["doctor", "--data-dir", text(data), "--connections-max", "100", "--full", "--json"];
    let output = casement(&arguments).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    for check in ["database", "log", "documents", "numbers"] {
        let levels: Vec<&Value> = found["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["check"] == check)
            .map(|finding| &finding["level"])
            .collect();
        assert!(!levels.is_empty() && levels.iter().all(|level| *level == "ok"), "{found:#}");
    }
}

/// Tells whether a server has built its index.
fn is_ready(address: &str) -> bool {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200")
}

#[test]
fn a_fresh_directory_gets_a_workspace_and_sound_cases_and_a_second_run_adds_to_them() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let first = sample(&data, "300", &["--seed", "7"]);
    assert_eq!(first["cases"], 300);
    assert!(first["workspace"]["app"]["clientSecret"].as_str().unwrap().len() > 20);
    assert!(first["tasks"].as_u64() > Some(20) && first["changes"].as_u64() > Some(50), "{first}");
    assert_sound(&data);
    let second = sample(&data, "200", &["--seed", "7", "--no-index"]);
    assert_eq!((&second["cases"], &second["workspace"]), (&Value::from(200), &Value::Null));
    assert_sound(&data);
    let mut program = Program::serve(&data);
    let address = program.address();
    while !is_ready(&address) {
        std::thread::yield_now();
    }
    assert!(program.stop(), "a server starts on it and ends without a complaint");
}

#[test]
fn a_workspace_that_is_there_is_filled() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let made = sample(&data, "20", &["--stream", STREAM, "--until", "2025-05-29"]);
    assert_eq!((&made["cases"], &made["workspace"]), (&Value::from(20), &Value::Null));
    assert_sound(&data);
    let said = failed(&["sample", "--data-dir", text(&data), "--cases", "1", "--stream", "st-none"]);
    assert!(said.contains("there is no workspace of the stream st-none"), "{said}");
}

#[test]
fn the_directory_of_a_running_server_and_senseless_orders_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let order = |cases, until| {
        let output =
            casement(&["sample", "--data-dir", text(&data), "--cases", cases, "--until", until]).output();
        let output = output.unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(order("0", "2025-01-01").contains("0 is not in 1..=100000000"));
    assert!(order("100000001", "2025-01-01").contains("is not in 1..=100000000"));
    assert!(order("1", "yesterday").contains("must be a date such as"));
    assert!(order("1", "2999-01-01").contains("--until is in the future"));
    assert!(order("1", "1999-12-31").contains("--until is before the year 2000"));
    assert!(!data.exists(), "nothing was made");
    let mut program = Program::serve(&data);
    program.address();
    let said = failed(&["sample", "--data-dir", text(&data), "--cases", "1"]);
    assert!(said.contains("is in use by another casement"), "{said}");
    assert!(program.stop());
}

#[test]
fn an_interrupted_sample_keeps_what_it_made() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let arguments = ["sample", "--data-dir", text(&data), "--cases", "100000000", "--no-index", "--json"];
    let mut child = casement(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It is at work once the log grows beyond the configuration.
    let database = data.join("casement.db-wal");
    while std::fs::metadata(&database).map_or(0, |file| file.len()) < 2_000_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("interrupted after {} of 100000000 cases", made["cases"])), "{said}");
    assert_sound(&data);
    assert_eq!(sample(&data, "10", &[])["cases"], 10);
    assert_sound(&data);
}

#[test]
fn the_index_that_a_sample_keeps_is_there_for_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    for (name, further, kept) in [("kept", &[][..], true), ("left", &["--no-index"][..], false)] {
        let data = directory.path().join(name);
        sample(&data, "20", further);
        let snapshots = std::fs::read_dir(data.join("index")).map_or(0, Iterator::count);
        assert_eq!(snapshots == 1, kept, "{name}");
    }
}
