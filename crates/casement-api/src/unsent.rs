//! Answers that wait for their clients: how many bytes of them there are, and how long each may wait.
//!
//! An answer stays in memory until its client has taken it. A client that asks for large lists over many connections, or
//! many streams of one, and reads none of them would fill the memory. So all answers together have a budget, past which
//! new requests wait or are refused, and a connection whose answers are not taken at [`limits::ANSWER_BYTES_PER_SECOND_MIN`]
//! is cut off ([`crate::connection`] asks for the deadline).

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::Extensions;
use axum::http::header::CONTENT_ENCODING;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::answer::Refusal;
use crate::api::Api;
use crate::held::Full;
use crate::limits;
use crate::load::Class;
use crate::measure;
use crate::rate::Noted;
use crate::share::Share;

/// The answers of all connections. Clones share them.
#[derive(Debug, Clone)]
pub struct Unsent(Arc<All>);

#[derive(Debug)]
struct All {
    bytes: AtomicUsize,
    bytes_max: usize,
    freed: Notify,
}

/// Marks an answer whose body is made piece by piece, so that it is never in memory as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces;

/// The answers of one connection. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    answers: Arc<Mutex<Answers>>,
    /// What all connections of the address hold together.
    share: Option<Arc<Share>>,
    /// What the request did: [`NOTHING`], [`READ`] or [`WROTE`].
    done: Arc<AtomicU8>,
}

const NOTHING: u8 = 0;
const READ: u8 = 1;
const WROTE: u8 = 2;

#[derive(Debug, Default)]
struct Answers {
    terms: Vec<Arc<Terms>>,
    /// Those that have gone from the library and not yet to the system, while the connection keeps some.
    kept: Option<Vec<(Arc<Terms>, Option<Counted>)>>,
}

/// How long an answer of a connection may wait.
#[derive(Debug)]
struct Terms {
    bytes: usize,
    deadline: Instant,
}

impl Default for Unsent {
    fn default() -> Self {
        Self::with_limit(limits::ANSWER_BYTES_MAX)
    }
}

impl Unsent {
    fn with_limit(bytes_max: usize) -> Self {
        Self(Arc::new(All { bytes: AtomicUsize::new(0), bytes_max, freed: Notify::new() }))
    }

    /// Waits a bounded time until there is room for the answer of a request, among all and in the share of its address, and keeps
    /// it while the request is at work.
    ///
    /// # Errors
    /// There was none in time.
    pub(crate) async fn room(&self, class: Class, waiting: &Waiting) -> Result<Expected, Full> {
        let deadline = Instant::now() + limits::QUEUE_WAIT;
        loop {
            // Before the look: room that is made in between must not be missed.
            let freed = self.0.freed.notified();
            let own = waiting.share.as_ref().map_or(0, |share| share.answers());
            let full = if own >= class.share(limits::ADDRESS_ANSWER_BYTES_MAX) {
                Full::Share
            } else if self.bytes() >= class.share(self.0.bytes_max) {
                Full::All
            } else {
                waiting.began(class);
                let large = waiting.share.as_ref().map_or(0, |share| share.expected());
                let large = large.min(limits::ADDRESS_ANSWER_BYTES_MAX / 4);
                let own = match class {
                    Class::List | Class::Export => limits::ANSWER_BYTES_EXPECTED.max(large),
                    Class::Read => limits::SMALL_ANSWER_BYTES_EXPECTED.max(large),
                    Class::Write => limits::SMALL_ANSWER_BYTES_EXPECTED,
                };
                let share = waiting.share.clone().map(|share| (share, own));
                return Ok(Expected(self.count(limits::ANSWER_BYTES_EXPECTED.max(own), share)));
            };
            timeout_at(deadline, freed).await.map_err(|_| full)?;
        }
    }

