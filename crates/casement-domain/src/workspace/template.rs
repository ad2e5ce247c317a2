//! Templates: what cases and tasks are made from, and the versions of them that documents keep to.
//!
//! A document obeys the version of its template that it was made with, or got later: its fields in their order and the
//! switches. The fields' own labels and rules are shared and current.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, CaseTemplateId, FieldId, QueueId, TaskTemplateId};
use crate::limits;

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
    /// Counts the changes of what documents keep to, from 1.
    #[serde(default = "first_version", skip_serializing_if = "is_first")]
    pub version: u32,
    /// The former versions, oldest first; at most [`limits::TEMPLATE_VERSIONS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<CaseTemplateVersion>,
}

/// What a case keeps to of a former version of its template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTemplateVersion {
    /// The version.
    pub version: u32,
    /// The fields in the order shown.
    pub fields: Vec<FieldId>,
    /// Whether tasks without a template might be added; each case keeps its own copy.
    pub custom_tasks: bool,
    /// Whether a case may be closed while tasks of it are open.
    pub closes_with_open_tasks: bool,
}

impl CaseTemplate {
    /// Gives the fields that a document of a version shows. A version that is no longer kept has those of the oldest
    /// one that is.
    pub fn fields_at(&self, version: u32) -> &[FieldId] {
        self.former_at(version).map_or(&self.fields, |former| &former.fields)
    }

    /// Tells whether a case of a version may be closed while tasks of it are open.
    pub fn closes_with_open_tasks_at(&self, version: u32) -> bool {
        self.former_at(version).map_or(self.closes_with_open_tasks, |former| former.closes_with_open_tasks)
    }

    fn former_at(&self, version: u32) -> Option<&CaseTemplateVersion> {
        self.former.iter().find(|former| former.version >= version)
    }

    /// Makes the next version where what documents keep to differs from the template as it was. The oldest version is
    /// dropped when there are more than [`limits::TEMPLATE_VERSIONS_MAX`].
    pub fn succeed(&mut self, before: &Self) {
        let kept = |template: &Self| CaseTemplateVersion {
            version: before.version,
            fields: template.fields.clone(),
            custom_tasks: template.custom_tasks,
            closes_with_open_tasks: template.closes_with_open_tasks,
        };
        self.version = before.version;
        self.former.clone_from(&before.former);
        if kept(self) != kept(before) {
            self.former.push(kept(before));
            keep_latest(&mut self.former);
            self.version = before.version.saturating_add(1);
        }
    }
}

/// The version that a template begins with, and that documents have which were stored before there were versions.
pub const FIRST_VERSION: u32 = 1;

/// Gives [`FIRST_VERSION`], for stored bodies that name none.
pub fn first_version() -> u32 {
    FIRST_VERSION
}

/// Tells whether a version is the first, which stored bodies need not name.
pub fn is_first(version: &u32) -> bool {
    *version == FIRST_VERSION
}

fn keep_latest<T>(versions: &mut Vec<T>) {
    let surplus = versions.len().saturating_sub(limits::TEMPLATE_VERSIONS_MAX);
    versions.drain(..surplus);
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
    /// Counts the changes of what documents keep to, from 1.
    #[serde(default = "first_version", skip_serializing_if = "is_first")]
    pub version: u32,
    /// The former versions, oldest first; at most [`limits::TEMPLATE_VERSIONS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<TaskTemplateVersion>,
}

/// What a task keeps to of a former version of its template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTemplateVersion {
    /// The version.
    pub version: u32,
    /// The fields in the order shown.
    pub fields: Vec<FieldId>,
}

impl TaskTemplate {
    /// Gives the fields that a document of a version shows. A version that is no longer kept has those of the oldest
    /// one that is.
    pub fn fields_at(&self, version: u32) -> &[FieldId] {
        let former = self.former.iter().find(|former| former.version >= version);
        former.map_or(&self.fields, |former| &former.fields)
    }

    /// Makes the next version where what documents keep to differs from the template as it was. The oldest version is
    /// dropped when there are more than [`limits::TEMPLATE_VERSIONS_MAX`].
    pub fn succeed(&mut self, before: &Self) {
        self.version = before.version;
        self.former.clone_from(&before.former);
        if self.fields != before.fields {
            self.former.push(TaskTemplateVersion { version: before.version, fields: before.fields.clone() });
            keep_latest(&mut self.former);
            self.version = before.version.saturating_add(1);
        }
    }
}
