//! The entries of the configuration: statuses, priorities, queues, fields, templates and agents.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, CaseTemplateId, FieldId, PriorityId, QueueId, StatusId, TaskTemplateId, UserId};

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

/// Whose value a field shows: a system field shows a key of the document, a custom one has a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldRole {
    /// Shows the name.
    Title,
    /// Shows the description.
    Description,
    /// Shows the due date.
    DueDate,
    /// Has a value of its own.
    Custom,
}

/// How a field is entered and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldFormat {
    /// One line of text.
    Input,
    /// Several lines of text.
    Textarea,
    /// A date and a time.
    DateTime,
}

/// A field of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// The name displayed, unique in any case.
    pub name: String,
    /// The name for programs.
    pub key: String,
    /// Whose value it shows.
    pub role: FieldRole,
    /// How it is entered.
    pub format: FieldFormat,
    /// A sentence for the reader.
    pub description: String,
    /// The text in the empty control.
    pub placeholder: String,
    /// The text beside the control.
    pub tooltip: String,
    /// Whether people may change it.
    pub read_only: bool,
    /// Shown as required; what a request must carry is decided by the contract's sections 5 and 8.
    pub required: bool,
    /// Whether it is shown.
    pub shown: bool,
    /// Whether it is switched on.
    pub enabled: bool,
    /// False once it is deleted.
    pub active: bool,
}

/// Who gets a new document when the request names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultAssignee {
    /// Nobody.
    Unassigned,
    /// A queue.
    Queue(QueueId),
    /// An agent.
    Agent(AgentId),
    /// Whoever creates it, when that is an agent.
    Creator,
}

/// What cases are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTemplate {
    /// Its id.
    pub id: CaseTemplateId,
    /// Its name, unique exactly.
    pub name: String,
    /// The fields in the order shown.
    pub fields: Vec<FieldId>,
    /// Who gets a new case.
    pub default_assignee: DefaultAssignee,
    /// Milliseconds from the making of a case to its due date when the request names none.
    pub default_due_ms: Option<i64>,
    /// The tasks that are made with a case.
    pub tasks: Vec<TaskTemplateId>,
    /// Whether tasks without a template may be added.
    pub custom_tasks: bool,
    /// Whether a case may be closed while tasks of it are open.
    pub closes_with_open_tasks: bool,
    /// Whether new cases may be made from it.
    pub active: bool,
}

/// What tasks are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTemplate {
    /// Its id.
    pub id: TaskTemplateId,
    /// Its name, unique exactly.
    pub name: String,
    /// The fields in the order shown.
    pub fields: Vec<FieldId>,
    /// Who gets a new task.
    pub default_assignee: DefaultAssignee,
    /// Milliseconds from the making of a task to its due date when the request names none.
    pub default_due_ms: Option<i64>,
    /// Whether new tasks may be made from it.
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
