//! What the index is asked for a list: the domain's filter and order as a query of the engine.

use casement_domain::date::Moment;
use casement_domain::id::reference_number;
use casement_domain::list::filter::{DueCondition, Expression, FieldCondition, Filter, Span};
use casement_domain::list::order::Order;
use casement_domain::list::query::{Direction, SortKey};
use casement_domain::text::Prefix;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::entries::{Category, Status};
use casement_index::layout::{ColumnId, FacetId};
use casement_index::query::{self, Condition, Documents, Place, Query, QueryError, Sort, Word};
use casement_wire::spelling::Noun;
use serde_json::Value;

use super::Index;
use super::entry::{field_entry, field_moment, field_present, field_value, halves};
use super::layout::{
    ACTIVE, ALL_TEXTS, ASSIGNEE, BREACHED, CASE, CHANNEL, COMMENTED_CASE, CREATED, CUSTOMER, DESCRIPTION,
    DUE, FIELD, GOES_ON, NUMBER, OF_ACTIVE_CASE, PRIORITY, PUBLIC_TEXTS, QUEUE, STATUS, TAG, TEMPLATE, TITLE,
    UPDATED, WATCHER, YES,
};

/// What a list is resolved against.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Cases or tasks.
    pub noun: Noun,
    /// Which of them.
    pub filter: &'a Filter,
    /// In which order.
    pub order: &'a Order,
    /// The configuration.
    pub config: &'a Workspace,
    /// When.
    pub now: Moment,
}

/// Gives the query that an engine answers, as of now: it must be asked before the index changes.
///
/// # Errors
/// The words of comments are asked for and not made yet.
pub fn query(
    asked: Asked<'_>,
    index: &Index,
    skip: u64,
    after: Option<&Place>,
    limit: usize,
) -> Result<Query, QueryError> {
    let (condition, words) = counted(asked, index)?;
    Ok(Query { condition, words, sort: sort(asked), skip, after: after.cloned(), limit })
}

/// Gives the condition and the words of a list, for counts.
///
/// # Errors
/// As [`query`].
pub fn counted(asked: Asked<'_>, index: &Index) -> Result<(Condition, Vec<Word>), QueryError> {
    Ok((condition(asked, index)?, words(asked, index)?))
}

fn condition(asked: Asked<'_>, index: &Index) -> Result<Condition, QueryError> {
    let mut all = vec![any_of(ACTIVE, [YES])];
    match asked.noun {
        Noun::Case => {}
        Noun::Task => all.push(any_of(OF_ACTIVE_CASE, [YES])),
    }
    conditions(asked, index, &mut all)?;
    Ok(Condition::And(all))
}

/// Gives the condition of an expression.
fn expressed(asked: Asked<'_>, expression: &Expression, index: &Index) -> Result<Condition, QueryError> {
    let parts = |parts: &[Expression]| -> Result<Vec<Condition>, QueryError> {
        parts.iter().map(|part| expressed(asked, part, index)).collect()
    };
    Ok(match expression {
        Expression::All(all) => Condition::And(parts(all)?),
        Expression::Any(any) => Condition::Or(parts(any)?),
        Expression::Not(part) => not(expressed(asked, part, index)?),
        Expression::Is(filter) => {
            let asked = Asked { filter, ..asked };
            let mut all: Vec<Condition> = words(asked, index)?.into_iter().map(Condition::Word).collect();
            conditions(asked, index, &mut all)?;
            if all.len() == 1 { all.swap_remove(0) } else { Condition::And(all) }
        }
    })
}

/// Gives the words of a filter, without those of its expression.
fn words(Asked { noun, filter, .. }: Asked<'_>, index: &Index) -> Result<Vec<Word>, QueryError> {
    let word = |word: &Prefix, fields| Word { text: word.word().to_owned(), fields, elsewhere: None };
    let mut words: Vec<Word> = filter.words.iter().map(|own| word(own, PUBLIC_TEXTS)).collect();
    for own in &filter.words_anywhere {
        let elsewhere = match noun {
            Noun::Case => Some(commented(std::slice::from_ref(own), index)?),
            Noun::Task => None,
        };
        words.push(Word { elsewhere, ..word(own, ALL_TEXTS) });
    }
    Ok(words)
}

/// Gives the cases of the comments that have all of these words.
fn commented(words: &[Prefix], index: &Index) -> Result<Documents, QueryError> {
    let word = |word: &Prefix| Word { text: word.word().to_owned(), fields: 1, elsewhere: None };
    let words: Vec<Word> = words.iter().map(word).collect();
    index.comments.referred(&words, COMMENTED_CASE, &index.cases, GOES_ON)
}

