//! The end of a server: connections without a request end at once, the others with the request that they are at.

use std::future::Future;

use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown, Watcher};
use tokio::sync::watch;

use crate::limits;

/// Ends the connections of a server.
#[derive(Debug)]
pub(crate) struct Drain {
    graceful: GracefulShutdown,
    begin: watch::Sender<()>,
}

/// What a connection knows of the end of its server.
#[derive(Debug)]
pub(crate) struct Drained {
    watcher: Watcher,
    begun: watch::Receiver<()>,
}

impl Drain {
    /// Begins a server.
    pub(crate) fn new() -> Self {
        Self { graceful: GracefulShutdown::new(), begin: watch::Sender::new(()) }
    }

    /// Lets a connection know when the server ends.
    pub(crate) fn connection(&self) -> Drained {
        Drained { watcher: self.graceful.watcher(), begun: self.begin.subscribe() }
    }

    /// Ends all connections; gives whether each had the time for the request that it was at.
    pub(crate) async fn end(self) -> bool {
        drop(self.begin);
        tokio::time::timeout(limits::DRAIN_TIMEOUT, self.graceful.shutdown()).await.is_ok()
    }
}

impl Drained {
    /// Waits for what comes before the next request. `None`: the server ends.
    pub(crate) async fn before_requests<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.begun() => None,
            done = work => Some(done),
        }
    }

    /// Waits until the server ends.
    pub(crate) async fn begun(&mut self) {
        // The sender never sends; it goes away.
        let _ = self.begun.changed().await;
    }

    /// Runs a connection to its end, or to the end of the request that it is at when the server ends.
    pub(crate) fn watch<C: GracefulConnection>(self, connection: C) -> impl Future<Output = C::Output> {
        self.watcher.watch(connection)
    }
}
