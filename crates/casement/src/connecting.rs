//! Waiting for a database server at the start: however long it takes, and with the reason told to whoever asks.

use std::time::Duration;

use casement_api::starting::Front;
use casement_store::error::StoreError;
use casement_store::options::Server;
use casement_store::store::{CommitFeed, Store};

use crate::signals::Stops;

/// The first wait between two attempts to connect; it doubles.
const CONNECT_WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait between two attempts to connect.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(3);

/// Connects to a database server, however long it takes; `None`: told to stop before. Meanwhile the front tells why.
///
/// # Errors
/// The directory is in use, or the address can't be used whatever the server does.
pub async fn connect(
    server: Server,
    mut front: Front,
    stops: &mut Stops,
) -> anyhow::Result<(Option<(Store, CommitFeed)>, Front)> {
    let mut wait = CONNECT_WAIT_MIN;
    let mut told = String::new();
    loop {
        let connected = tokio::select! {
            connected = Store::connect(server.clone()) => connected,
            () = stops.next() => return Ok((None, front)),
        };
        let reason = match connected {
            Ok(opened) => {
                if !told.is_empty() {
                    tracing::info!("the database is there");
                }
                return Ok((Some(opened), front));
            }
            Err(error @ (StoreError::Locked { .. } | StoreError::Io { .. })) => return Err(error.into()),
            Err(error) => error.to_string(),
        };
        if reason != told {
            tracing::warn!(reason, "casement waits for its database and connects when it can");
        }
        front = front.tell(reason.clone());
        told = reason;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stops.next() => return Ok((None, front)),
        }
        wait = (wait * 2).min(CONNECT_WAIT_MAX);
    }
}
