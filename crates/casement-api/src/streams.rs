//! A connection of HTTP/2: its limits, and how it ends when it is idle or the server ends.
//!
//! One that is idle is told so (GOAWAY) before its stream ends it: a client then knows that what it sends from now on is not
//! carried out, and sends it by another connection.

use std::pin::pin;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::TimedStream;
use crate::drain::Drained;
use crate::limits;
use crate::room::Room;
use crate::server::Answers;

/// Serves a connection of HTTP/2.
pub(crate) async fn serve<S>(stream: TimedStream<S>, answers: Answers, mut drained: Drained)
where
    S: AsyncRead + AsyncWrite + Room + Unpin + Send + 'static,
{
    let activity = answers.activity.clone();
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits::HTTP2_STREAMS_MAX)
            .max_header_list_size(limits::HTTP2_HEADER_LIST_BYTES_MAX)
            .max_pending_accept_reset_streams(limits::HTTP2_RESETS_MAX)
            .max_local_error_reset_streams(limits::HTTP2_RESETS_MAX)
            .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(limits::HTTP2_SEND_BUFFER_BYTES)
            .keep_alive_interval(limits::HTTP2_PING_INTERVAL)
            .keep_alive_timeout(limits::HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), answers)
    );
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = drained.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = activity.is_idle_for(limits::HTTP2_IDLE_TIMEOUT) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use bytes::Bytes;
    use http_body_util::{BodyExt, Empty};
    use hyper::Request;
    use hyper::client::conn::http2::{Builder, SendRequest};
    use tokio::io::duplex;
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::drain::Drain;
    use crate::server::{Remote, connection};

    type Client = (SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>);

    async fn served(drain: &Drain) -> Client {
        let (client, server) = duplex(64 * 1024);
        let slow = get(async || sleep(limits::HANDLER_TIMEOUT).await);
        let router = Router::new().route("/", get(async || "whole")).route("/slow", slow);
        tokio::spawn(connection(server, Remote::default(), router, drain.connection()));
        let mut builder = Builder::new(TokioExecutor::new());
        // The client stays as it is: whatever ends the connection, the server did it.
        let (sender, connection) =
            builder.timer(TokioTimer::new()).handshake(TokioIo::new(client)).await.unwrap();
        (sender, tokio::spawn(connection))
    }

    async fn ask(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> hyper::Result<Bytes> {
        let request = Request::get(format!("http://a{path}")).body(Empty::new()).unwrap();
        Ok(sender.send_request(request).await?.into_body().collect().await?.to_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_told_that_it_ends_though_its_client_answers_pings() {
        let drain = Drain::new();
        let (mut sender, connection) = served(&drain).await;
        assert_eq!(ask(&mut sender, "/").await.unwrap(), "whole");
        let began = Instant::now();
        assert!(connection.await.unwrap().is_ok(), "it ends in order");
        let time = began.elapsed();
        assert!((limits::HTTP2_IDLE_TIMEOUT..limits::IDLE_TIMEOUT).contains(&time), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_a_request_now_and_then_does_not_end() {
        let drain = Drain::new();
        let (mut sender, connection) = served(&drain).await;
        for path in ["/", "/slow"].repeat(6) {
            ask(&mut sender, path).await.unwrap();
            sleep(limits::HTTP2_IDLE_TIMEOUT - Duration::from_secs(1)).await;
        }
        assert!(!connection.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_at_work_when_its_server_ends_is_answered() {
        let drain = Drain::new();
        let (mut sender, connection) = served(&drain).await;
        ask(&mut sender, "/").await.unwrap();
        let asking = tokio::spawn(async move { ask(&mut sender, "/slow").await });
        sleep(Duration::from_secs(1)).await;
        assert!(drain.end().await);
        assert!(asking.await.unwrap().is_ok());
        assert!(connection.await.unwrap().is_ok());
    }
}
