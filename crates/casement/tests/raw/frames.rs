//! HTTP/2 by hand-made frames (RFC 9113): floods, wrong frames, wrong heads.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use casement_api::server::ServerOptions;

use super::{Kit, WAIT_MAX, cases, kit};
use crate::harness::server::{ACCOUNT, Server};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;

/// The ping that the runner sends behind a row, and whose answer says that the connection goes on.
const MARK: &[u8; 8] = b"markmark";

/// A frame: length, type, flags, stream; section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header as a literal that is not kept; RFC 7541, section 6.2.2.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let mut bytes = Vec::new();
        // A length of seven bits, then in steps of seven.
        match text.len() {
            length @ 0..127 => bytes.push(u8::try_from(length).unwrap()),
            length => {
                bytes.push(127);
                let mut rest = length - 127;
                while rest >= 128 {
                    bytes.push(u8::try_from(rest % 128).unwrap() | 128);
                    rest /= 128;
                }
                bytes.push(u8::try_from(rest).unwrap());
            }
        }
        bytes.extend(text.as_bytes());
        bytes
    };
    [vec![0], text(name), text(value)].concat()
}

fn head(headers: &[(&str, &str)]) -> Vec<u8> {
    headers.iter().flat_map(|(name, value)| literal(name, value)).collect()
}

const HEALTH: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/healthz"), (":authority", "localhost")];

/// What must be seen of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// The stream 1 is answered with this status, and the connection goes on.
    Status(u16),
    /// The connection is closed, with a farewell or without.
    Closed,
    /// Nothing comes of it, and the connection goes on.
    Nothing,
    /// The stream 1 is reset, or the connection closed: the library chooses.
    ResetOrClosed,
}

struct Row {
    name: String,
    frames: Vec<u8>,
    seen: Seen,
    made: u64,
}

fn row(name: impl Into<String>, frames: impl AsRef<[u8]>, seen: Seen) -> Row {
    Row { name: name.into(), frames: frames.as_ref().to_vec(), seen, made: 0 }
}

/// A create as headers; the body's frames follow.
fn create_head(kit: &Kit, further: &[(&str, &str)]) -> Vec<u8> {
    let auth = kit.app_lines.lines().next().unwrap().trim_start_matches("auth: ").to_owned();
    let path = Kit::path("createCase");
    let mut headers = vec![
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path.as_str()),
        (":authority", "localhost"),
        ("auth", auth.as_str()),
        ("accountid", ACCOUNT),
    ];
    headers.extend(further);
    head(&headers)
}

