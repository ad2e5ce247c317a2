//! What was sent and what was acknowledged, kept outside the server's process, in memory and in a file.
//!
//! A writer notes each request before it is sent and each acknowledgement as soon as it has read it. What was sent and
//! not acknowledged may or may not have happened; once a listing after a restart has shown which, it is certain
//! ([`Ledger::settle`]). It knows no HTTP and judges nothing: that is `check`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::listing::{Listed, Listing};

/// A case or task that is certain to exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The reference number, as `CS000100`.
    pub reference: String,
    /// The unique name that it was created with.
    pub name: String,
    /// The case of a task.
    pub case: Option<String>,
    /// The values that the document may show: the certain one first, then those that were sent after it, in order.
    pub values: Vec<String>,
}

/// The documents of one kind.
#[derive(Debug, Default)]
pub struct Book {
    /// What is certain to exist, by id.
    pub known: BTreeMap<String, Known>,
    /// The names of creates that were sent and not acknowledged.
    pub open: BTreeSet<String>,
}

/// A write that was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// A case of this name was to be created.
    Case {
        /// Its name.
        name: String,
    },
    /// A case's value was to be changed.
    Value {
        /// The case.
        case: String,
        /// The new value.
        value: String,
    },
    /// A task of this name was to be added to a case.
    Task {
        /// The case.
        case: String,
        /// Its name.
        name: String,
    },
}

/// How many requests were acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Created cases.
    pub cases: u64,
    /// Updated cases.
    pub updates: u64,
    /// Created tasks.
    pub tasks: u64,
}

/// Everything that was sent to one installation.
#[derive(Debug)]
pub struct Ledger {
    /// The cases.
    pub cases: Book,
    /// The tasks.
    pub tasks: Book,
    /// What was acknowledged so far.
    pub acknowledged: Tally,
    /// How many requests were sent again after a kill.
    pub resent: u64,
    /// How many acknowledged requests were repeated and answered the same.
    pub repeated: u64,
    file: File,
}

impl Ledger {
    /// Opens an empty ledger whose entries are appended to a file.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("{} could not be made", path.display()))?;
        let acknowledged = Tally::default();
        Ok(Self {
            cases: Book::default(),
            tasks: Book::default(),
            acknowledged,
            resent: 0,
            repeated: 0,
            file,
        })
    }

    /// Notes that a case is about to be created.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn case_sent(&mut self, name: &str) -> Result<()> {
        self.cases.open(name);
        self.append(&json!({"sent": "createCase", "name": name}))
    }

    /// Notes that a case was acknowledged.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn case_acknowledged(&mut self, document: &Listed) -> Result<()> {
        self.cases.acknowledge(document);
        self.acknowledged.cases += 1;
        self.append(&json!({"acknowledged": "createCase", "id": document.id, "refId": document.reference}))
    }

    /// Notes that a case's value is about to be changed.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn value_sent(&mut self, id: &str, value: &str) -> Result<()> {
        if let Some(known) = self.cases.known.get_mut(id) {
            known.values.push(value.to_owned());
        }
        self.append(&json!({"sent": "updateCase", "id": id, "value": value}))
    }

    /// Notes that a case's change was acknowledged: the values before it are gone for good.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn value_acknowledged(&mut self, id: &str, value: &str) -> Result<()> {
        if let Some(known) = self.cases.known.get_mut(id) {
            let place = known.values.iter().position(|sent| sent == value).unwrap_or_default();
            known.values.drain(..place);
        }
        self.acknowledged.updates += 1;
        self.append(&json!({"acknowledged": "updateCase", "id": id, "value": value}))
    }

    /// Notes that a task is about to be created.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn task_sent(&mut self, case: &str, name: &str) -> Result<()> {
        self.tasks.open(name);
        self.append(&json!({"sent": "createTask", "case": case, "name": name}))
    }

    /// Notes that a task was acknowledged.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn task_acknowledged(&mut self, document: &Listed) -> Result<()> {
        self.tasks.acknowledge(document);
        self.acknowledged.tasks += 1;
        self.append(&json!({"acknowledged": "createTask", "id": document.id, "refId": document.reference}))
    }

    /// Notes that a create was refused for good: it may not be there. A refused change leaves the values before it.
    pub fn refused(&mut self, sent: &Sent) {
        match sent {
            Sent::Case { name } => drop(self.cases.open.remove(name)),
            Sent::Task { name, .. } => drop(self.tasks.open.remove(name)),
            Sent::Value { case, value } => {
                if let Some(known) = self.cases.known.get_mut(case) {
                    known.values.retain(|sent| sent != value);
                }
            }
        }
    }

    /// Takes over what a listing after a restart has shown: what was open is now certain, one way or the other.
    pub fn settle(&mut self, cases: &Listing, tasks: &Listing) {
        self.cases.settle(cases);
        self.tasks.settle(tasks);
    }

    /// Appends a line to the file at once: an unbuffered write, so that it outlives this process too.
    fn append(&mut self, entry: &serde_json::Value) -> Result<()> {
        self.file.write_all(format!("{entry}\n").as_bytes()).context("the ledger could not be written")
    }
}

