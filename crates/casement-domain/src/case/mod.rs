//! Cases: what a customer asks for, and the work on it.

pub mod create;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::id::{CaseId, CaseTemplateId, FieldId, TaskId, reference};
use crate::item::WorkItem;
use crate::workspace::Workspace;
use crate::workspace::template::{first_version, is_first};

/// The prefix of a case's reference id and the name of its counter.
pub const COUNTER: &str = "CS";
/// The sort of document, as identity keys call it.
pub const CONVERSATION_TYPE: &str = "CASE";

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The template that it was made from, or that it got later.
    pub template: CaseTemplateId,
    /// The version of the template that it keeps to.
    #[serde(default = "first_version", skip_serializing_if = "is_first")]
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
