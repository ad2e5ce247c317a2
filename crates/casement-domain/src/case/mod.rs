//! Cases: what a customer asks for, and the work on it.

pub mod create;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::id::{CaseId, CaseTemplateId, TaskId, reference};
use crate::item::WorkItem;

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

/// Gives the reference id of a case with this number.
pub fn reference_id(number: u64) -> String {
    reference(COUNTER, number)
}
