//! The writers: tasks that commit what is queued, each on a connection of its own, one workspace at one of them.
//!
//! What arrives for a workspace while one of its batches is on its way goes together into the next. A connection that is
//! lost is made again; what became of its batch is found out before anybody is answered.

use std::iter::zip;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::document::NewWorkspace;
use crate::error::{CommitError, StoreError};
use crate::feed::CommittedSet;
use crate::heads;
use crate::limits;
use crate::measure;
use crate::postgres::connect::Purpose;
use crate::postgres::engine::Shared;
use crate::postgres::link::Link;
use crate::postgres::outcome::{self, Found, Marks};
use crate::postgres::writing::{self, Attempt, Outcomes};
use crate::queue::{Batch, Work, WorkspaceReply};
use crate::set::WriteSet;

/// One writer.
struct Writer {
    shared: Arc<Shared>,
    feed: mpsc::Sender<Vec<CommittedSet>>,
    link: Option<Link>,
}

/// What is known of a batch once it is over.
struct Ended {
    outcomes: Outcomes,
    /// Where the log ends by it, if anything was written.
    head: Option<heads::Head>,
}

/// Commits until the queue is closed and empty. Begins with a connection that is counted among those that are up, or with
/// none.
pub(crate) async fn run(shared: Arc<Shared>, feed: mpsc::Sender<Vec<CommittedSet>>, link: Option<Link>) {
    let mut writer = Writer { shared, feed, link };
    while writer.connect().await {
        let Some(link) = &writer.link else { continue };
        let shared = Arc::clone(&writer.shared);
        let work = tokio::select! {
            biased;
            work = shared.queue.take_free() => work,
            () = link.ended() => {
                writer.lose("the database server has ended the connection".into());
                continue;
            }
        };
        match work {
            Some(Work::Sets(batch)) => writer.commit(batch).await,
            Some(Work::Workspace(workspace, reply)) => writer.create_workspace(&workspace, reply).await,
            Some(Work::Journal(_, reply)) => {
                // The caller may have gone away; then nobody needs the answer.
                let _ = reply.send(Err(StoreError::Refused(limits::NO_BACKUP.into())));
                shared.queue.release("");
            }
            None => return,
        }
    }
}

impl Writer {
    /// Has a connection, and tries until it has; `false` once the store is closed.
    async fn connect(&mut self) -> bool {
        let mut wait = limits::RECONNECT_WAIT_MIN;
        loop {
            if self.is_connected() {
                return true;
            }
            if self.link.is_some() {
                self.lose("the connection to the database is lost".into());
            }
            match self.shared.target.link(&Purpose::Write, self.shared.generation()).await {
                Ok(link) => {
                    self.gain(link);
                    return true;
                }
                Err(error) => {
                    if self.shared.writers_up.load(Ordering::Acquire) == 0 {
                        self.shared.queue.lose(error.to_string());
                    }
                }
            }
            if self.shared.is_closed() || self.shared.queue.is_closed() {
                return false;
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = self.shared.closed() => return false,
            }
            wait = (wait * 2).min(limits::RECONNECT_WAIT_MAX);
        }
    }

    /// Tells whether there is a connection to the server that took writes when it was asked last.
    fn is_connected(&self) -> bool {
        let generation = self.shared.generation();
        self.link.as_ref().is_some_and(|link| link.is_usable() && link.generation >= generation)
    }

    fn gain(&mut self, link: Link) {
        self.link = Some(link);
        if self.shared.writers_up.fetch_add(1, Ordering::AcqRel) == 0 {
            tracing::info!("the database takes writes again");
        }
        self.shared.queue.recover();
    }

    fn lose(&mut self, reason: String) {
        if self.link.take().is_some() && self.shared.writers_up.fetch_sub(1, Ordering::AcqRel) == 1 {
            tracing::warn!(reason, "no connection to the database takes writes");
            self.shared.queue.lose(reason);
        }
    }

