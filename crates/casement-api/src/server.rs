//! The accept loop: connections within limits, TLS, HTTP/1.1 and HTTP/2, and a stop that lets open requests end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::activity::{Activity, Answering};
use crate::body::LateBody;
use crate::client::Peer;
use crate::connection::{Begins, TimedStream};
use crate::drain::{Drain, Drained};
use crate::held::Held;
use crate::limits;
use crate::measure;
use crate::places::{Place, Places};
use crate::room::Room;
use crate::share::Share;
use crate::sparse::Sparse;
use crate::streams;
use crate::tls::Tls;

/// How long the loop rests when the system has no room for another connection.
pub(crate) const ACCEPT_REST: Duration = Duration::from_millis(50);

/// What hostile clients can make happen any number of times.
static REFUSED_CONNECTIONS: Sparse = Sparse::new();
static REFUSED_HEADS: Sparse = Sparse::new();

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
    #[cfg(target_os = "linux")]
    // Connections have it from here.
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(limits::UNSENT_BYTES_IN_SYSTEM)?;
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
            let remote = Remote { peer: Some(Peer(peer)), share: place.share() };
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        // Boxed, as all that most connections of the moment don't need: a task takes the room of the most
                        // that it may ever hold.
                        let greeting = Box::pin(tls.accept(stream));
                        if let Some(Some(stream)) = drained.before_requests(greeting).await {
                            // Boxed too: its state holds the keys of TLS.
                            Box::pin(connection(stream, remote, router, drained)).await;
                        }
                    }
                    None => connection(stream, remote, router, drained).await,
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

/// Where a connection comes from; nothing of it is known of one that does not come by the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remote {
    /// Its other end.
    pub(crate) peer: Option<Peer>,
    /// What all connections of that address hold together.
    pub(crate) share: Option<Arc<Share>>,
}

/// Serves the requests of one connection, within its timers.
pub(crate) async fn connection<S>(stream: S, remote: Remote, router: Router, mut drained: Drained)
where
    S: AsyncRead + AsyncWrite + Room + Unpin + Send + 'static,
{
    let activity = Activity::of(remote.share.clone());
    let mut stream = TimedStream::new(stream, activity.clone());
    let answers = Answers { activity, remote, router };
    loop {
        // Until a request is whole the connection costs little more than what its client has sent.
        let begins = match drained.before_requests(stream.next_request()).await {
            Some(Ok(begins)) => begins,
            Some(Err(error)) => return tracing::debug!(%error, "a connection ended between requests"),
            // A request whose head has come is served; an answer that is kept is taken.
            None if stream.release() => Begins::Http1,
            None => Begins::End,
        };
        match begins {
            Begins::Http1 => match Box::pin(request(stream, answers.clone(), &mut drained)).await {
                Some(given_back) => stream = given_back,
                None => return,
            },
            Begins::Http2 => return Box::pin(streams::serve(stream, answers, drained)).await,
            Begins::End => return close(stream).await,
        }
    }
}

/// Closes a connection between two requests, so that TLS tells of the end. A client that does not take even that is left.
async fn close<S: AsyncRead + AsyncWrite + Room + Unpin>(mut stream: TimedStream<S>) {
    if let Err(error) = stream.deliver().await {
        return tracing::debug!(%error, "a client did not take its answer");
    }
    if !matches!(timeout(limits::CLOSE_TIMEOUT, stream.shutdown()).await, Ok(Ok(()))) {
        tracing::debug!("a connection could not be closed properly");
    }
}

/// What answers the requests of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pub(crate) activity: Activity,
    remote: Remote,
    router: Router,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let at_work = self.activity.begin(request.version());
        if let Some(peer) = self.remote.peer {
            request.extensions_mut().insert(peer);
        }
        request.extensions_mut().insert(self.activity.waiting().for_request());
        let held = Arc::new(match self.remote.peer {
            Some(_) => Held::body(self.remote.share.clone()),
            None => Held::command_body(),
        });
        request.extensions_mut().insert(Arc::clone(&held));
        if self.activity.take_late() {
            request.extensions_mut().insert(LateBody);
        }
        let (activity, answering) =
            (self.activity.clone(), TowerToHyperService::new(self.router.clone()).call(request));
        // Boxed, so that the library keeps no room for it between two requests.
        Box::pin(async move {
            let answer = answering.await?;
            let answering = activity.answer();
            drop((at_work, held));
            Ok(answer.map(|body| Answer { body, _answering: answering }))
        })
    }
}

/// The body of an answer on its way to the library.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves a request of HTTP/1; gives the connection back when it goes on.
async fn request<S>(stream: TimedStream<S>, answers: Answers, drained: &mut Drained) -> Option<TimedStream<S>>
where
    S: AsyncRead + AsyncWrite + Room + Unpin + Send + 'static,
{
    let peer = answers.remote.peer;
    // The library's own timer counts idle time as if a head were arriving: the stream has better ones.
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(limits::HEAD_HEADERS_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), answers);
    // First the connection: it must have seen the request to answer it before it ends.
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = drained.begun() => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if let Err(error) = ended {
        if error.is_parse() {
            head_refused(peer);
        }
        // A client that goes away or breaks the protocol is no event of ours.
        tracing::debug!(%error, "a connection ended early");
        return None;
    }
    Some(connection.into_parts().io.into_inner()).filter(TimedStream::is_given_back)
}

