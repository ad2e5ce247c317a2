//! Backups: copies of the store in another directory, from which any moment since the oldest copy can be restored.
//!
//! A *base* is a copy of the database. *Increments* hold, set by set, what was journalled after it. Both belong to a
//! *series*, which has no gap. [`run`] adds to a backup, [`restore`] makes a data directory from one. How it is laid
//! out: `entry` is one set's writes, `file` one file with its hash, `manifest` the list of bases, `place` the directory.
//! SQL stands below [`crate::sqlite`]; clock and randomness are handed in.

pub mod description;
pub(crate) mod entry;
pub mod examine;
mod file;
mod increment;
pub mod inside;
mod manifest;
mod place;
pub mod restore;
pub mod run;

use std::path::PathBuf;

use thiserror::Error;

use crate::error::StoreError;

/// Why a backup could not be made or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A file of the backup is not what was written, or not of this backup.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and, where there is something, what to do.
        reason: String,
    },
    /// What was asked can't be done as it stands; nothing was written.
    #[error("{0}")]
    Refused(String),
    /// The store or a directory could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> BackupError {
        BackupError::Store(StoreError::Sqlite(error))
    }
}

impl BackupError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> BackupError {
        BackupError::Store(StoreError::Io { action, path: path.into(), source })
    }
}
