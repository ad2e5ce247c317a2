//! The manifest: which bases a backup has, and how far each series goes.
//!
//! Increments are not listed: their names and running hashes say how they follow each other, and the manifest says
//! where the last one must reach. It is written anew at each run, whole, after the files that it speaks of.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::backup::BackupError;
use crate::backup::entry::FORMAT;
use crate::backup::file::{Hash, hex, unfinished};
use crate::lock;

/// The name of the manifest in a backup's directory.
pub(crate) const MANIFEST: &str = "manifest.json";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// The store that it is a backup of.
    pub(crate) installation: String,
    /// The series, oldest first; at least one. Only the last one grows.
    pub(crate) series: Vec<Series>,
}

/// Bases and what follows them without a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Series {
    pub(crate) id: String,
    /// The bases, oldest first; at least one.
    pub(crate) bases: Vec<Base>,
    /// How far the increments go.
    pub(crate) end: End,
}

/// A copy of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Base {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) hash: Hash,
    /// The last position that is in it.
    pub(crate) position: u64,
    /// When it was taken, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The workspaces and the sequence number of the last event of each.
    pub(crate) heads: BTreeMap<String, u64>,
}

/// Where a series ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct End {
    /// The first position of the last increment; 0 when there is none yet.
    pub(crate) last_from: u64,
    /// The last position.
    pub(crate) position: u64,
    /// The running hash there.
    pub(crate) running: Hash,
    /// The series holds everything up to this moment, in milliseconds since 1970.
    pub(crate) until_ms: i64,
    /// The last event of each workspace: its sequence number and hash.
    pub(crate) heads: BTreeMap<String, (u64, Hash)>,
}

/// The manifest as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    manifest: Manifest,
    sha256: Hash,
}

impl Manifest {
    /// Reads the manifest of a directory, `None` when there is none.
    pub(crate) fn read(directory: &Path) -> Result<Option<Manifest>, BackupError> {
        let path = directory.join(MANIFEST);
        let wrong = |reason: &str| BackupError::File { path: path.clone(), reason: reason.into() };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(BackupError::io("read", path, source)),
        };
        let sealed: Sealed = serde_json::from_slice(&bytes)
            .map_err(|_| wrong("it can't be read as a manifest; the file is cut or damaged"))?;
        // Byte for byte, so that there is nothing in the file that is not covered by the hash.
        if seal(sealed.manifest.clone()) != bytes {
            return Err(wrong("its hash is not that of its content; the file is damaged"));
        }
        let manifest = sealed.manifest;
        if manifest.format != FORMAT {
            return Err(wrong(&format!(
                "it has format {}, which this release does not know",
                manifest.format
            )));
        }
        if manifest.series.is_empty() || manifest.series.iter().any(|series| series.bases.is_empty()) {
            return Err(wrong("it lists a series without a base"));
        }
        Ok(Some(manifest))
    }

    /// Puts the manifest in the place of the former one, durably.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), BackupError> {
        let path = directory.join(MANIFEST);
        let unfinished = unfinished(&path);
        let mut file = lock::private_file(&unfinished)?;
        file.set_len(0)
            .and_then(|()| file.write_all(&seal(self.clone())))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|source| BackupError::io("write", &path, source))?;
        Ok(lock::sync(directory)?)
    }

    /// Gives the series that grows.
    pub(crate) fn last(&self) -> &Series {
        self.series.last().expect("invariant: a manifest has a series")
    }

    /// Gives the series that grows, to be changed.
    pub(crate) fn last_mut(&mut self) -> &mut Series {
        self.series.last_mut().expect("invariant: a manifest has a series")
    }

    /// Gives all bases, the newest first, each with its series.
    pub(crate) fn bases(&self) -> impl Iterator<Item = (&Series, &Base)> {
        self.series.iter().rev().flat_map(|series| series.bases.iter().rev().map(move |base| (series, base)))
    }
}

fn seal(manifest: Manifest) -> Vec<u8> {
    let text = serde_json::to_vec(&manifest).expect("invariant: a manifest is always JSON");
    let sha256 = hex(digest(&SHA256, &text).as_ref());
    let sealed = Sealed { manifest, sha256 };
    serde_json::to_vec(&sealed).expect("invariant: a manifest is always JSON")
}
