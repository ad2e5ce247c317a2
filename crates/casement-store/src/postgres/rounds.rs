//! Fresh reads: rounds that ask where all logs end, each shared by all who asked before it was sent.
//!
//! A round first asks and then commits something small on the same connection. The commit comes after what was seen in the
//! server's log, so a server whose commits wait for a standby has proved two things: that it is the one that takes the
//! writes, and that nothing that was seen can be lost.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::error::{Health, StoreError};
use crate::heads::{Head, Heads};
use crate::limits;
use crate::measure;
use crate::options::FreshReads;
use crate::postgres::connect::{BEAT, Purpose, explained};
use crate::postgres::engine::Shared;
use crate::postgres::link::Link;

/// Asks where all logs end.
pub(crate) const HEADS: &str = "SELECT id, head, config_version
     FROM workspace";

type Answer = Result<Arc<Heads>, Arc<String>>;

/// Those who wait for the next round.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    waiting: Mutex<Vec<oneshot::Sender<Answer>>>,
    asked: Notify,
}

impl Rounds {
    /// Waits for a round that is sent after this call.
    pub(crate) async fn join(&self) -> Result<Arc<Heads>, StoreError> {
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        self.asked.notify_one();
        match tokio::time::timeout(limits::ROUND_WAIT, answer).await {
            Ok(Ok(Ok(heads))) => Ok(heads),
            Ok(Ok(Err(reason))) => Err(StoreError::Unreachable(reason.to_string())),
            Ok(Err(_)) => Err(StoreError::Unavailable("it has been closed".into())),
            Err(_) => Err(StoreError::Unreachable("the database has not answered in time".into())),
        }
    }

    fn take(&self) -> Vec<oneshot::Sender<Answer>> {
        mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends rounds, one at a time, until the store is closed.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut link: Option<Link> = None;
    // Workspaces whose log ended before what was told, with how far that was: a batch may have been told in between.
    let mut suspects: HashMap<String, u64> = HashMap::new();
    loop {
        tokio::select! {
            () = shared.rounds.asked.notified() => {}
            () = shared.closed() => return,
        }
        if link.as_ref().is_some_and(|link| !link.is_usable()) {
            // Whoever reads must not go on with a server that may have been replaced.
            link = None;
            shared.next_generation();
        }
        let connected = match link.take() {
            Some(link) => Ok(link),
            None => shared.target.link(&Purpose::Rounds, shared.generation()).await,
        };
        // All who asked by now are answered by what is sent from here on.
        let waiting = shared.rounds.take();
        let answer = match connected {
            Ok(connected) => {
                let began = Instant::now();
                let asked = ask(&connected, shared.fresh_reads).await;
                measure::round(began.elapsed());
                let judged = asked.and_then(|heads| judge(&shared, &mut suspects, heads));
                match &judged {
                    Ok(_) => link = Some(connected),
                    // Nor must whoever reads go on with that server.
                    Err(_) => shared.next_generation(),
                }
                judged
            }
            Err(error) => Err(error),
        };
        let answer = answer.map(Arc::new).map_err(|error| Arc::new(error.to_string()));
        if let Ok(heads) = &answer {
            shared.moves.seen_all(heads);
        }
        for waiting in waiting {
            // A reader that has gone away needs no answer.
            let _ = waiting.send(answer.clone());
        }
    }
}

async fn ask(link: &Link, fresh_reads: FreshReads) -> Result<Heads, StoreError> {
    let asked = async {
        let heads = link.statement(HEADS).await?;
        let rows = match fresh_reads {
            FreshReads::Plain => link.client.query(&heads, &[]).await?,
            FreshReads::Commit => {
                let beat = link.statement(BEAT).await?;
                let (rows, beaten) =
                    tokio::join!(biased; link.client.query(&heads, &[]), link.client.execute(&beat, &[]));
                beaten?;
                rows?
            }
        };
        Ok::<_, tokio_postgres::Error>(rows)
    };
    link.take_warning();
    let rows = match tokio::time::timeout(limits::ROUND_WAIT, asked).await {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => return Err(explained(&error)),
        Err(_) => return Err(StoreError::Unreachable("the database has not answered in time".into())),
    };
    if link.take_warning() {
        return Err(StoreError::Unreachable("the database server has ended the wait for its standby".into()));
    }
    Ok(heads_of(&rows))
}

/// Reads the rows of [`HEADS`].
pub(crate) fn heads_of(rows: &[tokio_postgres::Row]) -> Heads {
    let each = rows.iter().map(|row| {
        let (sequence, config_version): (i64, i64) = (row.get(1), row.get(2));
        let head =
            Head { sequence: sequence.cast_unsigned(), config_version: config_version.cast_unsigned() };
        (row.get(0), head)
    });
    Heads { by_workspace: each.collect() }
}

/// Holds the heads against what this node was told before: a log never gets shorter. A server that has proved that it takes
/// the writes lacks acknowledged changes then, and what is in memory belongs to no log. One that has not proved it may have
/// been replaced: its connection is given up.
fn judge(shared: &Shared, suspects: &mut HashMap<String, u64>, heads: Heads) -> Result<Heads, StoreError> {
    let lost = suspects.iter().find(|(workspace, told)| heads.of(workspace).sequence < **told);
    let Some((workspace, told)) = lost else {
        *suspects = shared.moves.ahead_of(&heads).into_iter().collect();
        return Ok(heads);
    };
    let now = heads.of(workspace).sequence;
    match shared.fresh_reads {
        FreshReads::Plain => Err(StoreError::Unreachable(format!(
            "the log of workspace {workspace} ended at {told}, and a server says {now}: it was replaced by another"
        ))),
        FreshReads::Commit => {
            let reason = format!(
                "the log of workspace {workspace} ended at {told} and now ends at {now}: the database was replaced by one \
                 that lacks acknowledged changes (a standby that no commit waited for, or a restored backup). Restart the \
                 server when that is meant"
            );
            match shared.queue.health() {
                Health::RestartRequired { .. } => {}
                Health::Ready | Health::Full { .. } | Health::Unreachable { .. } => {
                    tracing::error!(reason, "the database has lost changes");
                }
            }
            shared.queue.fail(reason.clone());
            Err(StoreError::Unusable(reason))
        }
    }
}
