//! The head of a request: its line, its target, its host, its version, its headers, and how long they are.

use super::{Kit, Row, Seen, answers, hold, last};
use crate::harness::server::STREAM;

/// First lines that are no request lines.
const NO_REQUEST_LINES: [&str; 30] = [
    "GET",
    "GET ",
    "GET /healthz",
    "GET /healthz ",
    "GET  /healthz HTTP/1.1",
    "GET /healthz  HTTP/1.1",
    "GET\t/healthz\tHTTP/1.1",
    " GET /healthz HTTP/1.1",
    "GET /healthz HTTP/1.1 ",
    "GET /healthz HTTP/1.1 x",
    "GET /heal thz HTTP/1.1",
    "GET /healthz HTTP/1",
    "GET /healthz HTTP/1.2",
    "GET /healthz HTTP/1.10",
    "GET /healthz HTTP/01.1",
    "GET /healthz HTTP/2.0",
    "GET /healthz HTTP/0.9",
    "GET /healthz HTTP/9.9",
    "GET /healthz HTTP/-1.1",
    "GET /healthz http/1.1",
    "GET /healthz HTTPS/1.1",
    "GET /healthz HTTP 1.1",
    "G\u{0}T /healthz HTTP/1.1",
    "GET /health\u{0}z HTTP/1.1",
    "GET /health\u{7f}z HTTP/1.1",
    "G(T /healthz HTTP/1.1",
    "GET: /healthz HTTP/1.1",
    "GET healthz HTTP/1.1",
    "\u{16}\u{3}\u{1}\u{0}",
    "{\"name\": 1}",
];

/// Lines for the host of a request with HTTP/1.1 that must not be.
const NO_HOSTS: [&str; 17] = [
    "",
    "Host:\r\n",
    "Host: localhost\r\nHost: localhost\r\n",
    "Host: localhost\r\nHost: evil.example\r\n",
    "Host: localhost, evil.example\r\n",
    "Host: local host\r\n",
    "Host: http://localhost\r\n",
    "Host: localhost/\r\n",
    "Host: user@localhost\r\n",
    "Host: localhost:port\r\n",
    "Host: localhost:99999\r\n",
    "Host: localhost:80:80\r\n",
    "Host: [::1\r\n",
    "Host: \u{e9}xample\r\n",
    "Host: localhost?x\r\n",
    "Host: localhost#x\r\n",
    "Host: localhost\\evil\r\n",
];

/// Header lines that are none.
const NO_HEADERS: [&str; 14] = [
    "X",
    "X y",
    ":",
    ": y",
    "X : y",
    "X\t: y",
    "(X): y",
    "X\u{0}: y",
    "X: y\u{0}",
    "X: y\rZ: z",
    "X: a\u{8}b",
    "X: a\u{7f}b",
    "X\u{e9}: y",
    " X: y",
];

