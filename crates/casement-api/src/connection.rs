//! A connection with timers: how long it may say nothing, how long a request's head may take, and how long an answer
//! may wait for its client. What it reads goes through [`Framing`] first.
//!
//! The HTTP library has one timer for both. Here the phase of the connection decides: waiting for the first request or
//! reading a head, holding a request until its body is whole, at work on it (use cases have limits of their own), or idle
//! between two.
//!
//! The library of HTTP/1 gets one request. When it has written the answer it sees the end of the connection and gives it back,
//! with all that it held for it; what the client has not taken is kept here, and the next request begins with another one. So
//! a client that says, sends or takes little costs little. It notices nothing.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::activity::{Activity, Phase};
use crate::framing::Framing;
use crate::held::Held;
use crate::limits;
use crate::measure;
use crate::room::Room;

/// What the HTTP library knows of the request that it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It is at it.
    Open,
    /// It is at it and has asked for more behind it: to be woken when it may see the end.
    Asked,
    /// It has written the whole answer: what it reads next is the end.
    Answered,
    /// It has seen the end.
    Over,
}

/// What a connection goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// A request of HTTP/1, or what its library refuses.
    Http1,
    /// HTTP/2.
    Http2,
    /// Nothing: the client sends no more.
    End,
}

/// A stream that ends with an error when a phase takes too long.
#[derive(Debug)]
pub struct TimedStream<S> {
    inner: S,
    framing: Framing,
    held: Held,
    activity: Activity,
    turn: Turn,
    /// Requests of the connection that began before the library got it.
    begun_before: usize,
    /// What the library has written and the system has not taken.
    kept: BytesMut,
    kept_counted: Held,
    /// Whether something that was written has not gone to the system.
    has_unsent: bool,
    /// Bytes that were written since the system was asked whether it has room for more.
    unasked: usize,
    /// The phase that the timer was set for, and how many requests had begun by then.
    timed: Phase,
    timed_begun: usize,
    timer: Pin<Box<Sleep>>,
    /// When the answers that wait must have been taken; made when the first one has to wait.
    taking: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedStream<S> {
    /// Takes a stream whose first head is awaited from now on.
    pub fn new(inner: S, activity: Activity) -> Self {
        Self {
            inner,
            framing: Framing::new(),
            held: Held::unread(),
            activity,
            turn: Turn::Open,
            begun_before: 0,
            kept: BytesMut::new(),
            kept_counted: Held::kept(),
            has_unsent: false,
            unasked: 0,
            timed: Phase::Head,
            timed_begun: 0,
            timer: Box::pin(sleep_until(Instant::now() + limits::HEAD_TIMEOUT)),
            taking: None,
        }
    }

    /// Whether the library has seen the end behind its request, so that the connection goes on without it.
    pub(crate) fn is_given_back(&self) -> bool {
        self.turn == Turn::Over
    }

    /// Lets a request go on whose body is not whole; gives whether there is one.
    pub(crate) fn release(&mut self) -> bool {
        self.framing.release();
        self.framing.has_more()
    }

    /// Whether the library has the whole answer to its request.
    fn is_answered(&self) -> bool {
        self.activity.has_answered(self.begun_before)
    }

    /// Sets the timer for a phase when another one has begun, or a request was answered meanwhile.
    fn time(&mut self, phase: Phase) {
        let begun = self.activity.begun();
        if phase != self.timed || begun != self.timed_begun {
            (self.timed, self.timed_begun) = (phase, begun);
            self.begin_time();
        }
    }

    /// Begins the time of the phase.
    fn begin_time(&mut self) {
        if let Some(time_max) = self.timed.time_max() {
            self.timer.as_mut().reset(Instant::now() + time_max);
        }
    }

    /// Sets the timer where a phase has begun.
    fn follow_phase(&mut self) {
        let phase = self.activity.phase();
        self.time(if phase != Phase::Work && self.framing.holds_body() { Phase::Body } else { phase });
    }

    /// Whether the time of the phase is over.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.timed.time_max().is_some() && self.timer.as_mut().poll(context).is_ready()
    }

    /// Whether the client takes too long to take its answers; looked at when there is nothing to read or no room to write.
    fn takes_too_long(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.activity.waiting().deadline() else {
            self.taking = None;
            return false;
        };
        let taking = self.taking.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if taking.deadline() != deadline {
            taking.as_mut().reset(deadline);
        }
        taking.as_mut().poll(context).is_ready()
    }

