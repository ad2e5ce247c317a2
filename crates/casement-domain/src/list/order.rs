//! The order of a list and the plain comparison of two rows.

use std::cmp::Ordering;

use super::filter::Filter;
use super::query::{Direction, SortKey};
use super::row::Row;
use crate::workspace::Workspace;

/// The order of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// By how well the row fits the search, then newest first.
    Relevance,
    /// By these keys in turn, then by id in the direction of the first. Never empty.
    Keys(Vec<(SortKey, Direction)>),
}

impl Order {
    /// Gives the order of a query: what it asks for, else by relevance where words are searched, else newest first.
    pub fn of(sort: &[(SortKey, Direction)], filter: &Filter) -> Self {
        if !sort.is_empty() {
            Self::Keys(sort.to_vec())
        } else if filter.own_words().next().is_none() {
            Self::Keys(vec![(SortKey::Created, Direction::Descending)])
        } else {
            Self::Relevance
        }
    }

    /// Gives how many keys it has; relevance counts as one.
    pub fn keys(&self) -> usize {
        match self {
            Self::Relevance => 1,
            Self::Keys(keys) => keys.len(),
        }
    }

    /// Compares two rows of one list. Rows without the value of a key come last in either direction.
    pub fn compare(&self, left: &Row, right: &Row, filter: &Filter, workspace: &Workspace) -> Ordering {
        match self {
            Self::Relevance => filter
                .relevance(right)
                .cmp(&filter.relevance(left))
                .then_with(|| compare_key(SortKey::Created, Direction::Descending, left, right, workspace))
                .then_with(|| right.work.id().cmp(left.work.id())),
            Self::Keys(keys) => {
                for (key, direction) in keys {
                    let ordering = compare_key(*key, *direction, left, right, workspace);
                    if ordering != Ordering::Equal {
                        return ordering;
                    }
                }
                let first = keys.first().map_or(Direction::Descending, |(_, direction)| *direction);
                directed(first, left.work.id().cmp(right.work.id()))
            }
        }
    }
}

fn directed(direction: Direction, ordering: Ordering) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

fn compare_key(
    key: SortKey,
    direction: Direction,
    left: &Row,
    right: &Row,
    workspace: &Workspace,
) -> Ordering {
    let (one, other) = (left.work.item(), right.work.item());
    let ascending = match key {
        SortKey::Created => one.created_at.cmp(&other.created_at),
        SortKey::Updated => one.updated_at.cmp(&other.updated_at),
        SortKey::Due => match (one.due, other.due) {
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
        SortKey::Priority => {
            let score =
                |row: &Row| workspace.priority(&row.work.item().priority).map(|priority| priority.score);
            score(left).cmp(&score(right))
        }
        SortKey::Status => {
            let status = |row: &Row| workspace.status(&row.work.item().status);
            let rank = |row: &Row| status(row).map(|status| (status.category, status.name.to_lowercase()));
            rank(left).cmp(&rank(right))
        }
        SortKey::Name => left.folded_name.cmp(&right.folded_name),
        SortKey::Reference => left.number.cmp(&right.number),
    };
    directed(direction, ascending)
}