fn requests(kit: &Kit) -> Vec<Row> {
    let get = |headers: &[(&str, &str)]| frame(HEADERS, END_HEADERS | END_STREAM, 1, head(headers));
    let with = |further: &[(&str, &str)]| get(&[&HEALTH[..], further].concat());
    let create = |further: &[(&str, &str)], body: &[u8]| {
        [frame(HEADERS, END_HEADERS, 1, create_head(kit, further)), frame(DATA, END_STREAM, 1, body)].concat()
    };
    let length = kit.body.len().to_string();
    let long = "y".repeat(8_000);
    let data = kit.body.as_bytes();
    let mut rows = vec![
        row("a request", get(&HEALTH), Seen::Status(200)),
        Row { made: 1, ..row("a create", create(&[], data), Seen::Status(200)) },
        Row {
            made: 1,
            ..row("a create with its length", create(&[("content-length", &length)], data), Seen::Status(200))
        },
        Row {
            made: 1,
            ..row(
                "a create with trailers",
                [
                    frame(HEADERS, END_HEADERS, 1, create_head(kit, &[])),
                    frame(DATA, 0, 1, data),
                    frame(HEADERS, END_HEADERS | END_STREAM, 1, head(&[("x-after", "1")])),
                ]
                .concat(),
                Seen::Status(200),
            )
        },
        row("a body longer than its length", create(&[("content-length", "5")], data), Seen::ResetOrClosed),
        row(
            "a body shorter than its length",
            create(&[("content-length", "9999")], data),
            Seen::ResetOrClosed,
        ),
        row("a length that is none", create(&[("content-length", "+5")], data), Seen::ResetOrClosed),
        row(
            "two lengths",
            create(&[("content-length", &length), ("content-length", "5")], data),
            Seen::ResetOrClosed,
        ),
        row("a length of 0 and a body", create(&[("content-length", "0")], data), Seen::ResetOrClosed),
        row(
            "a length over 1 MiB",
            frame(HEADERS, END_HEADERS, 1, create_head(kit, &[("content-length", "1048577")])),
            Seen::Status(413),
        ),
        // The library drops what must not be in trailers, and of trailers nothing is read.
        Row {
            made: 1,
            ..row(
                "trailers with a path",
                [
                    frame(HEADERS, END_HEADERS, 1, create_head(kit, &[])),
                    frame(DATA, 0, 1, data),
                    frame(HEADERS, END_HEADERS | END_STREAM, 1, head(&[(":path", "/x")])),
                ]
                .concat(),
                Seen::Status(200),
            )
        },
        row(
            "trailers that don't end the stream",
            [
                frame(HEADERS, END_HEADERS, 1, create_head(kit, &[])),
                frame(DATA, 0, 1, data),
                frame(HEADERS, END_HEADERS, 1, head(&[("x", "y")])),
            ]
            .concat(),
            Seen::ResetOrClosed,
        ),
        row("a body in gzip", create(&[("content-encoding", "gzip")], data), Seen::Status(415)),
        row("te: trailers", with(&[("te", "trailers")]), Seen::Status(200)),
        row("headers of 15 KiB", with(&[("x1", &long[..7_000]), ("x2", &long)]), Seen::Status(200)),
        row("the same host twice", with(&[("host", "localhost")]), Seen::Status(200)),
        row("another host", with(&[("host", "evil.example")]), Seen::Status(400)),
        row("two hosts", with(&[("host", "localhost"), ("host", "localhost")]), Seen::Status(400)),
        row(
            "a host with a user",
            get(&[HEALTH[0], HEALTH[1], HEALTH[2], (":authority", "u@localhost")]),
            Seen::Status(400),
        ),
        row("no host", get(&HEALTH[..3]), Seen::Status(400)),
        row(
            "a header alone for the host",
            get(&[HEALTH[0], HEALTH[1], HEALTH[2], ("host", "localhost")]),
            Seen::Status(200),
        ),
        row(
            "an unknown route",
            get(&[HEALTH[0], HEALTH[1], (":path", "/nothing"), HEALTH[3]]),
            Seen::Status(404),
        ),
        row("a wrong method", get(&[(":method", "PUT"), HEALTH[1], HEALTH[2], HEALTH[3]]), Seen::Status(405)),
        row(
            "a line past its limit",
            get(&[HEALTH[0], HEALTH[1], (":path", &format!("/{long}{long}")), HEALTH[3]]),
            Seen::Status(414),
        ),
        row("101 headers", with(&vec![("x", "y"); 101]), Seen::Status(431)),
        row("another scheme", get(&[HEALTH[0], (":scheme", "ftp"), HEALTH[2], HEALTH[3]]), Seen::Status(400)),
        row("a star", get(&[HEALTH[0], HEALTH[1], (":path", "*"), HEALTH[3]]), Seen::ResetOrClosed),
    ];
    for (name, headers) in [
        ("no method", vec![HEALTH[1], HEALTH[2], HEALTH[3]]),
        ("no scheme", vec![HEALTH[0], HEALTH[2], HEALTH[3]]),
        ("no path", vec![HEALTH[0], HEALTH[1], HEALTH[3]]),
        ("an empty path", vec![HEALTH[0], HEALTH[1], (":path", ""), HEALTH[3]]),
        ("a path that is none", vec![HEALTH[0], HEALTH[1], (":path", "healthz"), HEALTH[3]]),
        ("a path with a blank", vec![HEALTH[0], HEALTH[1], (":path", "/heal thz"), HEALTH[3]]),
        (
            "a path with a line end",
            vec![HEALTH[0], HEALTH[1], (":path", "/healthz HTTP/1.1\r\nX: y"), HEALTH[3]],
        ),
        (
            "a method with a line end",
            vec![(":method", "GET / HTTP/1.1\r\nX: y"), HEALTH[1], HEALTH[2], HEALTH[3]],
        ),
        ("two methods", vec![HEALTH[0], HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3]]),
        ("two paths", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[2], HEALTH[3]]),
        ("a status in a request", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], (":status", "200")]),
        ("an unknown pseudo-header", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], (":evil", "1")]),
        ("a path behind headers", vec![HEALTH[0], HEALTH[1], HEALTH[3], ("x", "y"), HEALTH[2]]),
        ("a name in capitals", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("X-Y", "z")]),
        ("an empty name", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("", "z")]),
        ("a name with a line end", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("x\r\ny", "z")]),
        ("a value with a line end", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("x", "y\r\nz: z")]),
        ("a value with U+0000", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("x", "y\0")]),
        ("connection", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("connection", "close")]),
        ("keep-alive", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("keep-alive", "1")]),
        ("proxy-connection", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("proxy-connection", "close")]),
        (
            "transfer-encoding",
            vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("transfer-encoding", "chunked")],
        ),
        ("upgrade", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("upgrade", "h2c")]),
        ("te of another kind", vec![HEALTH[0], HEALTH[1], HEALTH[2], HEALTH[3], ("te", "gzip")]),
        ("CONNECT with a path", vec![(":method", "CONNECT"), HEALTH[1], HEALTH[2], HEALTH[3]]),
    ] {
        rows.push(row(name, get(&headers), Seen::ResetOrClosed));
    }
    rows
}

