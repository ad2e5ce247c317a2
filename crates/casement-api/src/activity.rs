//! What a connection is doing, known to its stream, which has the timers, and to its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Version;
use tokio::time::{Instant, sleep};

use crate::limits;
use crate::share::Share;
use crate::unsent::Waiting;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The head of a request is awaited or arrives.
    Head,
    /// A request is held until its body is whole.
    Body,
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
            Self::Body => Some(limits::BODY_GRACE),
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
    /// The body of the request that comes has had [`limits::BODY_GRACE`] already.
    has_late_body: AtomicBool,
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
    /// Begins a connection whose address holds this share.
    pub(crate) fn of(share: Option<Arc<Share>>) -> Self {
        Self(Arc::new(Shared { waiting: Waiting::of(share), ..Shared::default() }))
    }

    /// Begins an answer.
    pub fn answer(&self) -> Answering {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// How many requests have begun.
    pub(crate) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Whether a library that speaks HTTP/1 has the whole answer to a request that began after so many others.
    pub(crate) fn has_answered(&self, begun_before: usize) -> bool {
        self.begun() > begun_before
            && self.0.at_work.load(Ordering::Relaxed) == 0
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

    /// Notes that the body of the request that comes has had [`limits::BODY_GRACE`] already.
    pub(crate) fn note_late(&self) {
        self.0.has_late_body.store(true, Ordering::Relaxed);
    }

    /// Tells whether the body of the request that begins has had [`limits::BODY_GRACE`] already.
    pub(crate) fn take_late(&self) -> bool {
        self.0.has_late_body.swap(false, Ordering::Relaxed)
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

    /// Waits until it has been idle, and no answer has waited, for so long, or somewhat longer: it is looked at now and then.
    pub(crate) async fn is_idle_for(&self, time: Duration) {
        let (mut begun, mut since) = (0, None);
        loop {
            sleep(limits::HTTP2_IDLE_PERIOD).await;
            let is_idle = self.phase() == Phase::Idle && self.waiting().deadline().is_none();
            if !is_idle || self.begun() != begun {
                (begun, since) = (self.begun(), None);
            }
            if is_idle && since.get_or_insert_with(Instant::now).elapsed() >= time {
                return;
            }
        }
    }

    /// Whether a byte that goes to the client is a sign that it takes an answer; HTTP/2 has frames that belong to none.
    pub(crate) fn has_answer_to_take(&self) -> bool {
        !self.0.is_http2.load(Ordering::Relaxed) || self.waiting().deadline().is_some()
    }

    /// Notes that bytes arrived.
    pub(crate) fn arrived(&self) {
        if self.phase() == Phase::Idle && !self.0.is_http2.load(Ordering::Relaxed) {
            self.0.in_head.store(true, Ordering::Relaxed);
        }
    }
}
