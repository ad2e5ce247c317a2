//! Clients that ask for much and take little: what one of them gets, and what is left to the others.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::http::{Request, StatusCode};
use bytes::Bytes;
use casement_api::limits;
use casement_api::server::ServerOptions;
use http_body_util::channel::Channel;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
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

/// Bytes that a connection and the system take of an answer though nobody reads it: what is sent and what is not yet.
const TAKEN_UNREAD: usize = 1024 * 1024;

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
async fn answers_that_an_address_does_not_take_are_a_429_for_it_and_for_nobody_else() {
    let server = Server::start().await;
    for _ in 0..60 {
        server.create_case(json!({"desc": "x".repeat(60_000)})).await;
    }
    let address = serving(&server, ServerOptions::default()).await;
    let list = request(&server, "getCases", &json!({"limit": 60}));
    let mut greedy = Vec::new();
    for _ in 0..=limits::ADDRESS_ANSWER_BYTES_MAX / (60 * 60_000 - TAKEN_UNREAD) {
        let mut stream = asked(address, GREEDY, &list).await;
        assert_eq!(stream.read_u8().await.unwrap(), b'H', "the answer has begun");
        greedy.push(stream);
    }
    let create = request(&server, "createCase", &server.case_body(json!({})));
    let refused = head(address, GREEDY, &create).await;
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(head(address, OTHER, &create).await.starts_with("HTTP/1.1 200 "));
    drop(greedy);
    assert!(head(address, GREEDY, &create).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_an_address_does_not_send_are_a_429_for_it_and_for_nobody_else() {
    let server = Server::start().await;
    let address = serving(&server, ServerOptions::default()).await;
    let token = of(&server.jwt, &json!({}));
    let streams = limits::HTTP2_STREAMS_MAX as usize;
    let mut greedy = Vec::new();
    for _ in 0..limits::ADDRESS_BODY_BYTES_MAX / limits::BODY_BYTES_BESIDE / streams {
        let stream = TokioIo::new(connect(address, GREEDY).await);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        greedy.push(tokio::spawn(connection));
        for _ in 0..streams {
            let (body, sent) = Channel::<Bytes, Infallible>::new(1);
            let request = Request::post(format!("http://localhost{}", path("createCase")))
                .header("auth", &token)
                .header("AccountId", ACCOUNT);
            sender.ready().await.unwrap();
            let answer = sender.send_request(request.body(sent).unwrap());
            greedy.push(tokio::spawn(async move {
                let answer = answer.await;
                drop(body);
                answer.map(|answer| assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT))
            }));
        }
    }
    // As long as a body may stay away, and some time for them to come.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let create = request(&server, "createCase", &server.case_body(json!({})));
    let refused = head(address, GREEDY, &create).await;
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(head(address, OTHER, &create).await.starts_with("HTTP/1.1 200 "));
    tokio::time::sleep(limits::BODY_GRACE).await;
    assert!(head(address, GREEDY, &create).await.starts_with("HTTP/1.1 200 "), "their time is over");
    greedy.iter().for_each(tokio::task::JoinHandle::abort);
}
