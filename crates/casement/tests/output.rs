//! What commands print: a reader that goes ends nothing, and what can't be written is told.

use std::fs::File;
use std::io::pipe;
use std::process::Stdio;

use crate::harness::program::{casement, init, text};
use crate::harness::server::{ACCOUNT, STREAM};

#[test]
fn a_command_whose_reader_has_gone_ends_in_silence_with_its_own_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    for arguments in [
        &["doctor", "--data-dir", text(&data)][..],
        &["doctor", "--data-dir", "absent"],
        &["config"],
        &["app", "list", "--data-dir", text(&data)],
        &["version"],
        &["service", "print"],
    ] {
        let read = casement(arguments).output().unwrap();
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let unread = casement(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(unread.status.code(), read.status.code(), "{arguments:?}");
        assert_eq!(unread.stderr, read.stderr, "{arguments:?}");
        assert!(!read.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_fault_that_nobody_reads_has_its_exit_code_too() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let status = casement(&["app", "list", "--data-dir", "absent"]).stderr(writer).status();
    assert_eq!(status.unwrap().code(), Some(1));
}

#[test]
fn an_output_that_can_not_be_written_is_told() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = casement(&["version"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("casement: the output can't be written: "), "{said}");
}
