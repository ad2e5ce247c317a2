//! The stored body of a JWT app, and what an event may tell of it.
//!
//! The first release wrote `algorithm` and `secret` only; bodies of that shape are read as they are.

use casement_domain::date::Moment;
use casement_domain::id::{AccountId, AppId, StreamId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jwt_app::public_key::PublicKey;
use crate::jwt_app::secret::Secret;
use crate::jwt_app::{Algorithm, Digest, Former, JwtApp, Keys, Rotating};

/// The keys of a body that hold secret material: an event tells them to nobody.
const SECRET_KEYS: [&str; 2] = ["secret", "former_secret"];

/// A JWT app as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredJwtApp {
    client_id: AppId,
    name: String,
    user: UserId,
    account: AccountId,
    algorithm: Algorithm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(default = "first")]
    key_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_made_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_secret: Option<Secret>,
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

/// A stored app lacks what its algorithm needs, or its public key can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredFault {
    /// The key of its algorithm is not there.
    #[error("it has no {0}")]
    Lacks(&'static str),
    /// A public key can't be read.
    #[error("{0}")]
    PublicKey(String),
}

impl From<JwtApp> for StoredJwtApp {
    fn from(app: JwtApp) -> Self {
        let (key_number, key_made_at) = app.keys.current();
        let algorithm = app.keys.algorithm();
        let former_ends_at = app.keys.former_ends_at();
        let (mut secret, mut former_secret, mut public_key, mut former_public_key) = (None, None, None, None);
        match app.keys {
            Keys::Hmac(_, keys) => {
                secret = Some(keys.current);
                former_secret = keys.former.map(|former| former.key);
            }
            Keys::Rsa(_, keys) => {
                public_key = Some(keys.current.pem());
                former_public_key = keys.former.map(|former| former.key.pem());
            }
        }
        Self {
            client_id: app.client_id,
            name: app.name,
            user: app.user,
            account: app.account,
            algorithm,
            secret,
            public_key,
            key_number,
            key_made_at,
            former_secret,
            former_public_key,
            former_ends_at,
            scopes: app.scopes,
            streams: app.streams,
            requires_expiry: app.requires_expiry,
            enforces_jti: app.enforces_jti,
            active: app.active,
        }
    }
}

impl TryFrom<StoredJwtApp> for JwtApp {
    type Error = StoredFault;

    fn try_from(stored: StoredJwtApp) -> Result<Self, StoredFault> {
        let keys = match stored.algorithm {
            Algorithm::Hs256 => Keys::Hmac(Digest::Sha256, stored.secrets()?),
            Algorithm::Hs512 => Keys::Hmac(Digest::Sha512, stored.secrets()?),
            Algorithm::Rs256 => Keys::Rsa(Digest::Sha256, stored.public_keys()?),
            Algorithm::Rs512 => Keys::Rsa(Digest::Sha512, stored.public_keys()?),
        };
        Ok(Self {
            client_id: stored.client_id,
            name: stored.name,
            user: stored.user,
            account: stored.account,
            keys,
            scopes: stored.scopes,
            streams: stored.streams,
            requires_expiry: stored.requires_expiry,
            enforces_jti: stored.enforces_jti,
            active: stored.active,
        })
    }
}

impl StoredJwtApp {
    fn secrets(&self) -> Result<Rotating<Secret>, StoredFault> {
        let current = self.secret.clone().ok_or(StoredFault::Lacks("secret"))?;
        Ok(self.rotating(current, self.former_secret.clone()))
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

/// Gives what an event may tell of an app: its body without secrets. The number of the key says that it changed.
pub fn told(app: &JwtApp) -> Map<String, Value> {
    let mut told = match serde_json::to_value(app) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    };
    told.retain(|key, _| !SECRET_KEYS.contains(&key.as_str()));
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hmac() -> JwtApp {
        serde_json::from_value(json!({
            "client_id": "cs-1", "name": "App", "user": "u-1", "account": "6639f7bd58c97ffac0300001",
            "algorithm": "hs512", "secret": "the secret", "scopes": ["case-management-configuration"],
            "streams": ["st-1"], "requires_expiry": true, "active": true
        }))
        .unwrap()
    }

    #[test]
    fn a_body_of_the_first_release_is_read() {
        let app = hmac();
        let Keys::Hmac(Digest::Sha512, keys) = &app.keys else { panic!("{app:?}") };
        assert_eq!((keys.current.reveal(), keys.number), ("the secret", 1));
        assert_eq!((&keys.former, keys.made_at, app.enforces_jti), (&None, None, false));
    }

    #[test]
    fn a_body_with_two_secrets_is_read_as_it_was_written() {
        let mut app = hmac();
        let Keys::Hmac(digest, keys) = app.keys else { panic!("it has secrets") };
        let keys = keys.rotated(Secret::new("another".to_owned()), 1000, Moment::from_ms(5));
        app.keys = Keys::Hmac(digest, keys);
        app.enforces_jti = true;
        let read: JwtApp = serde_json::from_slice(&serde_json::to_vec(&app).unwrap()).unwrap();
        assert_eq!(read, app);
        assert_eq!(read.keys.former_ends_at(), Some(Moment::from_ms(1005)));
    }

    #[test]
    fn a_body_without_the_key_of_its_algorithm_is_damaged() {
        let mut body = serde_json::to_value(hmac()).unwrap();
        body["algorithm"] = json!("rs256");
        let error = serde_json::from_value::<JwtApp>(body).unwrap_err();
        assert!(error.to_string().contains("public key"), "{error}");
    }

    #[test]
    fn events_tell_no_secret() {
        let mut app = hmac();
        let Keys::Hmac(digest, keys) = app.keys else { panic!("it has secrets") };
        app.keys =
            Keys::Hmac(digest, keys.rotated(Secret::new("another".to_owned()), 1000, Moment::from_ms(5)));
        let told = Value::Object(told(&app)).to_string();
        assert!(!told.contains("the secret") && !told.contains("another"), "{told}");
        assert!(told.contains("\"key_number\":2"), "{told}");
    }
}
