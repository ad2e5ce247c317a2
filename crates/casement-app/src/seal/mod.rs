//! Seals: texts that are stored so that only the holder of the key file can read them.
//!
//! [`key`] holds the keys and does the cryptography, `key_file` keeps them in a file, `keys` hands them to whoever seals
//! or opens, `rotate` puts another key in place, `forget` gives a lost one up. What is sealed, and where it is stored, is decided elsewhere: an app's
//! secret in [`crate::jwt_app::stored`]. Sealed texts are bound to their place, so that none can be moved.

pub mod forget;
pub mod key;
pub mod key_file;
pub(crate) mod keys;
pub mod rotate;
