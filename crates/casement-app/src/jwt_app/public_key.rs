//! Public RSA keys: read from PEM or JWK, checked, and kept in one form.
//!
//! The numbers are read by the cryptographic library, never by hand. A private key is refused: a server that holds one
//! could sign as the app.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{PublicKey as RsaPublicKey, PublicKeyComponents, RsaParameters};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use casement_wire::json::read_object;
use pem::{EncodeConfig, LineEnding, Pem};
use serde_json::{Map, Value};

use crate::jwt_app::Algorithm;
use crate::limits;

/// The members of a JWK that only a private key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public RSA key of 2048 to 8192 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    bits: u32,
}

/// Why a text is no usable public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyFault {
    /// It is longer than any key.
    #[error("the key is longer than {} bytes", limits::PUBLIC_KEY_BYTES_MAX)]
    TooLong,
    /// It is a private key.
    #[error(
        "this is a private key, which must never leave its app; give the public key (`openssl pkey -in FILE -pubout`)"
    )]
    Private,
    /// It is neither PEM nor JWK.
    #[error("the key is neither PEM (PUBLIC KEY or RSA PUBLIC KEY) nor a JWK")]
    Unreadable,
    /// It holds more than one key.
    #[error("the file holds more than one key; give one")]
    Several,
    /// The label of the PEM is that of something else.
    #[error("the PEM holds a {0}, not a PUBLIC KEY or RSA PUBLIC KEY")]
    Label(String),
    /// It is no RSA key, or damaged.
    #[error("the key is not a usable RSA key")]
    NotRsa,
    /// Its size.
    #[error("the key has {0} bits; {min} to {max} are taken", min = limits::RSA_BITS_MIN, max = limits::RSA_BITS_MAX)]
    Size(u32),
    /// A member of a JWK is missing or unusable.
    #[error("the JWK's {0}")]
    Jwk(String),
}

impl PublicKey {
    /// Reads a key that an operator gives, PEM (SPKI or PKCS #1) or JWK, for an app of an algorithm.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn read(text: &str, algorithm: Algorithm) -> Result<Self, PublicKeyFault> {
        if text.len() > limits::PUBLIC_KEY_BYTES_MAX {
            return Err(PublicKeyFault::TooLong);
        }
        if text.trim_start().starts_with('{') { Self::of_jwk(text, algorithm) } else { Self::of_pem(text) }
    }

    /// Reads a key in PEM.
    ///
    /// # Errors
    /// As [`PublicKey::read`].
    pub fn of_pem(text: &str) -> Result<Self, PublicKeyFault> {
        let found = pem::parse_many(text).map_err(|_| PublicKeyFault::Unreadable)?;
        if found.iter().any(|found| found.tag().ends_with("PRIVATE KEY")) {
            return Err(PublicKeyFault::Private);
        }
        let [only] = found.as_slice() else {
            return Err(if found.is_empty() { PublicKeyFault::Unreadable } else { PublicKeyFault::Several });
        };
        match only.tag() {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::of_der(only.contents()),
            other => {
                let label = other.chars().filter(|character| !character.is_control()).take(64).collect();
                Err(PublicKeyFault::Label(label))
            }
        }
    }

    fn of_jwk(text: &str, algorithm: Algorithm) -> Result<Self, PublicKeyFault> {
        let jwk = read_object(text.trim().as_bytes()).map_err(|_| PublicKeyFault::Unreadable)?;
        if PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
            return Err(PublicKeyFault::Private);
        }
        let demand = |member: &str, wanted: &str| match jwk.get(member) {
            Some(value) if value == wanted => Ok(()),
            Some(_) | None => Err(PublicKeyFault::Jwk(format!("{member} must be {wanted}"))),
        };
        demand("kty", "RSA")?;
        if jwk.contains_key("use") {
            demand("use", "sig")?;
        }
        if jwk.contains_key("alg") {
            demand("alg", algorithm.name())?;
        }
        let verifies = |operations: &Value| {
            operations.as_array().is_some_and(|entries| entries.iter().any(|entry| entry == "verify"))
        };
        if jwk.get("key_ops").is_some_and(|operations| !verifies(operations)) {
            return Err(PublicKeyFault::Jwk("key_ops must name verify".to_owned()));
        }
        let components = PublicKeyComponents { n: number(&jwk, "n")?, e: number(&jwk, "e")? };
        let der: PublicKeyX509Der<'_> = components.as_der().map_err(|_| PublicKeyFault::NotRsa)?;
        Self::of_der(der.as_ref())
    }

    /// Takes a key in DER, of either form, and brings it into one. What another writer would have written differently
    /// (bytes after the key, lengths with zeros) is not taken.
    fn of_der(der: &[u8]) -> Result<Self, PublicKeyFault> {
        let key = RsaPublicKey::from_der(der).map_err(|_| PublicKeyFault::NotRsa)?;
        let info: PublicKeyX509Der<'_> = key.as_der().map_err(|_| PublicKeyFault::NotRsa)?;
        if der != info.as_ref() && der != key.as_ref() {
            return Err(PublicKeyFault::NotRsa);
        }
        let bits = RsaParameters::public_modulus_len(key.as_ref()).map_err(|_| PublicKeyFault::NotRsa)?;
        if !(limits::RSA_BITS_MIN..=limits::RSA_BITS_MAX).contains(&bits) {
            return Err(PublicKeyFault::Size(bits));
        }
        Ok(Self { der: info.as_ref().to_vec(), bits })
    }

    /// Gives the key as DER (`SubjectPublicKeyInfo`).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Gives its size in bits.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Gives the key as PEM.
    pub fn pem(&self) -> String {
        let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
        pem::encode_config(&Pem::new("PUBLIC KEY", self.der.clone()), config)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({} bits)", self.bits)
    }
}

/// Reads a number of a JWK: base64url without padding or leading zeros.
fn number(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, PublicKeyFault> {
    let unusable = || PublicKeyFault::Jwk(format!("{member} must be a number in base64url"));
    let text = jwk.get(member).and_then(Value::as_str).ok_or_else(unusable)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unusable())?;
    match bytes.first() {
        None | Some(0) => Err(unusable()),
        Some(_) => Ok(bytes),
    }
}
