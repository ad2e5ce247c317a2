//! The workspace: the configuration that rules decide by. One workspace is one stream of the public API.

pub mod configure;
pub mod defaults;
pub mod entries;
pub mod field;
pub mod pattern;
pub mod response;
pub mod template;

use crate::date::Moment;
use crate::id::{
    AccountId, AgentId, CaseTemplateId, FieldId, OrganisationId, PriorityId, QueueId, StatusId, StreamId,
    TaskTemplateId, UserId,
};
use crate::text::fold_case;
use entries::{Agent, Category, Origin, Priority, Queue, Status};
use field::Field;
use response::StandardResponse;
use template::{CaseTemplate, TaskTemplate};

/// A workspace with everything that is configured in it, as of one configuration version.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// The account that it belongs to.
    pub account: AccountId,
    /// The organisation that it belongs to.
    pub organisation: OrganisationId,
    /// The stream that it is.
    pub stream: StreamId,
    /// Counts the changes of the configuration.
    pub config_version: u64,
    /// When it was made.
    pub created_at: Moment,
    /// In the order of their making, as all lists below.
    pub statuses: Vec<Status>,
    /// The priorities.
    pub priorities: Vec<Priority>,
    /// The queues.
    pub queues: Vec<Queue>,
    /// The fields, system and custom.
    pub fields: Vec<Field>,
    /// The case templates.
    pub case_templates: Vec<CaseTemplate>,
    /// The task templates.
    pub task_templates: Vec<TaskTemplate>,
    /// The agents.
    pub agents: Vec<Agent>,
    /// The standard responses.
    pub standard_responses: Vec<StandardResponse>,
}

/// How a request names an entry of the configuration; contract section 9: an id decides, else the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
    /// By a text that may be either.
    Either(String),
}

impl Reference {
    /// Gives the text of the reference, for a message.
    pub fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) | Self::Either(text) => text,
        }
    }

    /// Finds the entry that is meant: an id exactly, a name in any case; an id before a name.
    fn find<'a, T>(
        &self,
        entries: &'a [T],
        id: impl Fn(&T) -> &str,
        name: impl Fn(&T) -> &str,
    ) -> Option<&'a T> {
        let by_id = |wanted: &str| entries.iter().find(|entry| id(entry) == wanted);
        let by_name = |wanted: &str| {
            let folded = fold_case(wanted);
            entries.iter().find(|entry| fold_case(name(entry)) == folded)
        };
        match self {
            Self::Id(wanted) => by_id(wanted),
            Self::Name(wanted) => by_name(wanted),
            Self::Either(wanted) => by_id(wanted).or_else(|| by_name(wanted)),
        }
    }
}

impl Workspace {
    /// Gives a status by id. Entries in use are never removed, so a stored id has its entry.
    pub fn status(&self, id: &StatusId) -> Option<&Status> {
        self.statuses.iter().find(|status| status.id == *id)
    }

    /// Gives the category of a status; an unknown one counts as open.
    pub fn category(&self, id: &StatusId) -> Category {
        self.status(id).map_or(Category::Open, |status| status.category)
    }

    /// Gives a priority by id.
    pub fn priority(&self, id: &PriorityId) -> Option<&Priority> {
        self.priorities.iter().find(|priority| priority.id == *id)
    }

    /// Gives a queue by id.
    pub fn queue(&self, id: &QueueId) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.id == *id)
    }

    /// Gives a field by id.
    pub fn field(&self, id: &FieldId) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == *id)
    }

    /// Gives an agent by the id of the profile.
    pub fn agent(&self, id: &AgentId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == *id)
    }

    /// Gives an agent by user id.
    pub fn agent_of_user(&self, id: &UserId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.user == *id)
    }

    /// Gives the agent whom a token's `sub` names, by user id or e-mail; contract section 1.
    pub fn agent_of_subject(&self, subject: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| {
            agent.user.as_str() == subject
                || (!agent.email.is_empty() && agent.email.eq_ignore_ascii_case(subject))
        })
    }

    /// Gives a case template by id.
    pub fn case_template(&self, id: &CaseTemplateId) -> Option<&CaseTemplate> {
        self.case_templates.iter().find(|template| template.id == *id)
    }

    /// Gives a task template by id.
    pub fn task_template(&self, id: &TaskTemplateId) -> Option<&TaskTemplate> {
        self.task_templates.iter().find(|template| template.id == *id)
    }

    /// Finds a case template by id or exact name; contract section 5.
    pub fn find_case_template(&self, text: &str) -> Option<&CaseTemplate> {
        let mut templates = self.case_templates.iter();
        self.case_template(&CaseTemplateId::from_text(text))
            .or_else(|| templates.find(|template| template.name == text))
    }

    /// Finds a task template by id or exact name; contract section 8.
    pub fn find_task_template(&self, text: &str) -> Option<&TaskTemplate> {
        let mut templates = self.task_templates.iter();
        self.task_template(&TaskTemplateId::from_text(text))
            .or_else(|| templates.find(|template| template.name == text))
    }

    /// Finds a standard response by reference.
    pub fn find_standard_response(&self, reference: &Reference) -> Option<&StandardResponse> {
        reference.find(&self.standard_responses, |response| response.id.as_str(), |response| &response.name)
    }

    /// Finds a status by reference.
    pub fn find_status(&self, reference: &Reference) -> Option<&Status> {
        reference.find(&self.statuses, |status| status.id.as_str(), |status| &status.name)
    }

    /// Finds a priority by reference.
    pub fn find_priority(&self, reference: &Reference) -> Option<&Priority> {
        reference.find(&self.priorities, |priority| priority.id.as_str(), |priority| &priority.name)
    }

    /// Finds a queue by reference.
    pub fn find_queue(&self, reference: &Reference) -> Option<&Queue> {
        reference.find(&self.queues, |queue| queue.id.as_str(), |queue| &queue.name)
    }

    /// Finds a field by reference; the name is the one displayed.
    pub fn find_field(&self, reference: &Reference) -> Option<&Field> {
        reference.find(&self.fields, |field| field.id.as_str(), |field| &field.name)
    }

    /// Gives the status of a new document: the first enabled one of the category open, one that came with the
    /// workspace before one that was added.
    pub fn default_status(&self) -> Option<&Status> {
        let usable =
            || self.statuses.iter().filter(|status| status.category == Category::Open && status.is_usable());
        usable().find(|status| status.origin == Origin::System).or_else(|| usable().next())
    }

    /// Gives the priority of a new document: Medium, or the first enabled one where there is none of that name.
    pub fn default_priority(&self) -> Option<&Priority> {
        let usable = || self.priorities.iter().filter(|priority| priority.is_usable());
        usable().find(|priority| priority.name == defaults::DEFAULT_PRIORITY).or_else(|| usable().next())
    }
}
