//! Connections: TLS by files, HTTP/1.1 and HTTP/2, and the places that there are.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, StatusCode, Version};
use bytes::Bytes;
use casement_api::server::{ServerOptions, serve};
use casement_api::tls::Tls;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::server::Server;

/// How long a test waits for the server to close a connection.
const WAIT_MAX: Duration = Duration::from_secs(20);

pub async fn serving(server: &Server, options: ServerOptions) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, server.router.clone(), options, std::future::pending()));
    address
}

/// Writes a new certificate with its key, both PEM, and gives the certificate.
pub fn certificate(directory: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()
}

pub fn tls(directory: &Path) -> Tls {
    Tls::open(directory.join("certificate.pem"), directory.join("key.pem")).unwrap()
}

/// Greets a server whose certificate is the one that is trusted.
pub async fn greeted(
    address: SocketAddr,
    trusted: CertificateDer<'static>,
    protocol: &[u8],
) -> Result<TlsStream<tokio::net::TcpStream>, std::io::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn health(version: Version) -> Request<Empty<Bytes>> {
    let uri = if version == Version::HTTP_2 { "https://localhost/healthz" } else { "/healthz" };
    Request::get(uri).version(version).header("host", "localhost").body(Empty::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_speaks_both_protocols() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let trusted = certificate(directory.path());
    let options = ServerOptions { tls: Some(tls(directory.path())), ..ServerOptions::default() };
    let address = serving(&server, options).await;

    let stream = greeted(address, trusted.clone(), b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(health(Version::HTTP_2)).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    assert!(answer.into_body().collect().await.unwrap().to_bytes().starts_with(b"{"));

    let stream = greeted(address, trusted, b"http/1.1").await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(health(Version::HTTP_11)).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_11));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_certificate_is_used_and_a_broken_one_is_not() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let first = certificate(directory.path());
    let tls = tls(directory.path());
    let options = ServerOptions { tls: Some(tls.clone()), ..ServerOptions::default() };
    let address = serving(&server, options).await;
    assert!(!tls.refresh().unwrap());
    assert!(greeted(address, first.clone(), b"http/1.1").await.is_ok());

    let second = certificate(directory.path());
    change_time(directory.path(), 1);
    assert!(tls.refresh().unwrap());
    assert!(greeted(address, second.clone(), b"http/1.1").await.is_ok());
    assert!(greeted(address, first, b"http/1.1").await.is_err());

    fs::write(directory.path().join("key.pem"), "no key").unwrap();
    change_time(directory.path(), 2);
    let error = tls.refresh().unwrap_err().to_string();
    assert!(error.contains("key.pem holds no usable private key"), "{error}");
    assert!(!tls.refresh().unwrap(), "it is not tried again until it changes");
    assert!(greeted(address, second, b"http/1.1").await.is_ok());
}

/// Sets the times of both files, so that a change shows whatever the file system's clock does.
fn change_time(directory: &Path, seconds: u64) {
    for name in ["certificate.pem", "key.pem"] {
        let file = fs::File::options().write(true).open(directory.join(name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }
}

#[test]
fn a_certificate_that_can_not_be_used_is_told_with_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let opened = || Tls::open(path("certificate.pem"), path("key.pem")).unwrap_err().to_string();
    assert!(opened().starts_with("can't read"));
    certificate(directory.path());
    let key = fs::read(path("key.pem")).unwrap();
    certificate(directory.path());
    fs::write(path("key.pem"), key).unwrap();
    assert!(opened().contains("certificate for the key"), "{}", opened());
    fs::write(path("certificate.pem"), "").unwrap();
    assert!(opened().contains("there is none in it"), "{}", opened());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_tls_ends_the_connection_and_no_other() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let trusted = certificate(directory.path());
    let options = ServerOptions { tls: Some(tls(directory.path())), ..ServerOptions::default() };
    let address = serving(&server, options).await;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    // An alert or nothing, then the end.
    let ended = tokio::time::timeout(WAIT_MAX, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok());
    assert!(!rest.starts_with(b"HTTP"));
    assert!(greeted(address, trusted, b"http/1.1").await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_without_tls_works_for_those_who_know_it() {
    let server = Server::start().await;
    let address = serving(&server, ServerOptions::default()).await;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..300 {
        // More than may be open at once: the protocol makes them wait, none is refused.
        answers.spawn(sender.send_request(health(Version::HTTP_2)));
    }
    for answer in answers.join_all().await {
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
    }
}

/// A frame of HTTP/2: length, type, flags, stream; RFC 9113, section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_opens_and_resets_streams_without_end_is_cut_off() {
    let server = Server::start().await;
    let address = serving(&server, ServerOptions::default()).await;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    // :method GET, :scheme http, :path / from the static table, :authority "x" as a literal.
    let head = [0x82, 0x86, 0x84, 0x41, 0x01, b'x'];
    let attack = async {
        for number in 0..20_000_u32 {
            let id = number * 2 + 1;
            let mut both = frame(1, 0x5, id, &head);
            both.extend(frame(3, 0, id, &8_u32.to_be_bytes()));
            if stream.write_all(&both).await.is_err() {
                return;
            }
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    };
    assert!(tokio::time::timeout(WAIT_MAX, attack).await.is_ok(), "the connection was never closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_past_its_places_is_closed_and_a_freed_place_is_taken_again() {
    let server = Server::start().await;
    let options = ServerOptions { connections_per_address_max: 2, ..ServerOptions::default() };
    let address = serving(&server, options).await;
    tokio::task::spawn_blocking(move || {
        let is_open = |stream: &mut TcpStream| {
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            // Nothing to read is an error here; a closed connection reads zero bytes or is reset.
            match stream.read(&mut [0; 1]) {
                Ok(bytes) => bytes > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            }
        };
        let mut held: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert!(held.iter_mut().all(is_open));
        assert!(!is_open(&mut TcpStream::connect(address).unwrap()));
        held.pop();
        let freed = std::time::Instant::now();
        while !is_open(&mut TcpStream::connect(address).unwrap()) {
            assert!(freed.elapsed() < WAIT_MAX, "the place was not freed");
        }
    })
    .await
    .unwrap();
}
