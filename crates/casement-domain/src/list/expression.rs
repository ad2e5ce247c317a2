//! Expressions of the query language as they are written: `or`, `not` and comparisons, with the place of each part.
//!
//! The wire reads them; [`super::resolve`] asks the workspace what their names mean.

/// A part of an expression as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// All of these.
    All(Vec<Self>),
    /// Any of these.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// A word to be found, or several in quotes.
    Words(String),
    /// A comparison of one field.
    Clause(Clause),
}

/// A comparison of one field with one or more values, of which any may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// What is compared.
    pub subject: Subject,
    /// How.
    pub comparison: Comparison,
    /// With what; never empty.
    pub values: Vec<Operand>,
    /// Where the clause begins, in characters from 0.
    pub at: usize,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// The text without its quotes.
    pub text: String,
    /// Whether it stands in quotes; then it is never a word of the language such as `none`.
    pub quoted: bool,
    /// Where it begins, in characters from 0.
    pub at: usize,
}

/// What a clause compares.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the field that it names")]
pub enum Subject {
    Status,
    Priority,
    Queue,
    Assignee,
    /// Who watches the case; nobody watches a task.
    Watcher,
    Channel,
    Tag,
    Customer,
    Template,
    Name,
    /// What a comment of the case says; a task has none.
    Comment,
    Id,
    Case,
    Created,
    Updated,
    Due,
    /// A state such as `overdue`.
    Is,
    /// Whether there is a value.
    Has,
    /// A custom field, by its name.
    Field(String),
}

/// How a clause compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Is it, or lies in it.
    Is,
    /// Is less, or lies before it.
    Before,
    /// Is it or less.
    UpTo,
    /// Is more, or lies after it.
    After,
    /// Is it or more.
    From,
}
