//! How far a build of the index is: for `/readyz`, the metrics and the log.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::limits::BUILD_TOLD_PERIOD;

/// How far the two parts of a build are.
#[derive(Debug, Default)]
pub struct Progress {
    /// What lists need.
    pub(crate) lists: Part,
    /// What searches need beside it.
    pub(crate) words: Part,
    has_words: AtomicBool,
    told: Mutex<Option<Instant>>,
}

/// How far one part is, in documents.
#[derive(Debug, Default)]
pub(crate) struct Part {
    done: AtomicU64,
    total: AtomicU64,
}

impl Part {
    /// Notes how many documents there are to be done beside those noted before.
    /// Begins anew.
    pub(crate) fn restart(&self) {
        self.total.store(0, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    pub(crate) fn expect(&self, documents: u64) {
        self.total.fetch_add(documents, Ordering::Relaxed);
    }

    fn percent(&self) -> u8 {
        let total = self.total.load(Ordering::Relaxed).max(1);
        // Never "done" before it is: the total is an estimate.
        u8::try_from(self.done.load(Ordering::Relaxed).saturating_mul(100) / total).unwrap_or(99).min(99)
    }
}

impl Progress {
    /// Tells whether searches are answered.
    pub fn has_words(&self) -> bool {
        self.has_words.load(Ordering::Acquire)
    }

    pub(crate) fn set_has_words(&self) {
        self.has_words.store(true, Ordering::Release);
    }

    /// Gives how much of the lists is built, at most 99 percent.
    pub fn lists_percent(&self) -> u8 {
        self.lists.percent()
    }

    /// Gives how much of the words is read, at most 99 percent.
    pub fn words_percent(&self) -> u8 {
        self.words.percent()
    }

    /// Notes documents of the lists that are done.
    pub(crate) fn lists_done(&self, documents: usize) {
        self.lists.done.fetch_add(documents as u64, Ordering::Relaxed);
        self.tell(|| tracing::info!(percent = self.lists_percent(), "the lists are being built"));
    }

    /// Notes documents whose words are done.
    pub(crate) fn words_done(&self, documents: usize) {
        self.words.done.fetch_add(documents as u64, Ordering::Relaxed);
        self.tell(|| {
            tracing::info!(percent = self.words_percent(), "the words of all documents are being read")
        });
    }

    /// Tells it every few seconds.
    fn tell(&self, tell: impl FnOnce()) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = *told.get_or_insert(now);
        if now - last >= BUILD_TOLD_PERIOD {
            *told = Some(now);
            drop(told);
            tell();
        }
    }
}
