//! Hostile bytes on real sockets, as tables: what is sent, what must be seen.
//!
//! A row is bytes that a client writes and the answers that must come. Behind rows after which the connection goes on,
//! the runner sends a marked request: whatever comes before its answer is counted, so that a second request hidden in
//! the first shows. After each row another client lists the cases: the server serves on, and no case was made that
//! should not be. `framing` holds what smuggling is made of, `heads` the request's head, `bodies` its body, `frames`
//! HTTP/2, `greetings` TLS, `waiting` clients that let the server wait.

mod bodies;
mod frames;
mod framing;
mod greetings;
mod heads;
mod waiting;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use casement_api::server::{ServerOptions, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::http::post;
use crate::harness::server::{ACCOUNT, STREAM, Server};
use crate::harness::token::of;

/// How long a test waits for the server before it fails.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// Names the request that the runner sends behind a row.
const MARK: &str = "marked";

/// What must be seen.
#[derive(Debug, Clone)]
pub enum Seen {
    /// Answers with these statuses, and the connection goes on.
    Answers(Vec<u16>),
    /// Answers with these statuses, then the connection is closed.
    Last(Vec<u16>),
    /// An answer with this status, or the end of the connection: the server stops reading while the client still sends.
    RefusedOrCut(u16),
}

/// A client's bytes, and what must come of them.
#[derive(Debug, Clone)]
pub struct Row {
    name: String,
    pieces: Vec<Vec<u8>>,
    seen: Seen,
    made: u64,
    ends: bool,
}

impl Row {
    pub fn new(name: impl Into<String>, bytes: impl AsRef<[u8]>, seen: Seen) -> Self {
        Self { name: name.into(), pieces: vec![bytes.as_ref().to_vec()], seen, made: 0, ends: false }
    }

    /// The row goes on with further bytes, in a write of their own.
    pub fn then(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.pieces.push(bytes.as_ref().to_vec());
        self
    }

    /// So many cases are made.
    pub fn makes(mut self, cases: u64) -> Self {
        self.made = cases;
        self
    }

    /// The client says that it sends no more.
    pub fn ending(mut self) -> Self {
        self.ends = true;
        self
    }
}

pub fn answers(statuses: &[u16]) -> Seen {
    Seen::Answers(statuses.to_vec())
}

pub fn last(statuses: &[u16]) -> Seen {
    Seen::Last(statuses.to_vec())
}

/// What rows are built of: requests that the server takes.
#[derive(Debug, Clone)]
pub struct Kit {
    pub address: SocketAddr,
    /// The header lines of an app, each with its end.
    pub app_lines: String,
    /// A body that createCase takes.
    pub body: String,
    headers: Vec<(String, String)>,
}

impl Kit {
    /// The path of an operation.
    pub fn path(operation: &str) -> String {
        format!("/caseManagement/api/public/analytics/{STREAM}/{operation}")
    }

    /// A create whose header lines about its body are given, each with its end, and whose body is what follows.
    pub fn create_with(&self, lines: &str, rest: impl AsRef<[u8]>) -> Vec<u8> {
        self.request(
            &format!("POST {} HTTP/1.1", Self::path("createCase")),
            "Host: localhost\r\n",
            lines,
            rest,
        )
    }

    /// A request of the app with a request line, a line for the host, further lines and a body.
    pub fn request(&self, line: &str, host: &str, lines: &str, rest: impl AsRef<[u8]>) -> Vec<u8> {
        let mut bytes = format!("{line}\r\n{host}{}{lines}\r\n", self.app_lines).into_bytes();
        bytes.extend_from_slice(rest.as_ref());
        bytes
    }

    /// A create with a body of any bytes, whose length is told.
    pub fn create_of(&self, body: impl AsRef<[u8]>) -> Vec<u8> {
        self.create_with(&format!("Content-Length: {}\r\n", body.as_ref().len()), body)
    }

    /// A create that the server takes: where it hides in another request and is carried out, a case more is there.
    pub fn create(&self) -> Vec<u8> {
        self.create_of(&self.body)
    }

    /// The body in one chunk.
    pub fn chunked(&self) -> String {
        format!("{:x}\r\n{}\r\n0\r\n\r\n", self.body.len(), self.body)
    }