fn frames(_: &Kit) -> Vec<Row> {
    let health = head(&HEALTH);
    let open = frame(HEADERS, END_HEADERS | END_STREAM, 1, &health);
    let window = |by: u32| by.to_be_bytes();
    let setting = |id: u16, value: u32| [id.to_be_bytes().as_slice(), &value.to_be_bytes()].concat();
    let mut rows = vec![
        row("data on a stream that is not open", frame(DATA, 0, 1, "x"), Seen::Closed),
        row("data on no stream", frame(DATA, 0, 0, "x"), Seen::Closed),
        row("headers on no stream", frame(HEADERS, END_HEADERS | END_STREAM, 0, &health), Seen::Closed),
        row("headers on an even stream", frame(HEADERS, END_HEADERS | END_STREAM, 2, &health), Seen::Closed),
        row(
            "a stream older than the last",
            [
                frame(HEADERS, END_HEADERS | END_STREAM, 5, &health),
                frame(HEADERS, END_HEADERS | END_STREAM, 3, &health),
            ]
            .concat(),
            Seen::Closed,
        ),
        row("a stream twice", [open.clone(), open.clone()].concat(), Seen::ResetOrClosed),
        row("data after the end", [open.clone(), frame(DATA, 0, 1, "x")].concat(), Seen::ResetOrClosed),
        row("a reset of a stream that is not open", frame(RST_STREAM, 0, 1, window(8)), Seen::Closed),
        row("a reset of no stream", frame(RST_STREAM, 0, 0, window(8)), Seen::Closed),
        row("a reset of three bytes", [open.clone(), frame(RST_STREAM, 0, 1, [0; 3])].concat(), Seen::Closed),
        row("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &health), Seen::Closed),
        row(
            "a ping between headers and their end",
            [
                frame(HEADERS, END_STREAM, 1, &health[..5]),
                frame(PING, 0, 0, [0; 8]),
                frame(CONTINUATION, END_HEADERS, 1, &health[5..]),
            ]
            .concat(),
            Seen::Closed,
        ),
        row(
            "a continuation of another stream",
            [frame(HEADERS, END_STREAM, 1, &health[..5]), frame(CONTINUATION, END_HEADERS, 3, &health[5..])]
                .concat(),
            Seen::Closed,
        ),
        row(
            "headers in two frames",
            [frame(HEADERS, END_STREAM, 1, &health[..5]), frame(CONTINUATION, END_HEADERS, 1, &health[5..])]
                .concat(),
            Seen::Status(200),
        ),
        row(
            "a push from the client",
            frame(PUSH_PROMISE, END_HEADERS, 1, [&window(2)[..], &health].concat()),
            Seen::Closed,
        ),
        row("a promise on no stream", frame(PUSH_PROMISE, END_HEADERS, 0, [0; 4]), Seen::Closed),
        row("a window of 0 on the connection", frame(WINDOW_UPDATE, 0, 0, window(0)), Seen::Closed),
        row(
            "a window past the largest",
            [
                frame(WINDOW_UPDATE, 0, 0, window(0x7fff_ffff)),
                frame(WINDOW_UPDATE, 0, 0, window(0x7fff_ffff)),
            ]
            .concat(),
            Seen::Closed,
        ),
        row("a window of three bytes", frame(WINDOW_UPDATE, 0, 0, [0; 3]), Seen::Closed),
        row("a window of a stream that is not open", frame(WINDOW_UPDATE, 0, 1, window(1)), Seen::Closed),
        row("settings on a stream", frame(SETTINGS, 0, 1, []), Seen::Closed),
        row("settings of five bytes", frame(SETTINGS, 0, 0, [0; 5]), Seen::Closed),
        row("an acknowledgement with settings in it", frame(SETTINGS, ACK, 0, setting(4, 1)), Seen::Closed),
        row("a setting that is unknown", frame(SETTINGS, 0, 0, setting(0x99, 7)), Seen::Nothing),
        row("a push setting of 2", frame(SETTINGS, 0, 0, setting(2, 2)), Seen::Closed),
        row("a first window past the largest", frame(SETTINGS, 0, 0, setting(4, 0x8000_0000)), Seen::Closed),
        row("frames that are too small", frame(SETTINGS, 0, 0, setting(5, 100)), Seen::Closed),
        row("a ping on a stream", frame(PING, 0, 1, [0; 8]), Seen::Closed),
        row("a ping of seven bytes", frame(PING, 0, 0, [0; 7]), Seen::Closed),
        row("a farewell on a stream", frame(GOAWAY, 0, 1, [0; 8]), Seen::Closed),
        row(
            "a priority of itself",
            frame(PRIORITY, 0, 1, [&window(1)[..], &[0]].concat()),
            Seen::ResetOrClosed,
        ),
        row("a priority of four bytes", frame(PRIORITY, 0, 1, window(3)), Seen::ResetOrClosed),
        row("a frame of an unknown kind", frame(0x77, 0xff, 0, "x"), Seen::Nothing),
        row("a frame past the largest size", frame(DATA, 0, 1, vec![0; 20_000]), Seen::Closed),
        row(
            "a frame that says 16 MiB",
            [&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1][..], &[0; 100]].concat(),
            Seen::Closed,
        ),
        row(
            "padding longer than the frame",
            [frame(HEADERS, END_HEADERS, 1, &health), frame(DATA, PADDED, 1, [200, 0, 0])].concat(),
            Seen::Closed,
        ),
        row(
            "a table index past the last",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, [0xff, 0xff, 0xff, 0x7f]),
            Seen::Closed,
        ),
        row("the table index 0", frame(HEADERS, END_HEADERS | END_STREAM, 1, [0x80]), Seen::Closed),
        row("an integer without end", frame(HEADERS, END_HEADERS | END_STREAM, 1, [0xff; 100]), Seen::Closed),
        row(
            "a text that is cut off",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, [0x00, 0x7f, b'x']),
            Seen::Closed,
        ),
        row(
            "Huffman's code with a wrong end",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, [0x00, 0x81, 0x00, 0x81, 0x00]),
            Seen::Closed,
        ),
        row(
            "a table larger than allowed",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, [&[0x3f, 0xe1, 0xff, 0x7f][..], &health].concat()),
            Seen::Closed,
        ),
        row("another greeting", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Seen::Closed),
        row("HTTP/1.1", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", Seen::Closed),
    ];
    // Floods: none may be answered for ever, none may grow memory for ever.
    let bomb = {
        // A header of 4 000 bytes goes into the table, then is named again and again: 60 MB out of 20 KB.
        let value = "y".repeat(4_000);
        let kept = [vec![0x40, 1, b'x'], literal("", &value)[2..].to_vec()].concat();
        [head(&HEALTH), kept, vec![0xbe; 15_000]].concat()
    };
    let first = frame(HEADERS, END_STREAM, 1, &bomb[..10_000]);
    let rest = frame(CONTINUATION, END_HEADERS, 1, &bomb[10_000..]);
    let without_end = |kind: &[u8], times: usize| kind.repeat(times);
    rows.extend([
        row("a bomb of headers", [first, rest].concat(), Seen::Closed),
        row(
            "continuations without end",
            [
                frame(HEADERS, END_STREAM, 1, &health),
                without_end(&frame(CONTINUATION, 0, 1, literal("x", &"y".repeat(10_000))), 500),
            ]
            .concat(),
            Seen::Closed,
        ),
        row(
            "empty continuations without end",
            [frame(HEADERS, END_STREAM, 1, &health), without_end(&frame(CONTINUATION, 0, 1, []), 100_000)]
                .concat(),
            Seen::Closed,
        ),
        row(
            "settings without end",
            without_end(&frame(SETTINGS, 0, 0, setting(4, 70_000)), 20_000),
            Seen::Nothing,
        ),
        row("pings without end", without_end(&frame(PING, 0, 0, [7; 8]), 20_000), Seen::Nothing),
        row(
            "empty data without end",
            [
                frame(HEADERS, END_HEADERS, 1, create_head_of_nobody()),
                without_end(&frame(DATA, 0, 1, []), 20_000),
            ]
            .concat(),
            Seen::Closed,
        ),
        row(
            "priorities without end",
            without_end(&frame(PRIORITY, 0, 1, [0, 0, 0, 3, 1]), 20_000),
            Seen::Nothing,
        ),
        row(
            "windows without end",
            without_end(&frame(WINDOW_UPDATE, 0, 0, window(1)), 20_000),
            Seen::Nothing,
        ),
        row("unknown frames without end", without_end(&frame(0x77, 0, 0, [0; 100]), 20_000), Seen::Nothing),
        row(
            "streams that are opened and reset",
            (0..20_000_u32)
                .flat_map(|number| {
                    [
                        frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &health),
                        frame(RST_STREAM, 0, number * 2 + 1, window(8)),
                    ]
                    .concat()
                })
                .collect::<Vec<_>>(),
            Seen::Closed,
        ),
        row(
            "streams that are opened and broken",
            (0..20_000_u32)
                .flat_map(|number| {
                    [
                        frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &health),
                        frame(WINDOW_UPDATE, 0, number * 2 + 1, window(0)),
                    ]
                    .concat()
                })
                .collect::<Vec<_>>(),
            Seen::Closed,
        ),
    ]);
    rows
}

