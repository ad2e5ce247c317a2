//! The stored body of a JWT app, and what an event may tell of it.
//!
//! The first release wrote `algorithm` and `secret` only; bodies of that shape are read as they are. Up to schema 1 secrets
//! stood in plain; from schema 2 on they are sealed, and only such bodies are written.

use casement_domain::date::Moment;
use casement_domain::id::{AccountId, AppId, StreamId, UserId};
use casement_domain::version::Versioned;
use casement_store::document::Document;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::body;
use crate::error::AppError;
use crate::installation::{INSTALLATION, KIND_APP};
use crate::jwt_app::public_key::PublicKey;
use crate::jwt_app::secret::Secret;
use crate::jwt_app::{Algorithm, Digest, Former, JwtApp, Keys, Rotating};
use crate::seal::key::{self, KeyId, Keyring, Place, SealFault};
use crate::sources::Sources;

/// The schema number of the bodies that this release writes: secrets are sealed.
pub const SCHEMA: u32 = 2;

/// The field of the current secret, as its seal is bound to it.
const SECRET: &str = "secret";
/// The field of the former one.
const FORMER_SECRET: &str = "former_secret";

/// A JWT app as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredJwtApp {
    client_id: AppId,
    name: String,
    user: UserId,
    account: AccountId,
    algorithm: Algorithm,
    /// In plain, up to schema 1. It is read and never written.
    #[serde(default, skip_serializing)]
    secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(default = "first")]
    key_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_made_at: Option<Moment>,
    /// In plain, up to schema 1. It is read and never written.
    #[serde(default, skip_serializing)]
    former_secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed_former_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_public_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_ends_at: Option<Moment>,
    scopes: Vec<String>,
    streams: Vec<StreamId>,
    requires_expiry: bool,
    #[serde(default)]
    enforces_jti: bool,
    active: bool,
}

/// The number of the only key of an app of the first release.
fn first() -> u32 {
    1
}