/// Gives the condition that a comment has all of these words.
fn is_commented(noun: Noun, words: &[Prefix], index: &Index) -> Result<Condition, QueryError> {
    Ok(match noun {
        Noun::Case => {
            let elsewhere = Some(commented(words, index)?);
            Condition::Word(Word { text: String::new(), fields: 0, elsewhere })
        }
        Noun::Task => nothing(),
    })
}

/// Gives what a filter says besides its words.
fn conditions(asked: Asked<'_>, index: &Index, all: &mut Vec<Condition>) -> Result<(), QueryError> {
    let Asked { noun, filter, config, now, .. } = asked;
    let over = || {
        let over = config.statuses.iter().filter(|status| status.category.is_over());
        any_of(STATUS, over.map(|status| status.id.as_str()))
    };
    if filter.unresolved {
        all.push(not(over()));
    }
    if filter.unassigned {
        all.push(Condition::Without(ASSIGNEE));
    }
    if let Some(agent) = &filter.mine {
        all.push(any_of(ASSIGNEE, agent.iter().map(|agent| agent.as_str())));
    }
    if let Some(priorities) = &filter.priorities {
        all.push(any_of(PRIORITY, priorities.iter().map(|id| id.as_str())));
    }
    if let Some(statuses) = &filter.statuses {
        all.push(any_of(STATUS, statuses.iter().map(|id| id.as_str())));
    }
    if let Some(channels) = &filter.channels {
        all.push(any_of(CHANNEL, channels.iter().map(String::as_str)));
    }
    if let Some(queues) = &filter.queues {
        all.push(any_of(QUEUE, queues.iter().map(|id| id.as_str())));
    }
    if let Some(watchers) = &filter.watchers {
        all.push(any_of(WATCHER, watchers.iter().map(|id| id.as_str())));
    }
    if let Some(agents) = &filter.agents {
        all.push(any_of(ASSIGNEE, agents.iter().map(|id| id.as_str())));
    }
    all.extend(filter.created.map(|span| within(CREATED, span)));
    all.extend(filter.updated.map(|span| within(UPDATED, span)));
    all.extend(filter.due.map(|span| within(DUE, span)));
    if !filter.deadlines.is_empty() {
        let any = filter.deadlines.iter().map(|deadline| match deadline {
            DueCondition::Within(span) => within(DUE, *span),
            DueCondition::Overdue => {
                let past = query::Span { low: i64::MIN, high: now.ms() - 1 };
                Condition::And(vec![Condition::Within(DUE, past), not(over())])
            }
            DueCondition::Never => Condition::Lacking(DUE),
        });
        all.push(Condition::Or(any.collect()));
    }
    all.extend(filter.fields.iter().map(field_condition));
    if let Some(case) = &filter.case {
        all.push(match noun {
            Noun::Case => Condition::Ids(vec![case.to_string()]),
            Noun::Task => any_of(CASE, [case.as_str()]),
        });
    }
    if let Some(number) = filter.case_number {
        all.push(number.map_or_else(nothing, |number| of_case(noun, number, index)));
    }
    if !filter.name_part.is_empty() {
        all.push(Condition::NameContains(filter.name_part.clone()));
    }
    all.extend(filter.ids.as_ref().map(|ids| of_ids(noun, ids)));
    let texts = |texts: &Option<Vec<String>>, facet: FacetId| {
        texts.as_ref().map(|texts| any_of(facet, texts.iter().map(String::as_str)))
    };
    all.extend(texts(&filter.tags, TAG));
    all.extend(texts(&filter.customers, CUSTOMER));
    all.extend(texts(&filter.templates, TEMPLATE));
    if filter.untagged {
        all.push(Condition::Without(TAG));
    }
    if filter.unqueued {
        all.push(Condition::Without(QUEUE));
    }
    if filter.breached {
        all.push(any_of(BREACHED, [YES]));
    }
    if !filter.commented.is_empty() {
        all.push(is_commented(noun, &filter.commented, index)?);
    }
    if let Some(expression) = &filter.expression {
        all.push(expressed(asked, expression, index)?);
    }
    Ok(())
}

/// Gives the condition of ids and reference ids.
fn of_ids(noun: Noun, texts: &[String]) -> Condition {
    let counter = match noun {
        Noun::Case => casement_domain::case::COUNTER,
        Noun::Task => casement_domain::task::COUNTER,
    };
    let mut any = vec![Condition::Ids(texts.to_vec())];
    let numbers = texts.iter().filter_map(|text| reference_number(counter, text));
    any.extend(numbers.map(|number| {
        let number = number.cast_signed();
        Condition::Within(NUMBER, query::Span { low: number, high: number })
    }));
    Condition::Or(any)
}

/// Gives the condition of the case with a number.
fn of_case(noun: Noun, number: u64, index: &Index) -> Condition {
    match noun {
        Noun::Case => {
            let number = number.cast_signed();
            Condition::Within(NUMBER, query::Span { low: number, high: number })
        }
        Noun::Task => any_of(CASE, index.numbered(Noun::Case, number).as_deref()),
    }
}

