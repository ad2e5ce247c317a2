//! Places in an order: where a page begins that goes on behind another, and how documents stand to that place.
//!
//! A place says what the sort keys said of a document. It needs neither the document nor anything that stood before it.

use std::cmp::Ordering;

use crate::column::NONE;
use crate::engine::Engine;
use crate::page::Key;
use crate::query::{Direction, Place, Query, QueryError, SortValue};

/// Which part of all matches a page is.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// How many documents come before the page.
    pub skip: u64,
    /// Behind which place the page begins; then nothing is skipped.
    pub after: Option<&'a Place>,
    take: usize,
    total: u64,
}

impl<'a> Window<'a> {
    /// Gives the part that a query asks for of so many matches.
    pub fn of(query: &'a Query, total: u64) -> Self {
        let after = query.after.as_ref();
        Self { skip: if after.is_none() { query.skip } else { 0 }, after, take: query.limit, total }
    }

    /// Tells whether the page has nothing for sure.
    pub fn is_empty(&self) -> bool {
        self.take == 0 || self.skip >= self.total
    }

    /// Gives how many documents are to be found: behind a place only one more tells whether the page is the last one.
    pub fn wanted(&self) -> usize {
        self.take.saturating_add(usize::from(self.after.is_some()))
    }

    /// Cuts what was found to the page. Gives the last document when more follow.
    pub fn cut(&self, ordinals: &mut Vec<u32>) -> Option<u32> {
        let more_follow = match self.after {
            Some(_) => ordinals.len() > self.take,
            None => self.skip.saturating_add(ordinals.len() as u64) < self.total,
        };
        ordinals.truncate(self.take);
        ordinals.last().copied().filter(|_| more_follow)
    }
}

/// What is still to be compared of a place: the keys that a part of the matches is not equal in anyway.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark<'a> {
    values: &'a [SortValue],
    pub(crate) id: &'a str,
}

impl<'a> Mark<'a> {
    /// Takes a place of the order by these keys.
    pub(crate) fn of(place: &'a Place, keys: &[Key<'_>]) -> Result<Self, QueryError> {
        let is_of = |(key, value): (&Key<'_>, &SortValue)| match key {
            Key::Column { .. } => matches!(value, SortValue::Column(_)),
            Key::Name(_) => matches!(value, SortValue::Name(_)),
            Key::Ranked(_) => matches!(value, SortValue::Rank(_)),
        };
        if keys.len() != place.values.len() || !keys.iter().zip(&place.values).all(is_of) {
            return Err(QueryError::OtherOrder);
        }
        Ok(Self { values: &place.values, id: &place.id })
    }

    /// Gives the mark without its first key.
    pub(crate) fn behind_first(self) -> Option<Self> {
        Some(Self { values: self.values.get(1..)?, id: self.id })
    }

    /// Tells whether the first key is a column of which the place has no value.
    pub(crate) fn is_without_value(self) -> bool {
        matches!(self.values.first(), Some(SortValue::Column(None)))
    }

    /// Gives the rank that the first key says.
    pub(crate) fn first_rank(self) -> Option<i64> {
        match self.values.first() {
            Some(SortValue::Rank(rank)) => Some(*rank),
            Some(SortValue::Column(_) | SortValue::Name(_)) | None => None,
        }
    }

    /// Gives a number that sorts the place by the first key as far as a number can.
    pub(crate) fn first_number(self) -> i64 {
        match self.values.first() {
            None => 0,
            Some(SortValue::Column(value)) => value.unwrap_or(NONE),
            Some(SortValue::Rank(rank)) => *rank,
            Some(SortValue::Name(name)) => name_number(name.as_bytes()),
        }
    }

    /// Tells how a document stands to the place by the first key.
    pub(crate) fn compare_first(self, engine: &Engine, key: &Key<'_>, ordinal: u32) -> Ordering {
        self.values.first().map_or(Ordering::Equal, |value| compare_key(engine, key, ordinal, value))
    }

    /// Tells how a document stands to the place by all keys and its id.
    pub(crate) fn compare(self, engine: &Engine, keys: &[Key<'_>], tie: Direction, ordinal: u32) -> Ordering {
        let by_key = |(key, value)| compare_key(engine, key, ordinal, value);
        let by_keys = keys.iter().zip(self.values).map(by_key).find(|ordering| ordering.is_ne());
        by_keys.unwrap_or_else(|| tie.apply(engine.ids().get(ordinal).cmp(self.id.as_bytes())))
    }
}

/// Gives a number that sorts a name as far as a number can.
pub(crate) fn name_number(name: &[u8]) -> i64 {
    let mut first = [0_u8; 8];
    first.iter_mut().zip(name).for_each(|(byte, own)| *byte = *own);
    // The upper bit turned over, so that numbers with a sign come in the order of those without.
    (u64::from_be_bytes(first) ^ (1 << 63)).cast_signed()
}

fn compare_key(engine: &Engine, key: &Key<'_>, ordinal: u32, value: &SortValue) -> Ordering {
    let ascending = match (key, value) {
        (Key::Column { column, .. }, SortValue::Column(value)) => match (column.get(ordinal), value) {
            (NONE, None) => Ordering::Equal,
            (NONE, Some(_)) => return Ordering::Greater,
            (_, None) => return Ordering::Less,
            (own, Some(value)) => own.cmp(value),
        },
        (Key::Name(_), SortValue::Name(name)) => engine.names().get(ordinal).cmp(name.as_bytes()),
        (Key::Ranked(ranks), SortValue::Rank(rank)) => ranks.rank(ordinal).cmp(rank),
        // A mark is made only of a place whose values are of its keys.
        (Key::Column { .. } | Key::Name(_) | Key::Ranked(_), _) => Ordering::Equal,
    };
    key.direction().apply(ascending)
}
