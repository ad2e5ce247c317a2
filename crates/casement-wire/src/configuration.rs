//! The configuration document: a workspace's statuses, priorities, queues, agents, fields and templates as JSON, as
//! `casement workspace show` prints it and `casement workspace apply` takes it.
//!
//! Keys are spelled as in the public API where it has them. Unlike in the API's bodies, a key that is not known is a
//! fault: nobody else's clients write these documents, and a slip of the pen must not be taken for silence.

pub mod read;
pub mod write;

use casement_domain::workspace::configure::fault::{ConfigurationFaults, EntryKey, EntryList, Place};
use casement_domain::workspace::field::FieldRule;

/// One fault of a configuration document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFault {
    /// Where it is, such as `fields[3].pattern`; empty: the document as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl DocumentFault {
    /// Gives the fault as one sentence.
    pub fn sentence(&self) -> String {
        match self.path.as_str() {
            "" => self.message.clone(),
            path => format!("{path}: {}", self.message),
        }
    }
}

/// Spells the places of faults.
pub fn document_faults(faults: &ConfigurationFaults) -> Vec<DocumentFault> {
    let spelled = faults
        .list()
        .iter()
        .map(|fault| DocumentFault { path: path(fault.place), message: fault.message.clone() });
    spelled.collect()
}

fn path(place: Place) -> String {
    let mut path = list_name(place.list).to_owned();
    if let Some(index) = place.index {
        path.push_str(&format!("[{index}]"));
    }
    if let Some(key) = place.key {
        path.push('.');
        path.push_str(key_name(key, place.list));
    }
    if let Some(part) = place.part {
        path.push_str(&format!("[{part}]"));
    }
    path
}

/// The spelling of a list.
pub fn list_name(list: EntryList) -> &'static str {
    match list {
        EntryList::Statuses => "statuses",
        EntryList::Priorities => "priorities",
        EntryList::Queues => "queues",
        EntryList::Agents => "agents",
        EntryList::Fields => "fields",
        EntryList::TaskTemplates => "taskTemplates",
        EntryList::CaseTemplates => "caseTemplates",
        EntryList::StandardResponses => "standardResponses",
    }
}

/// The spelling of an entry's key.
fn key_name(key: EntryKey, list: EntryList) -> &'static str {
    match key {
        EntryKey::Id => match list {
            EntryList::Agents => "aId",
            EntryList::Statuses
            | EntryList::Priorities
            | EntryList::Queues
            | EntryList::Fields
            | EntryList::TaskTemplates
            | EntryList::CaseTemplates
            | EntryList::StandardResponses => "_id",
        },
        EntryKey::Name => "name",
        EntryKey::Category => "statusCategory",
        EntryKey::Color => "color",
        EntryKey::Score => "score",
        EntryKey::Description => "desc",
        EntryKey::User => "agentId",
        EntryKey::Email => "emailId",
        EntryKey::Image => "profImage",
        EntryKey::Key => "key",
        EntryKey::Format => "format",
        EntryKey::Placeholder => "placeholder",
        EntryKey::Tooltip => "tooltipText",
        EntryKey::ReadOnly => "readOnly",
        EntryKey::Required => "required",
        EntryKey::Shown => "show",
        EntryKey::Enabled => "enabled",
        EntryKey::Active => "active",
        EntryKey::Default => "defaultValue",
        EntryKey::Messages => "messages",
        EntryKey::Options => "options",
        EntryKey::CountMin => "minCount",
        EntryKey::CountMax => "maxCount",
        EntryKey::LengthMin => "minLength",
        EntryKey::LengthMax => "maxLength",
        EntryKey::Pattern => "pattern",
        EntryKey::Min => "min",
        EntryKey::Max => "max",
        EntryKey::Decimals => "decimals",
        EntryKey::Fields => "fields",
        EntryKey::DefaultAssignee => "defaultAssignee",
        EntryKey::DefaultDue => "defaultDueMs",
        EntryKey::Tasks => "tasks",
        EntryKey::CustomTasks => "customTasks",
        EntryKey::ClosesWithOpenTasks => "closesWithOpenTasks",
        EntryKey::Text => "text",
    }
}

/// The spelling of a rule that may have a message.
fn rule_name(rule: FieldRule) -> &'static str {
    match rule {
        FieldRule::Required => "required",
        FieldRule::ReadOnly => "readOnly",
        FieldRule::Format => "format",
        FieldRule::Length => "length",
        FieldRule::Pattern => "pattern",
        FieldRule::Range => "range",
        FieldRule::Decimals => "decimals",
        FieldRule::Options => "options",
        FieldRule::Count => "count",
    }
}
