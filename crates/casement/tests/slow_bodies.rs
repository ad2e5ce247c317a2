//! Bodies that arrive too slowly, by a clock that stands still until everybody waits for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use serde_json::json;
use tokio::time::{Instant, Sleep, sleep};

use crate::harness::server::{STREAM, Server};

/// A body that sends so many bytes every second, so often.
struct Trickle {
    pause: Pin<Box<Sleep>>,
    bytes_each: usize,
    frames_left: usize,
}

impl Trickle {
    fn body(bytes_each: usize, frames: usize) -> Body {
        let pause = Box::pin(sleep(Duration::from_secs(1)));
        Body::new(Self { pause, bytes_each, frames_left: frames })
    }
}

impl HttpBody for Trickle {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.frames_left == 0 {
            return Poll::Ready(None);
        }
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.frames_left -= 1;
        self.pause.as_mut().reset(Instant::now() + Duration::from_secs(1));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b' '; self.bytes_each])))))
    }
}

/// A body that never ends and sends nothing.
pub fn endless() -> Body {
    Trickle::body(0, usize::MAX)
}

/// Sends a body to createCase and gives the seconds until the refusal.
async fn seconds_until_refused(server: &Server, body: Body, status: u16) -> u64 {
    let began = Instant::now();
    server.call("createCase").body(body).refused(status).await;
    began.elapsed().as_secs()
}

#[tokio::test]
async fn a_body_that_stays_away_is_a_408() {
    let server = Server::start().await;
    tokio::time::pause();
    let seconds = seconds_until_refused(&server, endless(), 408).await;
    assert!(seconds <= 30, "{seconds}");
}

#[tokio::test]
async fn a_body_slower_than_16_kib_a_second_is_a_408() {
    let server = Server::start().await;
    tokio::time::pause();
    let seconds = seconds_until_refused(&server, Trickle::body(1024, usize::MAX), 408).await;
    assert!(seconds <= 30, "{seconds}");
}

#[tokio::test]
async fn a_body_that_takes_longer_than_30_seconds_is_a_408_at_any_pace() {
    let server = Server::start().await;
    tokio::time::pause();
    assert_eq!(seconds_until_refused(&server, Trickle::body(17 * 1024, usize::MAX), 408).await, 30);
}

#[tokio::test]
async fn a_body_at_the_least_pace_is_read_to_its_end() {
    let server = Server::start().await;
    tokio::time::pause();
    // Twenty seconds of blanks are no JSON: the body was read whole and then refused.
    assert_eq!(seconds_until_refused(&server, Trickle::body(17 * 1024, 20), 400).await, 20);
}

/// Sends a file to a case and gives the seconds until the answer, and its status.
async fn seconds_of_upload(body: Body) -> (u64, u16) {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let path = format!("/api/v1/streams/{STREAM}/cases/{}/attachments?name=a", case["_id"].as_str().unwrap());
    tokio::time::pause();
    let began = Instant::now();
    // Bytes that came whole are refused for their hash, before the disk is waited for.
    let digest = format!("sha-256=:{}=:", "A".repeat(43));
    let answer = server.call("").path(&path).header("Content-Digest", &digest).body(body).send().await;
    let seconds = began.elapsed().as_secs();
    // What comes next waits for the disk, whose time can't be stopped.
    tokio::time::resume();
    (seconds, answer.status)
}

#[tokio::test]
async fn a_file_may_take_as_long_as_its_bytes_need_at_the_least_pace_and_no_longer() {
    let (seconds, status) = seconds_of_upload(Trickle::body(17 * 1024, 50)).await;
    // The clock stands still only once the request begins.
    assert!(status == 400 && (49..=50).contains(&seconds), "{seconds} {status}");
    let (seconds, status) = seconds_of_upload(Trickle::body(1024, usize::MAX)).await;
    assert!(status == 408 && seconds <= 10, "{seconds} {status}");
    assert_eq!(seconds_of_upload(endless()).await.1, 408);
}
