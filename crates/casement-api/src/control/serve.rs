//! Serving the control API on its socket.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use tokio::sync::Semaphore;

use crate::control::socket::ControlSocket;
use crate::drain::Drain;
use crate::limits;
use crate::server::{ACCEPT_REST, Remote, connection};

/// Serves commands until `stop` ends, then lets open ones end within a bounded time. The socket's file is taken away
/// when it stops to listen.
pub async fn serve(socket: ControlSocket, router: Router, stop: impl Future<Output = ()>) {
    let drain = Drain::new();
    let places = Arc::new(Semaphore::new(limits::CONTROL_CONNECTIONS_MAX));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = socket.accept() => accepted,
        };
        match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok(stream), Ok(place)) => {
                let (router, drained) = (router.clone(), drain.connection());
                tokio::spawn(async move {
                    connection(stream, Remote::default(), router, drained).await;
                    drop(place);
                });
            }
            // One too many is closed at once.
            (Ok(_), Err(_)) => {}
            (Err(error), _) => {
                tracing::warn!(%error, "a connection to the control socket could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    drop(socket);
    if !drain.end().await {
        tracing::warn!("some commands did not end in time and are cut off");
    }
}
