//! The lock on the data directory: one store at a time, across processes and within one.
//!
//! The operating system frees the lock when the process ends, however it ends, so a leftover
//! file means nothing.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The name of the file that is locked in the data directory.
pub(crate) const LOCK: &str = "lock";
/// The name of the database in the data directory.
pub(crate) const DATABASE: &str = "casement.db";
/// The name of the mark of a data directory whose restore has not ended.
pub(crate) const RESTORING: &str = "restore-unfinished";

/// What the rooms above keep beside the database: snapshots of the index, bytes of attachments.
const BESIDE: [&str; 2] = ["index", "attachments"];
/// The key file, which may be put there before the first start.
const KEY_FILE: &str = "secrets.key";
/// What a file system keeps in the root of a disk.
const OF_THE_DISK: &str = "lost+found";

/// The data directory, held until this is dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

/// Makes the directory if it is absent and takes its lock, without waiting.
pub(crate) fn take(directory: &Path) -> Result<DirectoryLock, StoreError> {
    let lock = take_new(directory)?;
    if directory.join(RESTORING).exists() {
        return Err(StoreError::Unfinished { path: directory.to_path_buf() });
    }
    Ok(lock)
}

/// The same for a directory that is about to be restored.
pub(crate) fn take_new(directory: &Path) -> Result<DirectoryLock, StoreError> {
    make(directory)?;
    let path = directory.join(LOCK);
    let file = private_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(DirectoryLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: directory.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { action: "lock", path, source }),
    }
}

/// Refuses a directory whose database is absent or empty where something tells that there was one: a new database
/// would take its place, and SQLite would empty the log that holds what was written last.
///
/// To be asked before the lock is taken, which leaves a file: a key file alone may have been put there for a new
/// installation; beside a lock it is that of one that was served.
pub(crate) fn refuse_without_database(directory: &Path) -> Result<(), StoreError> {
    let database = directory.join(DATABASE);
    let what = match size(&database)? {
        None => "is missing",
        Some(0) => "is empty",
        Some(_) => return Ok(()),
    };
    let log = format!("{DATABASE}-wal");
    let mut beside = Vec::new();
    if size(&directory.join(&log))?.is_some_and(|bytes| bytes > 0) {
        beside.push(log);
    }
    for name in BESIDE {
        if holds_something(&directory.join(name))? {
            beside.push(format!("{name}/"));
        }
    }
    if size(&directory.join(KEY_FILE))?.is_some() && size(&directory.join(LOCK))?.is_some() {
        beside.push(KEY_FILE.to_owned());
    }
    if beside.is_empty() {
        return Ok(());
    }
    Err(StoreError::Gone { path: database, what, beside: beside.join(", ") })
}

fn size(path: &Path) -> Result<Option<u64>, StoreError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io { action: "look at", path: path.to_path_buf(), source }),
    }
}

fn holds_something(directory: &Path) -> Result<bool, StoreError> {
    let failed = |source| StoreError::Io { action: "list", path: directory.to_path_buf(), source };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(failed(source)),
    };
    for entry in entries {
        if entry.map_err(failed)?.file_name() != OF_THE_DISK {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Opens a file that only its owner can read, and makes it if it is absent.
pub(crate) fn private_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| StoreError::Io { action: "open", path: path.to_path_buf(), source })
}

/// Makes the names in a directory durable.
pub(crate) fn sync(directory: &Path) -> Result<(), StoreError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|source| StoreError::Io {
        action: "sync",
        path: directory.to_path_buf(),
        source,
    })
}

/// Makes a directory for its owner alone, if it is absent.
pub(crate) fn make(directory: &Path) -> Result<(), StoreError> {
    if directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|source| StoreError::Io {
        action: "make",
        path: directory.to_path_buf(),
        source,
    })?;
    match directory.parent() {
        Some(parent) if parent != Path::new("") => sync(parent),
        Some(_) | None => sync(&PathBuf::from(".")),
    }
}
