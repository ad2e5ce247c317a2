//! Pages: the documents of a page in their order, found along a sort order or picked from all matches.
//!
//! Where matches are dense, the page is found by walking along the order, from the start of the span when the condition
//! has one. Where they are rare, or lie at the far end of the order, all are looked at and the first ones picked. A walk
//! is given up once it has cost more than that. A page behind a place begins there: what lies before is not gone past.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::block;
use crate::column::{Column, NONE, Span};
use crate::engine::Engine;
use crate::facet::{Facet, ValueId};
use crate::filter;
use crate::matches::Matches;
use crate::order::{Order, Position};
use crate::place::{self, Mark, Window};
use crate::query::{Condition, Direction, Place, Plan, QueryError, SortKey, SortValue};
use crate::set::Set;

/// Steps of a walk that are always worth trying.
const WALK_MIN: u64 = 4_096;
/// Steps of a walk that cost as much as looking at one match.
const STEPS_PER_MATCH: u64 = 2;

/// A sort key with its values looked up.
pub(crate) enum Key<'a> {
    Column { column: &'a Column, direction: Direction, span: Option<Span> },
    Name(Direction),
    Ranked(Ranks<'a>),
}

pub(crate) struct Ranks<'a> {
    facet: &'a Facet,
    ranks: Vec<(ValueId, i64)>,
    other: i64,
    direction: Direction,
}

impl Ranks<'_> {
    pub(crate) fn rank(&self, ordinal: u32) -> i64 {
        let values = self.facet.choice_values(self.facet.choice(ordinal)).iter();
        let ranks = values
            .flat_map(|value| self.ranks.iter().filter(move |(own, _)| own == value).map(|(_, rank)| *rank));
        let rank = match self.direction {
            Direction::Ascending => ranks.min(),
            Direction::Descending => ranks.max(),
        };
        rank.unwrap_or(self.other)
    }
}

/// What is left of a page to be found.
struct Rest {
    skip: u64,
    take: usize,
    ordinals: Vec<u32>,
}

impl Rest {
    fn of(window: &Window<'_>) -> Self {
        let take = window.wanted();
        Self { skip: window.skip, take, ordinals: Vec::with_capacity(take.min(1_024)) }
    }
}

/// What a walk along an order is to find.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    skip: u64,
    take: usize,
    /// Equals of the first key have to be sorted anew, all of a run at once.
    in_runs: bool,
    /// The place behind which a document counts; needed where a run has it in its middle.
    after: Option<Mark<'a>>,
    /// The most steps.
    budget: u64,
}

/// Finds pages of one query.
struct Pager<'a> {
    engine: &'a Engine,
    /// The direction of ids among equals.
    tie: Direction,
    plan: Plan,
}

/// Gives the ordinals of a page of matches, sorted by keys, and the place behind it when more follow.
pub fn page(
    engine: &Engine,
    matches: &Matches,
    condition: &Condition,
    keys: &[SortKey],
    tie: Direction,
    window: Window<'_>,
    plan: Plan,
) -> Result<(Vec<u32>, Option<Place>), QueryError> {
    let keys = keys
        .iter()
        .map(|key| Key::of(engine, key, condition))
        .collect::<Result<Vec<Key<'_>>, QueryError>>()?;
    let after = window.after.map(|place| Mark::of(place, &keys)).transpose()?;
    let mut rest = Rest::of(&window);
    let pager = Pager { engine, tie, plan };
    pager.collect(matches, &keys, after, &mut rest);
    let last = window.cut(&mut rest.ordinals);
    Ok((rest.ordinals, last.map(|last| pager.place(0, &keys, last))))
}

impl<'a> Key<'a> {
    fn of(engine: &'a Engine, key: &SortKey, condition: &Condition) -> Result<Self, QueryError> {
        Ok(match key {
            SortKey::Column(column, direction) => Self::Column {
                column: engine.column(*column)?,
                direction: *direction,
                span: filter::span_of(condition, *column),
            },
            SortKey::Name(direction) => Self::Name(*direction),
            SortKey::Ranked { facet, ranks, other, direction } => {
                let facet = engine.facet(*facet)?;
                let known = ranks.iter().filter_map(|(text, rank)| Some((facet.value(text)?, *rank)));
                Self::Ranked(Ranks { facet, ranks: known.collect(), other: *other, direction: *direction })
            }
        })
    }

