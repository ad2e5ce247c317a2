//! A connection with timers: how long it may say nothing, and how long a request's head may take.
//!
//! The HTTP library has one timer for both. Here the phase of the connection decides: waiting for the first request or
//! reading a head, at work on a request (bodies and use cases have limits of their own), or idle between two.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The head of a request is awaited or arrives.
    Head,
    /// A request is at work.
    Work,
    /// A request was answered and the next has not begun.
    Idle,
}

impl Phase {
    fn time_max(self) -> Option<Duration> {
        match self {
            Self::Head => Some(limits::HEAD_TIMEOUT),
            Self::Work => None,
            Self::Idle => Some(limits::IDLE_TIMEOUT),
        }
    }

    fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Head,
            1 => Self::Work,
            _ => Self::Idle,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Head => 0,
            Self::Work => 1,
            Self::Idle => 2,
        }
    }
}

/// The phase of one connection, shared by its stream and its service.
#[derive(Debug, Clone)]
pub struct PhaseCell(Arc<AtomicU8>);

impl Default for PhaseCell {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Phase::Head.number())))
    }
}

impl PhaseCell {
    /// Begins a phase.
    pub fn begin(&self, phase: Phase) {
        self.0.store(phase.number(), Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        Phase::of_number(self.0.load(Ordering::Relaxed))
    }
}

/// A stream that ends with an error when a phase takes too long.
#[derive(Debug)]
pub struct TimedStream<S> {
    inner: S,
    cell: PhaseCell,
    /// The phase that the timer was set for.
    timed: Phase,
    timer: Pin<Box<Sleep>>,
}

impl<S> TimedStream<S> {
    /// Takes a stream whose first head is awaited from now on.
    pub fn new(inner: S, cell: PhaseCell) -> Self {
        let timer = Box::pin(sleep_until(Instant::now() + limits::HEAD_TIMEOUT));
        Self { inner, cell, timed: Phase::Head, timer }
    }

    /// Sets the timer where a phase has begun.
    fn follow_phase(&mut self) {
        let phase = self.cell.phase();
        if phase != self.timed {
            self.timed = phase;
            if let Some(time_max) = phase.time_max() {
                self.timer.as_mut().reset(Instant::now() + time_max);
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(context, buffer) {
            if buffer.filled().len() > before && self.cell.phase() == Phase::Idle {
                self.cell.begin(Phase::Head);
                self.follow_phase();
            }
            return Poll::Ready(read);
        }
        self.follow_phase();
        if self.timed.time_max().is_some() && self.timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn pair() -> (DuplexStream, TimedStream<DuplexStream>, PhaseCell) {
        let (client, server) = duplex(64);
        let cell = PhaseCell::default();
        (client, TimedStream::new(server, cell.clone()), cell)
    }

    async fn ends_after(stream: &mut TimedStream<DuplexStream>) -> Duration {
        let began = Instant::now();
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        began.elapsed()
    }

    fn is_about(time: Duration, wanted: Duration) -> bool {
        time >= wanted && time < wanted + Duration::from_millis(100)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_speaks_ends_after_the_time_of_a_head() {
        let (_client, mut stream, _) = pair();
        assert!(is_about(ends_after(&mut stream).await, limits::HEAD_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_trickles_has_no_more_time_than_any() {
        let (mut client, mut stream, _) = pair();
        let began = Instant::now();
        tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        while stream.read_u8().await.is_ok() {}
        assert!(is_about(began.elapsed(), limits::HEAD_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_at_work_has_no_timer_here() {
        let (mut client, mut stream, cell) = pair();
        cell.begin(Phase::Work);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            client.write_all(b"x").await.unwrap();
        });
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_later_and_its_next_head_has_the_time_of_a_head() {
        let (_client, mut stream, cell) = pair();
        cell.begin(Phase::Idle);
        assert!(is_about(ends_after(&mut stream).await, limits::IDLE_TIMEOUT));
        let (mut client, mut stream, cell) = pair();
        cell.begin(Phase::Idle);
        client.write_all(b"x").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        assert!(is_about(ends_after(&mut stream).await, limits::HEAD_TIMEOUT));
    }
}
