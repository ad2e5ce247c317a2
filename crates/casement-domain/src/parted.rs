//! Reads an object whose keys belong to two values, an outer and an inner one, key by key.
//!
//! serde's `flatten` first keeps the whole object in memory as loose values and then reads it a second time; for a case that
//! is half of what reading it costs.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StringDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// The keys of the outer value, as far as they were read.
pub trait Outer<'de>: Default {
    /// The value that both make together.
    type Whole;
    /// What has all other keys.
    type Inner: Deserialize<'de>;

    /// Reads the value of a key; `false`, with nothing read: the key is none of the outer value's.
    ///
    /// # Errors
    /// The value is none for this key.
    fn take<M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<bool, M::Error>;

    /// Puts both together.
    ///
    /// # Errors
    /// A key is missing.
    fn with<E: Error>(self, inner: Self::Inner) -> Result<Self::Whole, E>;
}

/// Reads a whole value.
///
/// # Errors
/// It is no object, or a value in it is missing or of another type.
pub fn read<'de, O: Outer<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<O::Whole, D::Error> {
    deserializer.deserialize_map(Parting(PhantomData::<O>))
}

struct Parting<O>(PhantomData<O>);

impl<'de, O: Outer<'de>> Visitor<'de> for Parting<O> {
    type Value = O::Whole;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<O::Whole, M::Error> {
        let mut outer = O::default();
        let inner = O::Inner::deserialize(MapAccessDeserializer::new(Rest { map, outer: &mut outer }))?;
        outer.with(inner)
    }
}

/// An object without the keys of the outer value, which takes them as they come.
struct Rest<'o, M, O> {
    map: M,
    outer: &'o mut O,
}

impl<'de, M: MapAccess<'de>, O: Outer<'de>> MapAccess<'de> for Rest<'_, M, O> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            if !self.outer.take(&key, &mut self.map)? {
                let read = match key {
                    Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
                    Cow::Owned(key) => seed.deserialize(StringDeserializer::new(key)),
                };
                return read.map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A key, borrowed where it stands as it is.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Gives a value that must have been there.
///
/// # Errors
/// It was not.
pub fn needed<T, E: Error>(value: Option<T>, key: &'static str) -> Result<T, E> {
    value.ok_or_else(|| E::missing_field(key))
}
