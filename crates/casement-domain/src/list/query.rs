//! A query: what a request says about a list, before the workspace was asked what its names mean.

use serde_json::Value;

use super::expression::Written;
use crate::date::DateInput;
use crate::fault::Faults;
use crate::limits;
use crate::workspace::Reference;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When it was made.
    Created,
    /// When it changed last.
    Updated,
    /// When it is due.
    Due,
    /// The score of the priority.
    Priority,
    /// The category of the status, then its name.
    Status,
    /// The name in lower case.
    Name,
    /// The number of the reference id.
    Reference,
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// Deadlines relative to the time of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Past and unresolved.
    Overdue,
    /// On the day of the request.
    Today,
    /// On the day after.
    Tomorrow,
    /// On the day of the request or the six days after.
    Week,
    /// No due date.
    None,
}

/// What a request says about a list. Lists of names are empty where the request filters nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// Plain words, each of which must be found.
    pub search_text: String,
    /// A part of the name in any case; empty: no filter.
    pub name: String,
    /// Only what is neither resolved nor closed.
    pub unresolved: bool,
    /// Only what no agent has.
    pub unassigned: bool,
    /// Only what the acting user has.
    pub mine: bool,
    /// Names or ids.
    pub priorities: Vec<String>,
    /// Names, ids or categories.
    pub statuses: Vec<String>,
    /// Channels or sources.
    pub channels: Vec<String>,
    /// Names or ids.
    pub queues: Vec<String>,
    /// Profile or user ids.
    pub agents: Vec<String>,
    /// The first creation date.
    pub created_from: Option<DateInput>,
    /// The last creation date.
    pub created_to: Option<DateInput>,
    /// The due date.
    pub due: Option<DateInput>,
    /// Any of these deadlines.
    pub deadlines: Vec<Deadline>,
    /// Values of fields, all of which must be equal.
    pub fields: Vec<(Reference, Value)>,
    /// Only tasks of the case with this id; empty: no filter.
    pub case: String,
    /// Only tasks of the case with this reference id; empty: no filter.
    pub case_reference: String,
    /// An expression of the query language, which must hold too.
    pub expression: Option<Written>,
    /// The order; empty: by relevance where words are searched, else newest first.
    pub sort: Vec<(SortKey, Direction)>,
    /// How many documents come before the page.
    pub skip: u64,
    /// How many documents the page has at most: 1 to 500.
    pub limit: u32,
    /// The keys to answer with; empty: all.
    pub columns: Vec<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            faults: Faults::new(),
            search_text: String::new(),
            name: String::new(),
            unresolved: false,
            unassigned: false,
            mine: false,
            priorities: Vec::new(),
            statuses: Vec::new(),
            channels: Vec::new(),
            queues: Vec::new(),
            agents: Vec::new(),
            created_from: None,
            created_to: None,
            due: None,
            deadlines: Vec::new(),
            fields: Vec::new(),
            case: String::new(),
            case_reference: String::new(),
            expression: None,
            sort: Vec::new(),
            skip: 0,
            limit: limits::PAGE_DEFAULT,
            columns: Vec::new(),
        }
    }
}