fn create_head_of_nobody() -> Vec<u8> {
    let path = Kit::path("createCase");
    head(&[(":method", "POST"), (":scheme", "http"), (":path", &path), (":authority", "localhost")])
}

/// What came on a connection.
#[derive(Debug, Default)]
struct Came {
    statuses: Vec<(u32, u16)>,
    resets: Vec<u32>,
    is_open: bool,
}

impl Came {
    fn is(&self, seen: Seen) -> bool {
        let status = |wanted: u16| self.statuses.contains(&(1, wanted));
        let (is_reset, is_answered) =
            (self.resets.contains(&1), self.statuses.iter().any(|(stream, _)| *stream == 1));
        match seen {
            Seen::Status(wanted) => status(wanted) && self.is_open,
            Seen::Closed => !self.is_open,
            Seen::Nothing => !is_reset && !is_answered && self.is_open,
            Seen::ResetOrClosed => is_reset || !self.is_open || status(400),
        }
    }
}

impl Row {
    fn run(&self, kit: &Kit) -> Option<String> {
        let stream = TcpStream::connect(kit.address).unwrap();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        stream.set_write_timeout(Some(WAIT_MAX)).unwrap();
        let mut begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        begin.extend(frame(SETTINGS, 0, 0, []));
        begin.extend(&self.frames);
        let mut writing = stream.try_clone().unwrap();
        // The answers are read while the rest is written: neither side may wait for the other.
        let came = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A closed connection shows where it is read.
                let _ = writing.write_all(&begin);
                let _ = writing.write_all(&frame(PING, 0, 0, MARK));
            });
            came(stream, self.seen)
        });
        match came {
            Ok(came) if came.is(self.seen) => None,
            Ok(came) => Some(format!("{came:?}; must be {:?}", self.seen)),
            Err(error) => Some(format!("{error}; must be {:?}", self.seen)),
        }
    }
}

