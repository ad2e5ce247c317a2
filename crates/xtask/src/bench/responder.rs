//! The limit of HTTP: a process that gives the same bytes to every request, through the stack that the server uses.
//!
//! axum's router on hyper's HTTP/1.1 connections over tokio, with the request's body read whole. It runs as a process
//! of its own (`cargo xtask respond`, hidden), as the server does, and decides nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Answers every request with the bytes of a file, on a free port of the loopback that it prints.
#[derive(clap::Args)]
pub struct Arguments {
    /// The file whose bytes are the body of every answer
    #[arg(long)]
    answer: PathBuf,
}

/// Serves until it is ended.
///
/// # Errors
/// When the file can't be read or no port is free.
pub fn run(arguments: &Arguments) -> Result<()> {
    let answer = Bytes::from(std::fs::read(&arguments.answer)?);
    crate::block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        serve(listener, answer).await
    })
}

/// Accepts connections and answers on each.
async fn serve(listener: TcpListener, answer: Bytes) -> Result<()> {
    let router = Router::new().fallback(move |_body: Bytes| {
        let answer = answer.clone();
        async move { ([(CONTENT_TYPE, "application/json")], answer).into_response() }
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            // A client that goes away is no fault of the responder's.
            let _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A running responder; dropping it kills it.
#[derive(Debug)]
pub struct Responder {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Responder {
    /// Starts this program once more, as the responder.
    ///
    /// # Errors
    /// When it doesn't start.
    pub async fn start(folder: &Path, answer: &[u8]) -> Result<Self> {
        let file = folder.join("answer.json");
        std::fs::write(&file, answer)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("respond")
            .arg("--answer")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the static responder could not be started")?;
        let output = child.stdout.take().context("invariant: the output is piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let address = line.trim().parse().context("the static responder printed no address")?;
        Ok(Self { child, address })
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("the static responder could not be ended")
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use hyper::Request;

    use super::*;
    use crate::client::Connection;

    #[tokio::test]
    async fn every_request_gets_the_same_bytes_and_type() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, Bytes::from_static(b"{\"results\":[]}")));
        let mut connection = Connection::open(address).await.unwrap();
        for path in ["/", "/caseManagement/api/public/analytics/st-1/getCases"] {
            let request = Request::post(path).header("host", "x").body(Full::from("{}")).unwrap();
            let (status, answer) = connection.send(request).await.unwrap();
            assert!(status.is_success());
            assert_eq!(answer, "{\"results\":[]}");
        }
        serving.abort();
    }
}
