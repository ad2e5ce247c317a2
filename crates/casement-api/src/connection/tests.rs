//! What a connection does as time passes: the timers, the library's turn, and what is kept for the client.

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
        client.write_all(HEAD).await.unwrap();
    });
    assert_eq!(stream.read_u8().await.unwrap(), b'G');
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_later_and_its_next_head_has_the_time_of_a_head() {
    let (_client, mut stream, activity) = pair();
    drop(activity.begin(Version::HTTP_11));
    assert!(is_about(ends_after(&mut stream).await, limits::IDLE_TIMEOUT));
    let (mut client, mut stream, activity) = pair();
    drop(activity.begin(Version::HTTP_11));
    client.write_all(b"x").await.unwrap();
    let began = Instant::now();
    assert_eq!(stream.next_request().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(is_about(began.elapsed(), limits::HEAD_TIMEOUT));
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
    drop((stream, answer, activity));
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
    let ended = stream.next_request().await.unwrap_err();
    assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    assert!(taking.is_finished(), "the whole answer was taken before");
}

const HEAD: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

/// A stream whose request was read whole by the library.
async fn read_whole() -> (DuplexStream, TimedStream<DuplexStream>, Activity) {
    let (mut client, mut stream, activity) = pair();
    client.write_all(HEAD).await.unwrap();
    assert_eq!(stream.next_request().await.unwrap(), Begins::Http1);
    stream.read_exact(&mut [0; HEAD.len()]).await.unwrap();
    (client, stream, activity)
}

/// A stream whose request was answered.
async fn answered() -> (DuplexStream, TimedStream<DuplexStream>, Activity) {
    let (client, mut stream, activity) = read_whole().await;
    drop(activity.begin(Version::HTTP_11));
    stream.flush().await.unwrap();
    (client, stream, activity)
}

#[tokio::test(start_paused = true)]
async fn an_answered_request_is_the_end_for_the_library_and_the_connection_goes_on() {
    let (mut client, mut stream, _) = answered().await;
    client.write_all(b"HEAD /a HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(stream.is_given_back());
    stream.shutdown().await.unwrap();
    assert_eq!(stream.next_request().await.unwrap(), Begins::Http1);
    assert!(!stream.is_given_back());
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    stream.write_all(b"answer").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'a');
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_behind_another_begins_when_that_is_answered() {
    let (mut client, mut stream, activity) = pair();
    client.write_all(&[HEAD, HEAD, b"GE"].concat()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(stream.next_request().await.unwrap(), Begins::Http1);
        let at_work = activity.begin(Version::HTTP_11);
        stream.read_exact(&mut [0; HEAD.len()]).await.unwrap();
        let more = tokio::time::timeout(Duration::from_secs(1), stream.read_u8()).await;
        assert!(more.is_err(), "the library gets nothing of the next one");
        drop(at_work);
        stream.flush().await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    }
    let began = Instant::now();
    assert_eq!(stream.next_request().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(is_about(began.elapsed(), limits::HEAD_TIMEOUT));
}

/// Whether the library, which reads, sees nothing for a while.
async fn sees_nothing(stream: &mut TimedStream<DuplexStream>) -> bool {
    tokio::time::timeout(Duration::from_secs(1), stream.read_u8()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn the_library_sees_the_end_only_when_it_has_written_the_answer() {
    let (_client, mut stream, activity) = read_whole().await;
    let at_work = activity.begin(Version::HTTP_11);
    assert!(sees_nothing(&mut stream).await, "a request is at work");
    let answering = activity.answer();
    drop(at_work);
    stream.flush().await.unwrap();
    assert!(sees_nothing(&mut stream).await, "the body of its answer is being made");
    drop(answering);
    assert!(sees_nothing(&mut stream).await, "the answer was not flushed");
    stream.flush().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_has_not_taken_is_kept_and_counts_until_it_has() {
    let (mut client, mut stream, activity) = read_whole().await;
    let unsent = Unsent::default();
    let at_work = activity.begin(Version::HTTP_11);
    let mut body = unsent.follow(Body::from(vec![b'x'; 1000]), Some(activity.waiting()));
    let answer = body.frame().await.unwrap().unwrap().into_data().unwrap();
    drop((at_work, body));
    stream.write_all(&answer).await.unwrap();
    drop(answer);
    stream.flush().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "the library is done with it");
    assert_eq!(unsent.bytes(), 1000);
    assert!(stream.kept_counted.counted() > 0);
    client.write_all(HEAD).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(1), stream.next_request()).await;
    assert!(next.is_err(), "the next request waits until the client has taken its answer");
    let taking = tokio::spawn(async move { client.read_exact(&mut [0; 1000]).await.map(|_| client) });
    assert_eq!(stream.next_request().await.unwrap(), Begins::Http1);
    let _client = taking.await.unwrap().unwrap();
    assert_eq!((unsent.bytes(), activity.waiting().deadline()), (0, None));
    assert_eq!(stream.kept_counted.counted(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_what_is_kept_is_cut_off() {
    let (_client, mut stream, activity) = read_whole().await;
    let unsent = Unsent::default();
    let at_work = activity.begin(Version::HTTP_11);
    let mut body = unsent.follow(Body::from(vec![b'x'; 1000]), Some(activity.waiting()));
    let answer = body.frame().await.unwrap().unwrap().into_data().unwrap();
    drop((at_work, body));
    stream.write_all(&answer).await.unwrap();
    drop(answer);
    let began = Instant::now();
    assert_eq!(stream.next_request().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(is_about(began.elapsed(), limits::ANSWER_GRACE));
    drop((stream, activity));
    assert_eq!(unsent.bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_body_does_not_come_goes_on_after_the_grace_and_says_so() {
    let (mut client, mut stream, activity) = pair();
    let head = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
    let began = Instant::now();
    tokio::spawn(async move {
        client.write_all(head).await.unwrap();
        while client.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    });
    assert_eq!(stream.next_request().await.unwrap(), Begins::Http1);
    assert!(is_about(began.elapsed(), limits::BODY_GRACE));
    assert!(activity.take_late());
    assert!(!activity.take_late(), "the next request has its own time");
    stream.read_exact(&mut [0; 40]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x', "what comes of the body goes on as it comes");
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_client_sends_no_more_goes_on_as_far_as_it_came() {
    let (mut client, mut stream, _) = pair();
    client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nx").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(stream.next_request().await.unwrap(), Begins::Http1);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.ends_with(b"\r\n\r\nx"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_client_goes_away_between_two_requests_has_ended() {
    let (client, mut stream, _) = answered().await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    drop(client);
    assert_eq!(stream.next_request().await.unwrap(), Begins::End);
}
