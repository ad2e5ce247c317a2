//! A certificate chain with its private key, read from PEM.

use std::sync::Arc;

use casement_app::certificate::Validity;
use casement_domain::date::Moment;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

/// What a chain or key does not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// What it should hold.
    pub what: &'static str,
    /// Why it does not.
    pub reason: String,
}

/// Reads how long the first certificate of a chain in PEM holds.
///
/// # Errors
/// There is none that can be read.
pub fn validity(chain: &[u8]) -> Result<Validity, Unusable> {
    validity_of(&read_chain(chain)?)
}

fn validity_of(chain: &[CertificateDer<'static>]) -> Result<Validity, Unusable> {
    let first = chain.first().ok_or_else(|| no_certificate("there is none in it"))?;
    let (_, read) = X509Certificate::from_der(first).map_err(no_certificate)?;
    if read.version() != X509Version::V3 {
        return Err(no_certificate("it is of an old version of X.509; TLS takes version 3"));
    }
    let moment = |seconds: i64| Moment::from_ms(0).plus_ms(seconds.saturating_mul(1000));
    let validity = read.validity();
    Ok(Validity {
        from: moment(validity.not_before.timestamp()),
        until: moment(validity.not_after.timestamp()),
    })
}

/// A certificate that can be presented.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) validity: Validity,
}

impl Certificate {
    /// Reads a chain and its private key, both PEM.
    pub(crate) fn of_pem(chain: &[u8], key: &[u8]) -> Result<Self, Unusable> {
        let chain = read_chain(chain)?;
        let validity = validity_of(&chain)?;
        let private = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| Unusable { what: "private key", reason: reason(key, &error) })?;
        let key = CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
            .map_err(|error| Unusable { what: "certificate for the key", reason: error.to_string() })?;
        Ok(Self { key: Arc::new(key), validity })
    }
}

/// Why no private key was found.
fn reason(key: &[u8], error: &pem::Error) -> String {
    let is_encrypted = String::from_utf8_lossy(key)
        .lines()
        .any(|line| line.contains("ENCRYPTED") && !line.contains("CERTIFICATE"));
    match error {
        _ if is_encrypted => {
            "it is encrypted, and nobody can be asked for the passphrase: decrypt it (openssl pkey -in FILE -out NEW)".to_owned()
        }
        pem::Error::NoItemsFound => "there is none in it".to_owned(),
        other => other.to_string(),
    }
}

fn read_chain(chain: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(no_certificate)
}

fn no_certificate(reason: impl ToString) -> Unusable {
    Unusable { what: "certificate", reason: reason.to_string() }
}
