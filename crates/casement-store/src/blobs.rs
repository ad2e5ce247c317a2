//! Blobs: bytes under a key, outside the documents, in a directory or a bucket of S3.
//!
//! A blob is written once, whole and durably, before anything names it, and never changed. What is unfinished is no blob.
//! Which document a blob belongs to is known above; here it is a folder and a name.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, Fuse};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::{
    GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload,
    WriteMultipart,
};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::{limits, lock};

/// Why a blob can't be written or read.
#[derive(Debug, Error)]
pub enum BlobError {
    /// The disk has no room.
    #[error("no room for attachments: {0}")]
    Full(String),
    /// The directory or bucket can't be used, now or as it is set up.
    #[error("{0}")]
    Failed(String),
}

impl BlobError {
    fn of(error: &object_store::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut text = error.to_string();
        while let Some(found) = cause {
            if let Some(io) = found.downcast_ref::<std::io::Error>()
                && matches!(io.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            {
                return Self::Full(text);
            }
            cause = found.source();
            if let Some(next) = cause.map(ToString::to_string).filter(|next| !text.contains(next.as_str())) {
                text = format!("{text}: {next}");
            }
        }
        Self::Failed(text)
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        Self::of(&error)
    }
}

/// Names a blob: a folder and a name within it, each of letters, digits, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobKey {
    /// The folder.
    pub folder: String,
    /// The name.
    pub name: String,
}

impl BlobKey {
    /// Names a blob.
    pub fn new(folder: impl Into<String>, name: impl Into<String>) -> Self {
        Self { folder: folder.into(), name: name.into() }
    }

    /// The path: between folder and name the last two characters of the name, so that no directory grows large.
    fn path(&self) -> object_store::path::Path {
        let cut = self.name.char_indices().rev().nth(1).map_or(0, |(place, _)| place);
        let last = self.name.get(cut..).unwrap_or_default();
        object_store::path::Path::from_iter([self.folder.as_str(), last, self.name.as_str()])
    }

    /// Reads a path back; `None`: no blob of ours has it.
    fn of_path(path: &object_store::path::Path) -> Option<Self> {
        let parts: Vec<String> = path.parts().map(|part| part.as_ref().to_owned()).collect();
        let [folder, _, name] = parts.as_slice() else { return None };
        let key = Self::new(folder, name);
        (key.path() == *path).then_some(key)
    }
}

/// A blob as a list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its key; `None` for something that is not ours.
    pub key: Option<BlobKey>,
    /// Its bytes.
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970.
    pub written_ms: i64,
}

/// Where blobs are.
#[derive(Clone, Debug)]
enum Place {
    Directory(PathBuf),
    Bucket(String),
}

/// A directory or bucket of blobs. Clones are the same.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    place: Place,
    prefix: object_store::path::Path,
}

impl fmt::Display for Blobs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Directory(path) => write!(formatter, "{}", path.display()),
            Place::Bucket(url) => formatter.write_str(url),
        }
    }
}

impl Blobs {
    /// Opens a directory of blobs, which is made for its owner alone if it is absent.
    ///
    /// # Errors
    /// It can't be made or looked at.
    pub fn in_directory(path: &Path) -> Result<Self, BlobError> {
        lock::make(path).map_err(|error| BlobError::Failed(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            place: Place::Directory(path.to_path_buf()),
            prefix: object_store::path::Path::default(),
        })
    }

