//! Where a request's body ends: lengths, chunks, both, and requests that hide in bodies.

use super::{Kit, Row, Seen, answers, hold, last};

/// Values of Content-Length that are no number of bytes.
const NO_LENGTHS: [&str; 22] = [
    "+5",
    "-1",
    "-0",
    "0x5",
    "5 5",
    "5,5",
    "5, 5",
    "5, 6",
    "5;",
    "5.0",
    "5e0",
    "1_0",
    "",
    "five",
    "\u{665}",
    "5\u{b}",
    "\"5\"",
    "(5)",
    "5\u{a0}",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "5\r\n Content-Length: 6",
];

/// Spellings of Transfer-Encoding that a proxy and a server may read differently.
const NO_CODINGS: [&str; 22] = [
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunkedx",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: chunked; ext",
    "Transfer-Encoding: chunke d",
    "Transfer-Encoding: chunked,",
    "Transfer-Encoding: , chunked",
    "Transfer-Encoding:",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\u{b}",
    "Transfer-Encoding: ch\u{e9}nked",
];

/// Heads with one of these lines are no heads.
const NO_LINES: [&str; 12] = [
    "Transfer-Encoding : chunked",
    "Transfer-Encoding\t: chunked",
    " Transfer-Encoding: chunked",
    "\tTransfer-Encoding: chunked",
    "X: y\r\n Transfer-Encoding: chunked",
    "X: y\r\n\tchunked",
    "Transfer-Encoding\u{0}: chunked",
    "Transfer-Encoding: chunked\u{0}",
    "X: y\rTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r",
    "Transfer-Encoding",
    ": chunked",
];

/// Beginnings of a chunked body that are none.
const NO_CHUNKS: [&str; 21] = [
    "-5\r\n",
    "+5\r\n",
    "0x5\r\n",
    " 5\r\n",
    "\t5\r\n",
    "5\n",
    "5\r5",
    "5 5\r\n",
    "g\r\n",
    "\r\n",
    ";ext\r\n",
    "10000000000000000\r\n",
    "ffffffffffffffffff\r\n",
    "5\r\n12345X\r\n",
    "5\r\n12345\n0\r\n\r\n",
    "5\r\n12345\r0\r\n\r\n",
    "5;a\nb\r\n",
    "5\u{0}\r\n",
    "5_0\r\n",
    "1.5\r\n",
    "\u{ff15}\r\n",
];

