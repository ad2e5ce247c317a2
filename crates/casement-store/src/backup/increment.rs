//! Increments: runs of frames, each hashed onto the one before it through the whole series.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use crate::backup::BackupError;
use crate::backup::entry::{self, FORMAT, Frame};
use crate::backup::file::{self, Hash, Header, Kind, hex};
use crate::backup::manifest::Series;
use crate::backup::place::increment_name;
use crate::limits;

/// The running hash before the first frame of a series.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

/// An increment in memory, on its way to a file or from it.
#[derive(Debug)]
pub(crate) struct Increment {
    pub(crate) from: u64,
    /// The last position, `from - 1` while there is none.
    pub(crate) to: u64,
    former: Hash,
    running: [u8; 32],
    at_ms: i64,
    workspaces: BTreeMap<String, (u64, u64)>,
    payload: Vec<u8>,
}

impl Increment {
    /// Begins an empty increment.
    pub(crate) fn after(position: u64, running: [u8; 32]) -> Increment {
        Increment {
            from: position + 1,
            to: position,
            former: hex(&running),
            running,
            at_ms: i64::MIN,
            workspaces: BTreeMap::new(),
            payload: Vec::new(),
        }
    }

    /// Reads an increment of a series and checks every frame's place and hash.
    pub(crate) fn read(
        directory: &Path,
        series: &str,
        installation: &str,
        from: u64,
    ) -> Result<Increment, BackupError> {
        let path = directory.join(increment_name(series, from));
        let wrong = |reason: String| BackupError::File { path: path.clone(), reason };
        if fs::metadata(&path).is_ok_and(|found| found.len() > limits::INCREMENT_BYTES_MAX) {
            return Err(wrong("it is larger than any increment; the file is damaged".into()));
        }
        let mut payload = Vec::new();
        let header = file::read(&path, &mut payload)?.header;
        belongs(&header, Kind::Increment, installation, series).map_err(wrong)?;
        let former = unhex(&header.former).ok_or_else(|| wrong("its header is damaged".into()))?;
        let mut increment = Increment::after(from.saturating_sub(1), former);
        for frame in frames(&payload) {
            let (bytes, frame) = frame.map_err(wrong)?;
            if frame.position != increment.to + 1 {
                let reason =
                    format!("position {} stands in the place of {}", frame.position, increment.to + 1);
                return Err(wrong(reason));
            }
            increment.note(bytes, &frame);
        }
        increment.payload = payload;
        if increment.header(installation, series) != header {
            return Err(wrong("its header is not that of its frames; the file is damaged".into()));
        }
        Ok(increment)
    }

    /// Adds a frame.
    pub(crate) fn push(&mut self, frame: &Frame<'_>) {
        let bytes = entry::encode(frame);
        let length = u32::try_from(bytes.len()).expect("invariant: a set is smaller than 4 GiB");
        self.payload.extend_from_slice(&length.to_be_bytes());
        self.payload.extend_from_slice(&bytes);
        self.note(&bytes, frame);
    }

    /// Writes the increment under its name; the caller syncs the directory.
    pub(crate) fn write(
        &self,
        directory: &Path,
        installation: &str,
        series: &str,
    ) -> Result<(), BackupError> {
        let path = directory.join(increment_name(series, self.from));
        file::write(&path, &self.header(installation, series), self.payload.as_slice()).map(drop)
    }

    /// Gives the running hash after the last frame.
    pub(crate) fn running(&self) -> [u8; 32] {
        self.running
    }

    /// Gives the running hash before the first frame.
    pub(crate) fn former(&self) -> &str {
        &self.former
    }

    /// Gives the payload, for [`frames`].
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn note(&mut self, bytes: &[u8], frame: &Frame<'_>) {
        self.running = run_on(&self.running, bytes);
        self.to = frame.position;
        self.at_ms = self.at_ms.max(frame.at_ms);
        let (workspace, first, last) = frame.entry.range();
        if first <= last {
            let range = self.workspaces.entry(workspace.to_owned()).or_insert((first, last));
            range.1 = last;
        }
    }

    fn header(&self, installation: &str, series: &str) -> Header {
        Header {
            format: FORMAT,
            kind: Kind::Increment,
            installation: installation.to_owned(),
            series: series.to_owned(),
            from: self.from,
            to: self.to,
            former: self.former.clone(),
            running: hex(&self.running),
            at_ms: self.at_ms,
            workspaces: self.workspaces.clone(),
            payload_bytes: u64::try_from(self.payload.len()).unwrap_or(u64::MAX),
        }
    }
}

/// Says whether a file belongs where it lies.
pub(crate) fn belongs(header: &Header, kind: Kind, installation: &str, series: &str) -> Result<(), String> {
    if header.kind != kind {
        return Err("it is a file of the other kind under this name".into());
    }
    if header.installation != installation {
        return Err("it belongs to the backup of another installation".into());
    }
    if header.series != series {
        return Err("it belongs to another series of backups".into());
    }
    Ok(())
}

/// Reads the frames of a payload, each with its bytes.
pub(crate) fn frames(mut payload: &[u8]) -> impl Iterator<Item = Result<(&[u8], Frame<'_>), String>> {
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let Some((bytes, rest)) = cut(payload) else {
            payload = &[];
            return Some(Err("a frame is cut off".to_owned()));
        };
        payload = rest;
        Some(
            entry::decode(bytes)
                .map(|frame| (bytes, frame))
                .map_err(|error| format!("a frame can't be read ({error})")),
        )
    })
}

/// Cuts the bytes of the first frame off a payload.
fn cut(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = payload.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Hashes a frame onto those before it.
pub(crate) fn run_on(running: &[u8; 32], frame: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(running);
    context.update(frame);
    context.finish().as_ref().try_into().expect("invariant: SHA-256 gives 32 bytes")
}

/// Reads a hash in hexadecimal.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Gives the first positions of the increments that follow a base, in order, or says which is missing: its name, or that
/// of the one before which it should lie, and a sentence.
pub(crate) fn needed(
    series: &Series,
    base_position: u64,
    firsts: &[u64],
) -> Result<Vec<u64>, (String, String)> {
    if base_position >= series.end.position {
        return Ok(Vec::new());
    }
    if let Some(place) = firsts.iter().rposition(|from| *from <= base_position + 1) {
        return Ok(firsts.get(place..).unwrap_or_default().to_vec());
    }
    if series.end.last_from <= base_position + 1 {
        return Err((increment_name(&series.id, series.end.last_from), "the file is missing".into()));
    }
    // Where the missing one begins, only its own name tells.
    let next = firsts.first().copied().unwrap_or(series.end.last_from);
    let reason = format!("the increment before this one, with position {}, is missing", base_position + 1);
    Err((increment_name(&series.id, next), reason))
}