/// Notes that what came in the place of a request was refused.
fn head_refused(peer: Option<Peer>) {
    measure::head_refused();
    if let (Some(Peer(peer)), Some(count)) = (peer, REFUSED_HEADS.note()) {
        let client = peer.ip();
        tracing::warn!(count, %client, "heads of requests were refused: broken, or to be read in two ways; this is the last one's client");
    }
}

/// Accepts a connection; one past a limit is closed at once.
async fn accept(listener: &TcpListener, places: &Places) -> Option<(TcpStream, SocketAddr, Place)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            let Some(place) = places.take(peer.ip()) else {
                measure::connection_refused();
                if let Some(count) = REFUSED_CONNECTIONS.note() {
                    let client = peer.ip();
                    tracing::warn!(count, %client, "connections were refused: too many at once, or too many of an address; this is the last one's");
                }
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

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use http_body_util::channel::Channel;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::*;
    use crate::drain::Drain;

    /// How long the pieces of an answer are apart.
    const PIECES_APART: Duration = Duration::from_secs(5);

    async fn in_pieces() -> Body {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        tokio::spawn(async move {
            for piece in ["one ", "two ", "three"] {
                tokio::time::sleep(PIECES_APART).await;
                let _ = sender.send_data(Bytes::from(piece)).await;
            }
        });
        Body::new(body)
    }

    fn served() -> (DuplexStream, Drain, tokio::task::JoinHandle<()>) {
        let (client, server) = duplex(64 * 1024);
        let router = Router::new().route("/", get(async || "whole")).route("/pieces", get(in_pieces));
        let router = router.route("/body", post(async |body: String| body));
        let drain = Drain::new();
        let task = tokio::spawn(connection(server, Remote::default(), router, drain.connection()));
        (client, drain, task)
    }

    /// Asks for a path and reads until the answer ends so.
    async fn ask(client: &mut DuplexStream, path: &str, end: &str) -> String {
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with(end) {
            let mut bytes = [0; 1024];
            let count = client.read(&mut bytes).await.unwrap();
            assert!(count > 0, "the connection ended after {answer:?}");
            answer.push_str(std::str::from_utf8(bytes.get(..count).unwrap()).unwrap());
        }
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_answers_one_request_after_the_other() {
        let (mut client, _drain, _task) = served();
        let first = ask(&mut client, "/", "whole").await;
        for _ in 0..3 {
            tokio::time::sleep(limits::IDLE_TIMEOUT / 2).await;
            assert_eq!(ask(&mut client, "/", "whole").await.len(), first.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_sent_at_once_are_answered_in_their_order() {
        let (mut client, _drain, _task) = served();
        let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned();
        let many = [request("/pieces"), request("/").repeat(99), request("/pieces"), last].concat();
        client.write_all(many.as_bytes()).await.unwrap();
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.unwrap();
        assert_eq!(answers.matches("200 OK").count(), 102, "{answers}");
        assert_eq!(answers.matches("whole").count(), 100);
        assert_eq!(answers.matches("three\r\n0\r\n\r\nHTTP/1.1 ").count(), 2, "{answers}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_spoken_http_1_does_not_become_one_of_http_2() {
        let (mut client, _drain, _task) = served();
        ask(&mut client, "/", "whole").await;
        client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_when_its_time_is_over() {
        let (mut client, _drain, _task) = served();
        ask(&mut client, "/", "whole").await;
        let began = tokio::time::Instant::now();
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
        let time = began.elapsed();
        assert!((limits::IDLE_TIMEOUT..limits::IDLE_TIMEOUT + Duration::from_millis(100)).contains(&time));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_whose_pieces_come_late_is_no_idle_connection() {
        let (mut client, _drain, _task) = served();
        let answer = ask(&mut client, "/pieces", "0\r\n\r\n").await;
        assert!(["one ", "two ", "three"].iter().all(|piece| answer.contains(piece)), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_at_once_with_its_server() {
        let (mut client, drain, task) = served();
        ask(&mut client, "/", "whole").await;
        let began = tokio::time::Instant::now();
        assert!(drain.end().await);
        task.await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_body_is_on_its_way_when_its_server_ends_is_answered() {
        let (mut client, drain, _task) = served();
        client.write_all(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        let end = tokio::spawn(drain.end());
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.write_all(b"cde").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("abcde"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(end.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_kept_when_its_server_ends_is_taken() {
        let (mut client, server) = duplex(64);
        let router = Router::new().route("/", get(async || "x".repeat(1000)));
        let drain = Drain::new();
        tokio::spawn(connection(server, Remote::default(), router, drain.connection()));
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let end = tokio::spawn(drain.end());
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with(&"x".repeat(1000)), "{answer}");
        assert!(end.await.unwrap());
    }
}
