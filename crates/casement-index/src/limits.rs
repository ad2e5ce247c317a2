//! The limits of the index.
//!
//! Sizes that only bound the work of one step are much smaller in this crate's own tests, so that splits, seams between
//! blocks and conversions happen with a few hundred documents.

/// Documents of one block, the unit of all bit work, as a power of two.
pub const BLOCK_BITS: u32 = if cfg!(test) { 8 } else { 16 };
/// Documents of one kind in one workspace; a server that reaches it refuses to index more.
pub const DOCUMENTS_MAX: usize = if cfg!(test) { 1 << 16 } else { 1 << 30 };
/// Ordinals that a set keeps as one sorted list; above it the set is cut into blocks.
pub const FEW_MAX: usize = if cfg!(test) { 8 } else { 256 };
/// Ordinals of a block that are kept as a sorted list; above it they are bits.
pub const ARRAY_MAX: usize = (1 << BLOCK_BITS) / 16;
/// Documents of one chunk of a sort order; a fuller chunk is split.
pub const ORDER_CHUNK_MAX: usize = if cfg!(test) { 8 } else { 1_024 };
/// Terms of one chunk of the dictionary; a fuller chunk is split.
pub const TERM_CHUNK_MAX: usize = if cfg!(test) { 4 } else { 128 };
/// Chunks of one group of the dictionary; a fuller group is split.
pub const TERM_GROUP_MAX: usize = if cfg!(test) { 4 } else { 128 };
/// Documents whose terms are turned into sets at a time: each takes some hundred bytes for that while.
pub const INVERTED_DOCUMENTS: usize = if cfg!(test) { 100 } else { 1 << 20 };
/// Changed names of one block that are kept aside; at more the block's names are written anew.
pub const MOVED_NAMES_MAX: usize = if cfg!(test) { 5 } else { 2_048 };
/// Up to so many matches in a block each is tested by itself instead of the whole block.
pub const SPARSE_MAX: usize = (1 << BLOCK_BITS) / 32;
/// Different words of one search for which ranking works on whole blocks; with more each match is ranked by itself.
pub const RANKED_WORDS_MAX: usize = if cfg!(test) { 3 } else { 8 };
/// Depth of a condition's tree; a deeper one is refused.
pub const CONDITION_DEPTH_MAX: usize = 24;
/// Bytes of a snapshot's section at which it is closed: the work done under one lock.
pub const SECTION_BYTES: usize = if cfg!(test) { 256 } else { 2 * 1024 * 1024 };
/// Bytes of a snapshot's section that are read; a longer one is taken for damage.
pub const SECTION_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Texts of a lookup at which it is cut into parts; a smaller one is one table, since there are many small ones.
pub const LOOKUP_PARTED: usize = if cfg!(test) { 20 } else { 4_096 };
/// Parts of a snapshot that wait for a processor while it is read; at more reading waits.
pub const PARTS_WAITING_MAX: usize = 4;
/// Days that a group count keeps in one table; a wider span is counted by search.
pub const DAYS_MAX: usize = 1 << 16;
/// Documents that lead on to one another, one after the other; what is further away is not found.
pub const ONWARD_STEPS_MAX: usize = 128;
