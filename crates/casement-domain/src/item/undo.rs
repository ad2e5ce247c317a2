//! Undoing a change: what it changed is taken back from what is stored now, as a merge of three versions; what others
//! changed since stays.

use super::WorkItem;
use crate::fault::{FaultKind, Faults, Key};
use crate::workspace::Workspace;

/// The two versions of a document around the change that is undone.
#[derive(Debug, Clone, Copy)]
pub struct Undone<'a, T> {
    /// Before the change.
    pub former: &'a T,
    /// After it.
    pub made: &'a T,
}

/// Refuses to bring back what the configuration no longer lets documents take.
pub fn check_usable(before: &WorkItem, after: &WorkItem, workspace: &Workspace, faults: &mut Faults) {
    let mut refuse = |key: Key, what: &str, name: &str| {
        faults.add(FaultKind::Unprocessable, key, format!("the {what} {name:?} is switched off"));
    };
    if after.status != before.status
        && let Some(status) = workspace.status(&after.status).filter(|status| !status.is_usable())
    {
        refuse(Key::Status, "status", &status.name);
    }
    if after.priority != before.priority
        && let Some(priority) = workspace.priority(&after.priority).filter(|priority| !priority.is_usable())
    {
        refuse(Key::Priority, "priority", &priority.name);
    }
    if after.assignment.agent != before.assignment.agent
        && let Some(agent) = after.assignment.agent.as_ref().and_then(|id| workspace.agent(id))
        && !agent.active
    {
        refuse(Key::Assignee, "agent", &agent.name);
    }
    for id in after.assignment.queues.iter().filter(|id| !before.assignment.queues.contains(id)) {
        if let Some(queue) = workspace.queue(id).filter(|queue| !queue.active) {
            refuse(Key::Queues, "queue", &queue.name);
        }
    }
}
