//! Keys, and the form of a sealed text: `v1.{key id}.{nonce and ciphertext}`.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes: random nonces of this length never meet, so that nobody has to
//! count. The place of the text is authenticated with it. The key id says which key is needed before one is tried.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

use crate::limits;
use crate::sources::Sources;

/// The bytes of a key.
const KEY_BYTES: usize = 32;
/// The bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// What a sealed text begins with.
const FORM: &str = "v1";
/// What stands before a key when its id is worked out, so that the id is no hash of the bare key.
const ID_CONTEXT: &[u8] = b"casement key id 1\0";

/// A key's id: 16 hex digits that tell nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A key that seals. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; KEY_BYTES]);

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealKey({})", self.id())
    }
}

impl SealKey {
    /// Makes a key.
    pub fn fresh(sources: &Sources) -> Self {
        let mut bytes = [0; KEY_BYTES];
        for (byte, random) in bytes.iter_mut().zip(random(sources)) {
            *byte = random;
        }
        Self(bytes)
    }

    /// Takes a key of 64 hex digits; `None` when the text is none.
    pub fn of_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * KEY_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; KEY_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Gives the key as 64 hex digits, for the key file alone.
    pub(crate) fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Gives its id.
    pub fn id(&self) -> KeyId {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(ID_CONTEXT);
        context.update(&self.0);
        let hash = context.finish();
        KeyId(hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives 32 random bytes.
pub(crate) fn random(sources: &Sources) -> impl Iterator<Item = u8> {
    [sources.salt(), sources.salt()].into_iter().flatten()
}

/// Where a sealed text is stored: it can be opened nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The workspace of the store.
    pub workspace: &'a str,
    /// The kind of the document.
    pub kind: &'a str,
    /// The id of the document.
    pub document: &'a str,
    /// The field of the document.
    pub field: &'a str,
}

impl Place<'_> {
    /// The place as bytes; each part has its length before it, so that no two places are alike.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = FORM.as_bytes().to_vec();
        for part in [self.workspace, self.kind, self.document, self.field] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

/// Why a sealed text can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// It has not the form of one.
    #[error("it is no sealed text")]
    Form,
    /// Its key is not there.
    #[error("it is sealed under the key {0}, which the key file does not hold")]
    NoKey(KeyId),
    /// It was sealed at another place, or was changed since.
    #[error("it is damaged, or was sealed for another place")]
    Damaged,
}

/// The keys of a key file: the first seals, all open. More than one only while a rotation lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    current: SealKey,
    former: Vec<SealKey>,
}

impl Keyring {
    /// Holds one key.
    pub fn of(current: SealKey) -> Self {
        Self { current, former: Vec::new() }
    }

    /// Holds keys, the one that seals first; `None` when there is none, one twice, or more than
    /// [`limits::SEAL_KEYS_MAX`].
    pub fn of_all(keys: impl IntoIterator<Item = SealKey>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let mut ring = Self::of(keys.next()?);
        for key in keys {
            if ring.keys().any(|known| *known == key) {
                return None;
            }
            ring.former.push(key);
        }
        (ring.keys().count() <= limits::SEAL_KEYS_MAX).then_some(ring)
    }

    /// Puts another key before those that it holds.
    pub fn led_by(&self, key: SealKey) -> Option<Self> {
        Self::of_all(std::iter::once(key).chain(self.keys().cloned()))
    }

    /// Gives the key that seals.
    pub fn current(&self) -> &SealKey {
        &self.current
    }

    /// Gives the keys that only open.
    pub fn former(&self) -> &[SealKey] {
        &self.former
    }

    /// Gives all keys, the one that seals first.
    pub fn keys(&self) -> impl Iterator<Item = &SealKey> {
        std::iter::once(&self.current).chain(&self.former)
    }

    /// Seals a text for its place.
    pub fn seal(&self, place: &Place<'_>, plain: &str, sources: &Sources) -> String {
        let mut nonce = [0; NONCE_BYTES];
        for (byte, random) in nonce.iter_mut().zip(random(sources)) {
            *byte = random;
        }
        let payload = Payload { msg: plain.as_bytes(), aad: &place.bytes() };
        let sealed = self.current.cipher().encrypt(&nonce.into(), payload);
        let sealed =
            sealed.expect("invariant: a text in memory is shorter than the cipher's limit of 256 GiB");
        let whole = [nonce.as_slice(), &sealed].concat();
        format!("{FORM}.{}.{}", self.current.id(), URL_SAFE_NO_PAD.encode(whole))
    }

