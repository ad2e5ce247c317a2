//! Why a configuration can't be made so: each fault with its place in the document.

use crate::limits;

/// The lists of a configuration document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the list that it names")]
pub enum EntryList {
    Statuses,
    Priorities,
    Queues,
    Agents,
    Fields,
    TaskTemplates,
    CaseTemplates,
    StandardResponses,
}

/// The keys of entries. The wire knows their spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the key that it names")]
pub enum EntryKey {
    Id,
    Name,
    Category,
    Color,
    Score,
    Description,
    User,
    Email,
    Image,
    Key,
    Format,
    Placeholder,
    Tooltip,
    ReadOnly,
    Required,
    Shown,
    Enabled,
    Active,
    Default,
    Messages,
    Options,
    CountMin,
    CountMax,
    LengthMin,
    LengthMax,
    Pattern,
    Min,
    Max,
    Decimals,
    Fields,
    DefaultAssignee,
    DefaultDue,
    Tasks,
    CustomTasks,
    ClosesWithOpenTasks,
    Text,
}

/// Where a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The list.
    pub list: EntryList,
    /// The entry of the list, from 0; `None`: the list as a whole.
    pub index: Option<usize>,
    /// The key of the entry; `None`: the entry as a whole.
    pub key: Option<EntryKey>,
    /// The part of the key's own list, from 0.
    pub part: Option<usize>,
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationFault {
    /// Where it is.
    pub place: Place,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// A list of faults that grows up to [`limits::FAULTS_MAX`] entries and keeps the first ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigurationFaults(Vec<ConfigurationFault>);

impl ConfigurationFaults {
    /// Adds a fault.
    pub fn add(&mut self, place: Place, message: impl Into<String>) {
        if self.0.len() < limits::FAULTS_MAX {
            self.0.push(ConfigurationFault { place, message: message.into() });
        }
    }

    /// Adds a fault of a list as a whole.
    pub fn add_to_list(&mut self, list: EntryList, message: impl Into<String>) {
        self.add(Place { list, index: None, key: None, part: None }, message);
    }

    /// Gives the faults in the order found.
    pub fn list(&self) -> &[ConfigurationFault] {
        &self.0
    }

    /// Ends a rule: the value when nothing was found, else all faults.
    ///
    /// # Errors
    /// There are faults.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}
