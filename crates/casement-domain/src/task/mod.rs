//! Tasks: parts of the work on a case.

pub mod create;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::id::{CaseId, FieldId, TaskId, TaskTemplateId, reference};
use crate::item::WorkItem;
use crate::workspace::Workspace;
use crate::workspace::template::{first_version, is_first};

/// The prefix of a task's reference id and the name of its counter.
pub const COUNTER: &str = "TS";
/// The sort of document, as identity keys call it.
pub const CONVERSATION_TYPE: &str = "TASK";

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The case that it belongs to.
    pub case: CaseId,
    /// The template that it was made from; a custom task has none.
    pub template: Option<TaskTemplateId>,
    /// The version of the template that it keeps to; the first where it has none.
    #[serde(default = "first_version", skip_serializing_if = "is_first")]
    pub template_version: u32,
    /// What it has in common with cases.
    #[serde(flatten)]
    pub item: WorkItem,
}

impl Task {
    /// Gives the fields that it shows, in their order: those of the version of its template that it keeps to.
    pub fn fields<'a>(&self, workspace: &'a Workspace) -> &'a [FieldId] {
        let template = self.template.as_ref().and_then(|id| workspace.task_template(id));
        template.map(|template| template.fields_at(self.template_version)).unwrap_or_default()
    }

    /// Gives its template with the version that it keeps to.
    pub(crate) fn template_at(&self) -> (Option<TaskTemplateId>, u32) {
        (self.template.clone(), self.template_version)
    }
}

/// Gives the reference id of a task with this number.
pub fn reference_id(number: u64) -> String {
    reference(COUNTER, number)
}
