//! Slow clients of HTTP/2: what each does on one connection with several streams.

use std::convert::Infallible;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use hyper::Request;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::clients::{Shared, TRICKLE};

/// Streams of a connection.
const STREAMS: usize = 8;

/// The bytes of each answer that a client takes which reads slowly.
const READER_WINDOW: u32 = 16;

/// How what a client does ends: with its connection.
type Ended = Result<(), h2::Error>;

/// Sends one request, reads the answer and stays.
pub async fn idle(stream: TcpStream, shared: &Shared) {
    let asking = async |sender: SendRequest<Bytes>| {
        let request = shared.streamed.1.clone();
        let (head, query) = request.into_parts();
        let (answer, mut body) = sender.ready().await?.send_request(Request::from_parts(head, ()), false)?;
        body.send_data(query, true)?;
        let mut body = answer.await?.into_body();
        while let Some(data) = body.data().await {
            body.flow_control().release_capacity(data?.len())?;
        }
        Ok(())
    };
    connected(stream, &Builder::new(), asking).await;
}

/// Sends heads whose bodies come so many bytes at a time; again when the server has refused them.
pub async fn bodies(stream: TcpStream, shared: &Shared, bytes: Bytes) {
    let sending = async |sender: SendRequest<Bytes>| {
        let mut streams = JoinSet::new();
        for _ in 0..STREAMS {
            streams.spawn(body(sender.clone(), shared.streamed.0.clone(), bytes.clone()));
        }
        while shared.comes_again.load(Ordering::Relaxed) {
            tokio::time::sleep(TRICKLE).await;
        }
        streams.shutdown().await;
        Ok(())
    };
    connected(stream, &Builder::new(), sending).await;
}

async fn body(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    bytes: Bytes,
) -> Result<Infallible, h2::Error> {
    loop {
        let (_answer, mut body) = sender.clone().ready().await?.send_request(request.clone(), false)?;
        while body.send_data(bytes.clone(), false).is_ok() {
            tokio::time::sleep(TRICKLE).await;
        }
    }
}

/// Asks for lists and takes next to nothing of them.
pub async fn reader(stream: TcpStream, shared: &Shared) {
    let asking = async |sender: SendRequest<Bytes>| {
        let mut answers = Vec::new();
        for _ in 0..STREAMS {
            let (head, query) = shared.streamed.1.clone().into_parts();
            let head = Request::from_parts(head, ());
            let (answer, mut body) = sender.clone().ready().await?.send_request(head, false)?;
            body.send_data(query, true)?;
            answers.push(answer.await?);
        }
        std::future::pending().await
    };
    connected(stream, Builder::new().initial_window_size(READER_WINDOW), asking).await;
}

/// Does this on a connection until the server ends it.
async fn connected(
    stream: TcpStream,
    builder: &Builder,
    doing: impl AsyncFnOnce(SendRequest<Bytes>) -> Ended,
) {
    let Ok((sender, connection)) = builder.handshake(stream).await else { return };
    let doing = async {
        // An error is the end of the connection, which is what is waited for; so would be the end of the last sender.
        let _ended = doing(sender.clone()).await;
        std::future::pending::<()>().await
    };
    tokio::select! {
        _ended = connection => {}
        () = doing => {}
    }
}
