//! How much room the attachments of a workspace take: a document of its own, so that it is exact.

use serde::{Deserialize, Serialize};

/// What the attachments that are not deleted take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many there are.
    pub attachments: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// There is no room for so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom {
    /// What is taken.
    pub bytes: u64,
    /// What may be taken.
    pub bytes_max: u64,
}

impl Usage {
    /// The one id of the document.
    pub const ID: &'static str = "attachments";

    /// Takes room for one more.
    ///
    /// # Errors
    /// There is not as much.
    pub fn with(self, bytes: u64, bytes_max: u64) -> Result<Self, NoRoom> {
        match self.bytes.checked_add(bytes).filter(|sum| *sum <= bytes_max) {
            Some(bytes) => Ok(Self { attachments: self.attachments.saturating_add(1), bytes }),
            None => Err(NoRoom { bytes: self.bytes, bytes_max }),
        }
    }

    /// Gives the room of one back.
    pub fn without(self, bytes: u64) -> Self {
        Self { attachments: self.attachments.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_to_the_last_byte_and_given_back() {
        let half = Usage::default().with(60, 100).unwrap();
        let full = half.with(40, 100).unwrap();
        assert_eq!((full.attachments, full.bytes), (2, 100));
        assert_eq!(half.with(41, 100), Err(NoRoom { bytes: 60, bytes_max: 100 }));
        assert_eq!(full.with(0, 100).unwrap().attachments, 3);
        assert!(half.with(u64::MAX, u64::MAX).is_err());
        assert_eq!(full.without(40), half);
    }
}