/// Reads frames until the marked ping is answered and what must be seen has been, or the connection ends.
fn came(mut stream: TcpStream, seen: Seen) -> std::io::Result<Came> {
    let mut came = Came::default();
    loop {
        let mut head = [0; 9];
        match stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                came.is_open = false;
                return Ok(came);
            }
            Err(error) => return Err(std::io::Error::other(format!("{error} after {came:?}"))),
        }
        let mut payload =
            vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        if stream.read_exact(&mut payload).is_err() {
            came.is_open = false;
            return Ok(came);
        }
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match head[3] {
            HEADERS => came.statuses.push((id, status(&payload))),
            RST_STREAM => came.resets.push(id),
            PING if head[4] & ACK != 0 && payload == MARK => came.is_open = true,
            _ => {}
        }
        if came.is_open && seen != Seen::Closed && came.is(seen) {
            return Ok(came);
        }
    }
}

/// Reads the status that a head begins with: from the table, or in digits, plain or by Huffman's code.
fn status(head: &[u8]) -> u16 {
    match head {
        [indexed @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        [_, length, rest @ ..] if length & 0x80 != 0 => {
            let bits = rest[..usize::from(length & 0x7f)]
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
            let (mut code, mut width, mut digits) = (0_u16, 0, Vec::new());
            for bit in bits {
                (code, width) = (code << 1 | u16::from(bit), width + 1);
                match (width, code) {
                    (5, 0..=2) => digits.push(code),
                    (6, 0x19..=0x1f) => digits.push(code - 0x19 + 3),
                    _ => continue,
                }
                (code, width) = (0, 0);
            }
            digits.iter().fold(0, |status, digit| status * 10 + digit)
        }
        [_, 3, digits @ ..] => std::str::from_utf8(&digits[..3]).unwrap().parse().unwrap(),
        _ => 0,
    }
}

/// Runs a table against one server, as [`super::hold`] does.
async fn hold(table: impl FnOnce(&Kit) -> Vec<Row>) {
    let server = Server::start().await;
    let kit = kit(&server, ServerOptions::default()).await;
    let rows = table(&kit);
    let faults = tokio::task::spawn_blocking(move || {
        let (mut made, mut faults) = (0, Vec::new());
        for row in &rows {
            faults.extend(row.run(&kit).map(|fault| format!("{}: {fault}", row.name)));
            made += row.made;
            let found = cases(&kit);
            if found != made {
                faults.push(format!("{}: {found} cases where {made} must be", row.name));
                made = found;
            }
        }
        faults
    });
    let faults = faults.await.unwrap();
    assert!(faults.is_empty(), "{} rows went otherwise:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_http2_are_held_to_the_same_rules() {
    hold(requests).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_must_not_be_end_the_connection_and_floods_do_no_harm() {
    hold(frames).await;
}
