//! JWT apps: programs that sign their own tokens, and the keys that verify them.
//!
//! An app is a document of the installation ([`stored`] says of which shape). The operations on it stand beside this
//! file, one each; the server and the command line call the same ones.

pub mod create;
pub mod error;
pub mod list;
pub mod public_key;
pub mod revoke;
pub mod rotate;
pub mod secret;
pub mod stored;
pub mod token_id;
pub(crate) mod write;

use casement_domain::actor::{Actor, NO_AVATAR};
use casement_domain::date::Moment;
use casement_domain::id::{AccountId, AppId, StreamId, UserId};
use serde::{Deserialize, Serialize};

use crate::jwt_app::public_key::PublicKey;
use crate::jwt_app::secret::Secret;

/// A program that may call the API with tokens it signs itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtApp {
    /// Its client id.
    pub client_id: AppId,
    /// Its name, which shows where it acts.
    pub name: String,
    /// The user that it acts as.
    pub user: UserId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// What verifies its tokens.
    pub keys: Keys,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The streams that it reaches.
    pub streams: Vec<StreamId>,
    /// Whether its tokens must expire.
    pub requires_expiry: bool,
    /// Whether each of its tokens must have an id of its own and serves once; they must expire within a day then.
    pub enforces_jti: bool,
    /// False once it is revoked.
    pub active: bool,
}

/// The keys of an app. Their sort is the app's, never the token's: a public key is never taken for a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Secrets that the app and the server share.
    Hmac(Digest, Rotating<Secret>),
    /// Public keys, whose private halves only the app has.
    Rsa(Digest, Rotating<PublicKey>),
}

/// The hash that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the tokens of an app are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-512.
    Hs512,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    Rs256,
    /// RSA (PKCS #1 v1.5) with SHA-512.
    Rs512,
}

/// A key, and the one before it as long as that is still good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotating<K> {
    /// The key that signs.
    pub current: K,
    /// How many keys the app has had with this one.
    pub number: u32,
    /// Since when it signs; unknown for apps of the first release.
    pub made_at: Option<Moment>,
    /// The key before it.
    pub former: Option<Former<K>>,
}

/// A key that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former<K> {
    /// The key.
    pub key: K,
    /// When it verifies no more.
    pub ends_at: Moment,
}

impl<K> Rotating<K> {
    /// Begins with a first key.
    pub fn first(key: K, made_at: Moment) -> Self {
        Self { current: key, number: 1, made_at: Some(made_at), former: None }
    }

    /// Puts another key in place. The former one stays good for `grace_ms`; the one before that ends at once.
    pub fn rotated(self, key: K, grace_ms: i64, now: Moment) -> Self {
        let former = Former { key: self.current, ends_at: now.plus_ms(grace_ms) };
        Self {
            current: key,
            number: self.number.saturating_add(1),
            made_at: Some(now),
            former: (grace_ms > 0).then_some(former),
        }
    }
}

impl Algorithm {
    /// Gives the name that a token's header must have.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs512 => "RS512",
        }
    }
}

impl Keys {
    /// Tells how tokens are signed.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(Digest::Sha256, _) => Algorithm::Hs256,
            Self::Hmac(Digest::Sha512, _) => Algorithm::Hs512,
            Self::Rsa(Digest::Sha256, _) => Algorithm::Rs256,
            Self::Rsa(Digest::Sha512, _) => Algorithm::Rs512,
        }
    }

    /// Tells how many keys the app has had, and since when the current one signs.
    pub fn current(&self) -> (u32, Option<Moment>) {
        match self {
            Self::Hmac(_, keys) => (keys.number, keys.made_at),
            Self::Rsa(_, keys) => (keys.number, keys.made_at),
        }
    }

    /// Tells when the former key ends, or has ended.
    pub fn former_ends_at(&self) -> Option<Moment> {
        match self {
            Self::Hmac(_, keys) => keys.former.as_ref().map(|former| former.ends_at),
            Self::Rsa(_, keys) => keys.former.as_ref().map(|former| former.ends_at),
        }
    }
}

impl JwtApp {
    /// Gives the app as somebody who acts.
    pub fn actor(&self) -> Actor {
        Actor { id: self.user.clone(), name: self.name.clone(), image: NO_AVATAR.to_owned() }
    }
}
