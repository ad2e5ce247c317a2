//! The accept loop: connections within limits, TLS, HTTP/1.1 and HTTP/2, and a stop that lets open requests end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::client::Peer;
use crate::connection::{Activity, TimedStream};
use crate::drain::{Drain, Drained};
use crate::limits;
use crate::measure;
use crate::places::{Place, Places};
use crate::tls::Tls;

/// How long the loop rests when the system has no room for another connection.
pub(crate) const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How connections are served.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Connections at once; further ones are closed at once.
    pub connections_max: usize,
    /// Connections at once from one address, trusted proxies excepted; further ones are closed at once.
    pub connections_per_address_max: usize,
    /// The proxies that may say who the client is.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The certificate; without one, connections are in the clear.
    pub tls: Option<Tls>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_address_max: limits::CONNECTIONS_PER_ADDRESS_MAX,
            trusted_proxies: Arc::default(),
            tls: None,
        }
    }
}

/// Listens on an address, with room for many clients that come at once.
///
/// # Errors
/// The address is in use, not of this machine, or not allowed.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the former process's connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(limits::LISTEN_BACKLOG)
}

/// Serves connections until `stop` ends, then lets open requests end within a bounded time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServerOptions,
    stop: impl Future<Output = ()>,
) {
    let drain = Drain::new();
    let places = Places::new(&options);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        if let Some((stream, peer, place)) = accepted {
            let (router, tls, mut drained) = (router.clone(), options.tls.clone(), drain.connection());
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        // Boxed, as all that most connections of the moment don't need: a task takes the room of the most
                        // that it may ever hold.
                        let greeting = Box::pin(tls.accept(stream));
                        if let Some(Some(stream)) = drained.before_requests(greeting).await {
                            connection(stream, Some(Peer(peer)), router, drained).await;
                        }
                    }
                    None => connection(stream, Some(Peer(peer)), router, drained).await,
                }
                drop(place);
            });
        }
    }
    drop(listener);
    if !drain.end().await {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

/// Serves the requests of one connection, within its timers. `peer` is whoever is at its other end of the network.
pub(crate) async fn connection<S>(stream: S, peer: Option<Peer>, router: Router, mut drained: Drained)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Activity::default();
    let mut stream = TimedStream::new(stream, activity.clone());
    // Until a head is whole the connection costs little more than what its client has sent.
    match drained.before_requests(stream.first_head()).await {
        Some(Ok(())) => Box::pin(requests(stream, activity, peer, router, drained)).await,
        Some(Err(error)) => tracing::debug!(%error, "a connection ended before its first request"),
        None => {}
    }
}

/// Serves requests from the first one on.
async fn requests<S>(
    stream: TimedStream<S>,
    activity: Activity,
    peer: Option<Peer>,
    router: Router,
    drained: Drained,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        let at_work = activity.begin(request.version());
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        request.extensions_mut().insert(activity.waiting().clone());
        let answering = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let answer = answering.await;
            drop(at_work);
            answer
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The library's own timer counts idle time as if a head were arriving: the stream has better ones.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(limits::HEAD_HEADERS_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX)
        .max_header_list_size(limits::HTTP2_HEADER_LIST_BYTES_MAX)
        .max_pending_accept_reset_streams(limits::HTTP2_RESETS_MAX)
        .max_local_error_reset_streams(limits::HTTP2_RESETS_MAX)
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(limits::HTTP2_SEND_BUFFER_BYTES)
        .keep_alive_interval(limits::HTTP2_PING_INTERVAL)
        .keep_alive_timeout(limits::HEAD_TIMEOUT);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    // A client that goes away or breaks the protocol is no event of ours.
    if let Err(error) = drained.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Accepts a connection; one past a limit is closed at once.
async fn accept(listener: &TcpListener, places: &Places) -> Option<(TcpStream, SocketAddr, Place)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            let Some(place) = places.take(peer.ip()) else {
                measure::connection_refused();
                return None;
            };
            // Answers are written whole: waiting for more would only add latency.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
            None
        }
    }
}
