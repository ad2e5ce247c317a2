//! HTTP/1.1 spoken by hand over a TCP socket, for what a router alone can't show.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for bytes before it fails.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// A connection.
pub struct Connection(BufReader<TcpStream>);

/// A head that was read: the status, the headers with names in lower case.
pub struct Head {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Gives a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends bytes.
    pub fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Reads a head.
    pub fn head(&mut self) -> Head {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the connection was closed within a head");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines[1..].iter().map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        });
        Head { status, headers: headers.collect() }
    }

    /// Reads an answer with a body of a told length.
    pub fn answer(&mut self) -> (Head, Value) {
        let head = self.head();
        let length = head.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        (head, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Reads an answer with a body of a told length; gives how many bytes it has.
    pub fn bytes(&mut self) -> (Head, usize) {
        let head = self.head();
        let length = head.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        (head, length)
    }

    /// Sends no more, or ends altogether.
    pub fn end(&mut self, how: Shutdown) {
        self.0.get_ref().shutdown(how).unwrap();
    }

    /// Waits for the server to close the connection.
    pub fn ends(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}

/// Writes a POST request with a body.
pub fn post(path: &str, headers: &[(String, String)], body: &str) -> String {
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text
}
