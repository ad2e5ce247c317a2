//! The page of metrics: for this machine alone on the main listener, and nothing else on one of its own.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use casement_api::api::{Api, ApiOptions};
use casement_api::client::Peer;
use casement_api::metrics_page::{self, Metrics};
use casement_api::router::router_of;
use http_body_util::BodyExt;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tower::ServiceExt;

use crate::harness::curl::Curl;
use crate::harness::http::{Connection, post};
use crate::harness::program::{Program, text};
use crate::harness::server::Server;

fn page() -> Metrics {
    Metrics::new(|| "casement_test 1\n".to_owned())
}

async fn asked(router: axum::Router, peer: Option<&str>, header: Option<&str>) -> Response {
    let mut request = Request::get("/metrics").header("host", "localhost");
    if let Some(name) = header {
        request = request.header(name, "for=192.0.2.1");
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    }
    router.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn on_the_main_listener_only_this_machine_reads_the_metrics() {
    let server = Server::start().await;
    let options = ApiOptions { metrics: Some(page()), ..ApiOptions::default() };
    let router = router_of(Api::new(Arc::clone(&server.app), &options));
    for peer in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
        let answer = asked(router.clone(), Some(peer), None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{peer}");
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "casement_test 1\n");
    }
    let refused = [
        (Some("192.0.2.1:5"), None),
        (None, None),
        (Some("127.0.0.1:5"), Some("forwarded")),
        (Some("127.0.0.1:5"), Some("x-forwarded-for")),
        (Some("127.0.0.1:5"), Some("via")),
    ];
    for (peer, header) in refused {
        let answer = asked(router.clone(), peer, header).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{peer:?} {header:?}");
    }
    // With a listener of their own, there is no such route here.
    assert_eq!(asked(server.router, Some("127.0.0.1:5"), None).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_listener_of_its_own_has_metrics_and_nothing_else() {
    let router = metrics_page::router(page());
    let answer = asked(router.clone(), Some("192.0.2.1:5"), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let other = Request::get("/healthz").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(other).await.unwrap().status(), StatusCode::NOT_FOUND);
}

/// Takes the names of what is described.
#[derive(Default)]
struct Names(Mutex<BTreeSet<String>>);

impl Recorder for Names {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().insert(key.as_str().to_owned());
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().insert(key.as_str().to_owned());
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().insert(key.as_str().to_owned());
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn described() -> BTreeSet<String> {
    let names = Names::default();
    metrics::with_local_recorder(&names, || {
        casement_api::measure::describe();
        casement_app::measure::describe();
        casement_store::measure::describe();
    });
    names.0.into_inner().unwrap()
}

#[test]
fn every_metric_stands_in_the_table_of_the_page_and_every_line_of_it_is_a_metric() {
    let page = include_str!("../../../docs/operations.md");
    let table = page.split("\n## Metrics\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = table
        .lines()
        .filter(|line| line.starts_with("| `casement_"))
        .map(|line| line.split('`').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(listed, described());
}

#[test]
fn a_server_shows_described_metrics_alone_and_those_of_its_parts_at_work() {
    let directory = tempfile::tempdir().unwrap();
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let backup = directory.path().join("backup");
    let mut program = Program::serve_with(
        &directory.path().join("data"),
        &["--metrics-listen", &metrics.to_string(), "--backup-to", text(&backup)],
    );
    let printed = program.printed_until("-d '{}'");
    let curls: Vec<Curl> =
        printed.match_indices("curl -s").map(|(place, _)| Curl::first_of(&printed[place..])).collect();
    let mut connection = Connection::open(curls[0].authority().parse().unwrap());
    for curl in curls.iter().chain(&curls[1..]) {
        connection.send(&post(curl.path(), &curl.headers, &curl.body));
        assert_eq!(connection.answer().0.status, 200);
    }
    let page = read(metrics, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let shown: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE casement_"))
        .map(|rest| format!("casement_{}", rest.split(' ').next().unwrap()))
        .collect();
    let cpu = page.lines().find_map(|line| line.strip_prefix("process_cpu_seconds_total ")).unwrap();
    let cpu: f64 = cpu.parse().unwrap();
    assert!(cpu > 0.0 && cpu.fract() > 0.0, "parts of a second count: {cpu}");
    let described = described();
    assert!(shown.is_subset(&described), "{:?}", shown.difference(&described));
    for line in [
        "casement_index_lag_sets 0",
        "casement_index_ready{part=\"lists\"} 1",
        "casement_index_ready{part=\"words\"} 1",
        "casement_rendered_documents_total{outcome=\"miss\"}",
        "casement_rendered_documents_total{outcome=\"hit\"}",
        "casement_index_bytes{kind=\"case\",part=\"terms\"}",
        "casement_index_bytes{kind=\"task\",part=\"term-lists\"}",
        "casement_worker_runs_total{worker=\"sweep\",outcome=\"done\"}",
        "casement_worker_last_success_timestamp_seconds{worker=\"deadlines\"}",
    ] {
        assert!(page.contains(&format!("\n{line}")), "{line}: {page}");
    }
    assert!(page.contains("kind=\"case\"} 1\n"), "one case in its workspace: {page}");
    assert!(program.stop());
}

/// Sends something over a connection of its own and gives all that is answered.
fn read(address: SocketAddr, sent: &str) -> String {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_refused_before_any_route_is_counted_from_0_and_told_of_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let mut program = Program::serve_logging(&directory.path().join("data"), &[], &log);
    let address: SocketAddr = program.address().parse().unwrap();
    let page = || read(address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let first = page();
    for counter in
        ["heads_refused_total 0", "connections_refused_total 0"].map(|name| format!("casement_http_{name}\n"))
    {
        assert!(first.contains(&counter), "{counter}: {first}");
    }
    assert!(first.contains("casement_backup_failures_total 0\n"), "{first}");
    for hostile in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "nothing that is a request\r\n\r\n",
    ] {
        assert!(read(address, hostile).starts_with("HTTP/1.1 400 "), "{hostile}");
    }
    let last = page();
    assert!(last.contains("casement_http_heads_refused_total 3\n"), "{last}");
    assert!(program.stop());
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("heads of requests were refused").count(), 1, "{log}");
}