    /// Opens a bucket: `s3://BUCKET` or `s3://BUCKET/PREFIX`. The settings are those of the usual variables of AWS, by their
    /// names (`AWS_REGION`); names that mean nothing here are left. Nothing is asked of the server.
    ///
    /// # Errors
    /// The address or a setting can't be read.
    pub fn in_bucket(url: &str, settings: &[(String, String)]) -> Result<Self, BlobError> {
        let wrong = || BlobError::Failed(format!("{url} is no s3://BUCKET or s3://BUCKET/PREFIX"));
        let place = url.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let is_plain = |text: &str| !text.contains(['?', '#', '@', '%', ' ']);
        if bucket.is_empty() || !is_plain(place) {
            return Err(wrong());
        }
        let mut builder = AmazonS3Builder::new();
        for (name, value) in settings {
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        let store = builder.with_bucket_name(bucket).build()?;
        Ok(Self {
            store: Arc::new(store),
            place: Place::Bucket(url.to_owned()),
            prefix: object_store::path::Path::from(prefix),
        })
    }

    /// Tells whether several nodes that name the same place see the same blobs whatever machine they are on.
    pub fn is_bucket(&self) -> bool {
        matches!(self.place, Place::Bucket(_))
    }

    fn path(&self, key: &BlobKey) -> object_store::path::Path {
        object_store::path::Path::from_iter(self.prefix.parts().chain(key.path().parts()))
    }

    /// Begins a blob. Nothing is there under its key until it is finished; dropped before, nothing is left.
    pub fn begin(&self, key: &BlobKey) -> BlobWriter {
        let part_bytes = match self.place {
            Place::Directory(_) => limits::BLOB_PART_BYTES,
            Place::Bucket(_) => limits::BLOB_BUCKET_PART_BYTES,
        };
        BlobWriter {
            store: Arc::clone(&self.store),
            path: self.path(key),
            part_bytes,
            held: Vec::new(),
            held_bytes: 0,
            parts: None,
        }
    }

    /// Gives the bytes of a blob; `None`: there is none.
    ///
    /// # Errors
    /// It can't be looked at.
    pub async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        match self.store.head(&self.path(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a span of a blob, which must lie in it; `None`: there is no such blob.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn read(&self, key: &BlobKey, span: Range<u64>) -> Result<Option<BlobReader>, BlobError> {
        if span.is_empty() {
            return Ok(self.size(key).await?.map(|_| BlobReader(Source::Empty)));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(span.clone())), ..GetOptions::default() };
        let found = match self.store.get_opts(&self.path(key), options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if found.range != span {
            return Err(BlobError::Failed(format!("{} is shorter than it was", self.path(key))));
        }
        Ok(Some(BlobReader(match found.payload {
            GetResultPayload::File(file, _) => {
                Source::File { file: Arc::new(file), next: span.start, end: span.end }
            }
            GetResultPayload::Stream(stream) => Source::Stream { stream, left: span.end - span.start },
        })))
    }

    /// Puts a blob that nothing names under another key, durably: in a directory at once, in a bucket by a copy that the bucket makes.
    /// Ended halfway it may be under both.
    ///
    /// # Errors
    /// It is not there, or can't be put there.
    pub async fn rename(&self, from: &BlobKey, to: &BlobKey) -> Result<(), BlobError> {
        Ok(self.store.rename(&self.path(from), &self.path(to)).await?)
    }

    /// Removes a blob; one that is not there stays so.
    ///
    /// # Errors
    /// It can't be removed.
    pub async fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists all blobs, in no order.
    pub fn list(&self) -> BlobList {
        let prefix = (!self.prefix.as_ref().is_empty()).then(|| self.prefix.clone());
        BlobList { found: self.store.list(prefix.as_ref()).fuse(), prefix: self.prefix.clone() }
    }

    /// Removes unfinished files that were not written to since a moment, in milliseconds since 1970; gives how many. A bucket
    /// has rules of its own for what is unfinished there.
    ///
    /// # Errors
    /// The directory can't be read.
    pub async fn remove_unfinished(&self, before_ms: i64) -> Result<u64, BlobError> {
        let Place::Directory(path) = &self.place else { return Ok(0) };
        let path = path.clone();
        let removed = spawn_blocking(move || remove_unfinished(&path, before_ms)).await;
        removed
            .map_err(|error| BlobError::Failed(error.to_string()))?
            .map_err(|error| BlobError::Failed(error.to_string()))
    }
}

/// Unfinished files lie beside the blobs and have a `#` and a number behind their name, which no blob has.
fn remove_unfinished(root: &Path, before_ms: i64) -> std::io::Result<u64> {
    let mut removed = 0;
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < 2 {
                folders.push((entry.path(), depth + 1));
            } else if kind.is_file() && is_unfinished(&entry.file_name().to_string_lossy()) {
                let written = entry.metadata()?.modified()?;
                let written_ms = written.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
                if i64::try_from(written_ms).is_ok_and(|written_ms| written_ms < before_ms) {
                    std::fs::remove_file(entry.path())?;
                    removed += 1;
                }
            }
        }
    }
    Ok(removed)
}

fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A list of blobs.
pub struct BlobList {
    /// Asked again after its end: whoever takes pages learns of the end by an empty one.
    found: Fuse<BoxStream<'static, object_store::Result<ObjectMeta>>>,
    prefix: object_store::path::Path,
}

impl fmt::Debug for BlobList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BlobList").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl BlobList {
    /// Gives the next blobs, up to so many; none at the end.
    ///
    /// # Errors
    /// The directory or bucket can't be listed.
    pub async fn next_page(&mut self, count_max: usize) -> Result<Vec<BlobEntry>, BlobError> {
        let mut page = Vec::new();
        while page.len() < count_max {
            let Some(found) = self.found.next().await else { break };
            let found = found?;
            let below = found.location.prefix_match(&self.prefix).map(object_store::path::Path::from_iter);
            page.push(BlobEntry {
                key: below.as_ref().and_then(BlobKey::of_path),
                bytes: found.size,
                written_ms: found.last_modified.timestamp_millis(),
            });
        }
        Ok(page)
    }
}

