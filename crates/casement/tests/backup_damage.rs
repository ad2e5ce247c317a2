//! Backups by the built binary of which something is gone, and those that nobody continues: what is told, and what is left alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::client::Client;
use crate::harness::program::{Program, casement, failed, succeeded, text};

/// Runs a command with `--json`: its exit code, what it printed and what it said.
fn run(arguments: &[&str]) -> (i32, Value, String) {
    let output = casement(&[arguments, &["--json"]].concat()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().unwrap(), printed, said)
}

/// What the doctor says of backups: each level with its sentence.
fn judged(data: &Path, further: &[&str]) -> Vec<(String, String)> {
    let doctor = ["doctor", "--data-dir", text(data), "--connections-max", "100"];
    let (_, found, _) = run(&[&doctor[..], further].concat());
    let of_backups = found["findings"].as_array().unwrap().iter().filter(|found| found["check"] == "backup");
    let text = |found: &Value, key: &str| found[key].as_str().unwrap_or_default().to_owned();
    of_backups.map(|found| (text(found, "level"), text(found, "message") + &text(found, "advice"))).collect()
}

fn gravest(findings: &[(String, String)]) -> &str {
    let is_there = |level: &&str| findings.iter().any(|(found, _)| found == level);
    ["error", "warning", "ok"].into_iter().find(is_there).unwrap()
}

fn files(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix)).collect()
}

#[test]
fn a_base_that_is_gone_is_told_by_the_doctor_and_by_the_next_run_which_takes_another() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    Client::new(&data);
    let backup = ["backup", "--data-dir", text(&data), "--to", text(&to)];
    assert_eq!(run(&backup).1["damaged"], json!([]));
    assert_eq!(gravest(&judged(&data, &[])), "ok");
    let base = files(&to, "base-").remove(0);
    let name = base.file_name().unwrap().to_str().unwrap();
    fs::remove_file(&base).unwrap();
    for settings in [&[][..], &["--backup-to", text(&to)]] {
        let findings = judged(&data, settings);
        assert_eq!(gravest(&findings), "error", "{findings:?}");
        assert!(findings.iter().any(|(_, said)| said.contains(name)), "{findings:?}");
    }
    let (code, done, said) = run(&backup);
    assert_eq!(code, 1);
    assert!(said.contains(name) && done["base"]["reason"].as_str().unwrap().contains(name), "{said} {done}");
    succeeded(&["restore", "--from", text(&to), "--data-dir", text(&directory.path().join("new"))]);
    let findings = judged(&data, &[]);
    assert_eq!(gravest(&findings), "warning", "{findings:?}");
    let last = casement(&[&backup[..], &["--keep-bases", "1"]].concat()).output().unwrap();
    assert_eq!(last.status.code(), Some(1), "it found the damage once more before it let it go");
    assert_eq!(run(&backup).0, 0);
    assert_eq!(gravest(&judged(&data, &[])), "ok");
}

#[test]
fn a_continuous_backup_whose_disk_is_gone_fails_and_is_not_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    let log = directory.path().join("log");
    let client = Client::new(&data);
    let mut program = Program::serve_logging(&data, &["--backup-to", text(&to)], &log);
    let address = program.address();
    let begun = Instant::now();
    let wait = |what: &str, is_so: &dyn Fn() -> bool| {
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait("no backup", &|| to.join("manifest.json").exists());
    fs::rename(&to, directory.path().join("unmounted")).unwrap();
    client.create(&address, "one");
    wait("nothing is told", &|| fs::read_to_string(&log).unwrap().contains("is now absent or empty"));
    assert!(!to.exists());
    let findings = judged(&data, &[]);
    assert!(gravest(&findings) == "warning" && findings[1].1.contains("mounted"), "{findings:?}");
    let backup = ["backup", "--data-dir", text(&data), "--to", text(&to)];
    assert!(failed(&backup).contains("--base"));
    assert!(!to.exists());
    assert!(run(&[&backup[..], &["--base"]].concat()).1["base"].is_object());
    assert!(program.stop());
}

