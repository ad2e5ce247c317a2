//! What clients did and saw: one line of JSON for each operation, and what the nodes list in the end.
//!
//! A history knows no HTTP and judges nothing: `verdict` does, from these values alone, so that a history can be kept,
//! read again and made by hand.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// What became of an operation, as far as its client can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was answered with success: it happened, once.
    Ok,
    /// It was refused, or never sent: it didn't happen.
    Fail,
    /// No answer, or one that says that nobody knows: it happened at most once.
    Unknown,
}

/// A case as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The case's id.
    pub case: String,
    /// The number in its reference: 100 of `CS000100`.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// The value that conditional updates change.
    pub value: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// A case was to be made. Its name and its first value are its own: nobody else sends them.
    Create {
        /// The name.
        name: String,
        /// The first value.
        value: String,
        /// The answer.
        seen: Option<Seen>,
    },
    /// A case's value was to be changed, if it still has the version at which it had the former value.
    Update {
        /// The case's id.
        case: String,
        /// The value that the client had seen.
        former: String,
        /// The new value; nobody else sends it.
        value: String,
        /// The answer.
        seen: Option<Seen>,
    },
    /// A tag was to be added to those that others add.
    Tag {
        /// The case's id.
        case: String,
        /// The tag; nobody else sends it.
        tag: String,
        /// The answer.
        seen: Option<Seen>,
    },
    /// One case was read.
    Read {
        /// The case's id.
        case: String,
        /// What was found: nothing, or the case.
        found: Vec<Seen>,
    },
    /// The newest cases were read, by number, the greatest first.
    List {
        /// How many cases there are in all.
        total: u64,
        /// How many were asked for.
        limit: usize,
        /// The page.
        found: Vec<Seen>,
    },
}

/// An operation with its time. Times are microseconds since the start of the proof, by one clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who did it.
    pub client: u64,
    /// The node that gave the last answer.
    pub node: String,
    /// The idempotency key of a write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was first sent.
    pub start: u64,
    /// When its last answer was read, or the client gave up.
    pub end: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// What it was.
    #[serde(flatten)]
    pub operation: Operation,
}

/// Everything that a node lists when nobody writes any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The node.
    pub node: String,
    /// How many cases it says there are.
    pub total: u64,
    /// The cases.
    pub cases: Vec<Seen>,
}

/// A line of a history's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Event(Event),
    Listing { listing: Listing },
    Fault { fault: String, machine: String, at: u64 },
}

/// All operations and the last listings, also in a file.
#[derive(Debug)]
pub struct History {
    /// What clients did.
    pub events: Vec<Event>,
    /// What the nodes listed last.
    pub listings: Vec<Listing>,
    file: Option<BufWriter<File>>,
}

impl History {
    /// An empty history whose lines go into a file as well.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("{} could not be made", path.display()))?;
        Ok(Self { events: Vec::new(), listings: Vec::new(), file: Some(BufWriter::new(file)) })
    }

    /// A history of given operations and listings, without a file.
    pub fn of(events: Vec<Event>, listings: Vec<Listing>) -> Self {
        Self { events, listings, file: None }
    }

    /// Reads the history of a former run.
    ///
    /// # Errors
    /// When the file can't be read, or a line is none of a history.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("{} could not be read", path.display()))?;
        let mut history = Self::of(Vec::new(), Vec::new());
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = serde_json::from_str(&line?)
                .with_context(|| format!("{}: line {} is none of a history", path.display(), number + 1))?;
            match line {
                Line::Event(event) => history.events.push(event),
                Line::Listing { listing } => history.replace_listing(listing),
                Line::Fault { .. } => {}
            }
        }
        Ok(history)
    }

    /// Adds an operation.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn add(&mut self, event: Event) -> Result<()> {
        self.write(&Line::Event(event.clone()))?;
        self.events.push(event);
        Ok(())
    }

    /// Adds what a node lists now, in place of what it listed before.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn list(&mut self, listing: Listing) -> Result<()> {
        self.write(&Line::Listing { listing: listing.clone() })?;
        self.replace_listing(listing);
        Ok(())
    }

    /// Notes a fault, for whoever reads the file.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn note_fault(&mut self, fault: &str, machine: &str, at: u64) -> Result<()> {
        self.write(&Line::Fault { fault: fault.to_owned(), machine: machine.to_owned(), at })
    }

    fn replace_listing(&mut self, listing: Listing) {
        self.listings.retain(|former| former.node != listing.node);
        self.listings.push(listing);
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        if let Some(file) = &mut self.file {
            serde_json::to_writer(&mut *file, line)?;
            file.write_all(b"\n")?;
            file.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str) -> Seen {
        let (case, value) = (format!("ci-{name}"), "first".to_owned());
        Seen { case, number: 100, name: name.to_owned(), value, tags: vec!["a".to_owned()] }
    }

    #[test]
    fn a_history_is_read_as_it_was_written_and_a_node_s_last_listing_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let mut history = History::create(&path).unwrap();
        let operations = [
            Operation::Create { name: "x".to_owned(), value: "v".to_owned(), seen: Some(seen("x")) },
            Operation::Update {
                case: "ci-x".to_owned(),
                former: "v".to_owned(),
                value: "w".to_owned(),
                seen: None,
            },
            Operation::Tag { case: "ci-x".to_owned(), tag: "t".to_owned(), seen: None },
            Operation::Read { case: "ci-x".to_owned(), found: vec![seen("x")] },
            Operation::List { total: 1, limit: 50, found: Vec::new() },
        ];
        for (number, operation) in operations.into_iter().enumerate() {
            let start = number as u64;
            let key = (number == 0).then(|| "key".to_owned());
            let (node, outcome) = ("app1".to_owned(), Outcome::Unknown);
            history.add(Event { client: 1, node, key, start, end: start + 1, outcome, operation }).unwrap();
        }
        history.note_fault("kill-leader", "db1", 3).unwrap();
        for total in [1, 2] {
            let listing = Listing { node: "app1".to_owned(), total, cases: vec![seen("x")] };
            history.list(listing).unwrap();
        }
        let read = History::read(&path).unwrap();
        assert_eq!(read.events, history.events);
        assert_eq!(read.listings, history.listings);
        assert_eq!(read.listings.len(), 1);
        assert_eq!(read.listings[0].total, 2);
    }

    #[test]
    fn a_line_that_is_none_of_a_history_is_refused_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        std::fs::write(&path, "{\"fault\":\"cut\",\"machine\":\"db1\",\"at\":1}\n{\"op\":\"erase\"}\n")
            .unwrap();
        let error = History::read(&path).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