/// A stored app lacks what its algorithm needs, or a key of it can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredFault {
    /// The key of its algorithm is not there.
    #[error("it has no {0}")]
    Lacks(&'static str),
    /// A public key can't be read.
    #[error("{0}")]
    PublicKey(String),
    /// A secret can't be opened.
    #[error("its {0} can't be opened: {1}")]
    Sealed(&'static str, SealFault),
}

/// Reads a body of any release, without opening its secrets.
///
/// # Errors
/// It is of a newer schema or damaged.
pub fn decode(document: &Document) -> Result<Versioned<StoredJwtApp>, AppError> {
    body::decode_of(document, &[body::SCHEMA, SCHEMA])
}

impl StoredJwtApp {
    /// Gives the body of an app with its secrets sealed.
    pub fn sealed(app: &JwtApp, ring: &Keyring, sources: &Sources) -> Self {
        let mut stored = Self::without_secrets(app);
        if let Keys::Hmac(_, keys) = &app.keys {
            let id = app.client_id.as_str();
            let seal = |field, secret: &Secret| ring.seal(&place(id, field), secret.reveal(), sources);
            stored.sealed_secret = Some(seal(SECRET, &keys.current));
            stored.sealed_former_secret = keys.former.as_ref().map(|former| seal(FORMER_SECRET, &former.key));
        }
        stored
    }

    /// Gives all of the body that is no secret.
    fn without_secrets(app: &JwtApp) -> Self {
        let (key_number, key_made_at) = app.keys.current();
        let (public_key, former_public_key) = match &app.keys {
            Keys::Hmac(_, _) => (None, None),
            Keys::Rsa(_, keys) => {
                (Some(keys.current.pem()), keys.former.as_ref().map(|former| former.key.pem()))
            }
        };
        Self {
            client_id: app.client_id.clone(),
            name: app.name.clone(),
            user: app.user.clone(),
            account: app.account.clone(),
            algorithm: app.keys.algorithm(),
            secret: None,
            sealed_secret: None,
            public_key,
            key_number,
            key_made_at,
            former_secret: None,
            sealed_former_secret: None,
            former_public_key,
            former_ends_at: app.keys.former_ends_at(),
            scopes: app.scopes.clone(),
            streams: app.streams.clone(),
            requires_expiry: app.requires_expiry,
            enforces_jti: app.enforces_jti,
            active: app.active,
        }
    }

    /// Gives the app, with its secrets opened.
    ///
    /// # Errors
    /// It lacks what its algorithm needs, or a key of it can't be read or opened.
    pub fn opened(self, ring: &Keyring) -> Result<JwtApp, StoredFault> {
        let keys = match self.algorithm {
            Algorithm::Hs256 => Keys::Hmac(Digest::Sha256, self.secrets(ring)?),
            Algorithm::Hs512 => Keys::Hmac(Digest::Sha512, self.secrets(ring)?),
            Algorithm::Rs256 => Keys::Rsa(Digest::Sha256, self.public_keys()?),
            Algorithm::Rs512 => Keys::Rsa(Digest::Sha512, self.public_keys()?),
        };
        Ok(JwtApp {
            client_id: self.client_id,
            name: self.name,
            user: self.user,
            account: self.account,
            keys,
            scopes: self.scopes,
            streams: self.streams,
            requires_expiry: self.requires_expiry,
            enforces_jti: self.enforces_jti,
            active: self.active,
        })
    }

    /// Puts a new secret in the place of those that it has; the former one ends.
    pub(crate) fn with_new_secret(self, secret: Secret, now: Moment) -> Self {
        Self {
            secret: Some(secret),
            sealed_secret: None,
            former_secret: None,
            sealed_former_secret: None,
            former_ends_at: None,
            key_number: self.key_number.saturating_add(1),
            key_made_at: Some(now),
            ..self
        }
    }

    /// Gives what an event may tell of it, as [`told`].
    pub(crate) fn told(&self) -> Map<String, Value> {
        let told = Self {
            secret: None,
            sealed_secret: None,
            former_secret: None,
            sealed_former_secret: None,
            ..self.clone()
        };
        match serde_json::to_value(told) {
            Ok(Value::Object(object)) => object,
            Ok(_) | Err(_) => Map::new(),
        }
    }

    /// Gives its client id.
    pub fn client_id(&self) -> &AppId {
        &self.client_id
    }

    /// Tells under which keys its secrets are sealed; what is no sealed text is left to [`StoredJwtApp::opened`].
    pub fn sealed_under(&self) -> impl Iterator<Item = KeyId> {
        let sealed = [&self.sealed_secret, &self.sealed_former_secret].into_iter().flatten();
        sealed.filter_map(|sealed| key::key_of(sealed).ok())
    }

    /// Counts its secrets.
    pub fn secrets_count(&self) -> usize {
        let all = [self.secret.is_some(), self.sealed_secret.is_some()];
        let former = [self.former_secret.is_some(), self.sealed_former_secret.is_some()];
        all.into_iter().chain(former).filter(|there| *there).count()
    }

    /// Tells whether no secret of it is in plain.
    pub fn is_sealed(&self) -> bool {
        self.secret.is_none() && self.former_secret.is_none()
    }

    /// Tells whether each secret of it is sealed under this key.
    pub fn is_sealed_under(&self, key: &KeyId) -> bool {
        self.is_sealed() && self.sealed_under().all(|id| id == *key)
    }

    fn secrets(&self, ring: &Keyring) -> Result<Rotating<Secret>, StoredFault> {
        let open = |field, plain: &Option<Secret>, sealed: &Option<String>| match (plain, sealed) {
            (_, Some(sealed)) => {
                let opened = ring.open(&place(self.client_id.as_str(), field), sealed);
                opened.map(|text| Some(Secret::new(text))).map_err(|fault| StoredFault::Sealed(field, fault))
            }
            (plain, None) => Ok(plain.clone()),
        };
        let current = open(SECRET, &self.secret, &self.sealed_secret)?.ok_or(StoredFault::Lacks(SECRET))?;
        let former = open(FORMER_SECRET, &self.former_secret, &self.sealed_former_secret)?;
        Ok(self.rotating(current, former))
    }

    fn public_keys(&self) -> Result<Rotating<PublicKey>, StoredFault> {
        let read = |text: &String| {
            PublicKey::of_pem(text).map_err(|fault| StoredFault::PublicKey(fault.to_string()))
        };
        let current = read(self.public_key.as_ref().ok_or(StoredFault::Lacks("public key"))?)?;
        Ok(self.rotating(current, self.former_public_key.as_ref().map(read).transpose()?))
    }

    fn rotating<K>(&self, current: K, former: Option<K>) -> Rotating<K> {
        let former = former.zip(self.former_ends_at).map(|(key, ends_at)| Former { key, ends_at });
        Rotating { current, number: self.key_number, made_at: self.key_made_at, former }
    }
}

/// Where the secret of an app is stored.
fn place<'a>(client_id: &'a str, field: &'a str) -> Place<'a> {
    Place { workspace: INSTALLATION, kind: KIND_APP, document: client_id, field }
}

/// Gives what an event may tell of an app: its body without secrets. The number of the key says that it changed.
pub fn told(app: &JwtApp) -> Map<String, Value> {
    StoredJwtApp::without_secrets(app).told()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use serde_json::json;

    use super::*;
    use crate::seal::key::SealKey;

    fn sources() -> Sources {
        let count = AtomicU64::new(1);
        let salt = move || u128::from(count.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
        Sources::new(|| Moment::from_ms(0), || 1, salt)
    }

    fn ring() -> Keyring {
        Keyring::of(SealKey::fresh(&sources()))
    }

    fn body() -> Value {
        json!({
            "client_id": "cs-1", "name": "App", "user": "u-1", "account": "6639f7bd58c97ffac0300001",
            "algorithm": "hs512", "secret": "the secret", "scopes": ["case-management-configuration"],
            "streams": ["st-1"], "requires_expiry": true, "active": true
        })
    }

    fn stored(schema: u32, body: &Value) -> Result<StoredJwtApp, AppError> {
        let document = Document {
            kind: KIND_APP.to_owned(),
            id: "cs-1".to_owned(),
            parent: None,
            number: None,
            version: 1,
            sequence: 1,
            schema,
            body: body::encode(body),
        };
        decode(&document).map(|read| read.value)
    }

    fn hmac() -> JwtApp {
        stored(1, &body()).unwrap().opened(&ring()).unwrap()
    }

    fn rotated() -> JwtApp {
        let mut app = hmac();
        let Keys::Hmac(digest, keys) = app.keys else { panic!("it has secrets") };
        let keys = keys.rotated(Secret::new("another".to_owned()), 1000, Moment::from_ms(5));
        app.keys = Keys::Hmac(digest, keys);
        app.enforces_jti = true;
        app
    }

    #[test]
    fn a_body_of_the_first_release_is_read() {
        let app = hmac();
        let Keys::Hmac(Digest::Sha512, keys) = &app.keys else { panic!("{app:?}") };
        assert_eq!((keys.current.reveal(), keys.number), ("the secret", 1));
        assert_eq!((&keys.former, keys.made_at, app.enforces_jti), (&None, None, false));
        assert!(!stored(1, &body()).unwrap().is_sealed());
        assert!(stored(3, &body()).unwrap_err().to_string().contains("schema 3"));
    }

    #[test]
    fn a_body_with_two_secrets_is_read_as_it_was_written_and_holds_neither_in_plain() {
        let (app, ring) = (rotated(), ring());
        let written = serde_json::to_value(StoredJwtApp::sealed(&app, &ring, &sources())).unwrap();
        assert!(!written.to_string().contains("the secret") && !written.to_string().contains("another"));
        let read = stored(SCHEMA, &written).unwrap();
        assert!(read.is_sealed_under(&ring.current().id()));
        assert_eq!((read.secrets_count(), read.sealed_under().count()), (2, 2));
        let read = read.opened(&ring).unwrap();
        assert_eq!(read, app);
        assert_eq!(read.keys.former_ends_at(), Some(Moment::from_ms(1005)));
    }

    #[test]
    fn secrets_can_t_be_exchanged_with_each_other_or_with_another_app_s() {
        let (app, ring) = (rotated(), ring());
        let written = serde_json::to_value(StoredJwtApp::sealed(&app, &ring, &sources())).unwrap();
        let mut exchanged = written.clone();
        exchanged["sealed_secret"] = written["sealed_former_secret"].clone();
        let mut moved = written;
        moved["client_id"] = json!("cs-2");
        for body in [exchanged, moved] {
            let fault = stored(SCHEMA, &body).unwrap().opened(&ring).unwrap_err();
            assert!(fault.to_string().contains("damaged"), "{fault}");
        }
    }

    #[test]
    fn a_body_without_the_key_of_its_algorithm_is_damaged() {
        let mut body = body();
        body["algorithm"] = json!("rs256");
        let fault = stored(1, &body).unwrap().opened(&ring()).unwrap_err();
        assert!(fault.to_string().contains("public key"), "{fault}");
    }

    #[test]
    fn events_tell_no_secret() {
        let told = Value::Object(told(&rotated())).to_string();
        for hidden in ["the secret", "another", "sealed"] {
            assert!(!told.contains(hidden), "{told}");
        }
        assert!(told.contains("\"key_number\":2"), "{told}");
    }
}
