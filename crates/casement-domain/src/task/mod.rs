//! Tasks: parts of the work on a case.

pub mod create;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::id::{CaseId, TaskId, TaskTemplateId, reference};
use crate::item::WorkItem;

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
    /// What it has in common with cases.
    #[serde(flatten)]
    pub item: WorkItem,
}

/// Gives the reference id of a task with this number.
pub fn reference_id(number: u64) -> String {
    reference(COUNTER, number)
}
