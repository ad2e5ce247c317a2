//! Answers: pages, counts and counts by group.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::block::{self, BLOCK};
use crate::column::NONE;
use crate::engine::Engine;
use crate::filter::{self, Node};
use crate::layout::{ColumnId, FacetId};
use crate::limits::{DAYS_MAX, ONWARD_STEPS_MAX, RANKED_WORDS_MAX};
use crate::matches::Matches;
use crate::page;
use crate::place::Window;
use crate::query::{Condition, Documents, Page, Plan, Query, QueryError, Sort, Word};
use crate::set::Set;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// What it takes to count the members of a set in a block by bits, in matches looked at one by one.
const MATCHES_PER_BLOCK: u64 = 250;
/// What it takes to go through one combination of values, in matches looked at one by one.
const MATCHES_PER_CHOICE: u64 = 4;

/// The counts of a facet's values among what matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// How many documents have each value, in the order of values; values of none are left out.
    pub counts: Vec<(String, u64)>,
    /// How many documents have no value.
    pub without: u64,
}

/// The counts of the days of a column among what matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Days {
    /// How many documents have each day, earliest first: days since the epoch, shifted as asked.
    pub counts: Vec<(i64, u64)>,
    /// How many documents have no value.
    pub without: u64,
}

/// A word of a search: how often it stands in the search, and what has it in the first text field.
struct InFirst {
    weight: u32,
    first: Matches,
}

impl Engine {
    /// Answers a query.
    ///
    /// # Errors
    /// The condition is nested too deeply, or names what the layout lacks.
    pub fn page(&self, query: &Query) -> Result<Page, QueryError> {
        self.page_by(query, Plan::Auto)
    }

    /// Answers a query in a given way.
    ///
    /// # Errors
    /// As [`Engine::page`].
    pub fn page_by(&self, query: &Query, plan: Plan) -> Result<Page, QueryError> {
        let (matches, words) = self.search(&query.condition, &query.words)?;
        let total = matches.total();
        let window = Window::of(query, total);
        let (ordinals, next) = match &query.sort {
            _ if window.is_empty() => (Vec::new(), None),
            Sort::Keys(keys, tie) => page::page(self, &matches, &query.condition, keys, *tie, window, plan)?,
            Sort::Relevance(column) => {
                let column = self.column(*column)?;
                page::ranked(self, &self.levels(matches, words), column, window, plan)?
            }
        };
        Ok(Page { found: ordinals.into_iter().map(|ordinal| self.found(ordinal)).collect(), total, next })
    }

    /// Counts the documents that fulfil a condition and have a term for each word.
    ///
    /// # Errors
    /// As [`Engine::page`].
    pub fn count(&self, condition: &Condition, words: &[Word]) -> Result<u64, QueryError> {
        Ok(self.matches(condition, words)?.total())
    }

    fn matches(&self, condition: &Condition, words: &[Word]) -> Result<Matches, QueryError> {
        Ok(self.search(condition, words)?.0)
    }

    /// Finds the documents of another engine that those with all words refer to: a column tells of each the ordinal there. Where
    /// the column `onward` of the other engine tells of another document there, that one is found in its place. It costs some
    /// nanoseconds for each document with the words.
    ///
    /// # Errors
    /// The words are not made yet, or there is no such column.
    pub fn referred(
        &self,
        words: &[Word],
        column: ColumnId,
        others: &Self,
        onward: ColumnId,
    ) -> Result<Documents, QueryError> {
        let matches = self.matches(&Condition::All, words)?;
        let (column, onward, among) = (self.column(column)?, others.column(onward)?, others.len());
        let mut referred = Matches::none(among);
        let there = |value: i64| u32::try_from(value).ok().filter(|other| (*other as usize) < among);
        matches.for_each(|ordinal| {
            let Some(mut other) = there(column.get(ordinal)) else { return };
            for _ in 0..ONWARD_STEPS_MAX {
                let Some(next) = there(onward.get(other)) else { break };
                other = next;
            }
            referred.switch_on(other);
        });
        referred.settle();
        Ok(Documents(Arc::new(referred)))
    }

    /// Finds what fulfils a condition and has all words, and what has each word in the first text field.
    fn search(&self, condition: &Condition, words: &[Word]) -> Result<(Matches, Vec<InFirst>), QueryError> {
        if !words.is_empty() && !self.has_words() {
            return Err(QueryError::WordsMissing);
        }
        let mut nodes = vec![filter::node(self, condition, 0)?];
        let mut weights: BTreeMap<(&str, usize), (u32, &Word)> = BTreeMap::new();
        for word in words {
            weights.entry((&word.text, word.fields)).or_insert((0, word)).0 += 1;
        }
        let mut in_first = Vec::with_capacity(weights.len());
        for (weight, word) in weights.into_values() {
            let (first, all) = self.with_word(word);
            let total = all.as_ref().unwrap_or(&first).total();
            if total == 0 {
                return Ok((Matches::none(self.len()), Vec::new()));
            }
            if total < self.len() as u64 {
                nodes.push(Node::Ready(all.unwrap_or_else(|| first.clone())));
            }
            in_first.push(InFirst { weight, first });
        }
        Ok((filter::find(self, &filter::and(nodes)), in_first))
    }

