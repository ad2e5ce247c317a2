//! What a configuration document says, before any rule looked at it.
//!
//! Every key of an entry is [`Given`]: absent leaves a stored entry as it is, null clears where there is something to
//! clear.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::entries::Category;
use super::super::field::{FieldOption, FieldRule, FieldSort};
use crate::given::Given;
use crate::rich_text::TextFormat;

/// Asks for a configuration. Entries that it does not name stay as they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configure {
    /// The statuses.
    pub statuses: Vec<ConfigureStatus>,
    /// The priorities.
    pub priorities: Vec<ConfigurePriority>,
    /// The queues.
    pub queues: Vec<ConfigureQueue>,
    /// The agents.
    pub agents: Vec<ConfigureAgent>,
    /// The fields.
    pub fields: Vec<ConfigureField>,
    /// The task templates.
    pub task_templates: Vec<ConfigureTaskTemplate>,
    /// The case templates.
    pub case_templates: Vec<ConfigureCaseTemplate>,
    /// The standard responses.
    pub standard_responses: Vec<ConfigureStandardResponse>,
}

/// Names an entry: the id decides, else the name in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Its id; one that names nothing is the id of a new entry.
    pub id: Given<String>,
    /// Its name.
    pub name: Given<String>,
}

/// A status.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureStatus {
    /// Which one.
    pub named: Named,
    /// What it means for the rules; never changes.
    pub category: Given<Category>,
    /// A sentence for the reader.
    pub description: Given<String>,
    /// Whether documents may take it.
    pub enabled: Given<bool>,
    /// False deletes it.
    pub active: Given<bool>,
}

/// A priority.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigurePriority {
    /// Which one.
    pub named: Named,
    /// A CSS colour, `#RRGGBB`.
    pub color: Given<String>,
    /// What lists sort by.
    pub score: Given<i64>,
    /// A sentence for the reader.
    pub description: Given<String>,
    /// Whether documents may take it.
    pub enabled: Given<bool>,
    /// False deletes it.
    pub active: Given<bool>,
}

/// A queue.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureQueue {
    /// Which one.
    pub named: Named,
    /// False retires it.
    pub active: Given<bool>,
}

/// An agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureAgent {
    /// Which one.
    pub named: Named,
    /// The id of the person; never changes.
    pub user: Given<String>,
    /// The e-mail address.
    pub email: Given<String>,
    /// The picture.
    pub image: Given<String>,
    /// False retires the agent.
    pub active: Given<bool>,
}

/// A field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureField {
    /// Which one.
    pub named: Named,
    /// The name for programs.
    pub key: Given<String>,
    /// The format; never changes.
    pub sort: Given<FieldSort>,
    /// A sentence for the reader.
    pub description: Given<String>,
    /// The text in the empty control.
    pub placeholder: Given<String>,
    /// The text beside the control.
    pub tooltip: Given<String>,
    /// Whether requests may not set it.
    pub read_only: Given<bool>,
    /// Whether a value must be there.
    pub required: Given<bool>,
    /// Whether it is shown.
    pub shown: Given<bool>,
    /// Whether it is switched on.
    pub enabled: Given<bool>,
    /// False deletes it.
    pub active: Given<bool>,
    /// The value of a new document.
    pub default: Given<Value>,
    /// The messages for broken rules, all of them.
    pub messages: Given<BTreeMap<FieldRule, String>>,
    /// The options; stored ones that it leaves out are switched off.
    pub options: Given<Vec<FieldOption>>,
    /// The fewest options.
    pub count_min: Given<u32>,
    /// The most options.
    pub count_max: Given<u32>,
    /// The fewest characters.
    pub length_min: Given<u32>,
    /// The most characters.
    pub length_max: Given<u32>,
    /// What a text must match.
    pub pattern: Given<String>,
    /// The smallest number or the first date.
    pub min: Given<Value>,
    /// The largest number or the last date.
    pub max: Given<Value>,
    /// The most digits behind the point.
    pub decimals: Given<u32>,
}

/// Who gets a new document; queues and agents by id or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigureAssignee {
    /// Nobody.
    Unassigned,
    /// Whoever creates it.
    Creator,
    /// A queue.
    Queue(String),
    /// An agent, also by user id or e-mail address.
    Agent(String),
}

/// A task template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureTaskTemplate {
    /// Which one.
    pub named: Named,
    /// The fields in the order shown, by id or name.
    pub fields: Given<Vec<String>>,
    /// Who gets a new task.
    pub default_assignee: Given<ConfigureAssignee>,
    /// Milliseconds from the making to the due date.
    pub default_due_ms: Given<i64>,
    /// Whether new tasks may be made from it.
    pub active: Given<bool>,
}

/// A case template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureCaseTemplate {
    /// Which one.
    pub named: Named,
    /// The fields in the order shown, by id or name.
    pub fields: Given<Vec<String>>,
    /// Who gets a new case.
    pub default_assignee: Given<ConfigureAssignee>,
    /// Milliseconds from the making to the due date.
    pub default_due_ms: Given<i64>,
    /// The templates of the tasks that are made with a case, by id or name.
    pub tasks: Given<Vec<String>>,
    /// Whether tasks without a template may be added.
    pub custom_tasks: Given<bool>,
    /// Whether a case may be closed while tasks of it are open.
    pub closes_with_open_tasks: Given<bool>,
    /// Whether new cases may be made from it.
    pub active: Given<bool>,
}

/// A standard response.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureStandardResponse {
    /// Which one.
    pub named: Named,
    /// How the text is written.
    pub format: Given<TextFormat>,
    /// The text with its placeholders.
    pub text: Given<String>,
    /// Whether it may be used.
    pub enabled: Given<bool>,
    /// False deletes it.
    pub active: Given<bool>,
}
