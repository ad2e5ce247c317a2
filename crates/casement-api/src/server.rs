//! The accept loop: connections within limits, and a stop that lets open requests end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::{Phase, PhaseCell, TimedStream};
use crate::limits;

/// How long the loop rests when the system has no room for another connection.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// Serves connections until `stop` ends, then lets open requests end within a bounded time.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        if let Some((stream, place)) = accepted {
            let connection = graceful.watch(connection(stream, router.clone()));
            tokio::spawn(async move {
                // A client that goes away or breaks the protocol is no event of ours.
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(place);
            });
        }
    }
    drop(listener);
    if tokio::time::timeout(limits::DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

/// Serves the requests of one connection, within its timers.
fn connection(stream: TcpStream, router: Router) -> impl GracefulConnection<Error = hyper::Error> {
    let phase = PhaseCell::default();
    let stream = TimedStream::new(stream, phase.clone());
    let service = service_fn(move |request| {
        phase.begin(Phase::Work);
        let phase = phase.clone();
        let answering = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let answer = answering.await;
            phase.begin(Phase::Idle);
            answer
        }
    });
    // The library's own timer counts idle time as if a head were arriving: the stream has better ones.
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_headers(limits::HEAD_HEADERS_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX);
    builder.serve_connection(TokioIo::new(stream), service)
}

/// Accepts a connection; one past the limit is closed at once.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    match listener.accept().await {
        Ok((stream, _)) => {
            let place = Arc::clone(places).try_acquire_owned().ok()?;
            // Answers are written whole: waiting for more would only add latency.
            let _ = stream.set_nodelay(true);
            Some((stream, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
            None
        }
    }
}
