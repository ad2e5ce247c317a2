//! One HTTP/1.1 connection that is kept open, as the proof's writers and the benchmark's clients use it.
//!
//! It is hyper's own connection, without a pool, redirects or retries: who sends must see each lost connection.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::response::Parts;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection to a server; requests go one after the other.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // An error of the connection also ends the request in flight, where it is reported.
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection is lost before the answer's last byte; what the server did then is unknown.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        let (head, body) = self.ask(request).await?;
        Ok((head.status, body))
    }

    /// As [`Connection::send`], for an answer that is not kept: gives the number of its bytes.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub async fn pour(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, u64)> {
        self.sender.ready().await?;
        let (head, mut body) = self.sender.send_request(request).await?.into_parts();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        Ok((head.status, bytes))
    }

    /// As [`Connection::send`], with the whole head of the answer.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<(Parts, Bytes)> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        Ok((head, body.collect().await?.to_bytes()))
    }
}