    async fn commit(&mut self, batch: Batch) {
        let Batch { sets, replies } = batch;
        let Some(workspace) = sets.first().map(|set| set.workspace.clone()) else { return };
        let began = Instant::now();
        self.shared.moves.begin(&workspace);
        let ended = if self.feed.is_closed() {
            let reason = "the consumer of the commit feed is gone; nothing was written".to_owned();
            self.shared.queue.fail("the consumer of the commit feed is gone; restart the server".into());
            Err(CommitError::Unavailable(reason))
        } else {
            self.write(&workspace, &sets, began + limits::BATCH_WAIT).await
        };
        match ended {
            Ok(Ended { outcomes, head }) => {
                let mut committed = Vec::with_capacity(sets.len());
                let missed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
                for ((set, reply), outcome) in zip(zip(sets, replies), outcomes) {
                    match outcome {
                        Ok(outcome) => committed.push(CommittedSet::new(set, outcome, reply)),
                        // The caller may have gone away; then nobody needs the answer.
                        Err(error) => drop(reply.send(Err(error))),
                    }
                }
                measure::committed(committed.len(), missed, began.elapsed());
                self.tell(&workspace, committed, head).await;
            }
            Err(error) => {
                for reply in replies {
                    // As above.
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
        self.shared.moves.end(&workspace);
        self.shared.queue.release(&workspace);
    }

    /// Hands committed sets to the feed, and lets other nodes know.
    async fn tell(&self, workspace: &str, committed: Vec<CommittedSet>, head: Option<heads::Head>) {
        if committed.is_empty() {
            return;
        }
        // A batch that can't be handed over is dropped, and so its callers learn that the outcome is unknown.
        if self.feed.send(committed).await.is_err() {
            self.shared.queue.fail("the consumer of the commit feed is gone; restart the server".into());
        }
        if let Some(head) = head {
            self.shared.moves.committed(workspace, head);
            self.shared.untold.note(workspace, head);
        }
    }

    /// Writes a batch, however many connections it takes, until a moment.
    async fn write(
        &mut self,
        workspace: &str,
        sets: &[WriteSet],
        until: Instant,
    ) -> Result<Ended, CommitError> {
        loop {
            let link = self.connected(until).await?;
            let reason = match writing::write_sets(link, sets).await {
                Attempt::Done(outcomes, head) => {
                    return Ok(Ended { outcomes, head: head.as_ref().map(head_of) });
                }
                Attempt::Nothing(error) => error,
                Attempt::Unknown { former, outcomes, head, reason } => {
                    measure::unanswered();
                    tracing::warn!(reason, "a commit was not answered; its outcome is looked for");
                    let marks = Marks::of(sets, &outcomes);
                    match self.find(workspace, former, &marks, until).await {
                        Ok(Found::Committed) => {
                            return Ok(Ended { outcomes, head: Some(head_of(&head)) });
                        }
                        Ok(Found::Nothing) => StoreError::Unreachable(reason),
                        Err(error) => {
                            return Err(CommitError::OutcomeUnknown(format!("{reason}; {error}")));
                        }
                    }
                }
            };
            if Instant::now() + limits::RECONNECT_WAIT_MAX >= until {
                return Err(CommitError::Unavailable(reason.to_string()));
            }
            tracing::debug!(error = %reason, "a batch was not written and is tried again");
            sleep(limits::RECONNECT_WAIT_MIN).await;
        }
    }

    async fn find(
        &mut self,
        workspace: &str,
        former: u64,
        marks: &Marks<'_>,
        until: Instant,
    ) -> Result<Found, CommitError> {
        // The connection may wait for its standby still, or be one to a server that was replaced.
        self.lose("the connection to the database is lost".into());
        loop {
            let link = self.connected(until).await?;
            let error = match timeout_at(until, outcome::find(link, workspace, former, marks)).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => error,
                Err(_) => StoreError::Unreachable("the database server has not answered in time".into()),
            };
            // The transaction of the question may be open still.
            link.give_up();
            if Instant::now() >= until {
                return Err(CommitError::OutcomeUnknown(error.to_string()));
            }
            sleep(limits::RECONNECT_WAIT_MIN).await;
        }
    }

    /// Gives a connection, made anew where it is lost, within the time.
    async fn connected(&mut self, until: Instant) -> Result<&Link, CommitError> {
        let mut wait: Duration = limits::RECONNECT_WAIT_MIN;
        while !self.is_connected() {
            self.lose("the connection to the database is lost".into());
            let target = &self.shared.target;
            let made = timeout_at(until, target.link(&Purpose::Write, self.shared.generation())).await;
            let error = match made {
                Ok(Ok(link)) => {
                    self.gain(link);
                    break;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the database can't be reached".to_owned(),
            };
            if Instant::now() + wait >= until {
                return Err(CommitError::Unavailable(error));
            }
            sleep(wait).await;
            wait = (wait * 2).min(limits::RECONNECT_WAIT_MAX);
        }
        self.link.as_ref().ok_or_else(|| CommitError::Unavailable("the database can't be reached".into()))
    }

    async fn create_workspace(&mut self, workspace: &NewWorkspace, reply: WorkspaceReply) {
        let until = Instant::now() + limits::BATCH_WAIT;
        let answer = loop {
            let link = match self.connected(until).await {
                Ok(link) => link,
                Err(error) => break Err(StoreError::Unavailable(error.to_string())),
            };
            match writing::write_workspace(link, workspace).await {
                Ok(true) => break Ok(()),
                Ok(false) => {
                    break Err(StoreError::Refused(format!(
                        "workspace {} exists with another account or organisation",
                        workspace.id
                    )));
                }
                Err(error) if Instant::now() + limits::RECONNECT_WAIT_MAX >= until => break Err(error),
                Err(_) => sleep(limits::RECONNECT_WAIT_MIN).await,
            }
        };
        // The caller may have gone away; then nobody needs the answer.
        let _ = reply.send(answer);
        self.shared.queue.release(&workspace.id);
    }
}

fn head_of(head: &crate::decide::Head) -> heads::Head {
    heads::Head { sequence: head.sequence, config_version: head.config_version }
}
