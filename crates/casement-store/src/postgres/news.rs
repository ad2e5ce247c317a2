//! What other nodes commit: notifications as hints, a poll as the safety net; and this node's own notifications.
//!
//! A notification is sent after the commit and on this connection: within the transaction it would take a lock that all
//! commits of the server share.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::error::StoreError;
use crate::heads::Head;
use crate::limits;
use crate::postgres::connect::Purpose;
use crate::postgres::engine::Shared;
use crate::postgres::link::Link;
use crate::postgres::rounds::{HEADS, heads_of};

/// Sends one notification for each text.
const NOTIFY: &str = "SELECT pg_notify('casement', payload)
     FROM unnest($1::TEXT[]) AS payload";

/// What this node has committed and not yet told the others.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    heads: Mutex<BTreeMap<String, Head>>,
    changed: Notify,
}

impl Untold {
    /// Notes a commit.
    pub(crate) fn note(&self, workspace: &str, head: Head) {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).insert(workspace.to_owned(), head);
        self.changed.notify_one();
    }

    fn take(&self) -> BTreeMap<String, Head> {
        mem::take(&mut self.heads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Listens, polls and notifies until the store is closed.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut wait = limits::RECONNECT_WAIT_MIN;
    while !shared.is_closed() {
        let (sender, receiver) = mpsc::channel(limits::NOTIFICATIONS_MAX);
        match shared.target.link(&Purpose::News(sender), shared.generation()).await {
            Ok(link) => {
                wait = limits::RECONNECT_WAIT_MIN;
                if let Err(error) = follow(&shared, &link, receiver).await {
                    tracing::debug!(%error, "the connection for notifications has ended");
                }
            }
            Err(error) => tracing::debug!(%error, "no connection for notifications"),
        }
        tokio::select! {
            () = sleep(wait) => {}
            () = shared.closed() => return,
        }
        wait = (wait * 2).min(limits::RECONNECT_WAIT_MAX);
    }
}

async fn follow(
    shared: &Shared,
    link: &Link,
    mut notified: mpsc::Receiver<String>,
) -> Result<(), StoreError> {
    let mut polls = interval(limits::POLL_PERIOD);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.closed() => return Ok(()),
            _ = polls.tick() => shared.moves.seen_all(&heads_of(&link.query(HEADS, &[]).await?)),
            payload = notified.recv() => match payload {
                Some(payload) => {
                    if let Some((workspace, head)) = read(&payload) {
                        shared.moves.seen(workspace, head);
                    }
                }
                None => return Ok(()),
            },
            () = shared.untold.changed.notified() => {
                let payloads: Vec<String> =
                    shared.untold.take().iter().map(|(workspace, head)| written(workspace, *head)).collect();
                link.query(NOTIFY, &[&payloads]).await?;
                sleep(limits::NOTIFY_PERIOD).await;
            }
        }
    }
}

fn written(workspace: &str, head: Head) -> String {
    format!("{} {} {workspace}", head.sequence, head.config_version)
}

/// Reads a notification; `None`: it is none of ours.
fn read(payload: &str) -> Option<(&str, Head)> {
    let (sequence, rest) = payload.split_once(' ')?;
    let (config_version, workspace) = rest.split_once(' ')?;
    let head = Head { sequence: sequence.parse().ok()?, config_version: config_version.parse().ok()? };
    Some((workspace, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_read_as_it_was_written_and_others_are_left() {
        let head = Head { sequence: 7, config_version: 2 };
        assert_eq!(read(&written("a workspace", head)), Some(("a workspace", head)));
        for other in ["", "7", "7 2", "x 2 w", "7 x w"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
