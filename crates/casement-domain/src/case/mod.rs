//! Cases: what a customer asks for, and the work on it.

pub mod create;
pub mod feedback;
pub mod link;
pub mod merge;
pub mod purge;
pub mod resolution;
pub mod transfer;
pub mod undo;
pub mod update;
pub mod watch;

use serde::de::{Error, MapAccess};
use serde::{Deserialize, Deserializer, Serialize};

use self::link::Link;
use self::merge::MergedInto;
use crate::id::{AgentId, CaseId, CaseTemplateId, FieldId, TaskId, reference};
use crate::item::WorkItem;
use crate::parted::{self, Outer, needed};
use crate::workspace::Workspace;
use crate::workspace::template::{first_version, is_first};

/// The prefix of a case's reference id and the name of its counter.
pub const COUNTER: &str = "CS";
/// The sort of document, as identity keys call it.
pub const CONVERSATION_TYPE: &str = "CASE";

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The template that it was made from, or that it got later.
    pub template: CaseTemplateId,
    /// The version of the template that it keeps to.
    #[serde(skip_serializing_if = "is_first")]
    pub template_version: u32,
    /// What it has in common with tasks.
    #[serde(flatten)]
    pub item: WorkItem,
    /// The language of the conversation.
    pub language: String,
    /// Whether tasks without a template may be added; follows the template.
    pub supports_custom_tasks: bool,
    /// Its tasks that are not deleted, in the order of their making.
    pub tasks: Vec<TaskId>,
    /// The agents who watch it, in the order of their coming; at most [`crate::limits::WATCHERS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watchers: Vec<AgentId>,
    /// The cases that it is linked with; at most [`crate::limits::CASE_LINKS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The case that goes on in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MergedInto>,
}

/// The keys of a case that its work item does not have.
#[derive(Default)]
struct CaseKeys {
    id: Option<CaseId>,
    template: Option<CaseTemplateId>,
    template_version: Option<u32>,
    language: Option<String>,
    supports_custom_tasks: Option<bool>,
    tasks: Option<Vec<TaskId>>,
    watchers: Option<Vec<AgentId>>,
    links: Option<Vec<Link>>,
    merged_into: Option<MergedInto>,
}

impl<'de> Outer<'de> for CaseKeys {
    type Whole = Case;
    type Inner = WorkItem;

    fn take<M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<bool, M::Error> {
        match key {
            "id" => self.id = map.next_value()?,
            "template" => self.template = map.next_value()?,
            "template_version" => self.template_version = map.next_value()?,
            "language" => self.language = map.next_value()?,
            "supports_custom_tasks" => self.supports_custom_tasks = map.next_value()?,
            "tasks" => self.tasks = map.next_value()?,
            "watchers" => self.watchers = map.next_value()?,
            "links" => self.links = map.next_value()?,
            "merged_into" => self.merged_into = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn with<E: Error>(self, item: WorkItem) -> Result<Case, E> {
        Ok(Case {
            id: needed(self.id, "id")?,
            template: needed(self.template, "template")?,
            template_version: self.template_version.unwrap_or_else(first_version),
            item,
            language: needed(self.language, "language")?,
            supports_custom_tasks: needed(self.supports_custom_tasks, "supports_custom_tasks")?,
            tasks: needed(self.tasks, "tasks")?,
            watchers: self.watchers.unwrap_or_default(),
            links: self.links.unwrap_or_default(),
            merged_into: self.merged_into,
        })
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parted::read::<CaseKeys, D>(deserializer)
    }
}

impl Case {
    /// Gives the fields that it shows, in their order: those of the version of its template that it keeps to.
    pub fn fields<'a>(&self, workspace: &'a Workspace) -> &'a [FieldId] {
        let template = workspace.case_template(&self.template);
        template.map(|template| template.fields_at(self.template_version)).unwrap_or_default()
    }

    /// Gives its template with the version that it keeps to.
    pub(crate) fn template_at(&self) -> (CaseTemplateId, u32) {
        (self.template.clone(), self.template_version)
    }
}

/// Gives the reference id of a case with this number.
pub fn reference_id(number: u64) -> String {
    reference(COUNTER, number)
}
