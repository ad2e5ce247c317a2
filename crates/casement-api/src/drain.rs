//! The end of a server: connections without a request end at once, the others with the request that they are at.

use std::future::Future;

use tokio::sync::watch;

use crate::limits;

/// Ends the connections of a server.
#[derive(Debug)]
pub(crate) struct Drain {
    begin: watch::Sender<bool>,
}

/// What a connection knows of the end of its server, which waits until it is dropped.
#[derive(Debug)]
pub(crate) struct Drained {
    begun: watch::Receiver<bool>,
}

impl Drain {
    /// Begins a server.
    pub(crate) fn new() -> Self {
        Self { begin: watch::Sender::new(false) }
    }

    /// Lets a connection know when the server ends.
    pub(crate) fn connection(&self) -> Drained {
        Drained { begun: self.begin.subscribe() }
    }

    /// Ends all connections; gives whether each had the time for the request that it was at.
    pub(crate) async fn end(self) -> bool {
        self.begin.send_replace(true);
        tokio::time::timeout(limits::DRAIN_TIMEOUT, self.begin.closed()).await.is_ok()
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
        // That the sender is gone without a word is an end, too.
        let _ = self.begun.wait_for(|has_begun| *has_begun).await;
    }
}
