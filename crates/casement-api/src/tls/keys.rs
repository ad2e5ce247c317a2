//! What a server presents in a greeting: its certificate, or the proof that an authority asks for (RFC 8737).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use casement_app::certificate::Validity;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::measure;
use crate::tls::certificate::Certificate;

/// The protocol by which an authority asks for the proof; nobody else speaks it.
pub(crate) const PROOF_PROTOCOL: &[u8] = b"acme-tls/1";

/// The certificate in use, and the proofs that are asked for at the moment.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    in_use: RwLock<Option<Certificate>>,
    proofs: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl Keys {
    /// Takes a certificate in use.
    pub(crate) fn set(&self, certificate: Certificate) {
        measure::certificate(certificate.validity.until);
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
    }

    /// How long the certificate in use holds; `None` while there is none.
    pub(crate) fn validity(&self) -> Option<Validity> {
        let in_use = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        in_use.as_ref().map(|certificate| certificate.validity)
    }

    /// Presents a proof for a name, until [`Keys::forget_proofs`].
    pub(crate) fn prove(&self, name: String, proof: Arc<CertifiedKey>) {
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).insert(name, proof);
    }

    /// Presents no proofs any more.
    pub(crate) fn forget_proofs(&self) {
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if asks_for_proof(&hello) {
            let proofs = self.proofs.read().unwrap_or_else(PoisonError::into_inner);
            return hello.server_name().and_then(|name| proofs.get(&name.to_ascii_lowercase())).cloned();
        }
        let in_use = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        in_use.as_ref().map(|certificate| Arc::clone(&certificate.key))
    }
}

/// Whether a client offers the protocol of proofs and no other.
fn asks_for_proof(hello: &ClientHello<'_>) -> bool {
    let Some(mut offered) = hello.alpn() else { return false };
    offered.next() == Some(PROOF_PROTOCOL) && offered.next().is_none()
}