    /// Looks at the timers when there is nothing to read.
    fn poll_timers(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.follow_phase();
        if self.is_late(context) || self.takes_too_long(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    /// Notes that the library writes.
    fn before_write(&mut self) {
        self.has_unsent = true;
        if self.is_answered() {
            // The library forgets the answer before the system has it.
            self.activity.waiting().keep();
        }
    }

    /// A client that still takes its answer is not idle.
    fn after_progress(&mut self, bytes: usize) {
        self.unasked = self.unasked.saturating_add(bytes);
        if bytes > 0 && self.timed == Phase::Idle && self.activity.has_answer_to_take() {
            self.begin_time();
        }
    }

    /// A client that does not take its answer has a time for it. The end of an answer is kept here.
    fn after_write<'a>(
        &mut self,
        written: Poll<io::Result<usize>>,
        slices: impl Iterator<Item = &'a [u8]> + Clone,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.after_progress(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.takes_too_long(context) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                let bytes = slices.clone().map(<[u8]>::len).sum();
                if self.kept.is_empty()
                    && bytes <= limits::ANSWER_BYTES_KEPT_MAX
                    && self.is_answered()
                    && self.kept_counted.count(bytes).is_ok()
                {
                    self.kept = BytesMut::with_capacity(bytes);
                    slices.for_each(|slice| self.kept.extend_from_slice(slice));
                    return Poll::Ready(Ok(bytes));
                }
            }
        }
        written
    }
}

/// What a look at the socket gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Bytes.
    Bytes,
    /// The client sends no more.
    End,
}

impl<S: AsyncRead + AsyncWrite + Room + Unpin> TimedStream<S> {
    /// Waits until the client has taken what was written, then for what goes on next: a request that is whole, or as much of it
    /// as is held, or what begins a connection of HTTP/2.
    ///
    /// # Errors
    /// The client took its answer too slowly, the head took too long or did not begin in time, or the connection is broken.
    pub(crate) async fn next_request(&mut self) -> io::Result<Begins> {
        (self.turn, self.begun_before) = (Turn::Open, self.activity.begun());
        poll_fn(|context| self.poll_next_request(context)).await
    }

