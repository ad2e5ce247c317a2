//! A list of entries that is being changed: which entry a document means, and the plain keys of one entry.

use super::fault::{ConfigurationFaults, EntryKey, EntryList, Place};
use super::input::Named;
use crate::given::Given;
use crate::limits;
use crate::text::fold_case;
use crate::workspace::entries::{Agent, Priority, Queue, Status};
use crate::workspace::field::Field;
use crate::workspace::response::StandardResponse;
use crate::workspace::template::{CaseTemplate, TaskTemplate};

/// What every entry of a configuration has.
pub trait Entry: Clone + PartialEq {
    /// How ids of its sort begin.
    const ID_PREFIX: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// Its name.
    fn name(&self) -> &str;
}

macro_rules! entries {
    ($($name:ident $prefix:literal;)*) => {$(
        impl Entry for $name {
            const ID_PREFIX: &'static str = $prefix;

            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn name(&self) -> &str {
                &self.name
            }
        }
    )*};
}

entries! {
    Status "sts-";
    Priority "pr-";
    Queue "qu-";
    Agent "a-";
    Field "fd-";
    TaskTemplate "ttm-";
    CaseTemplate "ctm-";
    StandardResponse "sr-";
}

/// A list of entries with what a document changed of it.
#[derive(Debug)]
pub struct Draft<T> {
    /// Which list of the document it is.
    pub list: EntryList,
    /// The entries: the stored ones in their order, then new ones.
    pub entries: Vec<T>,
    before: Vec<T>,
    named_by: Vec<Option<usize>>,
}

/// The entry that a document means.
#[derive(Debug, Clone, PartialEq)]
pub enum Meant<T> {
    /// A stored one, with its place.
    Stored(usize, T),
    /// A new one, with the id that the document gives it.
    New(Option<String>),
}

/// An entry before (unless it is new) and after.
pub type Changed<T> = (Option<T>, T);

impl<T: Entry> Draft<T> {
    /// Begins with the stored entries.
    pub fn of(list: EntryList, stored: &[T]) -> Self {
        Self { list, entries: stored.to_vec(), before: stored.to_vec(), named_by: vec![None; stored.len()] }
    }

    /// Finds the entry that the document's entry at `index` means. `None`: it has a fault.
    pub fn meant(&self, named: &Named, index: usize, faults: &mut ConfigurationFaults) -> Option<Meant<T>> {
        let mut at = At { list: self.list, index, faults };
        let id = match &named.id {
            Given::Value(id) => Some(id),
            Given::Absent | Given::Null => None,
            Given::Invalid => return None,
        };
        let by_id = id.and_then(|id| self.entries.iter().position(|entry| entry.id() == id));
        let by_name = || {
            let folded = fold_case(named.name.value()?.trim());
            self.entries.iter().position(|entry| fold_case(entry.name()) == folded)
        };
        if let Some(place) = by_id.or_else(by_name) {
            if let Some(Some(former)) = self.named_by.get(place) {
                at.fault(None, format!("is the same entry as the one at {former} of this list"));
                return None;
            }
            return self.entries.get(place).map(|entry| Meant::Stored(place, entry.clone()));
        }
        if named.name.is_missing() {
            at.fault(Some(EntryKey::Name), "is required for a new entry");
        }
        if let Some(id) = id
            && !is_usable_id(id, T::ID_PREFIX)
        {
            let characters_max = limits::ID_CHARACTERS_MAX;
            at.fault(
                Some(EntryKey::Id),
                format!(
                    "names no entry, and a new one's must be {}… of at most {characters_max} letters, digits, \
                     hyphens and underscores",
                    T::ID_PREFIX
                ),
            );
            return None;
        }
        Some(Meant::New(id.cloned()))
    }

    /// Puts an entry back, or adds it.
    pub fn put(&mut self, place: Option<usize>, entry: T, index: usize) {
        match place.and_then(|place| self.entries.get_mut(place).zip(self.named_by.get_mut(place))) {
            Some((stored, named_by)) => {
                *stored = entry;
                *named_by = Some(index);
            }
            None => {
                self.entries.push(entry);
                self.named_by.push(Some(index));
            }
        }
    }

    /// Gives the place in the document of the entry with an id, where the document names it.
    pub fn named_by(&self, id: &str) -> Option<usize> {
        let place = self.entries.iter().position(|entry| entry.id() == id)?;
        self.named_by.get(place).copied().flatten()
    }