fn lines(kit: &Kit) -> Vec<Row> {
    let hidden = String::from_utf8(kit.create()).unwrap();
    let mut rows = Vec::new();
    for line in NO_REQUEST_LINES {
        let bytes = format!("{line}\r\nHost: localhost\r\n\r\n{hidden}");
        rows.push(Row::new(format!("line {line:?}"), bytes, last(&[400])));
    }
    for host in NO_HOSTS {
        let bytes = format!("GET /healthz HTTP/1.1\r\n{host}\r\n");
        rows.push(Row::new(format!("host {host:?}"), bytes, last(&[400])));
        let line = format!("POST {} HTTP/1.1", Kit::path("createCase"));
        let length = format!("Content-Length: {}\r\n", kit.body.len());
        let bytes = kit.request(&line, host, &length, &kit.body);
        rows.push(Row::new(format!("a create with host {host:?}"), bytes, last(&[400])));
    }
    for line in NO_HEADERS {
        let bytes = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n{hidden}");
        rows.push(Row::new(format!("header {line:?}"), bytes, last(&[400])));
    }
    // Ends of lines without a carriage return: some readers end a line there, some don't.
    for (name, bytes) in [
        ("the request line", "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n"),
        ("a header", "GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n"),
        ("the head", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n"),
        ("all", "GET /healthz HTTP/1.1\nHost: localhost\n\n"),
        (
            "a header with another in it",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\nContent-Length: 5\r\n\r\n",
        ),
    ] {
        rows.push(Row::new(
            format!("a line feed alone ends {name}"),
            format!("{bytes}{hidden}"),
            last(&[400]),
        ));
    }
    for host in
        ["localhost", "localhost:7400", "127.0.0.1", "[::1]:7400", "[::1]", "LOCALHOST", "a-b.example."]
    {
        let bytes = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
        rows.push(Row::new(format!("host {host:?}"), bytes, answers(&[200])));
    }
    rows.extend([
        Row::new(
            "empty lines before a request",
            "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            answers(&[200]),
        ),
        Row::new("HTTP/1.0 without a host", "GET /healthz HTTP/1.0\r\n\r\n", last(&[200])),
        Row::new(
            "HTTP/1.0 that wants to stay",
            "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            answers(&[200]),
        ),
        Row::new(
            "HTTP/1.0 with chunks",
            kit.request(
                &format!("POST {} HTTP/1.0", Kit::path("createCase")),
                "",
                "Transfer-Encoding: chunked\r\n",
                kit.chunked(),
            ),
            last(&[400]),
        ),
        Row::new("HTTP/0.9", "GET /healthz\r\n", last(&[400])),
        Row::new(
            "keep-alive and close",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, close\r\n\r\n",
            last(&[200]),
        ),
        Row::new(
            "close, then keep-alive",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
            last(&[200]),
        ),
        Row::new("a head that ends early", "GET /healthz HTTP/1.1\r\nHost: lo", last(&[])).ending(),
        Row::new("nothing", "", last(&[])).ending(),
        Row::new("half of HTTP/2's greeting", "PRI * HTTP/2.0\r\n\r\nSM", last(&[])).ending(),
        Row::new("HTTP/2's greeting with a slip", "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", last(&[400])),
        Row::new("a request in three pieces", "GET /hea", answers(&[200]))
            .then("lthz HTTP/1.1\r\nHo")
            .then("st: localhost\r\n\r\n"),
        Row::new("a request byte by byte", "G", answers(&[200]))
            .then("E")
            .then("T")
            .then(" ")
            .then("/")
            .then("healthz HTTP/1.1\r")
            .then("\nHost: localhost\r\n\r")
            .then("\n"),
    ]);
    rows
}

/// Paths that no route may take, each with the status that a create of the app gets there.
fn paths() -> Vec<(String, u16)> {
    let base = "/caseManagement/api/public/analytics";
    let mut paths: Vec<(String, u16)> = [
        format!("//caseManagement/api/public/analytics/{STREAM}/createCase"),
        format!("{base}//{STREAM}/createCase"),
        format!("{base}/{STREAM}//createCase"),
        format!("{base}/{STREAM}/createCase/"),
        format!("{base}/{STREAM}/createCase//"),
        format!("{base}/{STREAM}/createCase%2f"),
        format!("{base}/{STREAM}/createcase"),
        format!("{base}/{STREAM}/CREATECASE"),
        format!("{base}/{STREAM}/create%43ase"),
        format!("{base}/{STREAM}/%63reateCase"),
        format!("{base}/{STREAM}/createCase%00"),
        format!("{base}/{STREAM}/createCase%20"),
        format!("{base}/{STREAM}/createCase;x=1"),
        format!("{base}/{STREAM}/./createCase"),
        format!("{base}/{STREAM}/../{STREAM}/createCase"),
        format!("{base}/{STREAM}/%2e/createCase"),
        format!("{base}/{STREAM}%2fcreateCase"),
        format!("{base}/x/%2e%2e/{STREAM}/createCase"),
        format!("{base}\\{STREAM}\\createCase"),
        format!("/../..{base}/{STREAM}/createCase"),
        "/healthz/../createCase".to_owned(),
        "/%".to_owned(),
        "/%zz".to_owned(),
        "/%c0%af".to_owned(),
        "/%ff".to_owned(),
    ]
    .into_iter()
    .map(|path| (path, 404))
    .collect();
    let streams = [
        "%2e%2e",
        "..",
        ".",
        "%00",
        "%c0%ae",
        "%ff%fe",
        "%",
        "%2",
        "%zz",
        "*",
        "a%2fb",
        "'%20OR%201=1--",
        "%0d%0aX:%20y",
        "st-x",
    ];
    paths.extend(streams.into_iter().map(|stream| (format!("{base}/{stream}/createCase"), 403)));
    let stream = STREAM;
    paths.extend([
        (format!("{base}/{stream}%00/createCase"), 403),
        (format!("{base}/{stream}%20/createCase"), 403),
        (format!("{base}/{}/createCase", stream.to_uppercase()), 403),
    ]);
    paths
}

fn targets(kit: &Kit) -> Vec<Row> {
    let length = format!("Content-Length: {}\r\n", kit.body.len());
    let create = |line: &str, host: &str| kit.request(line, host, &length, &kit.body);
    let path = Kit::path("createCase");
    let host = "Host: localhost\r\n";
    let mut rows = Vec::new();
    for (path, status) in paths() {
        rows.push(Row::new(
            format!("path {path:?}"),
            create(&format!("POST {path} HTTP/1.1"), host),
            answers(&[status]),
        ));
    }
    for id in
        ["%2e%2e", "..", "%00", "%2f", "ci%2d1", "%f0%9f%92%a9", "ci-1%0a", "'; DROP TABLE document;--", "%"]
    {
        let line = format!("POST {} HTTP/1.1", Kit::path(&format!("updateCase/{}", id.replace(' ', "%20"))));
        rows.push(Row::new(format!("id {id:?}"), create(&line, host), answers(&[404])));
    }
    // An encoded spelling of the stream names the same stream: it is decoded once, and only once.
    let encoded = path.replace(STREAM, &STREAM.replace("st-", "%73t-"));
    let twice = path.replace(STREAM, &STREAM.replace("st-", "%2573t-"));
    rows.extend([
        Row::new(
            "a stream that is encoded",
            create(&format!("POST {encoded} HTTP/1.1"), host),
            answers(&[200]),
        )
        .makes(1),
        Row::new(
            "a stream that is encoded twice",
            create(&format!("POST {twice} HTTP/1.1"), host),
            answers(&[403]),
        ),
        Row::new(
            "an id that is no text",
            create(&format!("POST {}%c0%80 HTTP/1.1", Kit::path("updateCase/")), host),
            answers(&[403]),
        ),
        Row::new("a query", create(&format!("POST {path}?a=b&c HTTP/1.1"), host), answers(&[200])).makes(1),
        Row::new(
            "a query with a path in it",
            create(&format!("POST /healthz?{path} HTTP/1.1"), host),
            answers(&[405]),
        ),
        Row::new("a fragment", create(&format!("POST {path}#x HTTP/1.1"), host), last(&[400])),
        Row::new(
            "a whole address",
            create(&format!("POST http://localhost{path} HTTP/1.1"), host),
            answers(&[200]),
        )
        .makes(1),
        Row::new(
            "a whole address of another host",
            create(&format!("POST http://evil.example{path} HTTP/1.1"), host),
            last(&[400]),
        ),
        Row::new(
            "a whole address of another port",
            create(&format!("POST http://localhost:1{path} HTTP/1.1"), host),
            last(&[400]),
        ),
        Row::new(
            "a whole address with a user",
            create(&format!("POST http://u@localhost{path} HTTP/1.1"), "Host: u@localhost\r\n"),
            last(&[400]),
        ),
        Row::new(
            "a whole address of another scheme",
            create(&format!("POST ftp://localhost{path} HTTP/1.1"), host),
            last(&[400]),
        ),
        Row::new(
            "a whole address without a host",
            create(&format!("POST http:{path} HTTP/1.1"), host),
            last(&[400]),
        ),
        Row::new("a host alone", create("POST localhost:80 HTTP/1.1", host), last(&[400])),
        Row::new("a star", create("POST * HTTP/1.1", host), last(&[400])),
        Row::new("OPTIONS of all", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", answers(&[404])),
        Row::new(
            "OPTIONS of a route",
            format!("OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            answers(&[405]),
        ),
        Row::new("CONNECT", "CONNECT localhost:7400 HTTP/1.1\r\nHost: localhost:7400\r\n\r\n", last(&[400])),
        Row::new(
            "CONNECT to a path",
            "CONNECT /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            answers(&[405]),
        ),
        Row::new("TRACE", format!("TRACE {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"), answers(&[405])),
        Row::new("TRACE of nothing", "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", answers(&[404])),
        Row::new("HEAD", "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", answers(&[200])),
        Row::new(
            "a method of our own making",
            format!("SMUGGLE {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            answers(&[405]),
        ),
        Row::new(
            "a method in small letters",
            create(&format!("post {path} HTTP/1.1"), host),
            answers(&[405]),
        ),
        Row::new(
            "another method by a header",
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: POST\r\n\r\n"),
            answers(&[405]),
        ),
        Row::new(
            "another path by a header",
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Original-URL: {path}\r\n\r\n"),
            answers(&[200]),
        ),
        Row::new(
            "a request id with an answer in it",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a%0d%0aX-Evil: 1\r\n\r\n",
            answers(&[200]),
        ),
        Row::new(
            "a request id with a line end in it",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\rX-Evil: 1\r\n\r\n",
            last(&[400]),
        ),
        Row::new(
            "a request id in another script",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: \u{e9}\r\n\r\n",
            answers(&[200]),
        ),
    ]);
    rows
}

fn sizes(kit: &Kit) -> Vec<Row> {
    let many = |headers: usize| "X: y\r\n".repeat(headers);
    let healthy = |lines: &str| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    let line = |bytes: usize| {
        format!("GET /healthz?{} HTTP/1.1", "x".repeat(bytes - "GET /healthz? HTTP/1.1".len()))
    };
    let with_line = |bytes: usize| format!("{}\r\nHost: localhost\r\n\r\n", line(bytes));
    let hidden = String::from_utf8(kit.create()).unwrap();
    vec![
        Row::new("a line at its limit", with_line(8 * 1024), answers(&[200])),
        Row::new("a line past its limit", with_line(8 * 1024 + 1), answers(&[414])),
        Row::new("a line of 30 KiB", with_line(30 * 1024), answers(&[414])),
        Row::new("a line without end", with_line(1024 * 1024), Seen::RefusedOrCut(431)),
        Row::new(
            "a method without end",
            format!("{} / HTTP/1.1\r\nHost: localhost\r\n\r\n", "G".repeat(10_000)),
            answers(&[414]),
        ),
        Row::new("100 headers", healthy(&many(99)), answers(&[200])),
        Row::new("101 headers", healthy(&many(100)), answers(&[431])),
        Row::new("900 headers", healthy(&many(900)), answers(&[431])),
        Row::new("1 100 headers", healthy(&many(1_100)), last(&[431])),
        Row::new("a million headers", healthy(&many(1_000_000)), Seen::RefusedOrCut(431)),
        Row::new(
            "a header of 31 KiB",
            healthy(&format!("X: {}\r\n", "y".repeat(31 * 1024))),
            answers(&[200]),
        ),
        Row::new(
            "a header of 33 KiB",
            healthy(&format!("X: {}\r\n", "y".repeat(33 * 1024))),
            answers(&[431]),
        ),
        Row::new(
            "a header of 1 MiB",
            healthy(&format!("X: {}\r\n", "y".repeat(1024 * 1024))),
            Seen::RefusedOrCut(431),
        ),
        Row::new("a name of 33 KiB", healthy(&format!("{}: y\r\n", "X".repeat(33 * 1024))), answers(&[431])),
        Row::new(
            "a header without end",
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}", "y".repeat(1024 * 1024)),
            Seen::RefusedOrCut(431),
        ),
        Row::new(
            "a long line with a request in its body",
            format!(
                "POST /{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}",
                "x".repeat(9_000),
                hidden.len()
            ),
            answers(&[414]),
        ),
        Row::new(
            "long headers with a request in the body",
            format!(
                "POST / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\nContent-Length: {}\r\n\r\n{hidden}",
                "y".repeat(33_000),
                hidden.len()
            ),
            answers(&[431]),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_head_is_refused_and_nothing_behind_it_is_read() {
    hold(lines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_targets_reach_no_other_route_and_no_other_stream() {
    hold(targets).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_past_their_limits_are_answered_and_never_read_for_ever() {
    hold(sizes).await;
}
