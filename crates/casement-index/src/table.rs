//! A table of rows that is answered by a plain scan.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The rows of one kind of document in one workspace.
#[derive(Debug)]
pub struct Table<R> {
    entries: Vec<Entry<R>>,
    ordinals: HashMap<Box<str>, usize>,
    /// Deadlines with the ordinals of their rows, earliest first.
    deadlines: BTreeSet<(i64, usize)>,
}

#[derive(Debug)]
struct Entry<R> {
    version: u64,
    deadline_ms: Option<i64>,
    row: Arc<R>,
}

/// A page of rows and the exact number of all that match.
#[derive(Debug)]
pub struct Page<R> {
    /// The rows of the page, in order.
    pub rows: Vec<Arc<R>>,
    /// How many rows match.
    pub total: u64,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { entries: Vec::new(), ordinals: HashMap::new(), deadlines: BTreeSet::new() }
    }
}

impl<R> Table<R> {
    /// Takes a version of a document, unless it has this one or a newer one already. `deadline_ms` is the moment, in
    /// milliseconds since the epoch, at which something must be done about it.
    pub fn apply(&mut self, id: &str, version: u64, deadline_ms: Option<i64>, row: Arc<R>) {
        let entry = Entry { version, deadline_ms, row };
        let ordinal = match self.ordinals.get(id) {
            Some(ordinal) => {
                let ordinal = *ordinal;
                let known = self.entries.get_mut(ordinal).expect("invariant: every ordinal has its entry");
                if known.version >= version {
                    return;
                }
                if let Some(deadline_ms) = known.deadline_ms {
                    self.deadlines.remove(&(deadline_ms, ordinal));
                }
                *known = entry;
                ordinal
            }
            None => {
                self.entries.push(entry);
                let ordinal = self.entries.len() - 1;
                self.ordinals.insert(id.into(), ordinal);
                ordinal
            }
        };
        if let Some(deadline_ms) = deadline_ms {
            self.deadlines.insert((deadline_ms, ordinal));
        }
    }

    /// Gives the row of a document.
    pub fn row(&self, id: &str) -> Option<&Arc<R>> {
        let entry = self.entries.get(*self.ordinals.get(id)?)?;
        Some(&entry.row)
    }

    /// Counts the documents.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives the rows whose deadline is before a moment, earliest first, at most `limit`.
    pub fn due_before(&self, moment_ms: i64, limit: usize) -> Vec<Arc<R>> {
        let due = self.deadlines.iter().take_while(|(deadline_ms, _)| *deadline_ms < moment_ms).take(limit);
        due.filter_map(|(_, ordinal)| self.entries.get(*ordinal))
            .map(|entry| Arc::clone(&entry.row))
            .collect()
    }

    /// Gives the page of matching rows after the first `skip`, in the order of `compare`, and the number of all.
    ///
    /// `compare` must be a total order in which no two rows are equal.
    pub fn select(
        &self,
        matches: impl Fn(&R) -> bool,
        compare: impl Fn(&R, &R) -> Ordering,
        skip: u64,
        limit: usize,
    ) -> Page<R> {
        let mut found: Vec<&Arc<R>> =
            self.entries.iter().map(|entry| &entry.row).filter(|row| matches(row)).collect();
        let total = found.len();
        let start = usize::try_from(skip).unwrap_or(usize::MAX).min(total);
        let end = start.saturating_add(limit).min(total);
        if end < total {
            found.select_nth_unstable_by(end, |left, right| compare(left, right));
            found.truncate(end);
        }
        if start > 0 && start < end {
            found.select_nth_unstable_by(start, |left, right| compare(left, right));
        }
        let mut page = found.split_off(start);
        page.sort_unstable_by(|left, right| compare(left, right));
        Page { rows: page.into_iter().cloned().collect(), total: total as u64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(values: &[i32]) -> Table<(usize, i32)> {
        let mut table = Table::default();
        for (position, value) in values.iter().enumerate() {
            table.apply(&position.to_string(), 1, None, Arc::new((position, *value)));
        }
        table
    }

    #[test]
    fn an_older_version_is_not_taken() {
        let mut table = Table::default();
        table.apply("a", 2, Some(5), Arc::new("new"));
        table.apply("a", 1, Some(1), Arc::new("old"));
        assert_eq!(table.row("a").map(|row| **row), Some("new"));
        assert!(table.due_before(5, 10).is_empty());
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_deadline_goes_with_its_version() {
        let mut table = Table::default();
        table.apply("a", 1, Some(5), Arc::new("a1"));
        table.apply("b", 1, Some(3), Arc::new("b1"));
        assert_eq!(table.due_before(6, 10).iter().map(|row| **row).collect::<Vec<_>>(), ["b1", "a1"]);
        assert_eq!(table.due_before(6, 1).len(), 1);
        table.apply("b", 2, None, Arc::new("b2"));
        assert_eq!(table.due_before(6, 10).iter().map(|row| **row).collect::<Vec<_>>(), ["a1"]);
    }

    proptest! {
        #[test]
        fn the_newest_version_of_each_document_counts_whatever_the_order_of_arrival(
            arrivals in prop::collection::vec((0_u8..6, 1_u64..6, prop::option::of(0_i64..8)), 0..60),
            moment_ms in 0_i64..10,
            limit in 0_usize..8,
        ) {
            let mut table = Table::default();
            let mut newest: std::collections::BTreeMap<u8, (u64, Option<i64>)> = std::collections::BTreeMap::new();
            for (document, version, deadline_ms) in arrivals {
                table.apply(&document.to_string(), version, deadline_ms, Arc::new((document, version, deadline_ms)));
                let known = newest.entry(document).or_insert((version, deadline_ms));
                if version > known.0 {
                    *known = (version, deadline_ms);
                }
            }
            prop_assert_eq!(table.len(), newest.len());
            for (document, (version, deadline_ms)) in &newest {
                let row = table.row(&document.to_string()).map(|row| **row);
                prop_assert_eq!(row, Some((*document, *version, *deadline_ms)));
            }
            let due = table.due_before(moment_ms, limit);
            let mut expected: Vec<i64> =
                newest.values().filter_map(|(_, deadline_ms)| *deadline_ms).filter(|ms| *ms < moment_ms).collect();
            expected.sort_unstable();
            expected.truncate(limit);
            prop_assert_eq!(due.iter().filter_map(|row| row.2).collect::<Vec<i64>>(), expected);
            let page = table.select(|_| true, |left, right| left.0.cmp(&right.0), 0, 100);
            prop_assert_eq!(page.rows.iter().map(|row| row.0).collect::<Vec<u8>>(), newest.into_keys().collect::<Vec<u8>>());
        }

        #[test]
        fn a_page_is_what_sorting_everything_gives(
            values in prop::collection::vec(0_i32..20, 0..60),
            skip in 0_u64..70,
            limit in 1_usize..20,
        ) {
            let compare = |left: &(usize, i32), right: &(usize, i32)| left.1.cmp(&right.1).then(left.0.cmp(&right.0));
            let page = table(&values).select(|row| row.1 % 3 != 0, compare, skip, limit);
            let mut all: Vec<(usize, i32)> =
                values.iter().copied().enumerate().filter(|row| row.1 % 3 != 0).collect();
            all.sort_by(compare);
            prop_assert_eq!(page.total, all.len() as u64);
            let expected: Vec<_> = all.into_iter().skip(skip as usize).take(limit).collect();
            let rows: Vec<_> = page.rows.iter().map(|row| **row).collect();
            prop_assert_eq!(rows, expected);
        }
    }
}
