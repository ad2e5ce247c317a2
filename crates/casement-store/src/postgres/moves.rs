//! Which workspaces other nodes have written to, as far as the feed has not told yet.
//!
//! What this node commits itself reaches the feed as sets. While a batch of it is on its way nobody can tell whose a new
//! head is, so what is seen meanwhile is judged when the batch has ended.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::heads::{Head, Heads, MovedWorkspace};

/// What is known of the heads.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Up to where the feed was told of each workspace.
    told: HashMap<String, Head>,
    /// What was seen past that, and waits to be told.
    waiting: BTreeMap<String, Head>,
    /// What was seen while a batch of this node was on its way.
    unjudged: HashMap<String, Head>,
    /// The workspaces that this node writes to at the moment.
    writing: HashSet<String>,
}

impl Moves {
    /// Notes that a batch of this node is about to be written.
    pub(crate) fn begin(&self, workspace: &str) {
        self.state().writing.insert(workspace.to_owned());
    }

    /// Notes that the feed has a batch of this node, up to such a head.
    pub(crate) fn committed(&self, workspace: &str, head: Head) {
        let mut state = self.state();
        raise(state.told.entry(workspace.to_owned()).or_default(), head);
    }

    /// Notes that the batch has ended, however it did.
    pub(crate) fn end(&self, workspace: &str) {
        let mut state = self.state();
        state.writing.remove(workspace);
        if let Some(head) = state.unjudged.remove(workspace) {
            self.judge(state, workspace, head);
        }
    }

    /// Notes where a log ends, whoever wrote it.
    pub(crate) fn seen(&self, workspace: &str, head: Head) {
        let mut state = self.state();
        if state.writing.contains(workspace) {
            raise(state.unjudged.entry(workspace.to_owned()).or_default(), head);
        } else {
            self.judge(state, workspace, head);
        }
    }

    /// Notes where all logs end.
    pub(crate) fn seen_all(&self, heads: &Heads) {
        for (workspace, head) in &heads.by_workspace {
            self.seen(workspace, *head);
        }
    }

    /// Gives the workspaces whose log ends before where the feed was told, with how far that was.
    pub(crate) fn ahead_of(&self, heads: &Heads) -> Vec<(String, u64)> {
        let state = self.state();
        let told = heads.by_workspace.iter().filter_map(|(workspace, head)| {
            let told = state.told.get(workspace)?.sequence;
            (told > head.sequence).then(|| (workspace.clone(), told))
        });
        told.collect()
    }

    /// Waits for a workspace that has moved. Safe to cancel.
    pub(crate) async fn next(&self) -> MovedWorkspace {
        loop {
            let changed = self.changed.notified();
            let (next, more) = {
                let mut state = self.state();
                (state.waiting.pop_first(), !state.waiting.is_empty())
            };
            if more {
                self.changed.notify_one();
            }
            match next {
                Some((workspace, head)) => return MovedWorkspace { workspace, head },
                None => changed.await,
            }
        }
    }

    fn judge(&self, mut state: MutexGuard<'_, State>, workspace: &str, head: Head) {
        let told = state.told.get(workspace).copied().unwrap_or_default();
        if head.sequence <= told.sequence && head.config_version <= told.config_version {
            return;
        }
        raise(state.told.entry(workspace.to_owned()).or_default(), head);
        raise(state.waiting.entry(workspace.to_owned()).or_default(), head);
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn raise(known: &mut Head, head: Head) {
    known.sequence = known.sequence.max(head.sequence);
    known.config_version = known.config_version.max(head.config_version);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(sequence: u64) -> Head {
        Head { sequence, config_version: 1 }
    }

    fn waiting(moves: &Moves) -> Vec<(String, u64)> {
        let state = moves.state();
        state.waiting.iter().map(|(workspace, head)| (workspace.clone(), head.sequence)).collect()
    }

    #[tokio::test]
    async fn what_others_write_is_told_once_and_what_is_older_never() {
        let moves = Moves::default();
        moves.seen("w", head(3));
        moves.seen("w", head(2));
        assert_eq!(moves.next().await, MovedWorkspace { workspace: "w".into(), head: head(3) });
        moves.seen("w", head(3));
        assert_eq!(waiting(&moves), []);
    }

    #[test]
    fn what_is_seen_while_a_batch_is_written_is_judged_after_it() {
        let moves = Moves::default();
        moves.begin("w");
        moves.seen("w", head(5));
        moves.seen("v", head(1));
        assert_eq!(waiting(&moves), [("v".to_owned(), 1)]);
        moves.committed("w", head(5));
        moves.end("w");
        assert_eq!(waiting(&moves), [("v".to_owned(), 1)], "it was the batch itself");
        moves.begin("w");
        moves.committed("w", head(6));
        moves.seen("w", head(8));
        moves.end("w");
        assert_eq!(waiting(&moves), [("v".to_owned(), 1), ("w".to_owned(), 8)]);
    }

    #[test]
    fn a_log_that_ends_before_what_was_told_is_noticed() {
        let moves = Moves::default();
        moves.committed("w", head(9));
        let heads = |sequence| Heads { by_workspace: HashMap::from([("w".to_owned(), head(sequence))]) };
        assert_eq!(moves.ahead_of(&heads(9)), []);
        assert_eq!(moves.ahead_of(&heads(8)), [("w".to_owned(), 9)]);
    }
}
