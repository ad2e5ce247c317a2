//! The plain entries of the configuration: statuses, priorities, queues and agents. Fields and templates have modules
//! of their own.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, PriorityId, QueueId, StatusId, UserId};

/// Who made an entry: system entries come with the workspace and can be switched off but not edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Comes with the workspace.
    System,
    /// Made by an administrator.
    Custom,
}

/// What a status means for the rules; in the order that lists sort by (contract section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Not begun.
    Open,
    /// Somebody works on it.
    InProgress,
    /// Waiting.
    OnHold,
    /// Solved, may be reopened.
    Resolved,
    /// Done.
    Closed,
}

impl Category {
    /// Gives the category's name, as lists and documents call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in-progress",
            Self::OnHold => "on-hold",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Tells whether work is over: resolved or closed.
    pub fn is_over(self) -> bool {
        match self {
            Self::Resolved | Self::Closed => true,
            Self::Open | Self::InProgress | Self::OnHold => false,
        }
    }
}

/// A status that cases and tasks can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its id.
    pub id: StatusId,
    /// Its name, unique in any case.
    pub name: String,
    /// What it means for the rules.
    pub category: Category,
    /// Who made it.
    pub origin: Origin,
    /// A sentence for the reader.
    pub description: String,
    /// Whether documents may take it.
    pub enabled: bool,
    /// False once it is deleted.
    pub active: bool,
}

impl Status {
    /// Tells whether a document may take it.
    pub fn is_usable(&self) -> bool {
        self.enabled && self.active
    }
}

/// A priority that cases and tasks can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// Its id.
    pub id: PriorityId,
    /// Its name, unique in any case.
    pub name: String,
    /// A CSS colour, `#RRGGBB`.
    pub color: String,
    /// What lists sort by; higher is more urgent.
    pub score: i64,
    /// Who made it.
    pub origin: Origin,
    /// A sentence for the reader.
    pub description: String,
    /// Whether documents may take it.
    pub enabled: bool,
    /// False once it is deleted.
    pub active: bool,
}

impl Priority {
    /// Tells whether a document may take it.
    pub fn is_usable(&self) -> bool {
        self.enabled && self.active
    }
}

/// A queue in which documents wait for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// Its name, unique in any case.
    pub name: String,
    /// False once it is deleted.
    pub active: bool,
}

/// Somebody who works on cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The id of the profile.
    pub id: AgentId,
    /// The id of the person.
    pub user: UserId,
    /// The name shown.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The picture, or [`crate::actor::NO_AVATAR`].
    pub image: String,
    /// Whether documents may be assigned to the agent.
    pub active: bool,
}