    /// A list that the server takes.
    pub fn list(&self) -> Vec<u8> {
        post(&Self::path("getCases"), &self.headers, r#"{"limit":1}"#).into_bytes()
    }
}

/// A server on a socket.
pub async fn kit(server: &Server, options: ServerOptions) -> Kit {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, server.router.clone(), options, std::future::pending()));
    let auth = of(&server.jwt, &json!({}));
    let headers = vec![("auth".to_owned(), auth.clone()), ("AccountId".to_owned(), ACCOUNT.to_owned())];
    Kit {
        address,
        app_lines: format!("auth: {auth}\r\nAccountId: {ACCOUNT}\r\n"),
        body: server.case_body(json!({})).to_string(),
        headers,
    }
}

/// Runs a table against one server. All rows run, and all that went otherwise are told.
pub async fn hold(table: impl FnOnce(&Kit) -> Vec<Row>) {
    let server = Server::start().await;
    let kit = kit(&server, ServerOptions::default()).await;
    let rows = table(&kit);
    let faults = tokio::task::spawn_blocking(move || {
        let mut made = 0;
        let mut faults = Vec::new();
        for row in &rows {
            let fault = row.run(&kit).or_else(|| {
                made += row.made;
                let found = cases(&kit);
                let fault = (found != made).then(|| format!("{found} cases where {made} must be"));
                made = found;
                fault
            });
            faults.extend(fault.map(|fault| format!("{}: {fault}", row.name)));
        }
        faults
    });
    let faults = faults.await.unwrap();
    assert!(faults.is_empty(), "{} rows went otherwise:\n{}", faults.len(), faults.join("\n"));
}

/// Another client's list, on a connection of its own: how many cases there are.
pub fn cases(kit: &Kit) -> u64 {
    let mut wire = Wire::open(kit.address);
    wire.send(&kit.list()).unwrap();
    let answer = wire.answer().unwrap().expect("a healthy request is answered");
    assert_eq!(answer.status, 200);
    answer.body["totalResults"].as_u64().unwrap()
}

impl Row {
    /// Sends the row and tells what went otherwise.
    fn run(&self, kit: &Kit) -> Option<String> {
        let mut wire = Wire::open(kit.address);
        let mut sent = self.pieces.iter().try_for_each(|piece| wire.send(piece));
        if self.ends {
            sent = sent.and_then(|()| wire.0.get_ref().shutdown(Shutdown::Write));
        }
        let (wanted, goes_on) = match &self.seen {
            Seen::Answers(statuses) => (statuses.clone(), true),
            Seen::Last(statuses) => (statuses.clone(), false),
            Seen::RefusedOrCut(status) => (vec![*status], true),
        };
        if goes_on && sent.is_ok() {
            let marked = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {MARK}\r\n\r\n");
            sent = sent.and_then(|()| wire.send(marked.as_bytes()));
        }
        let mut statuses = Vec::new();
        let went_on = loop {
            match wire.answer() {
                Ok(Some(answer)) if answer.id == MARK => break true,
                Ok(Some(answer)) => statuses.push(answer.status),
                Ok(None) => break false,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break false,
                Err(error) => return Some(format!("{error} after {statuses:?}")),
            }
        };
        let may_be_cut = matches!(self.seen, Seen::RefusedOrCut(_));
        let was_cut = may_be_cut && statuses.is_empty();
        if (statuses == wanted || was_cut) && (went_on == goes_on || may_be_cut) {
            return None;
        }
        Some(format!("{statuses:?}, goes on: {went_on}; must be {:?}; sent: {sent:?}", self.seen))
    }
}

/// A connection of which every answer is read, also those that nobody asked for.
pub struct Wire(BufReader<TcpStream>);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub id: String,
    pub body: Value,
}

impl Wire {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        stream.set_write_timeout(Some(WAIT_MAX)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads the next answer; `None` at the end of the connection.
    pub fn answer(&mut self) -> std::io::Result<Option<Answer>> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other(format!("no status line: {line:?}")))?;
        let (mut length, mut id) = (0, String::new());
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().map_err(std::io::Error::other)?,
                Some(("x-request-id", value)) => value.clone_into(&mut id),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = Vec::new();
        // The answer to a HEAD tells a length and has no body.
        if length > 0 && !self.0.fill_buf()?.starts_with(b"HTTP/1.") {
            self.0.by_ref().take(length).read_to_end(&mut body)?;
        }
        Ok(Some(Answer { status, id, body: serde_json::from_slice(&body).unwrap_or_default() }))
    }

    /// Reads to the end of the connection; a reset is an end too.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => rest,
            Err(error) => panic!("the connection did not end: {error}"),
        }
    }
}
