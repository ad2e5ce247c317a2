//! Disks as a power cut leaves them. Pure, and tested itself.
//!
//! What was written before the last finished barrier is there. Of what came after it, each page of 4 KiB is there, is
//! not, or is torn between two sectors of 512 bytes, whatever was written before or after it.

use super::disk::{Entry, Recording};

const PAGE_BYTES: usize = 4096;
const SECTOR_BYTES: usize = 512;

/// Of a hundred pages that were written last so many are torn.
const TORN_PERCENT: u8 = 5;

/// A disk, and what was done to it.
pub struct Image {
    /// Its content.
    pub content: Vec<u8>,
    /// The pages that were left out.
    pub lost_pages: u64,
    /// The pages of which a part is there.
    pub torn_pages: u64,
}

/// Makes a disk as of a cut right before an entry.
pub fn make(recording: &Recording, cut: usize, random: &mut fastrand::Rng) -> Image {
    let entries = recording.entries.get(..cut).unwrap_or_default();
    let durable =
        entries.iter().rposition(|entry| matches!(entry, Entry::Barrier)).map_or(0, |place| place + 1);
    let mut image = Image { content: recording.start.clone(), lost_pages: 0, torn_pages: 0 };
    // None, all, or something in between: the ends come up too.
    let some_percent = random.u8(1..100);
    let kept_percent = random.choice([0, 100, some_percent]).unwrap_or(some_percent);
    for (place, entry) in entries.iter().enumerate() {
        let Entry::Write(offset, bytes) = entry else { continue };
        if place < durable {
            put(&mut image.content, *offset, bytes);
            continue;
        }
        for (page, part) in bytes.chunks(PAGE_BYTES).enumerate() {
            let offset = offset + page * PAGE_BYTES;
            if random.u8(..100) >= kept_percent {
                image.lost_pages += 1;
            } else if random.u8(..100) < TORN_PERCENT && part.len() > SECTOR_BYTES {
                let sectors = random.usize(1..part.len().div_ceil(SECTOR_BYTES));
                let kept = if random.bool() {
                    0..sectors * SECTOR_BYTES
                } else {
                    sectors * SECTOR_BYTES..part.len()
                };
                put(&mut image.content, offset + kept.start, part.get(kept).unwrap_or_default());
                image.torn_pages += 1;
            } else {
                put(&mut image.content, offset, part);
            }
        }
    }
    image
}

fn put(content: &mut [u8], offset: usize, bytes: &[u8]) {
    if let Some(place) = content.get_mut(offset..offset + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let page = |value: u8| vec![value; 2 * PAGE_BYTES];
        Recording {
            start: vec![0; 8 * PAGE_BYTES],
            entries: vec![
                Entry::Write(0, page(1)),
                Entry::Barrier,
                Entry::Write(2 * PAGE_BYTES, page(2)),
                Entry::Write(4 * PAGE_BYTES, page(3)),
                Entry::Barrier,
                Entry::Write(6 * PAGE_BYTES, page(4)),
            ],
        }
    }

    #[test]
    fn what_was_before_the_last_finished_barrier_is_always_there_and_what_came_later_never() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let image = make(&recording(), 4, &mut random);
            assert!(image.content[..2 * PAGE_BYTES].iter().all(|byte| *byte == 1));
            assert!(image.content[6 * PAGE_BYTES..].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn what_came_after_it_is_there_is_not_or_is_torn_between_sectors() {
        let mut random = fastrand::Rng::with_seed(2);
        let (mut lost, mut whole, mut torn) = (0, 0, 0);
        for _ in 0..500 {
            let image = make(&recording(), 4, &mut random);
            for page in image.content[2 * PAGE_BYTES..4 * PAGE_BYTES].chunks(PAGE_BYTES) {
                for sector in page.chunks(SECTOR_BYTES) {
                    assert!(sector.iter().all(|byte| *byte == sector[0]));
                }
                match page.iter().filter(|byte| **byte == 2).count() {
                    0 => lost += 1,
                    PAGE_BYTES => whole += 1,
                    _ => torn += 1,
                }
            }
        }
        assert!(lost > 100 && whole > 100 && torn > 10, "{lost} {whole} {torn}");
    }
}
