//! Snapshots: an engine as bytes, so that a start need not make words of every document again.
//!
//! A snapshot is a row of sections, each with its place, length and hash. It holds what each document has; sets, orders
//! and dictionaries are worked out again when it is read. It is fuzzy: sections are made one at a time, each under a
//! short lock, and documents may change in between. So the caller notes the log's sequence first, and applies every
//! document that changed after it once more. A snapshot that is damaged, cut off, of another index, layout or format is
//! refused as a whole: then the engine is built from the documents.

pub mod dump;
pub mod load;

use twox_hash::XxHash3_128;

/// What every snapshot begins with.
const MAGIC: [u8; 8] = *b"CSMTINDX";
/// The number of the format. A released number is never given another meaning.
const FORMAT: u32 = 1;
/// Bytes of a section before its content: kind, length, hash.
const HEAD_BYTES: usize = 1 + 8 + 16;

/// What a section holds. A released number is never given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whose snapshot it is.
    Header = 1,
    /// Documents, in the order of ordinals.
    Documents = 2,
    /// Combinations of values of a facet, by number.
    Choices = 3,
    /// Values of a facet, by number.
    Values = 4,
    /// Terms of a text field, by number.
    Terms = 5,
    /// Nothing comes after it.
    End = 6,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        [Self::Header, Self::Documents, Self::Choices, Self::Values, Self::Terms, Self::End]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// Hashes a section with its place, so that none can be left out, doubled or moved. Against damage, not forgery: whoever
/// can write the file can write the database too.
fn hash(place: u64, kind: u8, content: &[u8]) -> [u8; 16] {
    let seed = place << 8 | u64::from(kind);
    XxHash3_128::oneshot_with_seed(seed, content).to_le_bytes()
}
