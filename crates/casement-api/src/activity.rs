//! What a connection is doing, known to its stream, which has the timers, and to its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Version;

use crate::limits;
use crate::unsent::Waiting;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The head of a request is awaited or arrives.
    Head,
    /// A request is at work.
    Work,
    /// Every request was answered and the next has not begun.
    Idle,
}

impl Phase {
    /// How long it may last.
    pub(crate) fn time_max(self) -> Option<Duration> {
        match self {
            Self::Head => Some(limits::HEAD_TIMEOUT),
            Self::Work => None,
            Self::Idle => Some(limits::IDLE_TIMEOUT),
        }
    }
}

/// What one connection is doing, shared by its stream and its requests.
#[derive(Debug, Clone, Default)]
pub struct Activity(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Waiting,
    at_work: AtomicUsize,
    /// Answers whose body the library has not yet taken whole.
    answering: AtomicUsize,
    /// Requests that have begun; the count alone matters to tell a new one.
    begun: AtomicUsize,
    /// A next head has begun to arrive; HTTP/1 only, since HTTP/2 has other frames than heads.
    in_head: AtomicBool,
    is_http2: AtomicBool,
}

/// A request at work on a connection; dropped when it is answered.
#[derive(Debug)]
pub struct AtWork(Activity);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer whose body the library takes; dropped when it has all of it.
#[derive(Debug)]
pub struct Answering(Activity);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Activity {
    /// Begins an answer.
    pub fn answer(&self) -> Answering {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// Whether a library that speaks HTTP/1 has nothing to do.
    pub(crate) fn may_rest(&self) -> bool {
        self.phase() == Phase::Idle
            && self.0.answering.load(Ordering::Relaxed) == 0
            && !self.0.is_http2.load(Ordering::Relaxed)
    }

    /// Begins a request.
    pub fn begin(&self, version: Version) -> AtWork {
        self.0.is_http2.store(version == Version::HTTP_2, Ordering::Relaxed);
        self.0.in_head.store(false, Ordering::Relaxed);
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(self.clone())
    }

    /// The answers that wait for the client.
    pub fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }

    /// What the connection is doing.
    pub(crate) fn phase(&self) -> Phase {
        if self.0.at_work.load(Ordering::Relaxed) > 0 {
            Phase::Work
        } else if self.0.begun.load(Ordering::Relaxed) == 0 || self.0.in_head.load(Ordering::Relaxed) {
            Phase::Head
        } else {
            Phase::Idle
        }
    }

    /// Notes that bytes arrived.
    pub(crate) fn arrived(&self) {
        if self.phase() == Phase::Idle && !self.0.is_http2.load(Ordering::Relaxed) {
            self.0.in_head.store(true, Ordering::Relaxed);
        }
    }
}
