//! A disk that remembers: a file system in user space with one file, whose writes and barriers are recorded.
//!
//! The loop device above the file sends a write for each write of the kernel and a sync for each barrier, one after the
//! other, since one thread serves them.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyWrite,
    Request, TimeOrNow, WriteFlags,
};

/// The name of the file.
pub const NAME: &str = "disk";

/// The size of the disk in bytes: ext4 with a journal, and room for a small data directory.
pub const DISK_BYTES: usize = 48 * 1024 * 1024;

const FILE: INodeNo = INodeNo(2);
const ATTRIBUTES_KEPT: Duration = Duration::from_secs(3600);

/// Something that the disk was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// To write bytes at an offset.
    Write(usize, Vec<u8>),
    /// That everything before must be durable; finished when it stands here.
    Barrier,
}

/// A disk as it was, and what it was told from then on.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The content at the beginning.
    pub start: Vec<u8>,
    /// What came after, in order.
    pub entries: Vec<Entry>,
}

impl Recording {
    /// Gives the places of the barriers.
    pub fn barriers(&self) -> Vec<usize> {
        let places = self.entries.iter().enumerate();
        places.filter(|(_, entry)| matches!(entry, Entry::Barrier)).map(|(place, _)| place).collect()
    }

    /// Counts the writes.
    pub fn writes(&self) -> usize {
        self.entries.len() - self.barriers().len()
    }
}

/// The disk; all clones are the same.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    content: Vec<u8>,
    recording: Option<Recording>,
}

impl Disk {
    /// Makes an empty disk.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State { content: vec![0; DISK_BYTES], recording: None })))
    }

    /// Shows the disk as a file in a directory, until the session is dropped.
    ///
    /// # Errors
    /// When the system doesn't let us mount.
    pub fn mount(&self, directory: &Path) -> Result<BackgroundSession> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("casement-proof".to_owned())];
        fuser::spawn_mount(self.clone(), directory, &config).context("a FUSE file system can't be mounted")
    }

    /// Begins to record.
    pub fn begin(&self) {
        let mut state = self.state();
        let start = state.content.clone();
        state.recording = Some(Recording { start, entries: Vec::new() });
    }

    /// Gives the number of entries recorded so far.
    pub fn length(&self) -> usize {
        self.state().recording.as_ref().map_or(0, |recording| recording.entries.len())
    }

    /// Ends recording and gives what was recorded.
    pub fn end(&self) -> Recording {
        let recording = self.state().recording.take();
        recording.unwrap_or(Recording { start: Vec::new(), entries: Vec::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, entry: Entry) {
        if let Some(recording) = &mut self.state().recording {
            recording.entries.push(entry);
        }
    }
}

impl Filesystem for Disk {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if parent == INodeNo::ROOT && name == NAME {
            reply.entry(&ATTRIBUTES_KEPT, &attributes(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&ATTRIBUTES_KEPT, &attributes(inode));
    }

    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        _: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        // The size is fixed; times mean nothing here.
        reply.attr(&ATTRIBUTES_KEPT, &attributes(inode));
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(DISK_BYTES);
        let end = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)).min(DISK_BYTES);
        reply.data(self.state().content.get(start..end).unwrap_or_default());
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = offset.saturating_add(data.len());
        let written = self.state().content.get_mut(offset..end).map(|place| place.copy_from_slice(data));
        let (Some(()), Ok(size)) = (written, u32::try_from(data.len())) else {
            return reply.error(Errno::EIO);
        };
        self.note(Entry::Write(offset, data.to_vec()));
        reply.written(size);
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.note(Entry::Barrier);
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}

fn attributes(inode: INodeNo) -> FileAttr {
    let is_file = inode == FILE;
    let size = if is_file { DISK_BYTES as u64 } else { 0 };
    FileAttr {
        ino: inode,
        size,
        blocks: size / 512,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if is_file { FileType::RegularFile } else { FileType::Directory },
        perm: if is_file { 0o600 } else { 0o700 },
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}
