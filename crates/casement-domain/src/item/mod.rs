//! The work item: what cases and tasks have in common, and the rules over it.

pub mod assignment;
pub mod change;
pub mod due;
pub mod fields;
pub mod identity;
pub mod input;
pub mod merge;
pub mod new;
pub mod plain;
pub mod transfer;
pub mod undo;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::actor::Actor;
use crate::customer::CustomerSnapshot;
use crate::date::Moment;
use crate::id::{AgentId, FieldId, PriorityId, QueueId, StatusId};
use crate::workspace::Workspace;
use crate::workspace::entries::Category;

/// What cases and tasks have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkItem {
    /// The title, trimmed, 1 to 512 characters.
    pub name: String,
    /// The description, up to 64 KiB.
    pub description: String,
    /// Up to 100 tags.
    pub tags: Vec<String>,
    /// The customer as the request told.
    pub customer: CustomerSnapshot,
    /// Related sessions.
    pub session_ids: Vec<String>,
    /// Related conversations.
    pub conversation_ids: Vec<String>,
    /// Its status.
    pub status: StatusId,
    /// Its priority.
    pub priority: PriorityId,
    /// Where it came from, such as `rtm` or `email`.
    pub source: String,
    /// The values of custom fields. They stay when the template changes.
    pub field_values: BTreeMap<FieldId, Value>,
    /// Who has it.
    pub assignment: Assignment,
    /// Who has or had it, oldest first; at most [`crate::limits::PARTICIPANTS_MAX`].
    pub participants: Vec<Participant>,
    /// False when it is deleted: kept, restorable, not listed.
    pub active: bool,
    /// Kept as sent.
    pub attachments: Vec<Value>,
    /// Kept as sent.
    pub feedback: Vec<Value>,
    /// Kept as sent.
    pub resolution_comments: Vec<Value>,
    /// The channels used.
    pub channels: Vec<String>,
    /// When it is due.
    pub due: Option<Moment>,
    /// Whether the due date passed while it was unresolved.
    pub breached: bool,
    /// Who made it.
    pub created_by: Actor,
    /// When it was made.
    pub created_at: Moment,
    /// Who changed it last.
    pub updated_by: Actor,
    /// When it changed last; strictly increasing.
    pub updated_at: Moment,
    /// What was noted at the last transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferNote>,
}

/// What somebody noted who handed a work item over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferNote {
    /// The note.
    pub note: String,
    /// When.
    pub at: Moment,
}

impl WorkItem {
    /// Marks an accepted change: who made it, and a moment later than the last one's.
    pub fn touch(&mut self, actor: &Actor, now: Moment) {
        self.updated_by = actor.clone();
        self.updated_at = now.max(self.updated_at.plus_ms(1));
    }

    /// Tells whether work on it is over.
    pub fn is_over(&self, workspace: &Workspace) -> bool {
        workspace.category(&self.status).is_over()
    }

    /// Tells whether it is closed.
    pub fn is_closed(&self, workspace: &Workspace) -> bool {
        workspace.category(&self.status) == Category::Closed
    }
}

/// Who has a work item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Assignment {
    /// The agent who has it.
    pub agent: Option<AgentId>,
    /// The queues that it is in.
    pub queues: Vec<QueueId>,
}

/// What sort of assignee a work item has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeKind {
    /// Nobody and no queue.
    Unassigned,
    /// At least one queue, no agent.
    Queues,
    /// An agent, perhaps in queues too.
    Agent,
}

impl Assignment {
    /// Gives the sort of assignee.
    pub fn kind(&self) -> AssigneeKind {
        if self.agent.is_some() {
            AssigneeKind::Agent
        } else if self.queues.is_empty() {
            AssigneeKind::Unassigned
        } else {
            AssigneeKind::Queues
        }
    }
}

/// One turn of an agent at a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The agent.
    pub agent: AgentId,
    /// Whether the turn goes on.
    pub active: bool,
    /// When it began.
    pub assigned_at: Moment,
}