    /// Opens a text that was sealed for this place.
    ///
    /// # Errors
    /// It is no sealed text, its key is not there, or it is damaged.
    pub fn open(&self, place: &Place<'_>, sealed: &str) -> Result<String, SealFault> {
        let (id, whole) = parts(sealed)?;
        let key = self.keys().find(|key| key.id() == id).ok_or(SealFault::NoKey(id))?;
        let whole = URL_SAFE_NO_PAD.decode(whole).map_err(|_| SealFault::Form)?;
        let (nonce, text) = whole.split_first_chunk::<NONCE_BYTES>().ok_or(SealFault::Form)?;
        let payload = Payload { msg: text, aad: &place.bytes() };
        let plain = key.cipher().decrypt(&(*nonce).into(), payload).map_err(|_| SealFault::Damaged)?;
        String::from_utf8(plain).map_err(|_| SealFault::Damaged)
    }
}

/// Tells under which key a text is sealed.
///
/// # Errors
/// It is no sealed text.
pub fn key_of(sealed: &str) -> Result<KeyId, SealFault> {
    parts(sealed).map(|(id, _)| id)
}

fn parts(sealed: &str) -> Result<(KeyId, &str), SealFault> {
    let mut parts = sealed.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(FORM), Some(id), Some(whole), None) if id.len() == 16 => Ok((KeyId(id.to_owned()), whole)),
        _ => Err(SealFault::Form),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use casement_domain::date::Moment;

    use super::*;

    fn sources() -> Sources {
        let count = AtomicU64::new(1);
        let salt = move || u128::from(count.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
        Sources::new(|| Moment::from_ms(0), || 1, salt)
    }

    const PLACE: Place<'static> = Place { workspace: "w", kind: "app", document: "cs-1", field: "secret" };

    #[test]
    fn a_sealed_text_is_opened_at_its_place_by_its_key() {
        let sources = sources();
        let ring = Keyring::of(SealKey::fresh(&sources));
        for plain in ["", "the secret", &"é".repeat(10_000)] {
            let sealed = ring.seal(&PLACE, plain, &sources);
            assert_eq!(ring.open(&PLACE, &sealed), Ok(plain.to_owned()));
            assert_eq!(key_of(&sealed), Ok(ring.current().id()));
            assert!(plain.is_empty() || !sealed.contains(plain));
        }
        assert_ne!(ring.seal(&PLACE, "x", &sources), ring.seal(&PLACE, "x", &sources));
    }

    #[test]
    fn a_sealed_text_is_opened_at_no_other_place() {
        let sources = sources();
        let ring = Keyring::of(SealKey::fresh(&sources));
        let sealed = ring.seal(&PLACE, "the secret", &sources);
        for other in [
            Place { workspace: "v", ..PLACE },
            Place { kind: "apps", ..PLACE },
            Place { document: "cs-2", ..PLACE },
            Place { field: "former_secret", ..PLACE },
            // The same letters, divided otherwise.
            Place { workspace: "wa", kind: "pp", ..PLACE },
        ] {
            assert_eq!(ring.open(&other, &sealed), Err(SealFault::Damaged), "{other:?}");
        }
    }

    #[test]
    fn another_key_is_told_apart_from_damage_at_every_character() {
        let sources = sources();
        let (ring, other) = (Keyring::of(SealKey::fresh(&sources)), Keyring::of(SealKey::fresh(&sources)));
        let sealed = ring.seal(&PLACE, "the secret", &sources);
        assert_eq!(other.open(&PLACE, &sealed), Err(SealFault::NoKey(ring.current().id())));
        let both = other.led_by(ring.current().clone()).unwrap();
        assert_eq!(both.open(&PLACE, &sealed).as_deref(), Ok("the secret"));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of base64 may stand for the same bytes; then the strict reader refuses it.
            assert!(ring.open(&PLACE, &changed).is_err(), "{at}: {changed}");
        }
        for at in 0..sealed.len() {
            assert!(ring.open(&PLACE, &sealed[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_ring_holds_each_key_once_and_not_too_many() {
        let sources = sources();
        let key = SealKey::fresh(&sources);
        assert_eq!(Keyring::of_all([]), None);
        assert_eq!(Keyring::of_all([key.clone(), key.clone()]), None);
        let most = || (0..limits::SEAL_KEYS_MAX).map(|_| SealKey::fresh(&sources));
        let full = Keyring::of_all(most()).unwrap();
        assert_eq!(full.keys().count(), limits::SEAL_KEYS_MAX);
        assert_eq!(full.led_by(key), None);
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = SealKey::fresh(&sources());
        assert_eq!(format!("{key:?}"), format!("SealKey({})", key.id()));
        assert_eq!(SealKey::of_hex(&key.hex()).as_ref(), Some(&key));
        for wrong in ["", "00", &"g".repeat(64), &"é".repeat(32), &format!("{}0", key.hex())] {
            assert_eq!(SealKey::of_hex(wrong), None, "{wrong}");
        }
    }
}