    /// Adds a fault for each entry of the document whose name another entry has in any case, and one for a list with
    /// more than `entries_max` entries.
    pub fn check(&self, entries_max: usize, faults: &mut ConfigurationFaults) {
        if self.entries.len() > entries_max && self.entries.len() > self.before.len() {
            faults.add_to_list(self.list, format!("the workspace can have at most {entries_max} of them"));
        }
        for (place, entry) in self.entries.iter().enumerate() {
            let Some(index) = self.named_by.get(place).copied().flatten() else { continue };
            let folded = fold_case(entry.name());
            let is_new_name = self.before.get(place).is_none_or(|before| before.name() != entry.name());
            let mut others = self.entries.iter().enumerate().filter(|(other, _)| *other != place);
            if is_new_name && others.any(|(_, other)| fold_case(other.name()) == folded) {
                let mut at = At { list: self.list, index, faults };
                at.fault(Some(EntryKey::Name), format!("another entry is called {:?} too", entry.name()));
            }
        }
    }

    /// Gives what was changed or added.
    pub fn changed(&self) -> Vec<Changed<T>> {
        let with_before =
            self.entries.iter().enumerate().map(|(place, after)| (self.before.get(place), after));
        let changed = with_before.filter(|(before, after)| *before != Some(*after));
        changed.map(|(before, after)| (before.cloned(), after.clone())).collect()
    }
}

/// Tells whether an id can be given to a new entry: the prefix, then letters, digits, hyphens and underscores.
pub fn is_usable_id(id: &str, prefix: &str) -> bool {
    let rest = id.strip_prefix(prefix).unwrap_or_default();
    let usable = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    !rest.is_empty() && id.len() <= limits::ID_CHARACTERS_MAX && rest.chars().all(usable)
}

/// One entry of the document: where its faults belong.
#[derive(Debug)]
pub struct At<'a> {
    /// Its list.
    pub list: EntryList,
    /// Its place in the list.
    pub index: usize,
    /// The faults found so far.
    pub faults: &'a mut ConfigurationFaults,
}

impl At<'_> {
    /// Adds a fault of a key, or of the entry as a whole.
    pub fn fault(&mut self, key: Option<EntryKey>, message: impl Into<String>) {
        self.faults.add(Place { list: self.list, index: Some(self.index), key, part: None }, message);
    }

    /// Adds a fault of one part of a key's list.
    pub fn fault_of_part(&mut self, key: EntryKey, part: usize, message: impl Into<String>) {
        let place = Place { list: self.list, index: Some(self.index), key: Some(key), part: Some(part) };
        self.faults.add(place, message);
    }

    /// Takes over a value that null can't clear.
    pub fn take<T: Clone>(&mut self, given: &Given<T>, key: EntryKey, target: &mut T) {
        match given {
            Given::Absent | Given::Invalid => {}
            Given::Null => self.fault(Some(key), "must not be null"),
            Given::Value(value) => target.clone_from(value),
        }
    }

    /// Takes over a value that null clears.
    pub fn take_or_clear<T: Clone>(&mut self, given: &Given<T>, target: &mut Option<T>) {
        match given {
            Given::Absent | Given::Invalid => {}
            Given::Null => *target = None,
            Given::Value(value) => *target = Some(value.clone()),
        }
    }

    /// Takes over a name: trimmed, 1 to [`limits::ENTRY_NAME_CHARACTERS_MAX`] characters.
    pub fn name(&mut self, given: &Given<String>, key: EntryKey, target: &mut String) {
        let mut name = target.clone();
        self.take(given, key, &mut name);
        let trimmed = name.trim();
        let characters_max = limits::ENTRY_NAME_CHARACTERS_MAX;
        if given.value().is_some() && (trimmed.is_empty() || trimmed.chars().count() > characters_max) {
            self.fault(Some(key), format!("must be 1 to {characters_max} characters long"));
        } else {
            trimmed.clone_into(target);
        }
    }

    /// Takes over a text of at most [`limits::ENTRY_TEXT_CHARACTERS_MAX`] characters; null empties it.
    pub fn text(&mut self, given: &Given<String>, key: EntryKey, target: &mut String) {
        match given {
            Given::Absent | Given::Invalid => {}
            Given::Null => target.clear(),
            Given::Value(text) if text.chars().count() > limits::ENTRY_TEXT_CHARACTERS_MAX => {
                let characters_max = limits::ENTRY_TEXT_CHARACTERS_MAX;
                self.fault(Some(key), format!("must be at most {characters_max} characters long"));
            }
            Given::Value(text) => target.clone_from(text),
        }
    }
}
