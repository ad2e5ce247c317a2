//! The kinds of documents that the index has an engine for.

use casement_index::layout::Layout;
use casement_wire::spelling::Noun;

use super::layout::{comment_layout, layout};
use crate::body;

/// What an engine holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Cases.
    Case,
    /// Tasks.
    Task,
    /// Comments of cases, which are never listed: cases are found by them.
    Comment,
}

impl Kind {
    /// All kinds, in the order in which they are built and kept.
    pub const ALL: [Self; 3] = [Self::Case, Self::Task, Self::Comment];

    /// Gives the name of the kind in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => body::CASE,
            Self::Task => body::TASK,
            Self::Comment => body::COMMENT,
        }
    }

    /// Gives the kind with this name in the store; `None`: the index does not know such documents.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Gives the layout of its engine.
    pub fn layout(self) -> Layout {
        match self {
            Self::Case | Self::Task => layout(),
            Self::Comment => comment_layout(),
        }
    }
}

impl From<Noun> for Kind {
    fn from(noun: Noun) -> Self {
        match noun {
            Noun::Case => Self::Case,
            Noun::Task => Self::Task,
        }
    }
}