fn field_condition(condition: &FieldCondition) -> Condition {
    match condition {
        FieldCondition::Title(value) => text_is(TITLE, value),
        FieldCondition::Description(value) => text_is(DESCRIPTION, value),
        FieldCondition::Due(moment) => within(DUE, Span { first: *moment, last: *moment }),
        FieldCondition::Custom(field, value) => any_of(FIELD, [field_value(field, value).as_str()]),
        FieldCondition::CustomDate(field, moment) => any_of(FIELD, [field_moment(field, *moment).as_str()]),
        FieldCondition::Includes(field, entry) => any_of(FIELD, [field_entry(field, entry).as_str()]),
        FieldCondition::Without(field) => not(any_of(FIELD, [field_present(field).as_str()])),
        FieldCondition::Nothing => nothing(),
    }
}

fn text_is(columns: [ColumnId; 2], value: &Value) -> Condition {
    let Some(text) = value.as_str() else { return nothing() };
    let halves = columns.into_iter().zip(halves(text));
    Condition::And(
        halves
            .map(|(column, half)| Condition::Within(column, query::Span { low: half, high: half }))
            .collect(),
    )
}

fn any_of<'a>(facet: FacetId, values: impl IntoIterator<Item = &'a str>) -> Condition {
    Condition::AnyOf(facet, values.into_iter().map(str::to_owned).collect())
}

fn within(column: ColumnId, span: Span) -> Condition {
    Condition::Within(column, query::Span { low: span.first.ms(), high: span.last.ms() })
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn nothing() -> Condition {
    Condition::Or(Vec::new())
}

fn sort(Asked { order, config, .. }: Asked<'_>) -> Sort {
    match order {
        Order::Relevance => Sort::Relevance(CREATED),
        Order::Keys(keys) => {
            let tie =
                keys.first().map_or(query::Direction::Descending, |(_, direction)| directed(*direction));
            Sort::Keys(keys.iter().map(|(key, direction)| sort_key(*key, *direction, config)).collect(), tie)
        }
    }
}

fn directed(direction: Direction) -> query::Direction {
    match direction {
        Direction::Ascending => query::Direction::Ascending,
        Direction::Descending => query::Direction::Descending,
    }
}

fn sort_key(key: SortKey, direction: Direction, config: &Workspace) -> query::SortKey {
    let direction = directed(direction);
    match key {
        SortKey::Created => query::SortKey::Column(CREATED, direction),
        SortKey::Updated => query::SortKey::Column(UPDATED, direction),
        SortKey::Due => query::SortKey::Column(DUE, direction),
        SortKey::Reference => query::SortKey::Column(NUMBER, direction),
        SortKey::Name => query::SortKey::Name(direction),
        SortKey::Priority => {
            let scores = config.priorities.iter().map(|priority| (priority.id.to_string(), priority.score));
            // An entry that is unknown comes before all others.
            let ranks = scores.collect();
            query::SortKey::Ranked { facet: PRIORITY, ranks, other: UNKNOWN_RANK, direction }
        }
        SortKey::Status => {
            let order = StatusRanks::of(config);
            let ranks =
                config.statuses.iter().map(|status| (status.id.to_string(), order.rank(&ranked(status))));
            query::SortKey::Ranked { facet: STATUS, ranks: ranks.collect(), other: UNKNOWN_RANK, direction }
        }
    }
}

/// The rank of an entry that is unknown.
pub(crate) const UNKNOWN_RANK: i64 = i64::MIN;

/// The order of the statuses: by category, then by name in lower case. Ranks are even; what stands between two statuses has the
/// odd number between theirs.
#[derive(Debug)]
pub(crate) struct StatusRanks(Vec<(Category, String)>);

impl StatusRanks {
    /// Gives the order of the statuses of a workspace.
    pub(crate) fn of(config: &Workspace) -> Self {
        let mut order: Vec<(Category, String)> = config.statuses.iter().map(ranked).collect();
        order.sort_unstable();
        order.dedup();
        Self(order)
    }

    /// Gives the rank of a status, also of one that is not there any more.
    pub(crate) fn rank(&self, status: &(Category, String)) -> i64 {
        let place = self.0.partition_point(|other| other < status);
        let is_there = self.0.get(place) == Some(status);
        i64::try_from(place).unwrap_or(i64::MAX / 2) * 2 - i64::from(!is_there)
    }

    /// Gives the status that has a rank.
    pub(crate) fn status(&self, rank: i64) -> Option<(Category, String)> {
        let place = usize::try_from(rank / 2).ok().filter(|_| rank % 2 == 0)?;
        self.0.get(place).cloned()
    }
}

fn ranked(status: &Status) -> (Category, String) {
    (status.category, status.name.to_lowercase())
}