    /// Tells whether an answer that was made has room: it may be much larger than it was expected to be. Where little waits there is
    /// room for any.
    ///
    /// # Errors
    /// It has none.
    fn fits(&self, bytes: usize, waiting: &Waiting) -> Result<(), Full> {
        let is_past = |now: usize, most: usize| now > most / 4 && now.saturating_add(bytes) > most;
        let own = waiting.share.as_ref().map_or(0, |share| share.answers());
        if is_past(own, Class::Read.share(limits::ADDRESS_ANSWER_BYTES_MAX)) {
            return Err(Full::Share);
        }
        if is_past(self.bytes(), Class::Read.share(self.0.bytes_max)) { Err(Full::All) } else { Ok(()) }
    }

    /// Gives how many bytes wait.
    pub fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Counts the bytes of an answer until the last of them has gone, and sets its connection a deadline for them.
    pub fn follow(&self, body: Body, waiting: Option<&Waiting>) -> Body {
        let bytes =
            body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
        if bytes == 0 {
            return body;
        }
        let tally = self.tally(bytes, waiting);
        Body::new(Followed { body, tally })
    }

    /// The same for an answer that counts for nothing: it has a deadline all the same.
    fn follow_uncounted(body: Body, waiting: Option<&Waiting>) -> Body {
        let bytes = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        let terms = waiting.map(|waiting| (waiting.clone(), waiting.begin(bytes.unwrap_or_default())));
        Body::new(Followed { body, tally: Arc::new(Tally { counted: None, terms }) })
    }

    /// The same for an answer that is made piece by piece as its client takes it: each piece counts, and has its deadline, from
    /// when it is made.
    pub fn follow_pieces(&self, body: Body, waiting: Option<&Waiting>) -> Body {
        Body::new(FollowedPieces { body, unsent: self.clone(), waiting: waiting.cloned() })
    }

    fn tally(&self, bytes: usize, waiting: Option<&Waiting>) -> Arc<Tally> {
        let terms = waiting.map(|waiting| (waiting.clone(), waiting.begin(bytes)));
        let share = waiting.and_then(|waiting| waiting.share.clone()).map(|share| (share, bytes));
        Arc::new(Tally { counted: Some(self.count(bytes, share)), terms })
    }

    fn count(&self, bytes: usize, share: Option<(Arc<Share>, usize)>) -> Counted {
        let before = self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        measure::unsent(before + bytes);
        if let Some((share, own)) = &share {
            share.add_answer(*own);
        }
        Counted { unsent: self.clone(), bytes, share }
    }
}

/// Follows the answer of a request; see [`Unsent::follow`].
pub(crate) async fn follow(State(api): State<Api>, request: Request, next: Next) -> Response {
    let waiting = request.extensions().get::<Waiting>().cloned();
    let noted = request.extensions().get::<Noted>().cloned();
    let response = next.run(request).await;
    if response.extensions().get::<Pieces>().is_some() {
        return response.map(|body| api.unsent.follow_pieces(body, waiting.as_ref()));
    }
    if noted.is_some_and(|noted| noted.get().is_none()) {
        // Nobody was asked for: a refusal, which is small, or a file of the program, whose bytes are there anyway. Strangers must not
        // take the room of those who may ask.
        return response.map(|body| Unsent::follow_uncounted(body, waiting.as_ref()));
    }
    let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    if let (Some(bytes), Some(waiting)) = (bytes, &waiting)
        && waiting.has_only_read()
    {
        if let Some(share) = &waiting.share {
            share.note_answer(bytes);
        }
        // Nothing was done that would have to be told.
        if bytes > limits::SMALL_ANSWER_BYTES_EXPECTED
            && let Err(full) = api.unsent.fits(bytes, waiting)
        {
            drop(response);
            return Refusal::of_full(full).into_response();
        }
    }
    response.map(|body| api.unsent.follow(body, waiting.as_ref()))
}

/// Follows an answer above its compression, which makes other bytes of those that are followed below it, as its client takes them.
pub(crate) fn follow_compressed(unsent: &Unsent, response: Response, waiting: Option<&Waiting>) -> Response {
    if response.headers().contains_key(CONTENT_ENCODING) {
        return response.map(|body| unsent.follow_pieces(body, waiting));
    }
    response
}

