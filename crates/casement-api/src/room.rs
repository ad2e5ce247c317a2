//! Whether the system takes more for a client, asked before an answer is made rather than found out with it.

use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// A stream that tells whether the system has room for what is written next.
pub trait Room {
    /// Waits until there is room.
    ///
    /// # Errors
    /// The connection is broken.
    fn poll_room(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Room for TcpStream {
    fn poll_room(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // What the runtime knows is what the last write gave; the system is asked, and the runtime told when it has none.
            ready!(self.poll_write_ready(context))?;
            match self.try_io(Interest::WRITABLE, || has_room(self)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                asked => return Poll::Ready(asked),
            }
        }
    }
}

impl<S: Room> Room for TlsStream<S> {
    fn poll_room(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_ref().0.poll_room(context)
    }
}

impl Room for UnixStream {
    /// The control socket has one client at a time, of the same user.
    fn poll_room(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
impl Room for tokio::io::DuplexStream {
    fn poll_room(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn has_room(stream: &TcpStream) -> io::Result<()> {
    let mut asked = [PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut asked, Some(&now))? == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;
    use crate::limits;
    use crate::server::listen;

    /// A connection over the loopback whose client has read nothing yet.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    /// Writes until the system takes no more; gives how much that was.
    async fn fill(stream: &mut TcpStream) -> usize {
        let piece = vec![b'x'; limits::ROOM_BYTES];
        let mut count = 0;
        while let Ok(written) = timeout(Duration::from_millis(200), stream.write(&piece)).await {
            count += written.unwrap();
        }
        count
    }

    #[tokio::test]
    async fn there_is_room_until_the_client_does_not_read_and_again_when_it_has_read() {
        let (mut client, mut server) = pair().await;
        poll_fn(|context| server.poll_room(context)).await.unwrap();
        let count = fill(&mut server).await;
        let none = timeout(Duration::from_millis(100), poll_fn(|context| server.poll_room(context))).await;
        assert!(none.is_err(), "the client has read nothing");
        let reading =
            tokio::spawn(async move { client.read_exact(&mut vec![0; count]).await.map(|_| client) });
        poll_fn(|context| server.poll_room(context)).await.unwrap();
        let _client = reading.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_has_ended_does_not_wait_for_room() {
        let (client, mut server) = pair().await;
        fill(&mut server).await;
        client.set_zero_linger().unwrap();
        drop(client);
        let _ = timeout(Duration::from_secs(10), poll_fn(|context| server.poll_room(context))).await.unwrap();
    }

    #[tokio::test]
    async fn the_system_keeps_little_for_a_client_that_does_not_read() {
        let (_client, server) = pair().await;
        let own = limits::UNSENT_BYTES_IN_SYSTEM;
        assert_eq!(socket2::SockRef::from(&server).tcp_notsent_lowat().unwrap(), own);
    }
}