fn smuggling(kit: &Kit) -> Vec<Row> {
    let hidden = String::from_utf8(kit.create()).unwrap();
    let (body, chunked) = (&kit.body, &kit.chunked());
    let length = body.len();
    let mut rows = Vec::new();
    for value in NO_LENGTHS {
        let bytes = kit.create_with(&format!("Content-Length: {value}\r\n"), format!("12345{hidden}"));
        rows.push(Row::new(format!("length {value:?}"), bytes, last(&[400])));
    }
    for line in NO_CODINGS {
        let bytes = kit.create_with(&format!("{line}\r\n"), format!("{chunked}{hidden}"));
        rows.push(Row::new(format!("{line:?}"), bytes, last(&[400])));
    }
    for line in NO_LINES {
        let bytes = kit.create_with(&format!("{line}\r\n"), format!("{chunked}{hidden}"));
        rows.push(Row::new(format!("line {line:?}"), bytes, last(&[400])));
        let with_length = format!("{line}\r\nContent-Length: {length}\r\n");
        let bytes = kit.create_with(&with_length, format!("{body}{hidden}"));
        rows.push(Row::new(format!("line {line:?} and a length"), bytes, last(&[400])));
    }
    for begin in NO_CHUNKS {
        let bytes = kit.create_with("Transfer-Encoding: chunked\r\n", format!("{begin}{hidden}"));
        rows.push(Row::new(format!("chunk {begin:?}"), bytes, last(&[400])));
    }
    // Both a length and chunks: whoever reads the other one sees another request behind.
    for (name, lines) in [
        ("length, then chunks", format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n")),
        ("chunks, then a length", format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n")),
        ("a length of 0, then chunks", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n".to_owned()),
        ("chunks, then a length of 0", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n".to_owned()),
        ("a wrong length behind chunks", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n".to_owned()),
        (
            "chunks between two lengths",
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n".to_owned(),
        ),
    ] {
        rows.push(Row::new(name, kit.create_with(&lines, format!("{chunked}{hidden}")), last(&[400])));
    }
    for (name, first, second) in [
        ("two lengths, the longer first", length + hidden.len(), length),
        ("two lengths, the shorter first", length, length + hidden.len()),
        ("two lengths, one of them 0", 0, length),
    ] {
        let lines = format!("Content-Length: {first}\r\nContent-Length: {second}\r\n");
        rows.push(Row::new(name, kit.create_with(&lines, format!("{body}{hidden}")), last(&[400])));
    }
    rows
}

fn readings(kit: &Kit) -> Vec<Row> {
    let (body, chunked) = (&kit.body, &kit.chunked());
    let length = body.len();
    let hidden = String::from_utf8(kit.create()).unwrap();
    let made = |name: &str, lines: &str, rest: &str| {
        Row::new(name, kit.create_with(lines, rest), answers(&[200])).makes(1)
    };
    let chunks = "Transfer-Encoding: chunked\r\n";
    let mut rows = vec![
        made("a length", &format!("Content-Length: {length}\r\n"), body),
        made("a length with leading zeros", &format!("Content-Length: 000{length}\r\n"), body),
        made("a length between blanks", &format!("Content-Length: \t {length} \t\r\n"), body),
        made(
            "the same length twice",
            &format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"),
            body,
        ),
        made("one chunk", chunks, chunked),
        made("chunks in capitals", "TRANSFER-ENCODING: CHUNKED\r\n", chunked),
        made("a coding after a tab", "Transfer-Encoding:\tchunked\r\n", chunked),
        made("a coding before blanks", "Transfer-Encoding: chunked  \r\n", chunked),
        made("a size with leading zeros", chunks, &format!("0000{chunked}")),
        made("a size in capitals", chunks, &format!("{length:X}\r\n{body}\r\n0\r\n\r\n")),
        made("an extension of a chunk", chunks, &format!("{length:x};a=\"b\"\r\n{body}\r\n0;c\r\n\r\n")),
        made("a blank after a size", chunks, &format!("{length:x} \r\n{body}\r\n0\r\n\r\n")),
        made("several zeros at the end", chunks, &format!("{length:x}\r\n{body}\r\n000\r\n\r\n")),
        made("a trailer", chunks, &format!("{length:x}\r\n{body}\r\n0\r\nX-After: 1\r\n\r\n")),
        made(
            "a trailer that looks like a length",
            chunks,
            &format!("{length:x}\r\n{body}\r\n0\r\nContent-Length: 5\r\n\r\n"),
        ),
        made(
            "a trailer that looks like a token",
            chunks,
            &format!("{length:x}\r\n{body}\r\n0\r\nauth: x\r\n\r\n"),
        ),
        made(
            "each byte a chunk",
            chunks,
            &format!(
                "{}0\r\n\r\n",
                body.bytes().map(|byte| format!("1\r\n{}\r\n", byte as char)).collect::<String>()
            ),
        ),
        Row::new(
            "a trailer that is no header",
            kit.create_with(chunks, format!("{length:x}\r\n{body}\r\n0\r\nno header\r\n\r\n{hidden}")),
            last(&[400]),
        ),
        Row::new(
            "extensions without end",
            kit.create_with(chunks, format!("5;{}\r\n12345\r\n0\r\n\r\n", "x".repeat(40_000))),
            last(&[400]),
        ),
        Row::new(
            "trailers without end",
            kit.create_with(
                chunks,
                format!("{length:x}\r\n{body}\r\n0\r\n{}\r\n", "X-After: 1\r\n".repeat(40_000)),
            ),
            Seen::RefusedOrCut(400),
        ),
        Row::new(
            "a body that ends early",
            kit.create_with(&format!("Content-Length: {}\r\n", length + 1), body),
            last(&[400]),
        )
        .ending(),
        Row::new(
            "chunks that end early",
            kit.create_with(chunks, format!("{length:x}\r\n{body}\r\n")),
            last(&[400]),
        )
        .ending(),
        Row::new("a chunk that ends early", kit.create_with(chunks, "5\r\n123"), last(&[400])).ending(),
    ];
    // A request hidden in a body is body, or is refused with it; it is never a request.
    rows.extend([
        Row::new("a request as a body", kit.create_of(&hidden), answers(&[400])),
        Row::new("a request behind the JSON of a body", kit.create_of(format!("{body}{hidden}")), answers(&[400])),
        Row::new("a request in a chunk", kit.create_with(chunks, format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len())), answers(&[400])),
        Row::new("a request in an extension", kit.create_with(chunks, format!("{length:x};{}\r\n{body}\r\n0\r\n\r\n", hidden.replace("\r\n", " "))), answers(&[200])).makes(1),
        Row::new("a request in a body without a token", format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}", Kit::path("createCase"), hidden.len()), answers(&[401])),
        Row::new("a request in a body of a wrong route", format!("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len()), answers(&[404])),
        Row::new("a request in a body of a wrong method", format!("PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}", Kit::path("createCase"), hidden.len()), answers(&[405])),
        Row::new("a request in the body of a GET", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len()), answers(&[200])),
        Row::new("a request in the chunks of a GET", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{chunks}\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()), answers(&[200])),
        Row::new("a request in the body of another media type", kit.create_with(&format!("Content-Type: text/plain\r\nContent-Length: {}\r\n", hidden.len()), &hidden), answers(&[415])),
        Row::new("a request behind the end of chunks", kit.create_with(chunks, format!("{chunked}{hidden}")), answers(&[200, 200])).makes(2),
        Row::new("two requests in one write", format!("{hidden}{hidden}"), answers(&[200, 200])).makes(2),
        Row::new("two requests with an empty line between", format!("{hidden}\r\n{hidden}"), answers(&[200, 200])).makes(2),
        Row::new("a request behind one that says close", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n{hidden}"), last(&[200])),
        Row::new("a request behind one of HTTP/1.0", format!("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n{hidden}"), last(&[200])),
        Row::new("a request behind a malformed one", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nbad\r\n\r\n{hidden}"), last(&[400])),
        Row::new("a request in a header", kit.create_with(&format!("X-Hidden: {}\r\nContent-Length: {length}\r\n", hidden.replace("\r\n", "\\r\\n")), body), answers(&[200])).makes(1),
        Row::new("a thousand requests in one write", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000), answers(&[200; 1000])),
        Row::new("thirty creates in one write", hidden.repeat(30), answers(&[200; 30])).makes(30),
        Row::new("an upgrade to HTTP/2 with a request behind", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n{hidden}"), answers(&[200, 200])).makes(1),
        Row::new("an upgrade to a web socket", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", answers(&[200])),
        Row::new("a create that asks to go on", kit.create_with(&format!("Expect: 100-continue\r\nContent-Length: {length}\r\n"), body), answers(&[100, 200])).makes(1),
        Row::new("a refused create that asks to go on", format!("POST {} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", Kit::path("createCase"), hidden.len()), last(&[401])),
        Row::new("a refused create that goes on unasked", format!("POST {} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n{hidden}", Kit::path("createCase"), hidden.len()), answers(&[401])),
        Row::new("an unknown expectation", kit.create_with(&format!("Expect: 200-maybe\r\nContent-Length: {length}\r\n"), body), answers(&[200])).makes(1),
    ]);
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_readers_may_frame_differently_is_refused_and_the_connection_closed() {
    hold(smuggling).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_hidden_in_another_is_its_body_or_is_refused_and_never_carried_out() {
    hold(readings).await;
}