/// A blob that is being written. What was not finished is gone when this is dropped.
#[derive(Debug)]
pub struct BlobWriter {
    store: Arc<dyn ObjectStore>,
    path: object_store::path::Path,
    part_bytes: usize,
    /// What came before the first part was full: a small blob is written at once.
    held: Vec<Bytes>,
    held_bytes: usize,
    parts: Option<WriteMultipart>,
}

impl BlobWriter {
    /// Adds bytes. Waits while more than two parts are on their way.
    ///
    /// # Errors
    /// They can't be written.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        if let Some(parts) = &mut self.parts {
            parts.wait_for_capacity(limits::BLOB_PARTS_AT_ONCE).await?;
            parts.put(bytes);
            return Ok(());
        }
        self.held_bytes += bytes.len();
        self.held.push(bytes);
        if self.held_bytes > self.part_bytes {
            let upload = self.store.put_multipart(&self.path).await?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, self.part_bytes);
            for bytes in self.held.drain(..) {
                parts.put(bytes);
            }
            self.parts = Some(parts);
        }
        Ok(())
    }

    /// Makes the blob: once this returns it is durable and whole. It is ended by a task of its own: when the caller goes away
    /// meanwhile, what was made is removed.
    ///
    /// # Errors
    /// It can't be written; nothing is left of it.
    pub async fn finish(mut self) -> Result<(), BlobError> {
        let (parts, held) = (self.parts.take(), std::mem::take(&mut self.held));
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let (sender, made) = oneshot::channel();
        tokio::spawn(async move {
            let made = match parts {
                Some(parts) => parts.finish().await,
                None => store.put(&path, held.into_iter().collect::<PutPayload>()).await,
            };
            if let Err(Ok(_)) = sender.send(made)
                && let Err(error) = store.delete(&path).await
            {
                tracing::debug!(%error, "an attachment that nobody waits for could not be removed");
            }
        });
        made.await.map_err(|_| BlobError::Failed("the task that ends a blob has failed".to_owned()))??;
        Ok(())
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // A directory forgets what is unfinished by itself; a bucket must be told.
        if let Some(parts) = self.parts.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                if let Err(error) = parts.abort().await {
                    tracing::debug!(%error, "an unfinished attachment could not be removed");
                }
            });
        }
    }
}

/// A span of a blob that is being read.
#[derive(Debug)]
pub struct BlobReader(Source);

enum Source {
    Empty,
    File { file: Arc<File>, next: u64, end: u64 },
    Stream { stream: BoxStream<'static, object_store::Result<Bytes>>, left: u64 },
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Empty",
            Self::File { .. } => "File",
            Self::Stream { .. } => "Stream",
        })
    }
}

