//! A client that greets by TLS and trusts one root.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a greeted server has shown.
pub(super) struct Greeting {
    /// Its certificate, DER.
    pub(super) certificate: Vec<u8>,
    /// What `/readyz` says.
    pub(super) ready: String,
}

/// Greets a server by a name, with a root in hand or none, and asks whether it is ready.
pub(super) async fn greet(address: SocketAddr, name: &str, root: Option<&str>) -> Result<Greeting> {
    let stream = connect(address, name, root).await?;
    let chain = stream.get_ref().1.peer_certificates().context("the server shows no certificate")?;
    let certificate = chain.first().context("the server shows an empty chain")?.to_vec();
    let ready = read(stream, name, "/readyz").await?;
    Ok(Greeting { certificate, ready })
}

/// Gets a page.
pub(super) async fn get(address: SocketAddr, name: &str, root: &str, path: &str) -> Result<String> {
    read(connect(address, name, Some(root)).await?, name, path).await
}

async fn connect(address: SocketAddr, name: &str, root: Option<&str>) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    if let Some(root) = root {
        roots.add(CertificateDer::from_pem_slice(root.as_bytes())?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.with_context(|| format!("no connection to {address}"))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name)?.to_owned(), stream);
    stream.await.context("the greeting failed")
}

async fn read(stream: TlsStream<TcpStream>, name: &str, path: &str) -> Result<String> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get(path).header(HOST, name).body(Full::<Bytes>::default())?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    ensure!(head.status.is_success(), "{path} answers {}", head.status);
    Ok(String::from_utf8(body.collect().await?.to_bytes().to_vec())?)
}
