//! The files of snapshots: written beside, synced, then put in place by their name.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The ending of a snapshot's name.
const ENDING: &str = "snapshot";
/// The ending of one that is being written.
const UNFINISHED: &str = "unfinished";

/// Gives the file of a workspace's snapshot; `None` for an id that makes no name of a file.
pub fn path(directory: &Path, workspace: &str) -> Option<PathBuf> {
    let usable = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    let is_name = !workspace.is_empty() && workspace.chars().all(usable);
    is_name.then(|| directory.join(format!("{workspace}.{ENDING}")))
}

/// Opens a snapshot; `None`: there is none.
pub fn open(path: &Path) -> Result<Option<File>, Error> {
    match File::open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(Error::new(ErrorKind::InvalidInput, "it is no file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the snapshot of a workspace; says whether none is there any more.
pub fn remove(directory: &Path, workspace: &str) -> bool {
    let Some(path) = path(directory, workspace) else { return true };
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// Removes what a process left that ended while it wrote. What can't be removed stays: nobody reads it.
pub fn remove_unfinished(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|ending| ending == UNFINISHED) {
            let _ = fs::remove_file(path);
        }
    }
}

/// A file that is being written; removed unless it is finished.
#[derive(Debug)]
pub struct Unfinished {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Unfinished {
    /// Begins a file for its owner alone that will be at `target`, and its directory when there is none. Fails unless
    /// the disk has room for so many bytes.
    pub fn begin(target: &Path, bytes: u64) -> Result<Self, Error> {
        let directory = target.parent().ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        if !directory.is_dir() {
            DirBuilder::new().mode(0o700).create(directory)?;
        }
        let space = rustix::fs::statvfs(directory)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free < bytes {
            let message = format!("only {} MiB are free on the disk", free / (1024 * 1024));
            return Err(Error::new(ErrorKind::StorageFull, message));
        }
        let path = target.with_extension(UNFINISHED);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(Self { file, path, target: target.to_owned() })
    }

    /// Gives the file, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Makes it durable and puts it in the place of the former one.
    pub fn finish(self) -> Result<(), Error> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        match self.target.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is nothing to be removed.
        let _ = fs::remove_file(&self.path);
    }
}
