//! Snapshots: engines as bytes, so that a start need not make them of every document again.
//!
//! A snapshot is a row of sections, each with its place, length and hash: first the lists of all engines (ids, names,
//! columns, facets, orders), then their words, so that lists are answered before the words are read. What can be copied
//! is copied; sets and dictionaries are worked out when it is read.
//!
//! It is fuzzy: sections are made one at a time, each under a short lock, and documents may change in between. So the
//! caller notes the log's sequence first, and whoever reads a snapshot names every document that changed after it: these
//! are put in their places anew and applied once more. Labels of the caller stand before the lists, behind them and
//! behind the words: what was true when each part was begun and ended.
//!
//! A snapshot that is damaged, cut off, of another layout or format is refused: then the engine is built from the
//! documents.

pub mod dump;
mod lists;
pub mod load;
mod section;

use twox_hash::XxHash3_128;

/// What every snapshot begins with.
const MAGIC: [u8; 8] = *b"CSMTINDX";
/// The number of the format. A released number is never given another meaning.
pub const FORMAT: u32 = 1;
/// Bytes of a section before its content: kind, length, hash.
const HEAD_BYTES: usize = 1 + 8 + 16;

/// What a section holds. All but the first and the labels begin with the number of the engine and of the part of it. A
/// released number is never given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The first label, and of each engine the layout and the number of documents.
    Header = 1,
    /// Ids of one block.
    Ids = 2,
    /// Folded names of one block.
    Names = 3,
    /// Numbers of one block: part 0 the versions, the others columns.
    Numbers = 4,
    /// The combination of values that each document of one block has in a facet.
    Chosen = 5,
    /// Combinations of values of a facet, by number.
    Choices = 6,
    /// Values of a facet, by number.
    Values = 7,
    /// Ordinals in an order: part 0 by id, 1 by name, the others columns.
    Order = 8,
    /// What the caller has to say.
    Label = 9,
    /// Terms of each document in a text field, in the order of ordinals.
    TermLists = 10,
    /// Terms of a text field, by number.
    Terms = 11,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        let all = [
            Self::Header,
            Self::Ids,
            Self::Names,
            Self::Numbers,
            Self::Chosen,
            Self::Choices,
            Self::Values,
            Self::Order,
            Self::Label,
            Self::TermLists,
            Self::Terms,
        ];
        all.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// Hashes a section with its place, so that none can be left out, doubled or moved. Against damage, not forgery: whoever
/// can write the file can write the database too.
fn hash(place: u64, kind: u8, content: &[u8]) -> [u8; 16] {
    let seed = place << 8 | u64::from(kind);
    XxHash3_128::oneshot_with_seed(seed, content).to_le_bytes()
}
