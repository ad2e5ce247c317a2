//! Traces: what a collector gets, and that one that hangs holds up nobody.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::harness::curl::Curl;
use crate::harness::http::{Connection, post};
use crate::harness::program::Program;

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector that gives what it is sent.
fn collector() -> (String, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(body) = request(&mut stream) {
                    // The test may have seen enough.
                    let _ = sender.send(ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
                    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    (url, received)
}

/// Reads a request to the right place, with its body; `None` when the client has gone.
fn request(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    let mut first = String::new();
    stream.read_line(&mut first).ok().filter(|bytes| *bytes > 0)?;
    assert_eq!(first.trim_end(), "POST /v1/traces HTTP/1.1");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        match line.trim_end().to_lowercase().split_once(": ") {
            None => break,
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("content-type", value)) => assert_eq!(value, "application/x-protobuf"),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Serves with a collector, creates a case and lists it, so many times, and stops.
fn traced(url: &str, times: usize, further: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [&["--otlp-endpoint", url], further].concat();
    let mut program = Program::serve_with(&directory.path().join("data"), &arguments);
    let printed = program.printed_until("-d '{}'");
    let curls: Vec<Curl> =
        printed.match_indices("curl -s").map(|(place, _)| Curl::first_of(&printed[place..])).collect();
    let mut connection = Connection::open(curls[0].authority().parse().unwrap());
    for _ in 0..times {
        for curl in &curls {
            let mut headers = curl.headers.clone();
            headers.push(("traceparent".to_owned(), format!("00-{TRACE_ID}-{PARENT}-01")));
            connection.send(&post(curl.path(), &headers, &curl.body));
            assert_eq!(connection.answer().0.status, 200);
        }
    }
    assert!(program.stop());
}

#[test]
fn a_request_is_a_span_of_its_client_s_trace_with_the_work_below_it() {
    let (url, received) = collector();
    traced(&url, 1, &[]);
    let resources: Vec<_> = received.try_iter().flat_map(|sent| sent.resource_spans).collect();
    let attributes = &resources[0].resource.as_ref().unwrap().attributes;
    let service = attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
    assert_eq!((service.key.as_str(), string(service.value.as_ref())), ("service.name", "casement"));
    let spans: Vec<Span> =
        resources.into_iter().flat_map(|sent| sent.scope_spans).flat_map(|scope| scope.spans).collect();
    let named =
        |name: &str| spans.iter().find(|span| span.name.contains(name)).unwrap_or_else(|| panic!("{name}"));
    let (create, list) = (named("createCase"), named("getCases"));
    assert_eq!(create.name, "POST /caseManagement/api/public/analytics/{streamId}/createCase");
    for span in [create, list] {
        assert_eq!(
            (hexadecimal(&span.trace_id).as_str(), hexadecimal(&span.parent_span_id).as_str()),
            (TRACE_ID, PARENT)
        );
        let mut keys: Vec<&str> = span.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        keys.sort_unstable();
        let expected = ["http.request.method", "http.response.status_code", "http.route"];
        keys.retain(|key| !["busy_ns", "idle_ns"].contains(key));
        assert_eq!(keys, expected, "no ids, no values");
    }
    for (child, parent) in [("decide", create), ("commit", create), ("index", list)] {
        let child = named(child);
        assert_eq!(child.parent_span_id, parent.span_id, "{}", child.name);
        assert!(child.attributes.is_empty(), "{:?}", child.attributes);
    }
}

fn string(value: Option<&opentelemetry_proto::tonic::common::v1::AnyValue>) -> &str {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_collector_that_hangs_holds_up_no_request_and_not_the_end() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It is connected to and never answers.
    traced(&url, 50, &[]);
}

#[test]
fn a_collector_that_is_not_there_holds_up_nobody_either() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    traced(&format!("http://{nobody}"), 3, &[]);
}

#[test]
fn a_client_s_decision_not_to_trace_is_followed_and_so_is_the_share() {
    let (url, received) = collector();
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--otlp-endpoint", &url, "--trace-share", "0"];
    let mut program = Program::serve_with(&directory.path().join("data"), &arguments);
    let curl = Curl::first_of(
        &program.printed_until("-d '{}'").split_once("curl").map(|(_, rest)| format!("curl{rest}")).unwrap(),
    );
    let mut connection = Connection::open(curl.authority().parse().unwrap());
    connection.send(&post(curl.path(), &curl.headers, &curl.body));
    assert_eq!(connection.answer().0.status, 200);
    assert!(program.stop());
    assert_eq!(received.try_iter().count(), 0);
}

#[test]
fn a_collector_or_share_that_is_none_is_refused() {
    for (flag, wrong) in [("--otlp-endpoint", "localhost:4318"), ("--trace-share", "2")] {
        assert!(failed_alike(flag, wrong).contains(flag));
    }
}

fn failed_alike(flag: &str, value: &str) -> String {
    let output = crate::harness::program::casement(&["serve", flag, value]).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
