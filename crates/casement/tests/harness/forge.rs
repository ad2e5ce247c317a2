//! Tokens as an attacker makes them: any header, any claims, any signature, byte for byte.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaEncoding, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pem::{EncodeConfig, LineEnding, Pem};
use serde_json::{Value, json};

/// Writes bytes in base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Puts the signed part of a token together.
pub fn message(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encoded(header), encoded(claims))
}

/// Adds a signature.
pub fn with_signature(message: &str, signature: impl AsRef<[u8]>) -> String {
    format!("{message}.{}", encoded(signature))
}

/// Computes an HMAC.
pub fn hmac_of(algorithm: hmac::Algorithm, key: impl AsRef<[u8]>, message: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key.as_ref()), message.as_bytes()).as_ref().to_vec()
}

/// Signs with HMAC-SHA256, whatever the header says.
pub fn hs256(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> String {
    let message = message(header, claims);
    let signature = hmac_of(hmac::HMAC_SHA256, key, &message);
    with_signature(&message, signature)
}

/// An RSA key pair.
pub struct Pair(RsaKeyPair);

impl Pair {
    pub fn generate() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// Signs a message.
    pub fn signature(&self, encoding: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }

    /// Signs a token, whatever the header says.
    pub fn token(
        &self,
        encoding: &'static dyn RsaEncoding,
        header: impl AsRef<[u8]>,
        claims: impl AsRef<[u8]>,
    ) -> String {
        let message = message(header, claims);
        let signature = self.signature(encoding, &message);
        with_signature(&message, signature)
    }

    /// The public key as DER: `RSAPublicKey`.
    pub fn pkcs1(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    /// The public key as DER: `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// The public key as PEM.
    pub fn pem(&self) -> String {
        pem_of("PUBLIC KEY", self.spki(), LineEnding::LF)
    }

    /// The private key as PEM: PKCS #8.
    pub fn private_pem(&self) -> String {
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = self.0.as_der().unwrap();
        pem_of("PRIVATE KEY", der.as_ref().to_vec(), LineEnding::LF)
    }

    /// The modulus: what `RSAPublicKey` begins with.
    pub fn modulus(&self) -> Vec<u8> {
        // A sequence of two integers: 30 82 xx xx 02 82 xx xx 00, then 256 bytes of the modulus.
        self.pkcs1()[9..9 + 256].to_vec()
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        json!({"kty": "RSA", "n": encoded(self.modulus()), "e": "AQAB"})
    }

    /// Every form in which somebody might take the public key for a secret.
    pub fn public_forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let pem = self.pem();
        let pkcs1_pem = pem_of("RSA PUBLIC KEY", self.pkcs1(), LineEnding::LF);
        vec![
            ("SPKI PEM", pem.clone().into_bytes()),
            ("SPKI PEM without its last line feed", pem.trim_end().as_bytes().to_vec()),
            ("SPKI PEM with CR LF", pem_of("PUBLIC KEY", self.spki(), LineEnding::CRLF).into_bytes()),
            ("SPKI PEM in one line", pem.replace('\n', "").into_bytes()),
            ("PKCS1 PEM", pkcs1_pem.clone().into_bytes()),
            ("PKCS1 PEM without its last line feed", pkcs1_pem.trim_end().as_bytes().to_vec()),
            ("SPKI DER", self.spki()),
            ("PKCS1 DER", self.pkcs1()),
            ("SPKI base64", STANDARD.encode(self.spki()).into_bytes()),
            ("PKCS1 base64", STANDARD.encode(self.pkcs1()).into_bytes()),
            ("JWK", self.jwk().to_string().into_bytes()),
            ("modulus", self.modulus()),
            ("modulus in base64url", encoded(self.modulus()).into_bytes()),
            ("nothing", Vec::new()),
        ]
    }
}

fn pem_of(label: &str, der: Vec<u8>, ending: LineEnding) -> String {
    pem::encode_config(&Pem::new(label, der), EncodeConfig::new().set_line_ending(ending))
}