    /// Parts the matches by how many words the first text field has, most first.
    fn levels(&self, matches: Matches, words: Vec<InFirst>) -> Vec<(u32, Matches)> {
        let mut levels: BTreeMap<u32, Matches> = BTreeMap::new();
        if words.len() <= RANKED_WORDS_MAX {
            levels.insert(0, matches);
            for InFirst { weight, first } in words {
                let mut next: BTreeMap<u32, Matches> = BTreeMap::new();
                for (level, part) in levels {
                    let (higher, same) = part.part(&first);
                    for (level, part) in [(level + weight, higher), (level, same)] {
                        if part.total() == 0 {
                            continue;
                        }
                        match next.entry(level) {
                            Entry::Vacant(vacant) => {
                                vacant.insert(part);
                            }
                            Entry::Occupied(mut known) => known.get_mut().unite(&part),
                        }
                    }
                }
                levels = next;
            }
        } else {
            let mut ranks: Vec<(u32, u32)> = Vec::new();
            matches.for_each(|ordinal| ranks.push((ordinal, 0)));
            for InFirst { weight, first } in words {
                for (ordinal, rank) in &mut ranks {
                    *rank += if first.contains(*ordinal) { weight } else { 0 };
                }
            }
            for (ordinal, rank) in ranks {
                levels.entry(rank).or_insert_with(|| Matches::none(self.len())).switch_on(ordinal);
            }
            levels.values_mut().for_each(Matches::settle);
        }
        levels.into_iter().rev().collect()
    }

    /// Counts the documents of each value of a facet among those that match. A document with several values counts for
    /// each.
    ///
    /// # Errors
    /// As [`Engine::page`].
    pub fn groups(
        &self,
        condition: &Condition,
        words: &[Word],
        facet: FacetId,
    ) -> Result<Groups, QueryError> {
        let facet = self.facet(facet)?;
        let matches = self.matches(condition, words)?;
        let mut counts: Vec<u64> = vec![0; facet.values_len()];
        let mut without = 0;
        let per_set = matches.blocks_len() as u64 * MATCHES_PER_BLOCK;
        let by_set: u64 = facet.values().map(|(_, _, set)| per_set.min(set.len() as u64)).sum();
        if by_set <= matches.total() + facet.choices_len() as u64 * MATCHES_PER_CHOICE {
            for number in 0..matches.blocks_len() {
                let Some(bits) = matches.bits(number) else { continue };
                let documents = (self.len() - number * BLOCK).min(BLOCK);
                let count = |set: &Set| {
                    let is_whole = matches.count(number) as usize == documents;
                    u64::from(if is_whole { set.count_of(number) } else { set.count_in(number, bits) })
                };
                without += count(&facet.missing);
                for (value, _, set) in facet.values() {
                    counts[value as usize] += count(set);
                }
            }
        } else {
            let mut by_choice: Vec<u64> = vec![0; facet.choices_len()];
            for number in 0..matches.blocks_len() {
                let Some(bits) = matches.bits(number) else { continue };
                let chosen = facet.block_choices(number);
                block::for_each_place(bits, |low| by_choice[chosen[usize::from(low)] as usize] += 1);
            }
            without = by_choice.first().copied().unwrap_or_default();
            for (choice, count) in by_choice.iter().enumerate().skip(1).filter(|(_, count)| **count > 0) {
                for value in facet.choice_values(choice as u32) {
                    counts[*value as usize] += count;
                }
            }
        }
        let named = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let mut counts: Vec<(String, u64)> =
            named.map(|(value, count)| (facet.text(value as u32).to_owned(), *count)).collect();
        counts.sort_unstable();
        Ok(Groups { counts, without })
    }

    /// Counts the documents of each day of a column of milliseconds among those that match. `shift_ms` is added first: the
    /// zone's offset.
    ///
    /// # Errors
    /// As [`Engine::page`].
    pub fn days(
        &self,
        condition: &Condition,
        words: &[Word],
        column: ColumnId,
        shift_ms: i64,
    ) -> Result<Days, QueryError> {
        let column = self.column(column)?;
        let matches = self.matches(condition, words)?;
        let day = |value: i64| value.saturating_add(shift_ms).div_euclid(DAY_MS);
        let (smallest, largest) =
            column.ends().map_or((0, 0), |(smallest, largest)| (day(smallest), day(largest)));
        let width = usize::try_from(largest - smallest).unwrap_or(usize::MAX);
        let mut table: Vec<u64> = if width < DAYS_MAX { vec![0; width + 1] } else { Vec::new() };
        // Without a sign a division by a constant is a multiplication.
        let start_ms = smallest.saturating_mul(DAY_MS).saturating_sub(shift_ms);
        let mut far: BTreeMap<i64, u64> = BTreeMap::new();
        let mut without = 0;
        for number in 0..matches.blocks_len() {
            let Some(bits) = matches.bits(number) else { continue };
            let values = column.block_values(number);
            block::for_each_place(bits, |low| {
                let value = values[usize::from(low)];
                if value == NONE {
                    without += 1;
                } else if let Some(count) =
                    table.get_mut((value.wrapping_sub(start_ms) as u64 / DAY_MS as u64) as usize)
                {
                    *count += 1;
                } else {
                    *far.entry(day(value)).or_default() += 1;
                }
            });
        }
        let near = table.into_iter().enumerate().filter(|(_, count)| *count > 0);
        let counts = near.map(|(index, count)| (smallest + index as i64, count)).chain(far).collect();
        Ok(Days { counts, without })
    }
}
