//! Watching a case: agents who follow it without having it.

use super::Case;
use super::update::check_changeable;
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::limits;
use crate::version::Versioned;
use crate::workspace::Workspace;
use crate::workspace::entries::Agent;

/// What shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// The agent watches the case.
    Begin,
    /// The agent does not.
    End,
}

/// Who shall watch a case, or not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The agent by the id of the profile or of the person, or [`ME`].
    pub agent: String,
    /// What shall be.
    pub watching: Watching,
}

/// How the acting user is named.
pub const ME: &str = "me";

/// Decides who watches a case. `Ok(None)`: it is so already.
///
/// # Errors
/// There is no such agent, the case has as many watchers as one may have, or it can't change.
pub fn watch_case(
    workspace: &Workspace,
    actor: &Actor,
    before: &Versioned<Case>,
    command: &Watch,
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = Faults::new();
    let stored = &before.value;
    let Some(agent) = find(workspace, actor, &command.agent) else {
        faults.add(FaultKind::NotFound, Key::Watcher, "there is no such agent");
        return Err(faults);
    };
    let is_watching = stored.watchers.contains(&agent.id);
    let mut after = stored.clone();
    let event = match command.watching {
        Watching::Begin if is_watching => return Ok(None),
        Watching::End if !is_watching => return Ok(None),
        Watching::Begin => {
            if !agent.active {
                faults.add(FaultKind::Unprocessable, Key::Watcher, "the agent is switched off");
            }
            if stored.watchers.len() >= limits::WATCHERS_MAX {
                let message =
                    format!("the case has {} watchers already, which is the most", limits::WATCHERS_MAX);
                faults.add(FaultKind::Unprocessable, Key::Watcher, message);
            }
            after.watchers.push(agent.id.clone());
            "case.watched"
        }
        Watching::End => {
            after.watchers.retain(|watcher| *watcher != agent.id);
            "case.unwatched"
        }
    };
    check_changeable(stored, &after.item, &mut faults);
    after.item.touch(actor, now);
    let record =
        RecordChange { before: Some(before.clone().map(Record::Case)), after: Record::Case(after), event };
    faults.or(Some(Change { records: vec![record] }))
}

fn find<'a>(workspace: &'a Workspace, actor: &Actor, named: &str) -> Option<&'a Agent> {
    if named == ME {
        return workspace.agent_of_user(&actor.id);
    }
    let by_id = |agent: &&Agent| agent.id.as_str() == named || agent.user.as_str() == named;
    workspace.agents.iter().find(by_id)
}
