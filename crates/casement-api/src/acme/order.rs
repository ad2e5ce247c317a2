//! One order: the names, a proof for each, and the certificate.

use std::sync::Arc;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::acme::AcmeError;
use crate::limits;
use crate::tls::keys::Keys;

/// What the authority calls an account that it does not know.
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// What an order gave, both PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

/// Why an order gave nothing.
pub(super) enum OrderError {
    /// The authority does not know the account.
    NoAccount,
    Other(AcmeError),
}

impl From<Error> for OrderError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Api(problem) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => Self::NoAccount,
            _ => Self::Other(error.into()),
        }
    }
}

impl From<AcmeError> for OrderError {
    fn from(error: AcmeError) -> Self {
        Self::Other(error)
    }
}

impl From<OrderError> for AcmeError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NoAccount => {
                Self::Authority("the authority does not know the new account".to_owned())
            }
            OrderError::Other(error) => error,
        }
    }
}

/// Orders a certificate. The proofs stand in `keys` until somebody forgets them.
pub(super) async fn place(account: &Account, names: &[String], keys: &Keys) -> Result<Issued, OrderError> {
    let polling = RetryPolicy::new().timeout(limits::ACME_ORDER_TIMEOUT);
    let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    prove(&mut order, keys).await?;
    let proved = order.poll_ready(&polling).await;
    match proved {
        Ok(OrderStatus::Ready) => {}
        // An order that failed names no reason itself: the proofs do.
        Ok(_) | Err(Error::Api(_)) => {
            if let Some(error) = unproved(&mut order).await {
                return Err(error.into());
            }
            proved?;
            return Err(
                AcmeError::Authority("the authority ended the order without a reason".to_owned()).into()
            );
        }
        Err(error) => return Err(error.into()),
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&polling).await?;
    Ok(Issued { chain, key })
}

/// Presents a proof for each name that the authority does not yet hold for ours.
async fn prove(order: &mut Order, keys: &Keys) -> Result<(), OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let domain = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(AcmeError::NoChallenge { domain }.into());
        };
        let proof = proof(&domain, challenge.key_authorization().digest().as_ref())?;
        keys.prove(domain, Arc::new(proof));
        challenge.set_ready().await?;
    }
    Ok(())
}

/// Asks which proof was not found.
async fn unproved(order: &mut Order) -> Option<AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.ok()?;
        let state = authorization.refresh().await.ok()?;
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            let reason = problem.detail.clone().unwrap_or_else(|| problem.to_string());
            return Some(AcmeError::Unproved { domain: state.identifier().to_string(), reason });
        }
    }
    None
}

/// A certificate of our own that holds the digest; RFC 8737, section 3.
fn proof(domain: &str, digest: &[u8]) -> Result<CertifiedKey, AcmeError> {
    let failed = |reason: String| AcmeError::Useless { what: "challenge", reason };
    let mut params =
        CertificateParams::new([domain.to_owned()]).map_err(|error| failed(error.to_string()))?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(|error| failed(error.to_string()))?;
    let certificate = params.self_signed(&key).map_err(|error| failed(error.to_string()))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let private = aws_lc_rs::default_provider().key_provider.load_private_key(private);
    let private = private.map_err(|error| failed(error.to_string()))?;
    // Unchecked: the library does not know the critical extension that holds the digest.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], private))
}
