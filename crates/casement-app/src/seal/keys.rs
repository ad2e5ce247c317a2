//! The keys as a running application holds them.
//!
//! At every moment the keys in memory open everything that is stored. Who writes what is sealed holds [`Keys::still`]
//! from sealing until its commit has ended; only a rotation waits for all of these, and changes the keys in between.
//! The follower of the log never waits for it, since commits wait for the follower: it takes [`Keys::ring`] after it has
//! read, when what it read can't have been sealed under a later key.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, MutexGuard, RwLock as Turnstile, RwLockReadGuard};

use crate::seal::key::Keyring;
use crate::seal::key_file::KeyFile;

/// The keys and their file.
#[derive(Debug)]
pub(crate) struct Keys {
    file: KeyFile,
    ring: RwLock<Arc<Keyring>>,
    writing: Turnstile<()>,
    rotating: Mutex<()>,
}

impl Keys {
    pub(crate) fn new(file: KeyFile, ring: Keyring) -> Self {
        Self {
            file,
            ring: RwLock::new(Arc::new(ring)),
            writing: Turnstile::new(()),
            rotating: Mutex::new(()),
        }
    }

    /// Gives the file.
    pub(crate) fn file(&self) -> &KeyFile {
        &self.file
    }

    /// Gives the keys of this moment.
    pub(crate) fn ring(&self) -> Arc<Keyring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the keys as they are while something sealed is read or written.
    pub(crate) async fn still(&self) -> RwLockReadGuard<'_, ()> {
        self.writing.read().await
    }

    /// Waits until nobody else rotates.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.rotating.lock().await
    }

    /// Puts other keys in place, once nothing sealed is being written.
    pub(crate) async fn put(&self, ring: Keyring) {
        let _writing = self.writing.write().await;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}
