//! The doctor by the built binary: a sound installation, and each thing that can be wrong with one.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::harness::program::{Program, casement, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM};

/// Runs the doctor; gives its exit code and what it prints.
fn doctor(data: &Path, further: &[&str]) -> (i32, Value) {
    let arguments =
        [&["doctor", "--data-dir", text(data), "--connections-max", "100", "--json"], further].concat();
    let output = casement(&arguments).output().unwrap();
    let code = output.status.code().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let found = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (code, found)
}

fn level_of(found: &Value, check: &str) -> String {
    let findings = found["findings"].as_array().unwrap();
    let levels: Vec<&str> = findings
        .iter()
        .filter(|finding| finding["check"] == check)
        .map(|finding| finding["level"].as_str().unwrap())
        .collect();
    assert!(!levels.is_empty(), "{check}: {found}");
    levels.join(" ")
}

#[test]
fn an_installation_with_a_backup_is_sound_with_and_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    init(&data, ACCOUNT, STREAM);
    let (code, found) = doctor(&data, &[]);
    assert_eq!((code, level_of(&found, "backup").as_str()), (1, "warning"), "{found}");
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to)]);
    let backup = ["--backup-to", text(&to), "--full"];
    let (code, found) = doctor(&data, &backup);
    assert_eq!((code, &found["level"]), (0, &Value::from("ok")), "{found:#}");
    for check in
        ["permissions", "server", "disk", "schema", "database", "log", "documents", "numbers", "clock"]
    {
        assert_eq!(level_of(&found, check), "ok", "{found:#}");
    }
    let mut program = Program::serve(&data);
    program.address();
    let (code, found) = doctor(&data, &backup);
    assert_eq!(code, 0, "{found:#}");
    assert!(found.to_string().contains("a server uses the directory and answers"), "{found:#}");
    assert!(program.stop());
}

#[test]
fn a_directory_without_data_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (code, found) = doctor(&directory.path().join("none"), &[]);
    assert_eq!((code, level_of(&found, "directory").as_str()), (2, "error"));
    fs::write(directory.path().join("restore-unfinished"), "").unwrap();
    let (code, found) = doctor(directory.path(), &[]);
    assert_eq!(code, 2);
    assert!(found.to_string().contains("did not end"), "{found}");
}

#[test]
fn files_that_others_may_read_are_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    fs::set_permissions(data.join("casement.db"), Permissions::from_mode(0o644)).unwrap();
    let (code, found) = doctor(&data, &[]);
    assert_eq!((code, level_of(&found, "permissions").as_str()), (1, "warning"), "{found:#}");
}

#[test]
fn a_damaged_database_is_an_error_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let path = data.join("casement.db");
    let length = fs::metadata(&path).unwrap().len();
    // The middle of every page but the first: some of them hold rows.
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    for page in 1..length / 16_384 {
        file.seek(SeekFrom::Start(page * 16_384)).unwrap();
        file.write_all(&[0xff; 64]).unwrap();
    }
    let (code, found) = doctor(&data, &[]);
    assert_eq!(code, 2, "{found:#}");
    assert!(found.to_string().contains("restore the last backup"), "{found:#}");
}

#[test]
fn a_backup_of_another_installation_or_none_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (data, other) = (directory.path().join("data"), directory.path().join("other"));
    let to = directory.path().join("backup");
    for data in [&data, &other] {
        init(data, ACCOUNT, STREAM);
        succeeded(&[
            "backup",
            "--data-dir",
            text(data),
            "--to",
            text(
                &directory.path().join(format!("backup-of-{}", data.file_name().unwrap().to_str().unwrap())),
            ),
        ]);
    }
    let theirs = directory.path().join("backup-of-other");
    let (code, found) = doctor(&data, &["--backup-to", text(&theirs)]);
    assert_eq!((code, level_of(&found, "backup").as_str()), (2, "ok error"), "{found:#}");
    let (code, found) = doctor(&data, &["--backup-to", text(&to)]);
    assert_eq!((code, level_of(&found, "backup").as_str()), (2, "ok error"), "{found:#}");
}

#[test]
fn a_certificate_that_ends_soon_or_can_not_be_read_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let (path, key_path) = (directory.path().join("certificate.pem"), directory.path().join("key.pem"));
    let certificate = ["--tls-certificate", text(&path), "--tls-key", text(&key_path)];
    let (code, found) = doctor(&data, &certificate);
    assert_eq!((code, level_of(&found, "certificate").as_str()), (2, "error"), "{found:#}");

    let key = rcgen::KeyPair::generate().unwrap();
    fs::write(&key_path, key.serialize_pem()).unwrap();
    fs::set_permissions(&key_path, Permissions::from_mode(0o600)).unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    for (year, code, level) in [(2020, 2, "error"), (4000, 1, "ok")] {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
        let found = doctor(&data, &certificate);
        // Without a backup there is always a warning.
        assert_eq!((found.0, level_of(&found.1, "certificate").as_str()), (code, level), "{:#}", found.1);
    }

    let (code, found) = doctor(&data, &["--acme-domain", "cases.example.com"]);
    assert_eq!((code, level_of(&found, "certificate").as_str()), (1, "warning"), "{found:#}");
    fs::create_dir(data.join("acme")).unwrap();
    fs::write(data.join("acme").join("certificate.json"), "{").unwrap();
    fs::set_permissions(data.join("acme").join("certificate.json"), Permissions::from_mode(0o644)).unwrap();
    let (code, found) = doctor(&data, &["--acme-domain", "cases.example.com"]);
    assert_eq!((code, level_of(&found, "certificate").as_str()), (2, "error"), "{found:#}");
    assert!(found.to_string().contains("acme/certificate.json (644)"), "{found:#}");
}
