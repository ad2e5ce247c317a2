//! Faults: why a command can't be carried out. A rule reports all of them at once.

use serde::{Deserialize, Serialize};

use crate::limits;

/// What sort of fault it is; it decides the status of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FaultKind {
    /// The request is wrong whatever the state: a wrong type, a missing or unusable value.
    Invalid,
    /// The command names a document that does not exist in this workspace.
    NotFound,
    /// The request is well formed, but the configuration forbids it: an inactive template, a field rule.
    Unprocessable,
    /// The state forbids it: another identity, a closed case, open tasks.
    Conflict,
}

/// The keys that a fault can name. The wire knows their spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the key that it names")]
pub enum Key {
    Body,
    Id,
    Template,
    CaseTemplateOfTask,
    Name,
    Description,
    Tags,
    Customer,
    CustomerId,
    CustomerName,
    CustomerEmail,
    CustomerPhone,
    Email,
    Phone,
    SessionIds,
    ConversationIds,
    Account,
    Stream,
    StreamAlias,
    Organisation,
    Status,
    Priority,
    Source,
    Language,
    ConversationType,
    Fields,
    Participants,
    Queues,
    ReferenceId,
    AssigneeType,
    Assignee,
    Active,
    Attachments,
    Feedback,
    ResolutionComments,
    DependsOn,
    Required,
    Checklist,
    CreatedBy,
    CreatedAt,
    Stamp,
    DueDate,
    Eta,
    Channels,
    CaseOfTask,
    CaseReference,
    SearchText,
    Unresolved,
    Unassigned,
    MyCase,
    MyTask,
    StartDate,
    EndDate,
    SortBy,
    Skip,
    Limit,
    Agents,
    CustomFields,
    EtaList,
    Columns,
    Expression,
    Hits,
    Groupings,
    Cursor,
    SortParameter,
    ColumnsParameter,
    Agent,
    Queue,
    Nobody,
    Note,
    Watcher,
    OtherCase,
    LinkType,
    Into,
    Visibility,
    Format,
    Text,
    Mentions,
    StandardResponse,
    Deleted,
    Score,
    ExpiresInDays,
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Decides the status of the answer.
    pub kind: FaultKind,
    /// The key that is at fault.
    pub key: Key,
    /// The entry of the key's list that is at fault, from 0.
    pub index: Option<usize>,
    /// Where in the key's text the fault begins, in characters from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// What is wrong, in a sentence for the client that holds nothing secret.
    pub message: String,
}

/// A list of faults that grows up to [`limits::FAULTS_MAX`] entries and keeps the first ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Makes an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault of a key.
    pub fn add(&mut self, kind: FaultKind, key: Key, message: impl Into<String>) {
        self.push(Fault { kind, key, index: None, position: None, message: message.into() });
    }

    /// Adds a fault at a place in a key's text.
    pub fn add_in_text(&mut self, kind: FaultKind, key: Key, position: usize, message: impl Into<String>) {
        self.push(Fault { kind, key, index: None, position: Some(position), message: message.into() });
    }

    /// Adds a fault of one entry of a key's list.
    pub fn add_at(&mut self, kind: FaultKind, key: Key, index: usize, message: impl Into<String>) {
        self.push(Fault { kind, key, index: Some(index), position: None, message: message.into() });
    }

    /// Adds that a value is unusable.
    pub fn invalid(&mut self, key: Key, message: impl Into<String>) {
        self.add(FaultKind::Invalid, key, message);
    }

    fn push(&mut self, fault: Fault) {
        if self.0.len() < limits::FAULTS_MAX {
            self.0.push(fault);
            return;
        }
        // The list is full. The status of the answer must not depend on the number of lesser faults: the first fault
        // of a graver kind takes the last place.
        let is_gravest = self.0.iter().all(|kept| kept.kind > fault.kind);
        if let Some(last) = self.0.last_mut().filter(|_| is_gravest) {
            *last = fault;
        }
    }

    /// Names keys anew: what a request spells another way than the body that has the rule.
    pub fn renamed(mut self, name: impl Fn(Key) -> Key) -> Self {
        for fault in &mut self.0 {
            fault.key = name(fault.key);
        }
        self
    }

    /// Tells whether no fault was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a fault of this kind was found.
    pub fn has(&self, kind: FaultKind) -> bool {
        self.0.iter().any(|fault| fault.kind == kind)
    }

    /// Gives the faults in the order found.
    pub fn list(&self) -> &[Fault] {
        &self.0
    }

    /// Ends a rule: the value when nothing was found, else all faults.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_faults_is_bounded() {
        let mut faults = Faults::new();
        for _ in 0..1000 {
            faults.invalid(Key::Name, "is wrong");
        }
        assert_eq!(faults.list().len(), limits::FAULTS_MAX);
    }

    #[test]
    fn a_graver_fault_is_kept_when_the_list_is_full_of_lesser_ones() {
        let mut faults = Faults::new();
        for _ in 0..1000 {
            faults.add(FaultKind::Conflict, Key::Id, "differs");
        }
        faults.invalid(Key::Name, "is wrong");
        assert!(faults.has(FaultKind::Invalid));
        assert_eq!(faults.list().len(), limits::FAULTS_MAX);
    }
}
