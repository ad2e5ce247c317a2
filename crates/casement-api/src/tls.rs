//! TLS by certificate files, which are read anew when they change.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits;

/// The application protocols offered, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} holds no usable {what}: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why it does not.
        reason: String,
    },
}

/// A certificate with its key. Clones share what is in use.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    in_use: RwLock<InUse>,
}

#[derive(Debug, Clone)]
struct InUse {
    config: Arc<ServerConfig>,
    changed: Changed,
}

/// When the two files changed last.
type Changed = (Option<SystemTime>, Option<SystemTime>);

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// A file can't be read or used, or the key is not the certificate's.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let changed = changed(&certificate, &key);
        let config = read(&certificate, &key)?;
        Ok(Self(Arc::new(Inner { certificate, key, in_use: RwLock::new(InUse { config, changed }) })))
    }

    /// Reads the files anew whenever they change, until the task is ended. Files that can't be used are told in the log,
    /// and what was in use before stays.
    pub async fn follow(self) {
        let mut ticks = tokio::time::interval(limits::CERTIFICATE_PERIOD);
        loop {
            ticks.tick().await;
            match self.refresh() {
                Ok(false) => {}
                Ok(true) => tracing::info!("the certificate was read anew"),
                Err(error) => tracing::error!(%error, "the new certificate is not used"),
            }
        }
    }

    /// Takes changed files in use. Gives whether they had changed.
    ///
    /// # Errors
    /// They can't be used; they are not tried again until they change.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let changed = changed(&self.0.certificate, &self.0.key);
        if self.in_use().changed == changed {
            return Ok(false);
        }
        let read = read(&self.0.certificate, &self.0.key);
        let mut in_use = self.0.in_use.write().unwrap_or_else(PoisonError::into_inner);
        in_use.changed = changed;
        in_use.config = read?;
        Ok(true)
    }

    fn in_use(&self) -> InUse {
        self.0.in_use.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Greets a client; `None` when it does not greet back in time or can't agree.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let greeting = TlsAcceptor::from(self.in_use().config).accept(stream);
        match tokio::time::timeout(limits::HEAD_TIMEOUT, greeting).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS greeting failed");
                None
            }
            Err(_) => None,
        }
    }
}

fn changed(certificate: &PathBuf, key: &PathBuf) -> Changed {
    let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    (changed(certificate), changed(key))
}

fn read(certificate: &PathBuf, key: &PathBuf) -> Result<Arc<ServerConfig>, TlsError> {
    let bytes = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.clone(), source })
    };
    let unusable = |path: &PathBuf, what: &'static str, reason: String| TlsError::Unusable {
        path: path.clone(),
        what,
        reason,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(certificate, "certificate", error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "certificate", "there is none in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?)
        .map_err(|error| unusable(key, "private key", error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, "certificate", error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(certificate, "certificate for the key", error.to_string()))?;
    config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}
