//! Certificates by ACME (RFC 8555): an authority proves by a greeting of its own (TLS-ALPN-01, RFC 8737) that the names
//! are ours, and gives a certificate, which is renewed in the last third of its life.
//!
//! The protocol is the crate instant-acme's; here is when to ask, what is kept ([`cache`]), and one order ([`order`]).
//! Nothing here ends the server: a failure is told in the log and the metrics, and tried again later.

use std::path::PathBuf;
use std::time::Duration;

use casement_app::certificate::Age;
use casement_app::sources::Sources;
use casement_domain::date::Moment;

use crate::acme::cache::{Cache, Kept};
use crate::acme::name::{Contact, Directory, DomainName};
use crate::limits;
use crate::measure;
use crate::outbound::{Outbound, OutboundError, Roots};
use crate::tls::certificate::Unusable;
use crate::tls::keys::Keys;

mod account;
pub mod cache;
pub mod name;
mod order;
mod recall;

/// What to ask for, and whom.
#[derive(Debug, Clone)]
pub struct AcmeOptions {
    /// The names that the certificate is for.
    pub domains: Vec<DomainName>,
    /// Whom the authority may write to.
    pub contacts: Vec<Contact>,
    /// Where the authority says how to ask it.
    pub directory: Directory,
    /// By whom the authority itself is known.
    pub roots: Roots,
    /// Whether the authority's terms were read and are accepted.
    pub terms_accepted: bool,
    /// The folder where account and certificate are kept.
    pub folder: PathBuf,
}

impl AcmeOptions {
    fn names(&self) -> Vec<String> {
        self.domains.iter().map(|domain| domain.as_str().to_owned()).collect()
    }
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority can't be reached or says no.
    #[error("{0}")]
    Authority(String),
    /// The authority has terms, and nobody has accepted them.
    #[error("the authority has terms: read {url} and set acme_accept_terms")]
    Terms {
        /// Where they can be read.
        url: String,
    },
    /// The authority proves names by other means only.
    #[error("the authority does not offer TLS-ALPN-01 for {domain}")]
    NoChallenge {
        /// The name.
        domain: String,
    },
    /// The authority did not find the proof.
    #[error("the authority did not find the proof for {domain}: {reason}")]
    Unproved {
        /// The name.
        domain: String,
        /// What it found.
        reason: String,
    },
    /// It took too long.
    #[error("the order was not done within {} s", limits::ACME_ORDER_TIMEOUT.as_secs())]
    Slow,
    /// What the authority gave can't be used.
    #[error("the authority gave no usable {what}: {reason}")]
    Useless {
        /// What it should have been.
        what: &'static str,
        /// Why it is none.
        reason: String,
    },
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(crate::outbound::told(&error))
    }
}

impl From<Unusable> for AcmeError {
    fn from(unusable: Unusable) -> Self {
        Self::Useless { what: unusable.what, reason: unusable.reason }
    }
}

/// One who asks an authority.
#[derive(Debug)]
pub(crate) struct Acme {
    options: AcmeOptions,
    outbound: Outbound,
    cache: Cache,
}

impl Acme {
    pub(crate) fn new(options: AcmeOptions) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(&options.roots, limits::ACME_REQUEST_TIMEOUT)?;
        let cache = Cache::new(options.folder.clone());
        Ok(Self { options, outbound, cache })
    }

    /// Takes the kept certificate in use when it is for these names, of this authority and not expired.
    pub(crate) fn recall(&self, keys: &Keys, now: Moment) {
        match recall::kept(&self.cache, &self.options, now) {
            Ok(Some(certificate)) => keys.set(certificate),
            Ok(None) => {}
            Err(reason) => tracing::warn!(reason, "the kept certificate is not used"),
        }
    }

    /// Asks whenever it is time, until the task is ended. After a failure the next try is later and later.
    pub(crate) async fn follow(&self, keys: &Keys, sources: &Sources) {
        if keys.validity().is_none() {
            tracing::info!(
                domains = self.options.names().join(","),
                directory = self.options.directory.as_str(),
                "there is no certificate yet: one is asked for, and until it is there no client can be greeted"
            );
        }
        let mut wait = limits::ACME_RETRY_FIRST;
        loop {
            let pause = match self.renew(keys, sources.now()).await {
                Ok(renewed) => {
                    if renewed {
                        let until = keys.validity().map(|validity| validity.until.iso());
                        tracing::info!(until, "there is a new certificate");
                    }
                    wait = limits::ACME_RETRY_FIRST;
                    until_due(keys, sources.now())
                }
                Err(error) => {
                    let has_one = keys.validity().is_some();
                    tracing::error!(%error, certificate = has_one, retry_s = wait.as_secs(), "no certificate could be had");
                    let pause = wait;
                    wait = later(wait);
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks if it is time; tells whether there is another certificate.
    pub(crate) async fn renew(&self, keys: &Keys, now: Moment) -> Result<bool, AcmeError> {
        let age = keys.validity().map(|validity| validity.age(now));
        if age == Some(Age::Young) {
            return Ok(false);
        }
        let asking = self.ask(keys);
        let asked =
            tokio::time::timeout(limits::ACME_ORDER_TIMEOUT, asking).await.unwrap_or(Err(AcmeError::Slow));
        keys.forget_proofs();
        measure::asked_for_certificate(asked.is_ok());
        let kept = asked?;
        let certificate = kept.certificate()?;
        // A certificate that can't be kept is still good for now.
        if let Err(error) = self.cache.keep_certificate(&kept) {
            tracing::warn!(%error, "the new certificate can't be kept; the next start asks for another");
        }
        keys.set(certificate);
        Ok(true)
    }

    async fn ask(&self, keys: &Keys) -> Result<Kept, AcmeError> {
        let account = account::open(&self.outbound, &self.cache, &self.options).await?;
        let names = self.options.names();
        let issued = match order::place(&account, &names, keys).await {
            Err(order::OrderError::NoAccount) => {
                tracing::warn!("the authority does not know our account any more; another is made");
                let account = account::create(&self.outbound, &self.cache, &self.options).await?;
                order::place(&account, &names, keys).await
            }
            placed => placed,
        }?;
        Ok(Kept::new(self.options.directory.as_str().to_owned(), names, issued.chain, issued.key))
    }
}

/// How long to rest until the certificate is due, or until the next look at the clock, which may be set meanwhile.
fn until_due(keys: &Keys, now: Moment) -> Duration {
    let due_ms = keys.validity().map_or(0, |validity| validity.due().ms().saturating_sub(now.ms()));
    let left = Duration::from_millis(u64::try_from(due_ms).unwrap_or_default());
    left.clamp(limits::ACME_REST_MIN, limits::CERTIFICATE_PERIOD)
}

/// How long to wait after a wait that did not help.
fn later(wait: Duration) -> Duration {
    wait.saturating_mul(2).min(limits::ACME_RETRY_MAX)
}