impl Waiting {
    /// The answers of the connection that a request came by.
    pub(crate) fn of_request(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The answers of a connection whose address holds this share.
    pub(crate) fn of(share: Option<Arc<Share>>) -> Self {
        Self { answers: Arc::default(), share, done: Arc::default() }
    }

    /// The same for a request of the connection, which has done nothing yet.
    pub(crate) fn for_request(&self) -> Self {
        Self { done: Arc::new(AtomicU8::new(NOTHING)), ..self.clone() }
    }

    fn began(&self, class: Class) {
        let done = match class {
            Class::Write => WROTE,
            Class::Read | Class::List | Class::Export => READ,
        };
        self.done.fetch_max(done, Ordering::Relaxed);
    }

    /// Whether the request has read and not written.
    fn has_only_read(&self) -> bool {
        self.done.load(Ordering::Relaxed) == READ
    }

    fn begin(&self, bytes: usize) -> Arc<Terms> {
        let mut waiting = self.lock();
        let before: usize = waiting.terms.iter().map(|terms| terms.bytes).sum();
        let seconds = (before + bytes) as u64 / limits::ANSWER_BYTES_PER_SECOND_MIN;
        let deadline = Instant::now() + limits::ANSWER_GRACE + Duration::from_secs(seconds);
        let terms = Arc::new(Terms { bytes, deadline });
        waiting.terms.push(Arc::clone(&terms));
        terms
    }

    fn end(&self, terms: &Arc<Terms>, counted: Option<Counted>) {
        let mut waiting = self.lock();
        match &mut waiting.kept {
            Some(kept) => kept.push((Arc::clone(terms), counted)),
            None => {
                waiting.terms.retain(|own| !Arc::ptr_eq(own, terms));
                drop(waiting);
                drop(counted);
            }
        }
    }

    /// From now on answers wait until [`Self::delivered`], also when the library has written them.
    pub(crate) fn keep(&self) {
        self.lock().kept.get_or_insert_default();
    }

    /// All that the library has written has gone to the system.
    pub(crate) fn delivered(&self) {
        let mut waiting = self.lock();
        let kept = waiting.kept.take().unwrap_or_default();
        waiting.terms.retain(|own| !kept.iter().any(|(terms, _)| Arc::ptr_eq(own, terms)));
        drop(waiting);
    }

    /// Gives when the first of the answers that wait must have been taken.
    pub fn deadline(&self) -> Option<Instant> {
        self.lock().terms.iter().map(|terms| terms.deadline).min()
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room that is kept for the answer of a request at work.
#[derive(Debug)]
pub struct Expected(#[expect(dead_code, reason = "held so that its end frees the room")] Counted);

/// Bytes that count among those that wait, until dropped.
#[derive(Debug)]
struct Counted {
    unsent: Unsent,
    bytes: usize,
    /// What of them counts in the share of an address.
    share: Option<(Arc<Share>, usize)>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some((share, own)) = &self.share {
            share.free_answer(*own);
        }
        let before = self.unsent.0.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        measure::unsent(before.saturating_sub(self.bytes));
        self.unsent.0.freed.notify_waiters();
    }
}

/// An answer that waits; the library is done with it when the body and all bytes that were taken out of it are dropped.
#[derive(Debug)]
struct Tally {
    counted: Option<Counted>,
    terms: Option<(Waiting, Arc<Terms>)>,
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some((waiting, terms)) = &self.terms {
            waiting.end(terms, self.counted.take());
        }
    }
}

/// A body whose bytes are followed.
struct Followed {
    body: Body,
    tally: Arc<Tally>,
}

/// Bytes on their way to a client.
struct OnTheirWay {
    bytes: Bytes,
    _tally: Arc<Tally>,
}

impl AsRef<[u8]> for OnTheirWay {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| {
                    Bytes::from_owner(OnTheirWay { bytes, _tally: Arc::clone(&self.tally) })
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body whose pieces are followed, each by itself.
struct FollowedPieces {
    body: Body,
    unsent: Unsent,
    waiting: Option<Waiting>,
}

impl HttpBody for FollowedPieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| {
                    let tally = self.unsent.tally(bytes.len(), self.waiting.as_ref());
                    Bytes::from_owner(OnTheirWay { bytes, _tally: tally })
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn body(bytes: usize) -> Body {
        Body::from(vec![b' '; bytes])
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_until_its_last_byte_has_gone() {
        let unsent = Unsent::with_limit(1000);
        let mut answer = unsent.follow(body(900), None);
        assert_eq!(unsent.bytes(), 900);
        let bytes = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        drop(answer);
        assert_eq!((unsent.bytes(), bytes.len()), (900, 900));
        let rest = bytes.slice(800..);
        drop(bytes);
        assert_eq!(unsent.bytes(), 900);
        drop(rest);
        assert_eq!(unsent.bytes(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_pieces_counts_piece_by_piece_and_each_has_its_time() {
        let (unsent, waiting) = (Unsent::with_limit(1000), Waiting::default());
        let (mut sender, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(2);
        for text in ["abc", "defgh"] {
            sender.send_data(Bytes::from(text)).await.unwrap();
        }
        let body = Body::new(body);
        let mut answer = unsent.follow_pieces(body, Some(&waiting));
        assert_eq!((unsent.bytes(), waiting.deadline()), (0, None));
        let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((unsent.bytes(), waiting.deadline().is_some()), (3, true));
        let second = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(unsent.bytes(), 8);
        drop(first);
        assert_eq!((unsent.bytes(), waiting.deadline().is_some()), (5, true));
        drop(second);
        assert_eq!((unsent.bytes(), waiting.deadline()), (0, None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_nobody_known_counts_for_nothing_and_has_its_time() {
        let waiting = Waiting::default();
        let answer = Unsent::follow_uncounted(body(900), Some(&waiting));
        assert_eq!(waiting.deadline(), Some(Instant::now() + limits::ANSWER_GRACE));
        drop(answer);
        assert_eq!(waiting.deadline(), None);
    }

    #[test]
    fn an_answer_much_larger_than_expected_has_room_where_little_waits() {
        let (unsent, waiting) = (Unsent::default(), Waiting::of(Some(Arc::default())));
        let quarter = limits::ADDRESS_ANSWER_BYTES_MAX / 4;
        assert_eq!(unsent.fits(usize::MAX, &waiting), Ok(()));
        let first = unsent.follow(body(quarter), Some(&waiting));
        assert_eq!(unsent.fits(quarter, &waiting), Ok(()));
        assert_eq!(unsent.fits(quarter * 4, &waiting), Err(Full::Share));
        let others: Vec<Body> = (0..4).map(|_| unsent.follow(body(quarter), None)).collect();
        let proxy = Waiting::default();
        assert_eq!(unsent.fits(limits::ANSWER_BYTES_MAX, &proxy), Err(Full::All));
        drop((first, others));
        assert_eq!(unsent.fits(usize::MAX, &waiting), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_got_a_large_answer_is_expected_to_get_another() {
        let share = Arc::new(Share::default());
        let (unsent, waiting) = (Unsent::default(), Waiting::of(Some(Arc::clone(&share))));
        let large = limits::ADDRESS_ANSWER_BYTES_MAX / 8;
        share.note_answer(large);
        let at_work = unsent.room(Class::Read, &waiting).await.unwrap();
        assert_eq!((share.answers(), unsent.bytes()), (large, large));
        drop(at_work);
        for _ in 0..100 {
            share.note_answer(0);
        }
        let _small = unsent.room(Class::Read, &waiting).await.unwrap();
        assert_eq!(share.answers(), limits::SMALL_ANSWER_BYTES_EXPECTED);
    }

    #[tokio::test(start_paused = true)]
    async fn what_compression_makes_of_an_answer_counts_while_it_waits() {
        let (unsent, waiting) = (Unsent::default(), Waiting::default());
        let plain = follow_compressed(&unsent, Response::new(body(900)), Some(&waiting));
        assert_eq!(plain.into_body().collect().await.unwrap().to_bytes().len(), 900);
        let mut response = Response::new(body(900));
        response.headers_mut().insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        let mut body = follow_compressed(&unsent, response, Some(&waiting)).into_body();
        let bytes = body.frame().await.unwrap().unwrap().into_data().unwrap();
        drop(body);
        assert_eq!((unsent.bytes(), waiting.deadline().is_some()), (900, true));
        drop(bytes);
        assert_eq!((unsent.bytes(), waiting.deadline()), (0, None));
    }

    #[tokio::test(start_paused = true)]
    async fn past_its_share_an_address_waits_and_others_do_not() {
        let unsent = Unsent::default();
        let [greedy, other] = [(); 2].map(|()| Waiting::of(Some(Arc::default())));
        let answer = unsent.follow(body(limits::ADDRESS_ANSWER_BYTES_MAX / 2), Some(&greedy));
        let began = Instant::now();
        assert_eq!(unsent.room(Class::List, &greedy).await.unwrap_err(), Full::Share);
        assert_eq!(began.elapsed(), limits::QUEUE_WAIT);
        assert!(unsent.room(Class::Write, &greedy).await.is_ok(), "lists take half of it at most");
        assert!(unsent.room(Class::List, &other).await.is_ok());
        assert!(unsent.room(Class::List, &Waiting::default()).await.is_ok(), "a proxy stands for many");
        drop(answer);
        assert!(unsent.room(Class::List, &greedy).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_at_work_take_the_room_that_their_answers_are_expected_to_need() {
        let (unsent, waiting) = (Unsent::default(), Waiting::of(Some(Arc::default())));
        let mut at_work = Vec::new();
        while let Ok(expected) = unsent.room(Class::List, &waiting).await {
            at_work.push(expected);
        }
        assert_eq!(at_work.len(), limits::ADDRESS_ANSWER_BYTES_MAX / 2 / limits::ANSWER_BYTES_EXPECTED);
        drop(at_work);
        assert_eq!((unsent.bytes(), waiting.share.as_ref().unwrap().answers()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn past_the_budget_lists_wait_first_and_writes_last() {
        let unsent = Unsent::with_limit(1000);
        let half = unsent.follow(body(600), None);
        assert!(unsent.room(Class::List, &Waiting::default()).await.is_err());
        assert!(unsent.room(Class::Write, &Waiting::default()).await.is_ok());
        let rest = unsent.follow(body(400), None);
        let began = Instant::now();
        assert!(unsent.room(Class::Write, &Waiting::default()).await.is_err());
        assert_eq!(began.elapsed(), limits::QUEUE_WAIT);
        let waiting = tokio::spawn({
            let unsent = unsent.clone();
            async move { unsent.room(Class::List, &Waiting::default()).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop((half, rest));
        assert!(waiting.await.unwrap(), "freed room wakes who waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_has_the_time_that_all_its_answers_need_at_the_least_pace() {
        let (unsent, waiting) = (Unsent::default(), Waiting::default());
        assert_eq!(waiting.deadline(), None);
        let began = Instant::now();
        let second = usize::try_from(limits::ANSWER_BYTES_PER_SECOND_MIN).unwrap();
        let first = unsent.follow(body(second * 10), Some(&waiting));
        let other = unsent.follow(body(second * 5), Some(&waiting));
        let after = |seconds| Some(began + limits::ANSWER_GRACE + Duration::from_secs(seconds));
        assert_eq!(waiting.deadline(), after(10));
        drop(first);
        assert_eq!(waiting.deadline(), after(15));
        drop(other);
        assert_eq!(waiting.deadline(), None);
    }
}
