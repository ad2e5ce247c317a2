//! Clients that ask for much and take little: what one of them gets, and what is left to the others.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use casement_api::limits;
use casement_api::server::ServerOptions;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::connections::serving;
use crate::harness::http::post;
use crate::harness::server::{ACCOUNT, STREAM, Server};
use crate::harness::token::of;

/// The client that asks for too much.
const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A client as any other.
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Cases with a long description.
const LARGE_CASES: usize = 60;
/// What waits at least of a list of them whose client does not take it: the system has the rest.
const LARGE_LIST: usize = 2 * 1024 * 1024;

/// Large bodies that come but for their end.
const BODIES: usize = 16;

/// How long a test waits for a status.
const WAIT_MAX: Duration = Duration::from_secs(20);

fn path(operation: &str) -> String {
    format!("/caseManagement/api/public/analytics/{STREAM}/{operation}")
}

fn request(server: &Server, operation: &str, body: &serde_json::Value) -> String {
    let named = [("auth", of(&server.jwt, &json!({}))), ("AccountId", ACCOUNT.to_owned())];
    let headers: Vec<_> = named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    post(&path(operation), &headers, &body.to_string())
}

async fn connect(address: SocketAddr, from: Ipv4Addr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// Sends a request and leaves the answer where it is.
async fn asked(address: SocketAddr, from: Ipv4Addr, request: &str) -> TcpStream {
    let mut stream = connect(address, from).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Sends a request and gives the head of the answer.
async fn head(address: SocketAddr, from: Ipv4Addr, request: &str) -> String {
    let mut stream = asked(address, from, request).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn status(address: SocketAddr, from: Ipv4Addr, request: &str) -> u16 {
    let head = head(address, from, request).await;
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Asks until the answer has a status.
async fn until(address: SocketAddr, from: Ipv4Addr, request: &str, awaited: u16) {
    let began = Instant::now();
    while status(address, from, request).await != awaited {
        assert!(began.elapsed() < WAIT_MAX, "no {awaited} in {WAIT_MAX:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server with cases whose list can't be made much smaller by compression.
async fn with_large_cases() -> Server {
    let server = Server::start().await;
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..LARGE_CASES {
        let desc: String = std::iter::repeat_with(|| random.alphanumeric()).take(60_000).collect();
        server.create_case(json!({"desc": desc})).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_the_program_that_nobody_takes_leaves_the_others_their_room() {
    let server = Server::start().await;
    let address = serving(&server, ServerOptions::default()).await;
    let file = "GET /docs/explorer.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let whole = head(address, OTHER, file).await;
    let length = whole.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()).unwrap();
    let length: usize = length.parse().unwrap();
    let mut greedy = Vec::new();
    for _ in 0..=limits::ANSWER_BYTES_MAX / length {
        let mut stream = asked(address, GREEDY, file).await;
        assert_eq!(stream.read_u8().await.unwrap(), b'H', "the answer has begun");
        greedy.push(stream);
    }
    let create = request(&server, "createCase", &server.case_body(json!({})));
    for from in [GREEDY, OTHER] {
        assert!(head(address, from, &create).await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_an_address_does_not_take_are_a_429_for_it_and_for_nobody_else() {
    let server = with_large_cases().await;
    let address = serving(&server, ServerOptions::default()).await;
    let list = request(&server, "getCases", &json!({"limit": LARGE_CASES}));
    let mut greedy = Vec::new();
    // All at once: none of them waits while the next are asked for.
    for _ in 0..limits::ADDRESS_ANSWER_BYTES_MAX / LARGE_LIST {
        greedy.push(asked(address, GREEDY, &list).await);
    }
    until(address, GREEDY, &list, 429).await;
    let refused = head(address, GREEDY, &list).await;
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert_eq!(status(address, OTHER, &list).await, 200);
    drop(greedy);
    until(address, GREEDY, &list, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_an_address_does_not_take_leave_it_its_writes() {
    let server = with_large_cases().await;
    let address = serving(&server, ServerOptions::default()).await;
    let list = request(&server, "getCases", &json!({"limit": LARGE_CASES}));
    let mut greedy = Vec::new();
    while greedy.len() * LARGE_LIST <= limits::ADDRESS_ANSWER_BYTES_MAX / 2 {
        greedy.push(asked(address, GREEDY, &list).await);
    }
    until(address, GREEDY, &list, 429).await;
    let create = request(&server, "createCase", &server.case_body(json!({})));
    assert_eq!(status(address, GREEDY, &create).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_do_not_come_to_their_end_are_a_429_for_their_address_and_for_nobody_else() {
    let server = Server::start().await;
    let address = serving(&server, ServerOptions::default()).await;
    let create = request(&server, "createCase", &server.case_body(json!({})));
    let head = create.split("\r\n\r\n").next().unwrap();
    let head: Vec<&str> =
        head.lines().filter(|line| !line.to_lowercase().starts_with("content-length")).collect();
    let head = format!("{}\r\nContent-Length: {}\r\n\r\n", head.join("\r\n"), limits::BODY_BYTES_MAX);
    // Together exactly what the address may hold.
    let most = " ".repeat(limits::ADDRESS_BODY_BYTES_MAX / BODIES - limits::BODY_BYTES_BESIDE);
    let mut greedy = Vec::new();
    for _ in 0..BODIES {
        greedy.push(asked(address, GREEDY, &[head.as_str(), &most].concat()).await);
    }
    until(address, GREEDY, &create, 429).await;
    assert_eq!(status(address, OTHER, &create).await, 200);
    let health = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(status(address, GREEDY, health).await, 200);
    drop(greedy);
    until(address, GREEDY, &create, 200).await;
}

#[tokio::test]
async fn a_body_that_no_app_answers_for_is_small() {
    let server = Server::start().await;
    let long = " ".repeat(limits::STRANGER_BODY_BYTES_MAX + 1);
    let path = format!("/api/v1/streams/{STREAM}/feedback/none");
    server.call("").method("POST").path(&path).without("auth").bytes(long).refused(413).await;
}
