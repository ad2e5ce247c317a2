//! One file of a backup: a header, a payload, and the hash of both.
//!
//! ```text
//! "CSMTBAK1"   8 bytes
//! length       of the header, 4 bytes, big-endian
//! header       JSON, see [`Header`]
//! payload      as many bytes as the header says
//! hash         SHA-256 of all before, 32 bytes
//! ```
//!
//! Nothing of a file is believed before its hash was checked to the end. A file is written under another name, synced
//! and renamed, so that a name stands for a whole file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::backup::BackupError;
use crate::{limits, lock};

const MAGIC: &[u8; 8] = b"CSMTBAK1";
/// What the name of an unfinished file ends with.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// A SHA-256 in hexadecimal.
pub(crate) type Hash = String;

/// What a file says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) kind: Kind,
    /// The store that was copied.
    pub(crate) installation: String,
    /// The series that the file belongs to.
    pub(crate) series: String,
    /// An increment: its first position. A base: the last position that is in it.
    pub(crate) from: u64,
    /// The last position.
    pub(crate) to: u64,
    /// An increment: the series' running hash before and after it. A base: empty.
    pub(crate) former: Hash,
    pub(crate) running: Hash,
    /// A base: when it was taken. An increment: the latest time in it. Milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The workspaces with the first and last sequence number in the file. A base: 1 and the head.
    pub(crate) workspaces: BTreeMap<String, (u64, u64)>,
    pub(crate) payload_bytes: u64,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A database.
    Base,
    /// Frames, each with its length before it.
    Increment,
}

/// A file that was read to its end and is whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) header: Header,
    pub(crate) hash: Hash,
}

/// Writes a file under its final name; gives its hash. The caller syncs the directory.
pub(crate) fn write(path: &Path, header: &Header, mut payload: impl Read) -> Result<Hash, BackupError> {
    let unfinished = unfinished(path);
    let outcome = write_to(&unfinished, header, &mut payload)
        .and_then(|hash| fs::rename(&unfinished, path).map(|()| hash));
    outcome.map_err(|source| {
        // What is left of it must not lie about; the failure that is told is the first.
        let _ = fs::remove_file(&unfinished);
        BackupError::io("write", path, source)
    })
}

fn write_to(path: &Path, header: &Header, payload: &mut impl Read) -> Result<Hash, io::Error> {
    let file = lock::private_file(path).map_err(io::Error::other)?;
    file.set_len(0)?;
    let mut out =
        Hashing { inner: io::BufWriter::with_capacity(COPY_BYTES, file), context: Context::new(&SHA256) };
    let text = serde_json::to_vec(header)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    out.write_all(MAGIC)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&text)?;
    let copied = io::copy(payload, &mut out)?;
    if copied != header.payload_bytes {
        return Err(io::Error::other(format!(
            "{copied} bytes where {} were announced",
            header.payload_bytes
        )));
    }
    let hash = out.context.finish();
    let mut file = out.inner;
    file.write_all(hash.as_ref())?;
    file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    Ok(hex(hash.as_ref()))
}

/// Reads a file to its end, handing its payload on, and checks its hash. What was handed on counts only if this gives
/// no error.
pub(crate) fn read(path: &Path, mut payload: impl Write) -> Result<Whole, BackupError> {
    let wrong = |reason: String| BackupError::File { path: path.to_path_buf(), reason };
    let (file, length) = open(path)?;
    let mut from =
        Hashing { inner: io::BufReader::with_capacity(COPY_BYTES, file), context: Context::new(&SHA256) };
    let header = checked_header(path, &mut from, length)?;
    let mut body = (&mut from).take(header.payload_bytes);
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = body.read(&mut buffer).map_err(|source| BackupError::io("read", path, source))?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
        payload.write_all(part).map_err(|source| BackupError::io("copy from", path, source))?;
    }
    let found = hex(from.context.finish().as_ref());
    let mut stored = [0; 32];
    from.inner.read_exact(&mut stored).map_err(|error| wrong(explain(&error)))?;
    if hex(&stored) != found {
        return Err(wrong("its hash is not that of its content; the file is damaged".into()));
    }
    if header.format != crate::backup::entry::FORMAT {
        return Err(wrong(format!("it has format {}, which this release does not know", header.format)));
    }
    Ok(Whole { header, hash: found })
}

/// Reads the header of a file, and compares its size with it. What the file holds is not looked at.
pub(crate) fn head(path: &Path) -> Result<Header, BackupError> {
    let (file, length) = open(path)?;
    let mut from =
        Hashing { inner: io::BufReader::with_capacity(HEAD_BYTES, file), context: Context::new(&SHA256) };
    checked_header(path, &mut from, length)
}

fn open(path: &Path) -> Result<(File, u64), BackupError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(BackupError::File { path: path.to_path_buf(), reason: "the file is missing".into() });
        }
        Err(source) => return Err(BackupError::io("open", path, source)),
    };
    let length = file.metadata().map_err(|source| BackupError::io("read", path, source))?.len();
    Ok((file, length))
}

fn checked_header<T: Read>(path: &Path, from: &mut Hashing<T>, length: u64) -> Result<Header, BackupError> {
    let wrong = |reason: String| BackupError::File { path: path.to_path_buf(), reason };
    let header = read_header(from).map_err(|error| wrong(explain(&error)))?;
    let expected = from.context_bytes_expected(&header);
    if expected.is_none_or(|expected| expected != length) {
        return Err(wrong(format!(
            "the file has {length} bytes, which is not what its header says; it was cut or damaged"
        )));
    }
    Ok(header)
}

/// The name of a file that is not finished yet.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Writes bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const COPY_BYTES: usize = 256 * 1024;
/// Heads of increments have some hundred bytes.
const HEAD_BYTES: usize = 4 * 1024;

/// Hashes what passes through it.
struct Hashing<T> {
    inner: T,
    context: Context,
}

impl<T> Hashing<T> {
    /// The length that the whole file must have, as far as the numbers fit.
    fn context_bytes_expected(&self, header: &Header) -> Option<u64> {
        let text = u64::try_from(serde_json::to_vec(header).ok()?.len()).ok()?;
        text.checked_add(8 + 4 + 32)?.checked_add(header.payload_bytes)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.context.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.context.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn read_header(from: &mut impl Read) -> io::Result<Header> {
    let mut magic = [0; 8];
    from.read_exact(&mut magic)?;
    if &magic != MAGIC {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not a file of a backup, or its first bytes are damaged",
        ));
    }
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > limits::BACKUP_HEADER_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its header is damaged"));
    }
    let mut text = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut text)?;
    let header: Header = serde_json::from_slice(&text)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "its header is damaged"))?;
    if serde_json::to_vec(&header)? != text {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its header is damaged"));
    }
    Ok(header)
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file is cut off".into(),
        _ => error.to_string(),
    }
}
