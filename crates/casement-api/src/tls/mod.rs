//! TLS: certificates by files, which are read anew when they change, or by an authority that is asked by ACME.

use std::path::PathBuf;
use std::sync::Arc;

use casement_app::certificate::{Age, Validity};
use casement_app::sources::Sources;
use casement_domain::date::Moment;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::acme::{Acme, AcmeError, AcmeOptions};
use crate::limits;
use crate::outbound::OutboundError;
use crate::tls::files::Files;
use crate::tls::keys::{Keys, PROOF_PROTOCOL};
use crate::tls::told::{Told, Worry};

pub mod certificate;
mod files;
pub(crate) mod keys;
mod told;

/// The application protocols offered, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read {path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
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
    /// The roots by which an authority is believed can't be used.
    #[error("the certificate authority can't be asked: {0}")]
    Roots(#[from] OutboundError),
    /// The library refuses its own defaults.
    #[error("TLS can't be set up: {0}")]
    Config(#[from] rustls::Error),
}

/// A certificate with its key. Clones share what is in use.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keys: Arc<Keys>,
    config: Arc<ServerConfig>,
    source: Source,
    told: Told,
}

/// Where certificates come from.
#[derive(Debug)]
enum Source {
    Files(Files),
    Acme(Box<Acme>),
}

/// Whether there is a certificate that clients can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateState {
    /// There is.
    Ready,
    /// None has been had yet: every greeting fails.
    Missing,
    /// Its time was over at this moment.
    Expired(Moment),
}

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// A file can't be read or used, or the key is not the certificate's.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let (files, read) = Files::open(certificate, key)?;
        let tls = Self::new(Source::Files(files), &PROTOCOLS)?;
        tls.0.keys.set(read);
        Ok(tls)
    }

    /// Takes certificates from an authority. There is none before [`Tls::recall`] or [`Tls::follow`].
    ///
    /// # Errors
    /// The roots by which the authority is believed can't be read.
    pub fn by_acme(options: AcmeOptions) -> Result<Self, TlsError> {
        let [first, second] = PROTOCOLS;
        Self::new(Source::Acme(Box::new(Acme::new(options)?)), &[first, second, PROOF_PROTOCOL])
    }

    fn new(source: Source, protocols: &[&[u8]]) -> Result<Self, TlsError> {
        let keys = Arc::new(Keys::default());
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Keys>::clone(&keys));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self(Arc::new(Inner { keys, config: Arc::new(config), source, told: Told::default() })))
    }

    /// Takes what a former run got from the authority in use, as far as it is still good.
    pub fn recall(&self, now: Moment) {
        match &self.0.source {
            Source::Files(_) => {}
            Source::Acme(acme) => acme.recall(&self.0.keys, now),
        }
    }

    /// Keeps the certificate fresh until the task is ended: reads the files anew whenever they change, or asks the
    /// authority when it is time. Failures are told in the log, and what was in use before stays.
    pub async fn follow(self, sources: Sources) {
        match &self.0.source {
            Source::Files(_) => self.follow_files(&sources).await,
            Source::Acme(acme) => {
                let watched = async {
                    let mut ticks = tokio::time::interval(limits::CERTIFICATE_PERIOD);
                    loop {
                        ticks.tick().await;
                        self.tell(sources.now());
                    }
                };
                tokio::join!(acme.follow(&self.0.keys, &sources), watched);
            }
        }
    }

    async fn follow_files(&self, sources: &Sources) {
        let mut ticks = tokio::time::interval(limits::CERTIFICATE_PERIOD);
        loop {
            ticks.tick().await;
            match self.refresh() {
                Ok(false) => {}
                Ok(true) => tracing::info!("the certificate was read anew"),
                Err(error) => tracing::error!(%error, "the new certificate is not used"),
            }
            self.tell(sources.now());
        }
    }

    /// Says in the log that clients refuse the certificate in use, or soon will: once, until there is another or that changes.
    pub fn tell(&self, now: Moment) {
        match self.validity().and_then(|validity| self.0.told.news(validity, now)) {
            None => {}
            Some(Worry::Expired(until)) => {
                let date = until.iso();
                tracing::error!("the certificate expired at {date}: clients refuse it");
            }
            Some(Worry::Early(from)) => {
                let date = from.iso();
                tracing::warn!("the certificate does not hold before {date}: clients refuse it");
            }
            Some(Worry::Soon(until)) => {
                let date = until.iso();
                tracing::warn!("the certificate expires soon, at {date}");
            }
        }
    }

    /// How long the certificate in use holds; `None` while there is none.
    pub fn validity(&self) -> Option<Validity> {
        self.0.keys.validity()
    }

    /// Takes changed files in use. Gives whether they had changed; certificates of an authority never do.
    ///
    /// # Errors
    /// They can't be used; they are not tried again until they change.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        match &self.0.source {
            Source::Files(files) => {
                let changed = files.changed()?;
                Ok(changed.map(|certificate| self.0.keys.set(certificate)).is_some())
            }
            Source::Acme(_) => Ok(false),
        }
    }

    /// Asks the authority for a certificate if it is time. Gives whether there is another one; there never is with files.
    ///
    /// # Errors
    /// The authority gave none; what was in use before stays.
    pub async fn renew(&self, now: Moment) -> Result<bool, AcmeError> {
        match &self.0.source {
            Source::Files(_) => Ok(false),
            Source::Acme(acme) => acme.renew(&self.0.keys, now).await,
        }
    }

    /// Tells whether clients can be greeted.
    pub fn state(&self, now: Moment) -> CertificateState {
        let Some(validity) = self.validity() else { return CertificateState::Missing };
        match validity.age(now) {
            Age::Expired => CertificateState::Expired(validity.until),
            Age::Young | Age::Due | Age::Overdue => CertificateState::Ready,
        }
    }

    /// Greets a client; `None` when it does not greet back in time, can't agree, or was an authority that looked at a
    /// proof.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let greeting = async {
            let mut stream = TlsAcceptor::from(Arc::clone(&self.0.config)).accept(stream).await?;
            if stream.get_ref().1.alpn_protocol() == Some(PROOF_PROTOCOL) {
                stream.shutdown().await?;
                return Ok(None);
            }
            Ok::<_, std::io::Error>(Some(stream))
        };
        match tokio::time::timeout(limits::HEAD_TIMEOUT, greeting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS greeting failed");
                None
            }
            Err(_) => None,
        }
    }
}
