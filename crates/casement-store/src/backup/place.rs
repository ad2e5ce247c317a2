//! The directory of a backup: its lock, its names, what may lie in it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use crate::backup::BackupError;
use crate::backup::file::UNFINISHED;
use crate::backup::manifest::{MANIFEST, Manifest};
use crate::{limits, lock};

const LOCK: &str = "lock";
const BASE: &str = "base-";
const INCREMENT: &str = "increment-";
const ENDING: &str = ".casement";
/// What a file system keeps in the root of a disk.
pub(crate) const OF_THE_DISK: &str = "lost+found";

/// A backup's directory, held by this process until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes the directory if it is absent, waits for its lock, and removes what an earlier run left unfinished.
    ///
    /// Refuses a directory in which something else lies.
    pub(crate) fn take(directory: &Path) -> Result<(Place, Option<Manifest>), BackupError> {
        lock::make(directory)?;
        let names = names(directory)?;
        let manifest = Manifest::read(directory)?;
        if manifest.is_none()
            && let Some(name) = names.iter().find(|name| !is_ours(name))
        {
            return Err(BackupError::Refused(format!(
                "{} holds {name} and no backup; name an empty or absent directory",
                directory.display()
            )));
        }
        let held = wait_for(directory)?;
        for name in names.iter().filter(|name| name.ends_with(UNFINISHED)) {
            remove(&directory.join(name))?;
        }
        // Read again under the lock: another run may have ended in between.
        let manifest = Manifest::read(directory)?;
        Ok((Place { directory: directory.to_path_buf(), _lock: held }, manifest))
    }

    /// Gives the directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Removes every base and increment that the manifest does not need. Interrupted, it is done by the next run.
    pub(crate) fn sweep(&self, manifest: &Manifest) -> Result<usize, BackupError> {
        let names = names(&self.directory)?;
        let mut needed: BTreeSet<String> = BTreeSet::new();
        for series in &manifest.series {
            needed.extend(series.bases.iter().map(|base| base.file.clone()));
            let oldest = series.bases.iter().map(|base| base.position).min().unwrap_or_default();
            let firsts = increments(&names, &series.id);
            let first = firsts.iter().rposition(|from| *from <= oldest + 1).unwrap_or(0);
            let kept = firsts.get(first..).unwrap_or_default().iter();
            needed.extend(
                kept.filter(|from| **from <= series.end.last_from)
                    .map(|from| increment_name(&series.id, *from)),
            );
        }
        let mut removed = 0;
        for name in names.iter().filter(|name| is_base_or_increment(name) && !needed.contains(*name)) {
            remove(&self.directory.join(name))?;
            removed += 1;
        }
        Ok(removed)
    }
}

/// The name of a base, the first at its position or a further one.
pub(crate) fn base_name(series: &str, position: u64, place: usize) -> String {
    match place {
        0 => format!("{BASE}{series}-{position:020}{ENDING}"),
        _ => format!("{BASE}{series}-{position:020}-{place}{ENDING}"),
    }
}

/// The name of an increment.
pub(crate) fn increment_name(series: &str, from: u64) -> String {
    format!("{INCREMENT}{series}-{from:020}{ENDING}")
}

/// Gives the first positions of a series' increments, in order.
pub(crate) fn increments(names: &BTreeSet<String>, series: &str) -> Vec<u64> {
    let prefix = format!("{INCREMENT}{series}-");
    names.iter().filter_map(|name| name.strip_prefix(&prefix)?.strip_suffix(ENDING)?.parse().ok()).collect()
}

/// Lists a directory; an absent one is empty.
pub(crate) fn names(directory: &Path) -> Result<BTreeSet<String>, BackupError> {
    let failed = |source| BackupError::io("list", directory, source);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        names.insert(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// Says whether a file is a base of a series, by its name.
pub(crate) fn is_base_of(name: &str, series: &str) -> bool {
    name.strip_prefix(BASE).is_some_and(|rest| rest.starts_with(series))
}

/// Says whether a file is a base or an increment, by its name.
pub(crate) fn is_base_or_increment(name: &str) -> bool {
    (name.starts_with(BASE) || name.starts_with(INCREMENT)) && name.ends_with(ENDING)
}

/// What a first run may have left behind when it was broken off.
fn is_ours(name: &str) -> bool {
    name == OF_THE_DISK
        || name == LOCK
        || name == MANIFEST
        || name.ends_with(UNFINISHED)
        || is_base_or_increment(name)
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(BackupError::io("remove", path, error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn wait_for(directory: &Path) -> Result<File, BackupError> {
    let path = directory.join(LOCK);
    let file = lock::private_file(&path)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < limits::BACKUP_LOCK_WAIT => {
                thread::sleep(limits::BACKUP_LOCK_POLL);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::Refused(format!(
                    "another backup to {} is at work; try again when it has ended",
                    directory.display()
                )));
            }
            Err(TryLockError::Error(source)) => return Err(BackupError::io("lock", path, source)),
        }
    }
}
