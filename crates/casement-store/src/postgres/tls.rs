//! TLS to the server: rustls on aws-lc-rs, the certificate and the name always checked.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database_url::{DatabaseUrl, Encryption, Roots};
use crate::error::StoreError;

/// Makes what greets the server; `None`: connections are not encrypted.
pub(crate) fn connector(url: &DatabaseUrl) -> Result<Option<MakeRustlsConnect>, StoreError> {
    match url.encryption() {
        Encryption::Never => return Ok(None),
        Encryption::Offered | Encryption::Always => {}
    }
    let roots = roots(url.roots()).map_err(StoreError::Unusable)?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unusable(format!("TLS can't be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn roots(roots: &Roots) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err("this machine trusts no certificate authority; name the database's by \
                            sslrootcert=FILE"
                    .into());
            }
        }
        Roots::File(path) => {
            let failed = |reason: &dyn std::fmt::Display| {
                format!("{} can't be used as sslrootcert: {reason}", path.display())
            };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| failed(&error))?;
                store.add(certificate).map_err(|error| failed(&error))?;
            }
            if store.is_empty() {
                return Err(failed(&"it holds no certificate"));
            }
        }
    }
    Ok(store)
}
