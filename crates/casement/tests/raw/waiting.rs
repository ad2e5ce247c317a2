//! Clients that let the server wait, by a clock that goes on as soon as everybody waits: each is cut off in its time.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use casement_api::server::ServerOptions;
use tokio::time::Instant;

use super::{Kit, Wire, kit};
use crate::connections::{certificate, serving, tls};
use crate::harness::server::Server;

/// Sends bytes, then nothing more. Gives the statuses that come, and after how many seconds of the server the end did.
async fn cut_off(address: SocketAddr, bytes: Vec<u8>) -> (Vec<u16>, u64) {
    // The clock stands still while the runtime has a thread at work, so the bytes are there before it goes on.
    let sent = tokio::task::spawn_blocking(move || {
        let mut wire = Wire::open(address);
        wire.send(&bytes).unwrap();
        wire
    });
    let mut wire = sent.await.unwrap();
    let began = Instant::now();
    let (done, seen) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut statuses = Vec::new();
        let error = loop {
            match wire.answer() {
                Ok(Some(answer)) => statuses.push(answer.status),
                Ok(None) => break None,
                // Frames of HTTP/2 are no lines.
                Err(error) if error.kind() == ErrorKind::InvalidData => drop(wire.rest()),
                Err(error) => break Some(error.kind()),
            }
        };
        assert!(matches!(error, None | Some(ErrorKind::ConnectionReset)), "{error:?} after {statuses:?}");
        done.send(statuses).unwrap();
    });
    (seen.await.unwrap(), began.elapsed().as_secs())
}

fn rows(kit: &Kit) -> Vec<(&'static str, Vec<u8>, Vec<u16>, u64)> {
    let create = kit.create();
    let head = create.len() - kit.body.len();
    let chunks = |begin: &str| kit.create_with("Transfer-Encoding: chunked\r\n", begin);
    let again = |rest: &[u8]| [&kit.list()[..], rest].concat();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let greeted = [&preface[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    vec![
        ("who says nothing", Vec::new(), vec![], 10),
        ("an empty line", b"\r\n".to_vec(), vec![], 10),
        ("half a method", b"PO".to_vec(), vec![], 10),
        ("half a head", create[..40].to_vec(), vec![], 10),
        ("a head without its last line", create[..head - 2].to_vec(), vec![], 10),
        ("a head without its last byte", create[..head - 1].to_vec(), vec![], 10),
        ("half of HTTP/2's greeting", preface[..10].to_vec(), vec![], 10),
        ("HTTP/2's greeting alone", preface, vec![], 10),
        ("HTTP/2 without a request", greeted, vec![], 10),
        ("no body", create[..head].to_vec(), vec![408], 5),
        ("half a body", create[..head + 20].to_vec(), vec![408], 5),
        ("all but the last byte", create[..create.len() - 1].to_vec(), vec![408], 5),
        ("no chunk", chunks(""), vec![408], 5),
        ("half a size", chunks("1"), vec![408], 5),
        ("half a chunk", chunks("10\r\n{\"name\""), vec![408], 5),
        ("no last chunk", chunks("2\r\n{}\r\n"), vec![408], 5),
        ("trailers without end", chunks("2\r\n{}\r\n0\r\nX: y\r\n"), vec![408], 5),
        ("nothing after a request", again(b""), vec![200], 60),
    ]
}

#[tokio::test]
async fn every_way_to_let_the_server_wait_ends_by_its_timer() {
    let server = Server::start().await;
    let kit = kit(&server, ServerOptions::default()).await;
    tokio::time::pause();
    for (name, bytes, statuses, seconds) in rows(&kit) {
        let (seen, after) = cut_off(kit.address, bytes).await;
        assert_eq!(seen, statuses, "{name}");
        assert!(after <= seconds + 1, "{name}: {after} s");
    }
}

#[tokio::test]
async fn a_slow_greeting_of_tls_ends_by_its_timer() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    certificate(directory.path());
    let options = ServerOptions { tls: Some(tls(directory.path())), ..ServerOptions::default() };
    let address = serving(&server, options).await;
    tokio::time::pause();
    for bytes in [&[][..], &[22], &[22, 3, 1, 0, 100, 1]] {
        let (seen, after) = cut_off(address, bytes.to_vec()).await;
        assert!(
            seen.is_empty() && Duration::from_secs(after) <= Duration::from_secs(11),
            "{bytes:?}: {after} s"
        );
    }
}

#[tokio::test]
async fn who_takes_no_answer_is_cut_off_within_the_time_of_the_least_pace() {
    let server = Server::start().await;
    for _ in 0..100 {
        server.create_case(serde_json::json!({"desc": "x".repeat(60_000)})).await;
    }
    let kit = kit(&server, ServerOptions::default()).await;
    // Some seven megabytes, more than the sockets' buffers hold.
    let list = String::from_utf8(kit.list()).unwrap().replace("Content-Length: 11", "Content-Length: 13");
    let list = list.replace(r#"{"limit":1}"#, r#"{"limit":100}"#);
    tokio::time::pause();
    let sent = tokio::task::spawn_blocking(move || {
        let mut wire = Wire::open(kit.address);
        wire.send(list.as_bytes()).unwrap();
        wire
    });
    let mut wire = sent.await.unwrap();
    let began = Instant::now();
    // No other end of the connection shows than that the client reads less than was told. It reads after the timer.
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert!(began.elapsed() >= Duration::from_secs(1_000));
    let taken = tokio::task::spawn_blocking(move || wire.rest()).await.unwrap();
    let head = String::from_utf8_lossy(&taken[..1_000]).into_owned();
    let told = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let told: usize = told.parse().unwrap();
    assert!(told > 5_000_000 && taken.len() < told, "{} of {told} bytes", taken.len());
}
