//! What a backup holds, as its manifest says: for whoever looks after it.

use std::path::Path;

use crate::backup::BackupError;
use crate::backup::manifest::Manifest;

/// A backup at a glance. Files are not read for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The store that it is a backup of.
    pub installation: String,
    /// When each base was taken, the oldest first, in milliseconds since 1970.
    pub bases_ms: Vec<i64>,
    /// Everything up to this moment is in it, in milliseconds since 1970.
    pub until_ms: i64,
}

/// Reads what a backup holds, `None` when there is none in the directory.
///
/// # Errors
/// The manifest can't be read or is damaged.
pub fn describe(directory: &Path) -> Result<Option<Description>, BackupError> {
    Ok(Manifest::read(directory)?.map(|manifest| {
        let bases = manifest.series.iter().flat_map(|series| series.bases.iter().map(|base| base.at_ms));
        let bases_ms = bases.collect();
        let until_ms = manifest.last().end.until_ms;
        Description { installation: manifest.installation, bases_ms, until_ms }
    }))
}
