//! The hash of bytes that come piece by piece, worked out beside their coming.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::AppError;
use crate::limits;

/// A SHA-256 that is being worked out: the pieces gather until they are worth a turn on another thread, one turn at a time.
pub(crate) struct Hashing {
    context: Option<Context>,
    turn: Option<JoinHandle<Context>>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hashing").field("waiting_bytes", &self.waiting_bytes).finish_non_exhaustive()
    }
}

impl Hashing {
    /// Begins.
    pub(crate) fn begin() -> Self {
        Self { context: Some(Context::new(&SHA256)), turn: None, waiting: Vec::new(), waiting_bytes: 0 }
    }

    /// Takes a piece. Waits while the turn before the next has not ended.
    ///
    /// # Errors
    /// The process has no threads any more.
    pub(crate) async fn update(&mut self, bytes: Bytes) -> Result<(), AppError> {
        self.waiting_bytes += bytes.len().max(limits::HASHED_PIECE_LEAST);
        self.waiting.push(bytes);
        if self.waiting_bytes < limits::HASHED_AT_ONCE {
            return Ok(());
        }
        let mut context = self.context().await?;
        let pieces = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        self.turn = Some(spawn_blocking(move || {
            pieces.iter().for_each(|piece| context.update(piece));
            context
        }));
        Ok(())
    }

    /// Gives the hash of all pieces.
    ///
    /// # Errors
    /// The process has no threads any more.
    pub(crate) async fn finish(mut self) -> Result<[u8; 32], AppError> {
        let mut context = self.context().await?;
        self.waiting.iter().for_each(|piece| context.update(piece));
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Ok(hash)
    }

    async fn context(&mut self) -> Result<Context, AppError> {
        let ended = match self.turn.take() {
            Some(turn) => turn.await.ok(),
            None => self.context.take(),
        };
        ended.ok_or_else(|| AppError::Failed("the hash of a file could not be worked out".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::digest;

    use super::*;

    #[tokio::test]
    async fn pieces_have_the_hash_of_the_whole_however_they_are_cut() {
        let whole: Vec<u8> = (0..3 * limits::HASHED_AT_ONCE + 17).map(|place| (place % 251) as u8).collect();
        for each in [1 << 10, limits::HASHED_AT_ONCE, whole.len()] {
            let mut hashing = Hashing::begin();
            for piece in whole.chunks(each) {
                hashing.update(Bytes::copy_from_slice(piece)).await.unwrap();
            }
            assert_eq!(hashing.finish().await.unwrap(), digest(&SHA256, &whole).as_ref(), "{each}");
        }
        assert_eq!(Hashing::begin().finish().await.unwrap(), digest(&SHA256, b"").as_ref());
    }
}
