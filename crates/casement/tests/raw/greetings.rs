//! What comes to a server with TLS and is no greeting that it takes.

use std::net::Shutdown;

use casement_api::server::ServerOptions;

use super::Wire;
use crate::connections::{certificate, greeted, serving, tls};
use crate::harness::server::Server;

/// A TLS record: type, version, length, payload.
fn record(kind: u8, version: [u8; 2], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind][..], &version, &length, payload].concat()
}

/// A greeting by a version and no extensions, with one cipher that every version has had.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let body = [&version[..], &[7; 32], &[0, 0, 2, 0x00, 0x2f, 1, 0]].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    record(22, [3, 1], &[&[1][..], &length[1..], &body].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greeting_that_is_none_or_too_old_ends_its_connection_and_no_other() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let trusted = certificate(directory.path());
    let options = ServerOptions { tls: Some(tls(directory.path())), ..ServerOptions::default() };
    let address = serving(&server, options).await;
    let good = hello([3, 3]);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("plain HTTP", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("plain HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a proxy's preface", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".to_vec()),
        ("zeros", vec![0; 4096]),
        ("ones", vec![0xff; 4096]),
        ("SSL 2", vec![0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80]),
        ("SSL 3", hello([3, 0])),
        ("TLS 1.0", hello([3, 1])),
        ("TLS 1.1", hello([3, 2])),
        ("TLS 1.2 with nothing to agree on", good.clone()),
        ("half a greeting", good[..20].to_vec()),
        ("a greeting that lies about its length", record(22, [3, 1], &[1, 0xff, 0xff, 0xff, 3, 3])),
        ("a record past the largest", [&[22, 3, 1, 0xff, 0xff][..], &[0; 5000]].concat()),
        ("an empty record", record(22, [3, 3], &[])),
        ("empty records without end", record(22, [3, 3], &[]).repeat(10_000)),
        ("an alert", record(21, [3, 3], &[2, 40])),
        ("warnings without end", record(21, [3, 3], &[1, 90]).repeat(10_000)),
        ("data before the greeting", record(23, [3, 3], b"GET / HTTP/1.1\r\n\r\n")),
        ("a change of ciphers first", record(20, [3, 3], &[1])),
        ("an unknown record", record(99, [3, 3], &[1])),
        ("a finish first", record(22, [3, 3], &[20, 0, 0, 0])),
    ];
    for (name, bytes) in rows {
        let rest = tokio::task::spawn_blocking(move || {
            let mut wire = Wire::open(address);
            // It may close before it has read everything.
            let _ = wire.send(&bytes);
            let _ = wire.0.get_ref().shutdown(Shutdown::Write);
            wire.rest()
        });
        let rest = rest.await.unwrap();
        assert!(rest.is_empty() || rest.starts_with(&[21, 3]), "{name}: {rest:?} is no alert");
        assert!(greeted(address, trusted.clone(), b"http/1.1").await.is_ok(), "after {name}");
    }
    assert!(greeted(address, trusted.clone(), b"http/0.9").await.is_err(), "an unknown protocol");
}
