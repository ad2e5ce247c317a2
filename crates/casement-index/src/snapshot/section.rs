//! One section of a snapshot: read, checked, taken apart.

use std::io::{ErrorKind, Read};

use super::load::LoadError;
use super::{HEAD_BYTES, Kind, hash};
use crate::limits::{SECTION_BYTES, SECTION_BYTES_MAX};

/// A section as it was read; not checked yet.
#[derive(Debug)]
pub struct Section {
    pub kind: Kind,
    place: u64,
    digest: [u8; 16],
    content: Vec<u8>,
}

impl Section {
    /// Reads the section at a place.
    pub fn read(read: &mut impl Read, place: u64) -> Result<Self, LoadError> {
        let mut head = [0; HEAD_BYTES];
        read_exact(read, &mut head)?;
        let (first, rest) = head.split_at(1);
        let (length, digest) = rest.split_at(8);
        let length = u64::from_le_bytes(length.try_into().map_err(|_| LoadError::Damaged)?);
        let length = usize::try_from(length).ok().filter(|length| *length <= SECTION_BYTES_MAX);
        let length = length.ok_or(LoadError::Damaged)?;
        // The length is not proved yet: more memory is taken only as bytes come.
        let mut content = Vec::with_capacity(length.min(SECTION_BYTES * 2));
        if read.take(length as u64).read_to_end(&mut content)? != length {
            return Err(LoadError::Damaged);
        }
        let kind = Kind::of(first.first().copied().unwrap_or_default()).ok_or(LoadError::Damaged)?;
        Ok(Self { kind, place, digest: digest.try_into().map_err(|_| LoadError::Damaged)?, content })
    }

    /// Gives engine and part, as far as the section says them; to be believed once it is checked.
    pub fn part(&self) -> Option<(usize, usize)> {
        let mut bytes = Bytes(&self.content);
        Some((bytes.size()?, bytes.size()?))
    }

    /// Gives what comes after engine and part, if the section is what was written.
    pub fn checked(&self) -> Option<Bytes<'_>> {
        let mut bytes = Bytes(self.checked_whole()?);
        bytes.size()?;
        bytes.size()?;
        Some(bytes)
    }

    /// Gives the content, if the section is what was written.
    pub fn checked_whole(&self) -> Option<&[u8]> {
        (hash(self.place, self.kind as u8, &self.content) == self.digest).then_some(&self.content)
    }
}

/// Reads exactly so many bytes.
pub fn read_exact(read: &mut impl Read, bytes: &mut [u8]) -> Result<(), LoadError> {
    read.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => LoadError::Damaged,
        _ => LoadError::Unreadable(error),
    })
}

/// Bytes that are read from the front. `None`: there are too few, or they are not what is read.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn part(&mut self, length: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        let mut shift = 0;
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            if shift > 63 {
                return None;
            }
            number |= u64::from(first & 0x7F) << shift;
            if first & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    pub fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.size()?;
        self.part(length)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    /// Gives all that is left as numbers of four bytes.
    pub fn ordinals(self) -> Option<impl Iterator<Item = u32>> {
        let (numbers, rest) = self.0.as_chunks::<4>();
        rest.is_empty().then(|| numbers.iter().map(|number| u32::from_le_bytes(*number)))
    }
}
