//! What only a real connection shows: keep-alive, heads that the HTTP library reads, and a stop that lets requests end.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use casement_api::server::{ServerOptions, serve};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::http::{Connection, post};
use crate::harness::server::{ACCOUNT, STREAM, Server};
use crate::harness::token::of;

/// How long a test waits for the server to stop listening.
const WAIT_MAX: Duration = Duration::from_secs(20);

struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    loop_task: JoinHandle<()>,
}

async fn serving(server: &Server) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let loop_task = tokio::spawn(serve(listener, server.router.clone(), ServerOptions::default(), async {
        stopped.await.ok();
    }));
    Serving { address, stop, loop_task }
}

fn headers(server: &Server) -> Vec<(String, String)> {
    let named = [("auth", of(&server.jwt, &json!({}))), ("AccountId", ACCOUNT.to_owned())];
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn path(operation: &str) -> String {
    format!("/caseManagement/api/public/analytics/{STREAM}/{operation}")
}

/// Runs what blocks on a socket beside the server's own tasks.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_serves_request_after_request() {
    let server = Server::start().await;
    let running = serving(&server).await;
    let create = post(&path("createCase"), &headers(&server), &server.case_body(json!({})).to_string());
    let list = post(&path("getCases"), &headers(&server), "{}");
    let bad = post(&path("getCases"), &headers(&server), "{");
    let address = running.address;
    let (created, refused, listed) = beside(move || {
        let mut connection = Connection::open(address);
        let mut ask = |request: &str| {
            connection.send(request);
            connection.answer()
        };
        (ask(&create), ask(&bad), ask(&list))
    })
    .await;
    assert_eq!((created.0.status, refused.0.status, listed.0.status), (200, 400, 200));
    assert_eq!(refused.0.header("content-type"), Some("application/problem+json"));
    assert_eq!(listed.1["results"][0]["_id"], created.1["_id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_sent_at_once_are_answered_in_order() {
    let server = Server::start().await;
    let running = serving(&server).await;
    let create = post(&path("createCase"), &headers(&server), &server.case_body(json!({})).to_string());
    let list = post(&path("getCases"), &headers(&server), "{}");
    let address = running.address;
    let (created, listed) = beside(move || {
        let mut connection = Connection::open(address);
        connection.send(&format!("{create}{list}"));
        (connection.answer(), connection.answer())
    })
    .await;
    assert_eq!(listed.1["results"][0]["_id"], created.1["_id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_chunks_is_read_up_to_the_limit() {
    let server = Server::start().await;
    let running = serving(&server).await;
    let head = post(&path("createCase"), &headers(&server), "")
        .replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let body = server.case_body(json!({})).to_string();
    let chunked = |body: &str| format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let (small, large) = (chunked(&body), chunked(&" ".repeat(1024 * 1024 + 1)));
    let address = running.address;
    let (made, refused) = beside(move || {
        let mut connection = Connection::open(address);
        connection.send(&small);
        let made = connection.answer();
        connection.send(&large);
        (made, connection.answer())
    })
    .await;
    assert_eq!((made.0.status, &made.1["refId"]), (200, &json!("CS000100")));
    assert_eq!((refused.0.status, &refused.1["errors"][0]["code"]), (413, &json!(4013)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_heads_are_answered_as_problems_on_a_real_connection_too() {
    let server = Server::start().await;
    let running = serving(&server).await;
    let mut many = headers(&server);
    many.extend((0..150).map(|number| (format!("x-{number}"), "1".to_owned())));
    let mut long = headers(&server);
    long.push(("x-long".to_owned(), "x".repeat(40_000)));
    let requests = [
        (post(&path(&format!("getCases?{}", "x".repeat(10_000))), &headers(&server), "{}"), 414),
        (post(&path("getCases"), &many, "{}"), 431),
        (post(&path("getCases"), &long, "{}"), 431),
        (post(&path("nonsense"), &headers(&server), "{}"), 404),
    ];
    let address = running.address;
    for (request, status) in requests {
        let (head, problem) = beside(move || {
            let mut connection = Connection::open(address);
            connection.send(&request);
            connection.answer()
        })
        .await;
        assert_eq!((head.status, &problem["status"]), (status, &json!(status)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_told_length_over_the_limit_is_refused_before_the_body_is_sent() {
    let server = Server::start().await;
    let running = serving(&server).await;
    let request = post(&path("createCase"), &headers(&server), "")
        .replace("Content-Length: 0", "Content-Length: 1048577");
    let address = running.address;
    let (head, problem) = beside(move || {
        let mut connection = Connection::open(address);
        connection.send(&request);
        connection.answer()
    })
    .await;
    assert_eq!((head.status, &problem["errors"][0]["code"]), (413, &json!(4013)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_an_open_request_end_and_takes_no_new_connection() {
    let server = Server::start().await;
    let Serving { address, stop, loop_task } = serving(&server).await;
    let body = server.case_body(json!({})).to_string();
    let mut headers = headers(&server);
    // The server says "100 Continue" when it begins to read the body: the request is then open.
    headers.push(("Expect".to_owned(), "100-continue".to_owned()));
    let request = post(&path("createCase"), &headers, &body);
    let head_bytes = request.len() - body.len();
    let (head, rest) = (request[..head_bytes].to_owned(), request[head_bytes..].to_owned());
    let mut connection = beside(move || {
        let mut connection = Connection::open(address);
        connection.send(&head);
        assert_eq!(connection.head().status, 100);
        connection
    })
    .await;
    stop.send(()).unwrap();
    let began = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < WAIT_MAX, "the server still listens");
        tokio::task::yield_now().await;
    }
    assert!(!loop_task.is_finished());
    let (head, case) = beside(move || {
        connection.send(&rest);
        let answer = connection.answer();
        connection.ends();
        answer
    })
    .await;
    assert_eq!((head.status, &case["refId"]), (200, &json!("CS000100")));
    tokio::time::timeout(WAIT_MAX, loop_task).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_connections_whose_first_head_is_not_whole_at_once() {
    let server = Server::start().await;
    let Serving { address, stop, loop_task } = serving(&server).await;
    let list = post(&path("getCases"), &headers(&server), "{}");
    let waiting = beside(move || {
        let silent = Connection::open(address);
        let mut slow = Connection::open(address);
        slow.send("POST /case");
        // One that was served shows that the server has taken the others.
        let mut served = Connection::open(address);
        served.send(&list);
        assert_eq!(served.answer().0.status, 200);
        (silent, slow, served)
    })
    .await;
    let began = Instant::now();
    stop.send(()).unwrap();
    loop_task.await.unwrap();
    assert!(began.elapsed() < WAIT_MAX / 4, "{:?}", began.elapsed());
    drop(waiting);
}
