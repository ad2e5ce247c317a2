//! Queries as values: which documents, in which order, which page; and the answers.

use std::sync::Arc;

use crate::layout::{ColumnId, FacetId};
use crate::matches::Matches;

pub use crate::column::Span;

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Direction {
    /// Turns an ordering over where the direction asks for it.
    pub fn apply(self, ordering: std::cmp::Ordering) -> std::cmp::Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// A folded word that is looked for: the beginning of a term in one of the first text fields of the layout. An empty one is
/// the beginning of nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// In how many text fields it is looked for, from the first one on; beyond the last one: in all; 0: in none.
    pub fields: usize,
    /// The documents that count as having it in a field behind the first one: another engine has found it. Words of a query
    /// that are otherwise equal must be equal in this too.
    pub elsewhere: Option<Documents>,
}

/// Documents of one engine that another has found, as of now; see [`crate::engine::Engine::referred`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents(pub(crate) Arc<Matches>);

impl Documents {
    /// Counts them.
    pub fn total(&self) -> u64 {
        self.0.total()
    }
}

/// What documents must fulfil. At most [`crate::limits::CONDITION_DEPTH_MAX`] levels deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Any document.
    All,
    /// One of these values in the facet; an empty list matches nothing.
    AnyOf(FacetId, Vec<String>),
    /// No value in the facet.
    Without(FacetId),
    /// A value of the column within the span.
    Within(ColumnId, Span),
    /// No value of the column.
    Lacking(ColumnId),
    /// The folded name contains this text; an empty one is contained everywhere.
    NameContains(String),
    /// This word is found.
    Word(Word),
    /// One of these ids.
    Ids(Vec<String>),
    /// Not the inner condition.
    Not(Box<Condition>),
    /// All of these; of none, any document.
    And(Vec<Condition>),
    /// Any of these; of none, no document.
    Or(Vec<Condition>),
}

/// What documents are sorted by. Equal ones go on to the next key, at last to the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// A column; documents without a value come last in either direction.
    Column(ColumnId, Direction),
    /// The folded name.
    Name(Direction),
    /// A facet by the rank that each value is given here. A document with several values counts with the one that
    /// comes first; one with none of them has the rank `other`.
    Ranked {
        /// The facet.
        facet: FacetId,
        /// The rank of each value.
        ranks: Vec<(String, i64)>,
        /// The rank of documents without any of these values.
        other: i64,
        /// The direction.
        direction: Direction,
    },
}

/// The order of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sort {
    /// By these keys, then by id in the given direction.
    Keys(Vec<SortKey>, Direction),
    /// By the number of the query's words that the first text field has, most first; then by a column, largest first,
    /// then by id, largest first.
    Relevance(ColumnId),
}

/// What one sort key says of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortValue {
    /// The value of a column, where the document has one.
    Column(Option<i64>),
    /// The folded name.
    Name(String),
    /// The rank of its values in a facet.
    Rank(i64),
}

/// A place in the order of a query: right behind a document, whether that is still there or not. Each document with other
/// values stands before or behind it, whatever was put in, taken out or changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// How many of the query's words the first text field has; 0 in an order by keys.
    pub words: u32,
    /// What each sort key says; in an order by relevance the value of its column.
    pub values: Vec<SortValue>,
    /// The id.
    pub id: String,
}

/// A page of documents that fulfil a condition and in which each word is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The condition.
    pub condition: Condition,
    /// Words that must be found. A word that stands twice counts twice.
    pub words: Vec<Word>,
    /// The order.
    pub sort: Sort,
    /// How many documents come before the page. Counts for nothing where the page begins behind a place.
    pub skip: u64,
    /// Behind which place the page begins. A page costs the same wherever that is.
    pub after: Option<Place>,
    /// How many documents the page has at most.
    pub limit: usize,
}

/// A document of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// The version that the answer speaks of.
    pub version: u64,
}

/// A page and the exact number of all documents that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The documents, in order.
    pub found: Vec<Found>,
    /// How many match, before the page and on it too.
    pub total: u64,
    /// The place behind the last document, when more follow.
    pub next: Option<Place>,
}

/// How a page is found; [`Plan::Auto`] weighs the others. The answer is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// By what seems cheapest.
    Auto,
    /// Along the sort order, however far.
    Walk,
    /// From all matches.
    Select,
}

/// Why a query was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The condition is nested too deeply.
    #[error("a condition has more than {} levels", crate::limits::CONDITION_DEPTH_MAX)]
    TooDeep,
    /// The layout has no such facet, column or text field.
    #[error("the index has no such facet, column or text field")]
    Unknown,
    /// The query begins behind a place of another order.
    #[error("the place is one of another order")]
    OtherOrder,
    /// The query asks for words, which are still being made.
    #[error("the words of the documents are still being read")]
    WordsMissing,
}