    /// Waits until the client has taken what was written.
    ///
    /// # Errors
    /// It took too long, or the connection is broken.
    pub(crate) async fn deliver(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            let delivered = self.poll_deliver(context);
            self.within_time(delivered, context)
        })
        .await
    }

    /// Waits until what was written has gone and the system has room for an answer.
    fn poll_room_for_answer(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = match self.poll_deliver(context) {
            Poll::Ready(Ok(())) if self.unasked >= limits::ROOM_BYTES => self.inner.poll_room(context),
            delivered => delivered,
        };
        ready!(self.within_time(polled, context))?;
        self.unasked = 0;
        Poll::Ready(Ok(()))
    }

    /// Bounds a wait for a client that takes its answer: whatever has come of it meanwhile has its time afterwards.
    fn within_time(
        &mut self,
        polled: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if polled.is_pending() {
            self.time(Phase::Idle);
            if self.is_late(context) || self.takes_too_long(context) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled
    }

    fn poll_next_request(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Begins>> {
        ready!(self.poll_room_for_answer(context))?;
        self.framing.next_request();
        while !self.framing.has_more() {
            // It may have begun while the last request was at work.
            if self.framing.is_within_head() {
                self.activity.arrived();
            }
            match self.read_more(context, &mut ReadBuf::new(&mut [])) {
                Poll::Pending => {
                    self.follow_phase();
                    if self.timed == Phase::Body && self.is_late(context) {
                        self.activity.note_late();
                        self.framing.release();
                        continue;
                    }
                    return self.poll_timers(context).map_ok(|()| Begins::End);
                }
                // Who has sent half a request and says that there is no more hears of it.
                Poll::Ready(Ok(Read::End)) if self.release() => {}
                Poll::Ready(Ok(Read::End)) => return Poll::Ready(Ok(Begins::End)),
                Poll::Ready(Ok(Read::Bytes)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(if self.framing.is_http2() { Begins::Http2 } else { Begins::Http1 }))
    }

    /// Hands what was written to the system.
    fn poll_deliver(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.has_unsent {
            return Poll::Ready(Ok(()));
        }
        while !self.kept.is_empty() {
            let count = ready!(Pin::new(&mut self.inner).poll_write(context, &self.kept))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.kept.advance(count);
            self.after_progress(count);
        }
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        self.kept = BytesMut::new();
        self.kept_counted.clear();
        self.has_unsent = false;
        self.activity.waiting().delivered();
        Poll::Ready(Ok(()))
    }

    /// Hands what is kept to the system before more is written.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.kept.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match self.poll_deliver(context) {
            Poll::Pending if self.takes_too_long(context) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            delivered => delivered,
        }
    }

    /// What the library reads behind its request: the end when it has answered, and before that whether the client has gone.
    fn poll_behind(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.turn, Turn::Answered | Turn::Over) {
            self.turn = Turn::Over;
            return Poll::Ready(Ok(()));
        }
        self.turn = Turn::Asked;
        // One look at what comes next is enough to know that the client is there.
        if !self.framing.is_within_head() {
            match self.read_more(context, &mut ReadBuf::new(&mut [])) {
                Poll::Ready(Ok(Read::End)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Read::Bytes)) | Poll::Pending => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        self.poll_timers(context)
    }

    /// Counts what is held of requests that are not whole; gives whether there is room for it. Little is always allowed.
    fn count_held(&self) -> bool {
        let held = self.framing.held();
        self.held.count(if held > limits::READ_BYTES { held } else { 0 }).is_ok()
    }

    /// Reads from the socket: into the buffer what need not be looked at, else into the framing.
    fn read_more(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<Read>> {
        if self.framing.has_ended() {
            return Poll::Ready(Ok(Read::End));
        }
        let inner = Pin::new(&mut self.inner);
        let count = match self.framing.unseen_max().map(|max| usize::try_from(max).unwrap_or(usize::MAX)) {
            Some(max) if max >= buffer.remaining() => {
                let before = buffer.filled().len();
                ready!(inner.poll_read(context, buffer))?;
                let count = buffer.filled().len() - before;
                self.framing.passed_unseen(count as u64);
                count
            }
            Some(max) => {
                let mut bytes = [0; limits::READ_BYTES];
                let mut part = ReadBuf::new(&mut bytes);
                let mut part = part.take(max);
                ready!(inner.poll_read(context, &mut part))?;
                // Copied, so that a body of which little comes does not touch the whole of the library's buffer.
                buffer.put_slice(part.filled());
                let count = part.filled().len();
                self.framing.passed_unseen(count as u64);
                count
            }
            None => {
                let mut bytes = [0; limits::READ_BYTES];
                let mut part = ReadBuf::new(&mut bytes);
                ready!(inner.poll_read(context, &mut part))?;
                self.framing.push(part.filled());
                if !self.count_held() {
                    measure::head_refused();
                    return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
                }
                part.filled().len()
            }
        };
        Poll::Ready(Ok(if count == 0 { Read::End } else { Read::Bytes }))
    }
}

impl<S: AsyncRead + AsyncWrite + Room + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            let room = buffer.remaining();
            if self.framing.take(room, |bytes| buffer.put_slice(bytes)) > 0 {
                self.count_held();
                return Poll::Ready(Ok(()));
            }
            if self.framing.is_between() {
                return self.poll_behind(context);
            }
            match self.read_more(context, buffer) {
                Poll::Pending => return self.poll_timers(context),
                Poll::Ready(Ok(Read::End)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Read::Bytes)) => {
                    if buffer.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Room + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(context))?;
        self.before_write();
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.after_write(written, std::iter::once(bytes), context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(context))?;
        self.before_write();
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.after_write(written, slices.iter().map(|slice| &**slice), context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The library does not look for the next request after an answer: the timers must wake it.
        if let late @ Poll::Ready(_) = self.poll_timers(context) {
            return late;
        }
        let delivered = self.poll_deliver(context)?;
        if !self.is_answered() {
            return delivered.map(Ok);
        }
        // What is left goes on without the library.
        if self.turn == Turn::Asked {
            context.waker().wake_by_ref();
        }
        if self.turn != Turn::Over {
            self.turn = Turn::Answered;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_given_back() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_room(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
