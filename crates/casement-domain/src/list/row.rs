//! A row: one case or task with what lists need of it, worked out once per version.

use crate::case::Case;
use crate::customer::CustomerSnapshot;
use crate::date::Moment;
use crate::id::{AgentId, CaseId};
use crate::item::WorkItem;
use crate::item::fields::value::texts_of;
use crate::task::Task;
use crate::text::{Words, fold_case};
use crate::workspace::Workspace;

/// A case or a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A case.
    Case(Case),
    /// A task.
    Task(Task),
}

impl Work {
    /// Gives what cases and tasks have in common.
    pub fn item(&self) -> &WorkItem {
        match self {
            Self::Case(case) => &case.item,
            Self::Task(task) => &task.item,
        }
    }

    /// Gives the id.
    pub fn id(&self) -> &str {
        match self {
            Self::Case(case) => case.id.as_str(),
            Self::Task(task) => task.id.as_str(),
        }
    }

    /// Gives the case: itself, or the one that a task belongs to.
    pub fn case(&self) -> &CaseId {
        match self {
            Self::Case(case) => &case.id,
            Self::Task(task) => &task.case,
        }
    }

    /// Gives the id of the template; a custom task has none.
    pub fn template(&self) -> Option<&str> {
        match self {
            Self::Case(case) => Some(case.template.as_str()),
            Self::Task(task) => task.template.as_ref().map(|template| template.as_str()),
        }
    }

    /// Gives the agents who watch it; nobody watches a task.
    pub fn watchers(&self) -> &[AgentId] {
        match self {
            Self::Case(case) => &case.watchers,
            Self::Task(_) => &[],
        }
    }

    /// Gives the reference id with this number.
    pub fn reference_id(&self, number: u64) -> String {
        match self {
            Self::Case(_) => crate::case::reference_id(number),
            Self::Task(_) => crate::task::reference_id(number),
        }
    }
}

/// One version of a case or task, ready to be listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The document's version; 0 until it is committed.
    pub version: u64,
    /// The number that its reference id shows; 0 until it is committed.
    pub number: u64,
    /// The document.
    pub work: Work,
    /// The name in lower case.
    pub folded_name: String,
    /// The words of name and reference id.
    pub first_words: Words,
    /// The words of description, customer name and e-mail, which rank lower.
    pub second_words: Words,
    /// The words that the query language finds too; see [`further_words`].
    pub further_words: Words,
    /// The words of each comment of a case that is not deleted, which the query language finds as well; see
    /// [`crate::comment::Comment::words`]. They are not the case's own: whoever has read them puts them in.
    pub comments: Vec<Words>,
}

/// Gives the words that the query language finds beside those of the public API's search: of the tags, of the texts of custom
/// fields (of a list its entries; dates are no texts), and of the customer's phone number, part by part and its digits in one.
pub fn further_words(item: &WorkItem) -> Words {
    let texts = item.field_values.values().flat_map(texts_of);
    let mut words = Words::of(item.tags.iter().map(String::as_str).chain(texts));
    if let Some(phone) = &item.customer.phone {
        words.add(phone);
        words.add(&phone.chars().filter(char::is_ascii_digit).collect::<String>());
    }
    words
}

impl Row {
    /// Works out the row of a document before it is committed: everything that costs time.
    pub fn prepared(work: Work) -> Self {
        let item = work.item();
        let CustomerSnapshot { name, email, .. } = &item.customer;
        let second = [item.description.as_str(), name.as_str(), email.as_deref().unwrap_or_default()];
        Self {
            version: 0,
            number: 0,
            folded_name: fold_case(&item.name),
            first_words: Words::of([item.name.as_str()]),
            second_words: Words::of(second),
            further_words: further_words(item),
            comments: Vec::new(),
            work,
        }
    }

    /// Completes the row with what the commit assigned.
    pub fn committed(mut self, version: u64, number: u64) -> Self {
        self.version = version;
        self.number = number;
        self.first_words.add(&self.work.reference_id(number));
        self
    }

    /// Puts the words of a case's comments in.
    pub fn commented(mut self, comments: Vec<Words>) -> Self {
        self.comments = comments;
        self
    }

    /// Gives the moment at which the document will be breached, unless that has happened or can't happen.
    pub fn deadline(&self, workspace: &Workspace) -> Option<Moment> {
        let item = self.work.item();
        item.due.filter(|_| item.active && !item.breached && !item.is_over(workspace))
    }
}