impl BlobReader {
    /// Gives the next bytes, at most [`limits::BLOB_READ_BYTES`] from a directory; `None` at the end of the span.
    ///
    /// # Errors
    /// They can't be read, or the blob ends early.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        match &mut self.0 {
            Source::Empty => Ok(None),
            Source::File { file, next, end } => {
                if *next >= *end {
                    return Ok(None);
                }
                let (file, from) = (Arc::clone(file), *next);
                let count = usize::try_from(*end - from).unwrap_or(usize::MAX).min(limits::BLOB_READ_BYTES);
                let read = spawn_blocking(move || {
                    let mut bytes = BytesMut::zeroed(count);
                    file.read_exact_at(&mut bytes, from).map(|()| bytes.freeze())
                });
                let bytes = read.await.map_err(|error| BlobError::Failed(error.to_string()))?;
                let bytes =
                    bytes.map_err(|error| BlobError::Failed(format!("a blob can't be read: {error}")))?;
                *next += bytes.len() as u64;
                Ok(Some(bytes))
            }
            Source::Stream { stream, left } => match stream.next().await {
                Some(bytes) => {
                    let bytes = bytes?;
                    *left = left.saturating_sub(bytes.len() as u64);
                    Ok(Some(bytes))
                }
                None if *left == 0 => Ok(None),
                None => Err(BlobError::Failed("a blob ended early".to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_MS: i64 = 1000;

    async fn written(blobs: &Blobs, key: &BlobKey, bytes: &[u8], step: usize) {
        let mut writer = blobs.begin(key);
        for part in bytes.chunks(step) {
            writer.write(Bytes::copy_from_slice(part)).await.unwrap();
        }
        writer.finish().await.unwrap();
    }

    async fn read(blobs: &Blobs, key: &BlobKey, span: Range<u64>) -> Option<Vec<u8>> {
        let mut reader = blobs.read(key, span).await.unwrap()?;
        let mut all = Vec::new();
        while let Some(bytes) = reader.next().await.unwrap() {
            all.extend_from_slice(&bytes);
        }
        Some(all)
    }

    fn files(directory: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![directory.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    #[tokio::test]
    async fn what_was_written_is_read_in_any_span_whatever_its_size() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(&directory.path().join("blobs")).unwrap();
        for size in [0, 1, limits::BLOB_READ_BYTES + 1, 2 * limits::BLOB_PART_BYTES + 7] {
            let bytes: Vec<u8> = (0..size).map(|place| u8::try_from(place % 251).unwrap()).collect();
            let key = BlobKey::new("st-1", format!("at-{size}-ab"));
            written(&blobs, &key, &bytes, 70_001).await;
            assert_eq!(blobs.size(&key).await.unwrap(), Some(size as u64));
            assert_eq!(read(&blobs, &key, 0..size as u64).await.unwrap(), bytes);
            let (from, to) = (size / 3, size - size / 4);
            assert_eq!(read(&blobs, &key, from as u64..to as u64).await.unwrap(), bytes[from..to]);
        }
        let absent = BlobKey::new("st-1", "at-none");
        assert_eq!(blobs.size(&absent).await.unwrap(), None);
        assert!(read(&blobs, &absent, 0..1).await.is_none() && read(&blobs, &absent, 0..0).await.is_none());
        blobs.remove(&absent).await.unwrap();
    }

    #[tokio::test]
    async fn a_list_tells_of_every_blob_and_of_nothing_unfinished() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("blobs");
        let blobs = Blobs::in_directory(&root).unwrap();
        let keys = [BlobKey::new("st-1", "at-00aa"), BlobKey::new("st-2", "at-00aa")];
        for key in &keys {
            written(&blobs, key, b"abc", 2).await;
        }
        std::fs::write(root.join("st-1/aa/at-01aa#1"), b"half").unwrap();
        std::fs::write(root.join("st-1/aa/stray"), b"stray").unwrap();
        let mut list = blobs.list();
        let mut found = Vec::new();
        loop {
            let page = list.next_page(2).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let mut known: Vec<_> = found.iter().filter_map(|entry| entry.key.clone()).collect();
        known.sort();
        assert_eq!(known, keys);
        assert_eq!(found.len(), 3, "the stray is listed without a key: {found:?}");
    }

    #[tokio::test]
    async fn a_writer_that_is_dropped_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(directory.path()).unwrap();
        let mut writer = blobs.begin(&BlobKey::new("st-1", "at-00aa"));
        let bytes = Bytes::from(vec![7; limits::BLOB_PART_BYTES]);
        for _ in 0..3 {
            writer.write(bytes.clone()).await.unwrap();
        }
        assert!(!files(directory.path()).is_empty(), "it is on its way");
        drop(writer);
        while !files(directory.path()).is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn unfinished_files_are_removed_when_they_are_old() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(directory.path()).unwrap();
        let key = BlobKey::new("st-1", "at-00aa");
        written(&blobs, &key, b"abc", 3).await;
        let half = directory.path().join("st-1/aa/at-01aa#1");
        std::fs::write(&half, b"half").unwrap();
        let at = UNIX_EPOCH + std::time::Duration::from_secs(1000);
        File::options().write(true).open(&half).unwrap().set_modified(at).unwrap();
        assert_eq!(blobs.remove_unfinished(1000 * SECOND_MS).await.unwrap(), 0);
        assert_eq!(blobs.remove_unfinished(1001 * SECOND_MS).await.unwrap(), 1);
        assert!(!half.exists());
        assert_eq!(blobs.size(&key).await.unwrap(), Some(3));
    }

    #[test]
    fn an_address_of_a_bucket_is_read_strictly() {
        let region =
            [("AWS_REGION".to_owned(), "eu-central-1".to_owned()), ("AWS_PAGER".to_owned(), "x".to_owned())];
        for good in ["s3://bucket", "s3://bucket/", "s3://bucket/a/b"] {
            assert_eq!(Blobs::in_bucket(good, &region).unwrap().to_string(), good);
        }
        for wrong in ["s3://", "s3:///a", "bucket", "https://bucket", "s3://user@bucket", "s3://b/a?x=1"] {
            assert!(Blobs::in_bucket(wrong, &region).is_err(), "{wrong}");
        }
    }
}
