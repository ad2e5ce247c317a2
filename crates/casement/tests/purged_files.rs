//! What a purge leaves on the disk of a served directory, by the built binary: its snapshots, its backups, what the doctor says.

use std::path::Path;

use crate::harness::client::Client;
use crate::harness::program::{Program, casement, succeeded, text};
use crate::purges::{SAID, mentions};

/// What the doctor says of a directory in which it finds no error.
fn doctor(data: &Path) -> String {
    let output = casement(&["doctor", "--data-dir", text(data), "--full", "--json"]).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert_ne!(output.status.code(), Some(2), "{report}");
    report
}

#[test]
fn a_purged_case_is_in_no_file_of_its_server_and_in_nothing_that_is_restored_to_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let (data, to) = (directory.path().join("data"), directory.path().join("backup"));
    let client = Client::new(&data);
    let mut program = Program::serve(&data);
    let address = program.address();
    client.create(&address, SAID);
    client.create(&address, "Bystander");
    assert!(program.stop());
    // The stop has written a snapshot of the index, which has the words.
    assert!(!mentions(&data.join("index"), SAID).is_empty());
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to), "--json"]);
    let mut program = Program::serve(&data);
    let address = program.address();
    client.send(&address, "DELETE", "cases/CS000100", "");
    assert_eq!(client.sent(&address, "POST", "cases/CS000100/purge", "").head().status, 204);
    assert_eq!(client.sent(&address, "GET", "cases/CS000100", "").head().status, 404);
    assert!(program.stop());
    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to), "--json"]);
    // The next commits take away what the backup has taken.
    let mut program = Program::serve(&data);
    let address = program.address();
    client.create(&address, "Later");
    assert_eq!(client.sent(&address, "GET", "cases/CS000100", "").head().status, 404);
    assert!(program.stop());
    assert_eq!(mentions(&data, SAID), []);
    let report = doctor(&data);
    assert!(report.contains("of the events were erased"), "{report}");

    succeeded(&["backup", "--data-dir", text(&data), "--to", text(&to), "--json"]);
    let restored = directory.path().join("restored");
    succeeded(&["restore", "--from", text(&to), "--data-dir", text(&restored), "--json"]);
    assert_eq!(mentions(&restored, SAID), []);
    assert!(!mentions(&restored, "Bystander").is_empty());
    std::fs::copy(data.join("secrets.key"), restored.join("secrets.key")).unwrap();
    assert!(doctor(&restored).contains("of the events were erased"));
    // A backup has it until its bases from before go.
    assert!(!mentions(&to, SAID).is_empty());
}