#[test]
fn backups_beside_the_one_that_counts_are_told_of_until_they_are_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    Client::new(&data);
    let usb = directory.path().join("usb");
    let kept = directory.path().join("kept");
    for to in [&usb, &kept] {
        succeeded(&["backup", "--data-dir", text(&data), "--to", text(to)]);
    }
    fs::remove_dir_all(&usb).unwrap();
    let findings = judged(&data, &["--backup-to", text(&kept)]);
    assert_eq!(gravest(&findings), "ok", "{findings:?}");
    assert!(findings.iter().any(|(_, said)| said.contains("usb --forget")), "{findings:?}");
    let forget = ["backup", "--data-dir", text(&data), "--to", text(&usb), "--forget"];
    succeeded(&forget);
    let said = failed(&forget);
    assert!(said.contains("no backup in") && said.contains(text(&kept)), "{said}");
    let findings = judged(&data, &["--backup-to", text(&kept)]);
    assert!(!findings.iter().any(|(_, said)| said.contains("usb")), "{findings:?}");
    // One that is forgotten may begin anew.
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&usb)]);
}

#[test]
fn a_backup_leaves_a_database_of_an_older_release_and_a_directory_without_a_key_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    Client::new(&data);
    let database = data.join("casement.db");
    let mut bytes = fs::read(&database).unwrap();
    // The schema number in the header of the file.
    let place = 60..64;
    assert_eq!(bytes[place.clone()], [0, 0, 0, 3]);
    bytes[place.clone()].copy_from_slice(&[0, 0, 0, 2]);
    fs::write(&database, &bytes).unwrap();
    let backup = ["backup", "--data-dir", text(&data), "--to", text(&to)];
    let said = failed(&backup);
    assert!(said.contains("schema 2") && said.contains("release that wrote it"), "{said}");
    assert!(fs::read(&database).unwrap()[place.clone()] == [0, 0, 0, 2] && !to.exists());
    let doctor = succeeded_or_not(&["doctor", "--data-dir", text(&data)]);
    assert!(doctor.contains("with the release that wrote it"), "{doctor}");
    bytes[place].copy_from_slice(&[0, 0, 0, 3]);
    fs::write(&database, &bytes).unwrap();
    succeeded(&backup);
    let empty = directory.path().join("empty");
    succeeded(&["init", "--data-dir", text(&empty)]);
    fs::rename(data.join("secrets.key"), directory.path().join("kept.key")).unwrap();
    assert!(failed(&backup).contains("secrets.key"));
    assert!(!data.join("secrets.key").exists());
}

fn succeeded_or_not(arguments: &[&str]) -> String {
    String::from_utf8(casement(arguments).output().unwrap().stdout).unwrap()
}

#[test]
fn what_a_backup_holds_is_listed_and_read_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    Client::new(&data);
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to)]);
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to), "--base"]);
    let (code, listed, _) = run(&["restore", "--from", text(&to), "--list"]);
    assert_eq!(
        (code, listed["bases"].as_array().unwrap().len(), &listed["latestWhole"]),
        (0, 2, &json!(true))
    );
    let first = listed["bases"][0]["from"].as_str().unwrap();
    let new = directory.path().join("new");
    let restore = ["restore", "--from", text(&to), "--data-dir", text(&new), "--at"];
    for at in ["2001-01-01", "2101-01-01T00:00:00Z"] {
        let said = failed(&[&restore[..], &[at]].concat());
        assert!(said.contains(first) && said.contains(listed["until"].as_str().unwrap()), "{said}");
    }
    let base = files(&to, "base-").remove(0);
    let mut bytes = fs::read(&base).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&base, bytes).unwrap();
    assert_eq!(run(&["restore", "--from", text(&to), "--list"]).0, 0);
    let (code, verified, said) = run(&["restore", "--from", text(&to), "--verify"]);
    assert_eq!((code, verified["damaged"].as_array().unwrap().len()), (1, 1), "{said}");
    assert!(failed(&["restore", "--from", text(&data), "--list"]).contains("no backup here"));
}

#[test]
fn a_place_of_attachments_that_only_the_settings_name_is_not_filled_by_a_restore() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    let place = directory.path().join("bytes");
    Client::new(&data);
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to)]);
    let restored = |name: &str, further: &[&str]| {
        let new = directory.path().join(name);
        let arguments = [&["restore", "--from", text(&to), "--data-dir", text(&new)], further].concat();
        let output = casement(&arguments).env("CASEMENT_ATTACHMENTS", &place).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap(), new.exists())
    };
    assert!(restored("one", &[]).0);
    fs::create_dir_all(place.join("st-1/ab")).unwrap();
    fs::write(place.join("st-1/ab/at-0000-ab"), "live").unwrap();
    let (is_done, said, is_there) = restored("two", &[]);
    assert!(!is_done && !is_there && said.contains("the settings name"), "{said}");
    assert!(restored("three", &["--attachments", text(&place)]).0);
}
