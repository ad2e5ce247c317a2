//! A connection with timers: how long it may say nothing, how long a request's head may take, and how long an answer
//! may wait for its client. What it reads goes through [`Framing`] first.
//!
//! The HTTP library has one timer for both. Here the phase of the connection decides: waiting for the first request or
//! reading a head, at work on a request (bodies and use cases have limits of their own), or idle between two.
//!
//! A connection of HTTP/1 that has been idle for a moment rests: the library sees the end of it and gives it back, with
//! all that the library held for it, and another one begins with the next whole head. The client notices nothing.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::activity::{Activity, Phase};
use crate::framing::Framing;
use crate::limits;

/// Whether an idle connection does without the HTTP library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// It has not been idle for long.
    Awake,
    /// It has been idle for [`limits::REST_AFTER`].
    Due,
    /// The library was told that it ends here.
    Resting,
}

/// What a connection goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// A head of HTTP/1, or what its library refuses.
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
    activity: Activity,
    /// The phase that the timer was set for.
    timed: Phase,
    timer: Pin<Box<Sleep>>,
    /// When a connection that is idle ends; the timer looks before whether it may rest.
    idle_until: Instant,
    rest: Rest,
    /// Whether everything that was written has gone to the system.
    is_flushed: bool,
    /// When the answers that wait must have been taken; made when the first one has to wait.
    taking: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedStream<S> {
    /// Takes a stream whose first head is awaited from now on.
    pub fn new(inner: S, activity: Activity) -> Self {
        let now = Instant::now();
        Self {
            inner,
            framing: Framing::new(),
            activity,
            timed: Phase::Head,
            timer: Box::pin(sleep_until(now + limits::HEAD_TIMEOUT)),
            idle_until: now + limits::IDLE_TIMEOUT,
            rest: Rest::Awake,
            is_flushed: true,
            taking: None,
        }
    }

    /// Whether the library was told that the connection ends here, so that it rests.
    pub(crate) fn is_resting(&self) -> bool {
        self.rest == Rest::Resting
    }

    /// Begins the time of an idle connection.
    fn begin_idle(&mut self) {
        let now = Instant::now();
        self.rest = Rest::Awake;
        self.idle_until = now + limits::IDLE_TIMEOUT;
        self.timer.as_mut().reset(now + limits::REST_AFTER);
    }

    /// Whether the time of the phase is over. A timer that only says that the connection may rest is set anew.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        if self.timed.time_max().is_none() || self.timer.as_mut().poll(context).is_pending() {
            return false;
        }
        if self.timed == Phase::Idle && self.rest == Rest::Awake {
            self.rest = Rest::Due;
            self.timer.as_mut().reset(self.idle_until);
            return self.timer.as_mut().poll(context).is_ready();
        }
        true
    }

    /// Begins to rest when it is time and nothing of a request or an answer is on its way.
    fn begins_to_rest(&mut self) -> bool {
        let begins = self.rest == Rest::Due
            && self.is_flushed
            && self.framing.is_between()
            && self.activity.may_rest();
        if begins {
            self.rest = Rest::Resting;
        }
        begins
    }

    /// A client that still takes its answer is not idle; one that does not has a time for it.
    fn after_write(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.is_flushed = false;
        if matches!(written, Poll::Ready(Ok(bytes)) if bytes > 0) && self.timed == Phase::Idle {
            self.begin_idle();
        }
        if written.is_pending() && self.takes_too_long(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
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

    /// Sets the timer where a phase has begun.
    fn follow_phase(&mut self) {
        // The next head may have begun while the last request was at work.
        if self.framing.is_within_head() {
            self.activity.arrived();
        }
        let phase = self.activity.phase();
        if phase != self.timed {
            self.timed = phase;
            match phase.time_max() {
                Some(_) if phase == Phase::Idle => self.begin_idle(),
                Some(time_max) => self.timer.as_mut().reset(Instant::now() + time_max),
                None => {}
            }
        }
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

impl<S: AsyncRead + Unpin> TimedStream<S> {
    /// Waits for the next bytes that may go on: a whole head, or what begins a connection of HTTP/2.
    ///
    /// # Errors
    /// The head took too long or did not begin in time, or the connection is broken.
    pub(crate) async fn next_head(&mut self) -> io::Result<Begins> {
        if self.is_resting() {
            self.rest = Rest::Due;
        }
        poll_fn(|context| self.poll_next_head(context)).await
    }

    fn poll_next_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Begins>> {
        while !self.framing.has_more() {
            match self.read_more(context, &mut ReadBuf::new(&mut [])) {
                Poll::Pending => return self.poll_timers(context).map_ok(|()| Begins::End),
                Poll::Ready(Ok(Read::End)) => return Poll::Ready(Ok(Begins::End)),
                Poll::Ready(Ok(Read::Bytes)) => {
                    self.activity.arrived();
                    self.follow_phase();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(if self.framing.is_http2() { Begins::Http2 } else { Begins::Http1 }))
    }

    /// Looks at the timers when there is nothing to read.
    fn poll_timers(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.follow_phase();
        if self.is_late(context) || self.takes_too_long(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
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
                part.filled().len()
            }
        };
        Poll::Ready(Ok(if count == 0 { Read::End } else { Read::Bytes }))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            let room = buffer.remaining();
            if self.framing.take(room, |bytes| buffer.put_slice(bytes)) > 0 {
                return Poll::Ready(Ok(()));
            }
            match self.read_more(context, buffer) {
                Poll::Pending => {
                    let late = self.poll_timers(context);
                    // To the library this is the end, between two requests.
                    return if late.is_pending() && self.begins_to_rest() {
                        Poll::Ready(Ok(()))
                    } else {
                        late
                    };
                }
                Poll::Ready(Ok(Read::End)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Read::Bytes)) => {
                    self.activity.arrived();
                    self.follow_phase();
                    if buffer.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.after_write(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.after_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The library does not look for the next request after an answer: the timers must wake it.
        match self.poll_timers(context) {
            Poll::Pending => {
                ready!(Pin::new(&mut self.inner).poll_flush(context))?;
                self.is_flushed = true;
                Poll::Ready(Ok(()))
            }
            late => late,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_resting() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::Version;
    use http_body_util::BodyExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::unsent::Unsent;

    fn pair() -> (DuplexStream, TimedStream<DuplexStream>, Activity) {
        let (client, server) = duplex(64);
        let activity = Activity::default();
        (client, TimedStream::new(server, activity.clone()), activity)
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
        let (mut client, mut stream, activity) = pair();
        let _at_work = activity.begin(Version::HTTP_11);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            client.write_all(b"\r\n").await.unwrap();
        });
        assert_eq!(stream.read_u8().await.unwrap(), b'\r');
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_later_and_its_next_head_has_the_time_of_a_head() {
        let (_client, mut stream, activity) = pair();
        drop(activity.begin(Version::HTTP_11));
        assert!(is_about(ends_after(&mut stream).await, limits::IDLE_TIMEOUT));
        let (mut client, mut stream, activity) = pair();
        drop(activity.begin(Version::HTTP_11));
        client.write_all(b"x").await.unwrap();
        assert!(is_about(ends_after(&mut stream).await, limits::HEAD_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_began_behind_a_request_has_the_time_of_a_head_from_the_end_of_that_request() {
        let (mut client, mut stream, activity) = pair();
        let at_work = activity.begin(Version::HTTP_11);
        client.write_all(b"GET / HT").await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_secs(1), stream.read_u8());
        assert!(waiting.await.is_err(), "half a head is not handed on");
        drop(at_work);
        assert!(is_about(ends_after(&mut stream).await, limits::HEAD_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn frames_of_an_idle_http2_connection_are_no_head() {
        let (mut client, mut stream, activity) = pair();
        drop(activity.begin(Version::HTTP_2));
        let frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nping";
        client.write_all(frames).await.unwrap();
        for _ in frames {
            stream.read_u8().await.unwrap();
        }
        assert!(is_about(ends_after(&mut stream).await, limits::IDLE_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_time_begins_with_the_end_of_an_answer_though_nobody_looks_for_more() {
        let (_client, mut stream, activity) = pair();
        let at_work = activity.begin(Version::HTTP_11);
        let began = Instant::now();
        let flushes = poll_fn(|context| match Pin::new(&mut stream).poll_flush(context) {
            Poll::Ready(Ok(())) => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(error.kind()),
            Poll::Pending => Poll::Pending,
        });
        drop(at_work);
        assert_eq!(flushes.await, io::ErrorKind::TimedOut);
        assert!(is_about(began.elapsed(), limits::IDLE_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_take_its_answers_is_cut_off_and_their_bytes_are_freed() {
        let (mut client, mut stream, activity) = pair();
        let at_work = activity.begin(Version::HTTP_11);
        let unsent = Unsent::default();
        let bytes = 100 * limits::ANSWER_BYTES_PER_SECOND_MIN;
        let body = Body::from(vec![b' '; usize::try_from(bytes).unwrap()]);
        let mut body = unsent.follow(body, Some(activity.waiting()));
        let answer = body.frame().await.unwrap().unwrap().into_data().unwrap();
        drop((at_work, body));
        let began = Instant::now();
        // It reads a byte every second, which is no pace.
        tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = stream.write_all(&answer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(is_about(began.elapsed(), limits::ANSWER_GRACE + Duration::from_secs(100)));
        drop((stream, answer));
        assert_eq!(unsent.bytes(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_requests_the_last_one_begins_the_idle_time() {
        let (_client, mut stream, activity) = pair();
        let first = activity.begin(Version::HTTP_2);
        let second = activity.begin(Version::HTTP_2);
        drop(first);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            drop(second);
        });
        // Nothing arrives, so the stream is asked again only by its timer or its user.
        let still_open = tokio::time::timeout(Duration::from_secs(3500), stream.read_u8()).await;
        assert!(still_open.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_its_answer_slowly_is_not_idle() {
        let (mut client, mut stream, activity) = pair();
        drop(activity.begin(Version::HTTP_11));
        let taking = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(limits::IDLE_TIMEOUT / 2).await;
                let mut taken = [0; 64];
                client.read_exact(&mut taken).await.unwrap();
            }
            client
        });
        stream.follow_phase();
        stream.write_all(&[b'x'; 64 * 20]).await.unwrap();
        let _client = taking.await.unwrap();
        assert!(is_about(ends_after(&mut stream).await, limits::IDLE_TIMEOUT / 2));
    }

    /// A stream behind a request that was read whole, and answered.
    async fn between() -> (DuplexStream, TimedStream<DuplexStream>, Activity) {
        let (mut client, mut stream, activity) = pair();
        let head = b"GET / HTTP/1.1\r\n\r\n";
        client.write_all(head).await.unwrap();
        assert_eq!(stream.next_head().await.unwrap(), Begins::Http1);
        for _ in head {
            stream.read_u8().await.unwrap();
        }
        drop(activity.begin(Version::HTTP_11));
        (client, stream, activity)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_idle_for_a_moment_ends_for_the_library_and_goes_on() {
        let (mut client, mut stream, _) = between().await;
        let began = Instant::now();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(is_about(began.elapsed(), limits::REST_AFTER));
        assert!(stream.is_resting());
        stream.shutdown().await.unwrap();
        client.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(stream.next_head().await.unwrap(), Begins::Http1);
        assert!(!stream.is_resting());
        assert_eq!(stream.read_u8().await.unwrap(), b'G');
        stream.write_all(b"answer").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'a');
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_does_not_rest_while_an_answer_is_on_its_way() {
        let (_client, mut stream, activity) = between().await;
        let answering = activity.answer();
        assert!(is_about(ends_after(&mut stream).await, limits::IDLE_TIMEOUT), "its body is being made");
        drop(answering);
        let (mut client, mut stream, _) = between().await;
        let write = tokio::time::timeout(Duration::from_secs(1), stream.write_all(&[b' '; 100]));
        assert!(write.await.is_err(), "there is room for 64 bytes");
        assert!(ends_after(&mut stream).await > limits::REST_AFTER * 10, "the client has not taken it");
        assert_eq!(client.read_u8().await.unwrap(), b' ');
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_client_goes_away_between_two_requests_has_ended() {
        let (client, mut stream, _) = between().await;
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        drop(client);
        assert_eq!(stream.next_head().await.unwrap(), Begins::End);
    }
}