    pub(crate) fn direction(&self) -> Direction {
        match self {
            Self::Column { direction, .. } | Self::Name(direction) => *direction,
            Self::Ranked(ranks) => ranks.direction,
        }
    }
}

impl Pager<'_> {
    /// Adds what the page has of these matches.
    fn collect(&self, matches: &Matches, keys: &[Key<'_>], after: Option<Mark<'_>>, rest: &mut Rest) {
        if rest.take == 0 {
            return;
        }
        if rest.skip >= matches.total() {
            rest.skip -= matches.total();
            return;
        }
        match keys.split_first() {
            None | Some((Key::Name(_), _)) => self.sorted(matches, keys, after, rest),
            Some((Key::Column { column, .. }, others)) => {
                let (of_present, of_missing) = match after {
                    Some(mark) if mark.is_without_value() => (None, mark.behind_first()),
                    Some(_) | None => (Some(after), None),
                };
                if column.missing.is_empty() {
                    if let Some(after) = of_present {
                        self.sorted(matches, keys, after, rest);
                    }
                    return;
                }
                if let Some(after) = of_present {
                    self.sorted(&matches.split(&[&column.missing], false), keys, after, rest);
                }
                self.collect(&matches.split(&[&column.missing], true), others, of_missing, rest);
            }
            Some((Key::Ranked(ranks), others)) => self.by_rank(matches, ranks, others, after, rest),
        }
    }

    /// Goes through the ranks in their order, each a part of the matches.
    fn by_rank(
        &self,
        matches: &Matches,
        ranks: &Ranks<'_>,
        others: &[Key<'_>],
        after: Option<Mark<'_>>,
        rest: &mut Rest,
    ) {
        let sets_of = |wanted: Option<i64>| -> Vec<&Set> {
            let values = ranks.ranks.iter().filter(|(_, rank)| wanted.is_none_or(|wanted| *rank == wanted));
            values.map(|(value, _)| ranks.facet.documents(*value)).collect()
        };
        let unranked = matches.split(&sets_of(None), false);
        let mut order: Vec<i64> = ranks.ranks.iter().map(|(_, rank)| *rank).chain([ranks.other]).collect();
        order.sort_unstable_by(|left, right| ranks.direction.apply(left.cmp(right)));
        order.dedup();
        let mut left = matches.split(&sets_of(None), true);
        for rank in order {
            if rest.take == 0 {
                return;
            }
            let sets = sets_of(Some(rank));
            let mut part = left.split(&sets, true);
            left = left.split(&sets, false);
            if rank == ranks.other {
                part.unite(&unranked);
            }
            let place = after.and_then(Mark::first_rank);
            match place.map_or(Ordering::Greater, |place| ranks.direction.apply(rank.cmp(&place))) {
                Ordering::Less => {}
                Ordering::Equal => self.collect(&part, others, after.and_then(Mark::behind_first), rest),
                Ordering::Greater => self.collect(&part, others, None, rest),
            }
        }
    }

    /// Adds what the page has of matches that all have a value of the first key.
    fn sorted(&self, matches: &Matches, keys: &[Key<'_>], after: Option<Mark<'_>>, rest: &mut Rest) {
        let total = matches.total();
        if rest.skip >= total || rest.take == 0 {
            rest.skip = rest.skip.saturating_sub(total);
            return;
        }
        let take = rest.take.min(usize::try_from(total - rest.skip).unwrap_or(usize::MAX));
        let stretch = |budget| Stretch { skip: rest.skip, take, in_runs: false, after, budget };
        let found = match self.plan {
            Plan::Walk => self.walk(matches, keys, stretch(u64::MAX)),
            Plan::Select => None,
            Plan::Auto => self.walk(matches, keys, stretch(WALK_MIN.max(total * STEPS_PER_MATCH))),
        };
        let found = found.unwrap_or_else(|| self.select(matches, keys, rest.skip, take, after));
        rest.skip = 0;
        rest.take -= found.len();
        rest.ordinals.extend(found);
    }

    /// Gives the order that the first key has, and the part of it in which all matches lie.
    fn order<'k>(
        &'k self,
        matches: &Matches,
        keys: &'k [Key<'_>],
    ) -> Option<(&'k Order, Position, Position)> {
        let engine = self.engine;
        match keys.first() {
            None => Some((engine.id_order(), engine.id_order().start(), engine.id_order().end())),
            Some(Key::Name(_)) => {
                Some((engine.name_order(), engine.name_order().start(), engine.name_order().end()))
            }
            Some(Key::Column { column, span, .. }) => {
                let order = column.order.as_ref()?;
                // The blocks that have matches know their smallest and largest values: a condition on one date often
                // says much about another.
                let blocks = (0..matches.blocks_len()).filter(|number| matches.count(*number) > 0);
                let ends = blocks.filter_map(|number| column.block_ends(number));
                let known = ends.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
                let (mut low, mut high) = known.unwrap_or((i64::MIN, i64::MAX));
                if let Some(span) = span {
                    (low, high) = (low.max(span.low), high.min(span.high));
                }
                let from = order.lower_bound(|ordinal| column.get(ordinal).cmp(&low));
                let to = match high.checked_add(1) {
                    Some(behind) => order.lower_bound(|ordinal| column.get(ordinal).cmp(&behind)),
                    None => order.end(),
                };
                Some((order, from, to))
            }
            Some(Key::Ranked(_)) => None,
        }
    }

    /// Gives the part of an order's part in which all documents behind a place lie: from it on, or up to it where the order
    /// is gone along from behind. In runs the whole run of the place belongs to it.
    fn behind(
        &self,
        (order, from, to): (&Order, Position, Position),
        keys: &[Key<'_>],
        mark: Mark<'_>,
        (direction, in_runs): (Direction, bool),
    ) -> (Position, Position) {
        // How an ordinal stands to the place in the order itself, which ascends.
        let stands = |ordinal: u32| {
            let first = keys.first().map_or(Ordering::Equal, |key| {
                direction.apply(mark.compare_first(self.engine, key, ordinal))
            });
            let by_id = || self.engine.ids().get(ordinal).cmp(mark.id.as_bytes());
            if in_runs { first } else { first.then_with(by_id) }
        };
        let first_behind = order.lower_bound(|ordinal| match stands(ordinal) {
            Ordering::Less | Ordering::Equal => Ordering::Less,
            Ordering::Greater => Ordering::Greater,
        });
        let first_not_before = || order.lower_bound(stands);
        match (direction, in_runs) {
            (Direction::Ascending, false) => (from.max(first_behind), to),
            (Direction::Ascending, true) => (from.max(first_not_before()), to),
            (Direction::Descending, false) => (from, to.min(first_not_before())),
            (Direction::Descending, true) => (from, to.min(first_behind)),
        }
    }

    /// Finds the page along the order. `None`: it would take more steps than are given, or there is no order.
    fn walk(&self, matches: &Matches, keys: &[Key<'_>], stretch: Stretch<'_>) -> Option<Vec<u32>> {
        let Stretch { skip, take, after, budget, .. } = stretch;
        let (order, from, to) = self.order(matches, keys)?;
        let length = order.count(from, to) as u64;
        let total = matches.total();
        let direction = keys.first().map_or(self.tie, Key::direction);
        // Equals stand in the order by id. Other keys, or ids in the other direction, need them all to be sorted anew.
        let in_runs = keys.len() > 1 || direction != self.tie;
        let is_from_behind = !in_runs && skip > total / 2;
        let before = if is_from_behind { total - skip - take as u64 } else { skip };
        // Behind a place matches are taken to lie as densely as everywhere; where they don't, the budget ends the walk.
        let expected = (before + take as u64).saturating_mul(length) / total.max(1);
        if expected > budget {
            return None;
        }
        let (from, to) = match after {
            Some(mark) => self.behind((order, from, to), keys, mark, (direction, in_runs)),
            None => (from, to),
        };
        let is_reversed = (direction == Direction::Descending) != is_from_behind;
        let steps = order.between(from, to);
        let stretch = Stretch { skip: before, in_runs, ..stretch };
        let found = if is_reversed {
            self.step(matches, keys, steps.rev(), stretch)
        } else {
            self.step(matches, keys, steps, stretch)
        };
        let mut found = found?;
        if is_from_behind {
            found.reverse();
        }
        Some(found)
    }

    /// Goes along an order. `None`: the budget of steps is used up before the page is full.
    fn step(
        &self,
        matches: &Matches,
        keys: &[Key<'_>],
        mut steps: impl Iterator<Item = u32>,
        Stretch { skip, take, in_runs, after, budget }: Stretch<'_>,
    ) -> Option<Vec<u32>> {
        let mut left = budget;
        let mut before = if in_runs { 0 } else { skip };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let needed = if in_runs { skip.saturating_add(take) } else { take };
        let after = after.filter(|_| in_runs);
        let mut found: Vec<u32> = Vec::with_capacity(take.min(1_024));
        let end = steps.try_for_each(|ordinal| {
            if left == 0 {
                return ControlFlow::Break(None);
            }
            left -= 1;
            if !matches.contains(ordinal) || after.is_some_and(|mark| !self.is_behind(keys, ordinal, mark)) {
                return ControlFlow::Continue(());
            }
            if before > 0 {
                before -= 1;
                return ControlFlow::Continue(());
            }
            if in_runs && found.len() >= needed {
                let is_equal = found
                    .last()
                    .is_some_and(|last| self.compare_first(keys, *last, ordinal) == Ordering::Equal);
                if !is_equal {
                    return ControlFlow::Break(Some(()));
                }
            }
            found.push(ordinal);
            if !in_runs && found.len() == needed {
                ControlFlow::Break(Some(()))
            } else {
                ControlFlow::Continue(())
            }
        });
        if end == ControlFlow::Break(None) {
            return None;
        }
        if !in_runs {
            return Some(found);
        }
        found.sort_unstable_by(|left, right| self.compare(keys, *left, *right));
        Some(found.into_iter().skip(skip).take(take).collect())
    }

    /// Picks the page from all matches.
    fn select(
        &self,
        matches: &Matches,
        keys: &[Key<'_>],
        skip: u64,
        take: usize,
        after: Option<Mark<'_>>,
    ) -> Vec<u32> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let needed = skip.saturating_add(take);
        let kept = needed.saturating_mul(2).max(1_024);
        let direction = keys.first().map_or(self.tie, Key::direction);
        let compare = |left: &(i64, u32), right: &(i64, u32)| {
            left.0.cmp(&right.0).then_with(|| self.compare(keys, left.1, right.1))
        };
        let directed = |value: i64| match direction {
            Direction::Ascending => value,
            Direction::Descending => !value,
        };
        // Most of what lies before the place is told by a number alone.
        let least = after.map_or(i64::MIN, |mark| directed(mark.first_number()));
        let mut best: Vec<(i64, u32)> = Vec::new();
        let mut worst = i64::MAX;
        for number in 0..matches.blocks_len() {
            let Some(bits) = matches.bits(number) else { continue };
            block::for_each_place(bits, |low| {
                let ordinal = block::ordinal(number, low);
                let value = directed(self.first(keys, ordinal));
                if value > worst || value < least {
                    return;
                }
                let is_before = |mark| value == least && !self.is_behind(keys, ordinal, mark);
                if after.is_some_and(is_before) {
                    return;
                }
                best.push((value, ordinal));
                if best.len() >= kept {
                    best.select_nth_unstable_by(needed, compare);
                    best.truncate(needed);
                    worst = best.iter().map(|(value, _)| *value).max().unwrap_or(i64::MAX);
                }
            });
        }
        if skip > 0 && skip < best.len() {
            best.select_nth_unstable_by(skip, compare);
        }
        let mut page = best.split_off(skip.min(best.len()));
        if page.len() > take {
            page.select_nth_unstable_by(take, compare);
            page.truncate(take);
        }
        page.sort_unstable_by(compare);
        page.into_iter().map(|(_, ordinal)| ordinal).collect()
    }

    /// Gives a number that sorts a document by the first key as far as a number can.
    fn first(&self, keys: &[Key<'_>], ordinal: u32) -> i64 {
        match keys.first() {
            None => 0,
            Some(Key::Column { column, .. }) => column.get(ordinal),
            Some(Key::Ranked(ranks)) => ranks.rank(ordinal),
            Some(Key::Name(_)) => place::name_number(self.engine.names().get(ordinal)),
        }
    }

    /// Tells whether a document stands behind a place.
    fn is_behind(&self, keys: &[Key<'_>], ordinal: u32, mark: Mark<'_>) -> bool {
        mark.compare(self.engine, keys, self.tie, ordinal) == Ordering::Greater
    }

    /// Gives the place behind a document.
    fn place(&self, words: u32, keys: &[Key<'_>], ordinal: u32) -> Place {
        let value = |key: &Key<'_>| match key {
            Key::Column { column, .. } => {
                SortValue::Column(Some(column.get(ordinal)).filter(|value| *value != NONE))
            }
            Key::Name(_) => SortValue::Name(self.engine.names().text(ordinal).to_owned()),
            Key::Ranked(ranks) => SortValue::Rank(ranks.rank(ordinal)),
        };
        Place { words, values: keys.iter().map(value).collect(), id: self.engine.id(ordinal).to_owned() }
    }

    fn compare_first(&self, keys: &[Key<'_>], left: u32, right: u32) -> Ordering {
        keys.first().map_or(Ordering::Equal, |key| self.compare_key(key, left, right))
    }

    fn compare(&self, keys: &[Key<'_>], left: u32, right: u32) -> Ordering {
        for key in keys {
            let ordering = self.compare_key(key, left, right);
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        let ids = self.engine.ids();
        self.tie.apply(ids.get(left).cmp(ids.get(right)))
    }

    fn compare_key(&self, key: &Key<'_>, left: u32, right: u32) -> Ordering {
        let ascending = match key {
            Key::Column { column, .. } => match (column.get(left), column.get(right)) {
                (NONE, NONE) => Ordering::Equal,
                (NONE, _) => return Ordering::Greater,
                (_, NONE) => return Ordering::Less,
                (left, right) => left.cmp(&right),
            },
            Key::Name(_) => self.engine.names().get(left).cmp(self.engine.names().get(right)),
            Key::Ranked(ranks) => ranks.rank(left).cmp(&ranks.rank(right)),
        };
        key.direction().apply(ascending)
    }
}

/// Gives the ordinals of a page of matches by the number of words found in the first field, most first; then by a column,
/// then by id, largest first; and the place behind it when more follow.
pub fn ranked(
    engine: &Engine,
    levels: &[(u32, Matches)],
    column: &Column,
    window: Window<'_>,
    plan: Plan,
) -> Result<(Vec<u32>, Option<Place>), QueryError> {
    let keys = [Key::Column { column, direction: Direction::Descending, span: None }];
    let after = window.after.map(|place| Mark::of(place, &keys)).transpose()?;
    let mut rest = Rest::of(&window);
    let pager = Pager { engine, tie: Direction::Descending, plan };
    for (words, level) in levels {
        match window.after.map_or(Ordering::Less, |place| words.cmp(&place.words)) {
            Ordering::Greater => {}
            Ordering::Equal => pager.collect(level, &keys, after, &mut rest),
            Ordering::Less => pager.collect(level, &keys, None, &mut rest),
        }
    }
    let next = window.cut(&mut rest.ordinals).map(|last| {
        let level = levels.iter().find(|(_, level)| level.contains(last));
        pager.place(level.map_or(0, |(words, _)| *words), &keys, last)
    });
    Ok((rest.ordinals, next))
}

/// Gives the first documents of a column's order whose value is below one.
pub fn earliest(column: &Column, below: i64, limit: usize) -> Vec<u32> {
    let Some(order) = &column.order else { return Vec::new() };
    let steps = order.between(order.start(), order.end());
    steps.take_while(|ordinal| column.get(*ordinal) < below).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Condition;
    use crate::tests::{places, world};

    #[test]
    fn a_page_behind_a_place_takes_as_many_steps_wherever_the_place_is() {
        let engine = world::engine(&places::many(20_000));
        let matches = filter::find(&engine, &filter::node(&engine, &Condition::All, 0).unwrap());
        for direction in [Direction::Ascending, Direction::Descending] {
            let key = SortKey::Column(crate::layout::ColumnId(0), direction);
            let keys = [Key::of(&engine, &key, &Condition::All).unwrap()];
            let pager = Pager { engine: &engine, tie: direction, plan: Plan::Auto };
            for value in [100, 5_000, 9_900] {
                let values = vec![SortValue::Column(Some(value))];
                let place = Place { words: 0, values, id: "ci-5".to_owned() };
                let after = Some(Mark::of(&place, &keys).unwrap());
                let stretch = Stretch { skip: 0, take: 50, in_runs: false, after, budget: 50 };
                let found = pager.walk(&matches, &keys, stretch).unwrap();
                assert_eq!(found.len(), 50);
            }
        }
    }
}
