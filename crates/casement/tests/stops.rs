//! Stops of the built program, and what a stop leaves for the next start.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use crate::harness::program::{Program, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM};

#[test]
fn a_stop_leaves_a_snapshot_of_the_index_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let mut program = Program::serve(&data);
    program.address();
    assert!(program.stop());
    let file = data.join("index").join(format!("{STREAM}.snapshot"));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data.join("index")), mode(&file)), (0o700, 0o600), "{}", text(&file));
    let first = fs::read(&file).unwrap();
    assert!(first.starts_with(b"CSMTINDX"));
    // Whatever lies there instead, the server starts, and its stop puts a sound one in the place.
    fs::write(&file, &first[..first.len() / 2]).unwrap();
    let mut program = Program::serve(&data);
    program.address();
    // It warns at a level that this program does not print.
    assert!(program.stop());
    assert_eq!(fs::read(&file).unwrap().len(), first.len());
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let made = init(&data, ACCOUNT, STREAM);
    let [id, secret] = ["clientId", "clientSecret"].map(|key| made["app"][key].as_str().unwrap());
    let token = succeeded(&["token", "--client-id", id, "--client-secret", secret]);
    let mut program = Program::serve(&data);
    let address = program.address();
    // A request that never ends holds the stop up.
    let mut connection = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /caseManagement/api/public/analytics/{STREAM}/getCases HTTP/1.1\r\nHost: {address}\r\n\
         auth: {}\r\nAccountId: {ACCOUNT}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\
         Expect: 100-continue\r\n\r\n",
        token.trim()
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut told = [0; 12];
    connection.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100");
    program.tell("-TERM");
    // Told so when the first signal was taken: nothing is accepted any more.
    while TcpStream::connect(&address).is_ok() {}
    program.tell("-TERM");
    assert_eq!(program.exit_code(), Some(1));
}
