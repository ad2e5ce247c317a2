//! Tasks: parts of the work on a case.

pub mod create;
pub mod plan;
pub mod purge;
pub mod transfer;
pub mod undo;
pub mod update;

use serde::de::{Error, MapAccess};
use serde::{Deserialize, Deserializer, Serialize};

use self::plan::Plan;
use crate::id::{CaseId, FieldId, TaskId, TaskTemplateId, reference};
use crate::item::WorkItem;
use crate::parted::{self, Outer, needed};
use crate::workspace::Workspace;
use crate::workspace::template::{first_version, is_first};

/// The prefix of a task's reference id and the name of its counter.
pub const COUNTER: &str = "TS";
/// The sort of document, as identity keys call it.
pub const CONVERSATION_TYPE: &str = "TASK";

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The case that it belongs to.
    pub case: CaseId,
    /// The template that it was made from; a custom task has none.
    pub template: Option<TaskTemplateId>,
    /// The version of the template that it keeps to; the first where it has none.
    #[serde(skip_serializing_if = "is_first")]
    pub template_version: u32,
    /// What it waits for and consists of.
    #[serde(skip_serializing_if = "Plan::is_default")]
    pub plan: Plan,
    /// What it has in common with cases.
    #[serde(flatten)]
    pub item: WorkItem,
}

/// The keys of a task that its work item does not have.
#[derive(Default)]
struct TaskKeys {
    id: Option<TaskId>,
    case: Option<CaseId>,
    template: Option<TaskTemplateId>,
    template_version: Option<u32>,
    plan: Option<Plan>,
}

impl<'de> Outer<'de> for TaskKeys {
    type Whole = Task;
    type Inner = WorkItem;

    fn take<M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<bool, M::Error> {
        match key {
            "id" => self.id = map.next_value()?,
            "case" => self.case = map.next_value()?,
            "template" => self.template = map.next_value()?,
            "template_version" => self.template_version = map.next_value()?,
            "plan" => self.plan = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn with<E: Error>(self, item: WorkItem) -> Result<Task, E> {
        Ok(Task {
            id: needed(self.id, "id")?,
            case: needed(self.case, "case")?,
            template: self.template,
            template_version: self.template_version.unwrap_or_else(first_version),
            plan: self.plan.unwrap_or_default(),
            item,
        })
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parted::read::<TaskKeys, D>(deserializer)
    }
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
