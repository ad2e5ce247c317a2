//! Backup and restore by the built binary, with and without a server at work.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::client::Client;
use crate::harness::program::{Program, casement, failed, succeeded, text};
use crate::harness::server::STREAM;

fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeded(arguments)).unwrap()
}

/// Gives a restored directory the key file, which no backup holds.
fn give_key(data: &Path, restored: &Path) {
    std::fs::copy(data.join("secrets.key"), restored.join("secrets.key")).unwrap();
}

#[test]
fn a_stopped_directory_is_backed_up_and_restored_to_a_sequence_number() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    let backup = ["backup", "--data-dir", text(&data), "--to", text(&to), "--json"];
    assert!(failed(&backup).contains("holds no data"));
    let client = Client::new(&data);
    let first = json_of(&backup);
    assert!(first["base"]["reason"].is_string(), "{first}");
    let mut program = Program::serve(&data);
    let address = program.address();
    let case = client.create(&address, "one");
    let with_one = client.cases(&address);
    client.create(&address, "two");
    assert!(program.stop());
    let second = json_of(&backup);
    assert_eq!((&second["base"], &second["changes"]), (&Value::Null, &json!(2)));

    let all = directory.path().join("all");
    let restored = json_of(&["restore", "--from", text(&to), "--data-dir", text(&all), "--json"]);
    let head = restored["sequences"][STREAM].as_u64().unwrap();
    let earlier = directory.path().join("earlier");
    let at = (head - 1).to_string();
    let from = ["restore", "--from", text(&to), "--data-dir", text(&earlier), "--stream", STREAM, "--at"];
    succeeded(&[&from[..], &[&at]].concat());
    give_key(&data, &earlier);
    let mut program = Program::serve(&earlier);
    let address = program.address();
    assert_eq!(client.cases(&address), with_one);
    // The number goes on from there, and what was sent before is known.
    assert_eq!(client.create(&address, "one"), case);
    assert_eq!(client.create(&address, "three")["refId"], "CS000101");
    assert!(program.stop());
}

#[test]
fn a_server_keeps_its_backup_at_most_5_seconds_behind_also_when_it_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    let client = Client::new(&data);
    let mut program = Program::serve_with(&data, &["--backup-to", text(&to)]);
    let address = program.address();
    for name in ["one", "two", "three"] {
        client.create(&address, name);
    }
    let cases = client.cases(&address);
    let begun = Instant::now();
    let mut attempt = 0;
    loop {
        attempt += 1;
        let restored = directory.path().join(format!("restored-{attempt}"));
        let restore = ["restore", "--from", text(&to), "--data-dir", text(&restored), "--json"];
        // Until the first base is there, there is nothing to restore.
        let ready = to.join("manifest.json").exists();
        if ready && json_of(&restore)["sequences"][STREAM].as_u64() >= Some(6) {
            give_key(&data, &restored);
            let mut restored = Program::serve(&restored);
            let address = restored.address();
            if client.cases(&address) == cases {
                assert!(restored.stop());
                break;
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the backup does not follow");
        std::thread::sleep(Duration::from_millis(250));
    }
    drop(program);
    // The next server continues what the killed one has left.
    let mut program = Program::serve_with(&data, &["--backup-to", text(&to)]);
    client.cases(&program.address());
    assert!(program.stop());
    let bases = std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(bases.filter(|name| name.to_string_lossy().starts_with("base-")).count(), 1);
}

#[test]
fn a_point_that_can_not_be_read_or_reached_is_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    Client::new(&data);
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to)]);
    let new = directory.path().join("new");
    let restore = ["restore", "--from", text(&to), "--data-dir", text(&new)];
    for (further, reason) in [
        (vec!["--at", "yesterday"], "date and time"),
        (vec!["--at", "2001-01-01"], "oldest base"),
        (vec!["--at", "2101-01-01T00:00:00Z"], "does not reach"),
        (vec!["--at", "x", "--stream", STREAM], "sequence number"),
        (vec!["--at", "100000", "--stream", STREAM], "event 100000"),
        (vec!["--at", "1", "--stream", "st-none"], "no such stream"),
    ] {
        let said = failed(&[&restore[..], &further].concat());
        assert!(said.contains(reason), "{said}");
        assert!(!new.exists());
    }
    let said = failed(&["restore", "--from", text(&data), "--data-dir", text(&new)]);
    assert!(said.contains("no backup here"), "{said}");
    let said = failed(&["restore", "--from", text(&to), "--data-dir", text(&data)]);
    assert!(said.contains("not empty"), "{said}");
}

#[test]
fn a_server_at_work_is_asked_to_back_itself_up() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let client = Client::new(&data);
    let mut program = Program::serve(&data);
    let address = program.address();
    client.create(&address, "one");
    let to = directory.path().join("backup");
    let backup = ["backup", "--data-dir", text(&data), "--to", text(&to), "--json"];
    let first = json_of(&backup);
    assert!(first["base"]["bytes"].as_u64() > Some(0), "{first}");
    client.create(&address, "two");
    assert_eq!(json_of(&backup)["changes"], 1);
    let cases = client.cases(&address);
    let within = data.join("backup");
    let said = failed(&["backup", "--data-dir", text(&data), "--to", text(&within)]);
    assert!(said.contains("lies in the data directory"), "{said}");
    let restored = directory.path().join("restored");
    succeeded(&["restore", "--from", text(&to), "--data-dir", text(&restored)]);
    give_key(&data, &restored);
    let mut second = Program::serve(&restored);
    assert_eq!(client.cases(&second.address()), cases);
    assert!(second.stop());
    assert!(program.stop());
}

#[test]
fn a_directory_whose_database_is_gone_is_not_served_as_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let client = Client::new(&data);
    let mut program = Program::serve(&data);
    let address = program.address();
    client.create(&address, "one");
    let cases = client.cases(&address);
    // Killed, so that what was written last is in the log alone.
    drop(program);
    let (database, log) = (data.join("casement.db"), data.join("casement.db-wal"));
    let kept = std::fs::read(&database).unwrap();
    let logged = std::fs::read(&log).unwrap();
    assert!(!logged.is_empty());
    let serve = ["serve", "--data-dir", text(&data), "--listen", "127.0.0.1:0"];
    let refused = |what: &str, beside: &str| {
        for command in [&serve[..], &["init", "--data-dir", text(&data)]] {
            let said = failed(command);
            assert!(said.contains(what) && said.contains(beside) && said.contains("restore"), "{said}");
        }
        let output = casement(&["doctor", "--data-dir", text(&data)]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stdout).contains(what), "{output:?}");
    };
    std::fs::write(&database, "").unwrap();
    refused("is empty", "casement.db-wal");
    std::fs::remove_file(&database).unwrap();
    refused("is missing", "casement.db-wal");
    assert!(failed(&["backup", "--data-dir", text(&data), "--to", "nowhere"]).contains("is missing"));
    std::fs::remove_file(&log).unwrap();
    refused("is missing", "secrets.key");
    // What was put back is served with everything.
    std::fs::write(&database, kept).unwrap();
    std::fs::write(&log, logged).unwrap();
    let mut program = Program::serve(&data);
    assert_eq!(client.cases(&program.address()), cases);
    assert!(program.stop());
    for name in ["casement.db", "lock"] {
        std::fs::remove_file(data.join(name)).unwrap();
    }
    refused("is missing", "index/");
    assert!(!data.join("lock").exists());
    // A key that was put there for a new installation is nothing of an old one.
    std::fs::remove_dir_all(data.join("index")).unwrap();
    let mut program = Program::serve(&data);
    program.address();
    assert!(program.stop());
}