impl Book {
    /// Notes that a create is on its way. One that is certain to have happened can't happen again.
    fn open(&mut self, name: &str) {
        if !self.known.values().any(|known| known.name == name) {
            self.open.insert(name.to_owned());
        }
    }

    /// Makes a document certain, as it was answered.
    fn acknowledge(&mut self, document: &Listed) {
        self.open.remove(&document.name);
        self.known.insert(document.id.clone(), Known::from(document));
    }

    /// Makes certain what the listing shows and forgets what it doesn't.
    fn settle(&mut self, listing: &Listing) {
        for document in &listing.documents {
            self.acknowledge(document);
        }
        self.open.clear();
    }
}

impl From<&Listed> for Known {
    fn from(document: &Listed) -> Self {
        Self {
            reference: document.reference.clone(),
            name: document.name.clone(),
            case: document.case.clone(),
            values: vec![document.value.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, name: &str, value: &str) -> Listed {
        Listed {
            id: id.to_owned(),
            reference: "CS000100".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            case: None,
            task_ids: Vec::new(),
        }
    }

    fn ledger() -> (Ledger, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Ledger::create(&folder.path().join("ledger.jsonl")).unwrap(), folder)
    }

    fn listing(documents: Vec<Listed>) -> Listing {
        Listing { total: documents.len() as u64, documents }
    }

    #[test]
    fn an_acknowledged_value_drops_the_ones_before_it() {
        let (mut ledger, _folder) = ledger();
        ledger.case_sent("one").unwrap();
        ledger.case_acknowledged(&listed("ci-1", "one", "a")).unwrap();
        for value in ["b", "c"] {
            ledger.value_sent("ci-1", value).unwrap();
        }
        assert_eq!(ledger.cases.known["ci-1"].values, ["a", "b", "c"]);
        ledger.value_acknowledged("ci-1", "b").unwrap();
        assert_eq!(ledger.cases.known["ci-1"].values, ["b", "c"]);
    }

    #[test]
    fn settling_makes_the_seen_certain_and_forgets_the_unseen() {
        let (mut ledger, _folder) = ledger();
        for name in ["one", "two"] {
            ledger.case_sent(name).unwrap();
        }
        ledger.settle(&listing(vec![listed("ci-1", "one", "a")]), &listing(Vec::new()));
        assert!(ledger.cases.open.is_empty());
        assert_eq!(ledger.cases.known.keys().collect::<Vec<_>>(), ["ci-1"]);
    }

    #[test]
    fn each_entry_is_in_the_file_at_once() {
        let (mut ledger, folder) = ledger();
        ledger.task_sent("ci-1", "call back").unwrap();
        let text = std::fs::read_to_string(folder.path().join("ledger.jsonl")).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains("call back"), "{text}");
    }
}
