//! From a query to a filter: the workspace is asked what the names of a query mean.
//!
//! What comes out of an expression is a tree whose leaves are filters, so that it can ask for whatever a list can be
//! filtered by, and nothing is defined twice.

mod dates;
mod expression;

use serde_json::Value;

use self::expression::Surroundings;
use super::expression::Written;
use super::filter::{DueCondition, Expression, FieldCondition, Filter, Span};
use super::query::{Deadline, ListQuery};
use crate::actor::Actor;
use crate::date::{DAY_MS, DateInput, Moment, Zone};
use crate::fault::{Faults, Key};
use crate::id::{CaseId, StatusId, reference_number};
use crate::item::fields::value;
use crate::text::{Prefix, fold_case, search_words};
use crate::workspace::field::{Field, FieldFormat, FieldRole};
use crate::workspace::{Reference, Workspace};

/// Resolves a query against the workspace.
///
/// # Errors
/// All faults of the query.
pub fn resolve(
    query: &ListQuery,
    workspace: &Workspace,
    actor: &Actor,
    zone: Zone,
    now: Moment,
) -> Result<Filter, Faults> {
    let mut faults = query.faults.clone();
    let created = created_span(query, zone, &mut faults);
    let due = query.due.and_then(|date| span(date, Key::DueDate, zone, &mut faults));
    let mine = query.mine.then(|| workspace.agent_of_user(&actor.id).map(|agent| agent.id.clone()));
    let words = search_words(&query.search_text).iter().map(|word| Prefix::of(word)).collect();
    let mut words_anywhere: Vec<Prefix> = Vec::new();
    let surroundings = Surroundings { workspace, actor, zone, now };
    let expression = query.expression.as_ref();
    let expression =
        expression.map(|written| expressed(written, surroundings, &mut words_anywhere, &mut faults));
    let filter = Filter {
        words,
        words_anywhere,
        name_part: fold_case(&query.name),
        unresolved: query.unresolved,
        unassigned: query.unassigned,
        mine,
        priorities: any_of(&query.priorities, |text| {
            let found = workspace.find_priority(&Reference::Either(text.to_owned()));
            found.map(|priority| priority.id.clone()).into_iter().collect()
        }),
        statuses: any_of(&query.statuses, |text| statuses_of(workspace, text)),
        channels: any_of(&query.channels, |text| vec![fold_case(text)]),
        queues: any_of(&query.queues, |text| {
            let found = workspace.find_queue(&Reference::Either(text.to_owned()));
            found.map(|queue| queue.id.clone()).into_iter().collect()
        }),
        agents: any_of(&query.agents, |text| {
            let found = workspace
                .agents
                .iter()
                .find(|agent| agent.id.as_str() == text || agent.user.as_str() == text);
            found.map(|agent| agent.id.clone()).into_iter().collect()
        }),
        created,
        updated: None,
        due,
        deadlines: query.deadlines.iter().map(|deadline| due_condition(*deadline, zone, now)).collect(),
        fields: query
            .fields
            .iter()
            .map(|(field, value)| field_condition(workspace, field, value, zone))
            .collect(),
        case: (!query.case.is_empty()).then(|| CaseId::from_text(query.case.as_str())),
        case_number: (!query.case_reference.is_empty())
            .then(|| reference_number(crate::case::COUNTER, &query.case_reference)),
        expression,
        ..Filter::default()
    };
    faults.or(filter)
}

/// Resolves an expression. Words that every row must have go to the words of the list, so that they rank.
fn expressed(
    written: &Written,
    surroundings: Surroundings<'_>,
    words: &mut Vec<Prefix>,
    faults: &mut Faults,
) -> Expression {
    let mut expression = expression::resolve(written, surroundings, faults);
    let Expression::All(parts) = &mut expression else { return expression };
    parts.retain_mut(|part| {
        let Expression::Is(filter) = part else { return true };
        let only_words = Filter { words_anywhere: filter.words_anywhere.clone(), ..Filter::default() };
        if **filter == only_words {
            words.append(&mut filter.words_anywhere);
            return false;
        }
        true
    });
    expression
}

fn any_of<T>(texts: &[String], find: impl Fn(&str) -> Vec<T>) -> Option<Vec<T>> {
    (!texts.is_empty()).then(|| texts.iter().flat_map(|text| find(text)).collect())
}

/// Gives the status with this id or name, and all of the category with this name.
fn statuses_of(workspace: &Workspace, text: &str) -> Vec<StatusId> {
    let folded = fold_case(text);
    let named = workspace.find_status(&Reference::Either(text.to_owned()));
    let of_category = workspace.statuses.iter().filter(|status| status.category.name() == folded);
    named.into_iter().chain(of_category).map(|status| status.id.clone()).collect()
}

fn created_span(query: &ListQuery, zone: Zone, faults: &mut Faults) -> Option<Span> {
    let from = query.created_from.and_then(|date| span(date, Key::StartDate, zone, faults));
    let to = query.created_to.and_then(|date| span(date, Key::EndDate, zone, faults));
    if from.is_none() && to.is_none() {
        return None;
    }
    Some(Span {
        first: from.map_or(crate::date::MOMENT_MIN, |span| span.first),
        last: to.map_or(crate::date::MOMENT_MAX, |span| span.last),
    })
}

fn span(date: DateInput, key: Key, zone: Zone, faults: &mut Faults) -> Option<Span> {
    let span = date.span(zone).map(|(first, last)| Span { first, last });
    if span.is_none() {
        faults.invalid(key, "must be a date of the years 0001 to 9999");
    }
    span
}

fn due_condition(deadline: Deadline, zone: Zone, now: Moment) -> DueCondition {
    let today = zone.day_start(now);
    let days = |first: i64, count: i64| {
        let start = today.plus_ms(first * DAY_MS);
        DueCondition::Within(Span { first: start, last: start.plus_ms(count * DAY_MS - 1) })
    };
    match deadline {
        Deadline::Overdue => DueCondition::Overdue,
        Deadline::Today => days(0, 1),
        Deadline::Tomorrow => days(1, 1),
        Deadline::Week => days(0, 7),
        Deadline::None => DueCondition::Never,
    }
}

fn field_condition(
    workspace: &Workspace,
    reference: &Reference,
    value: &Value,
    zone: Zone,
) -> FieldCondition {
    let Some(field) = workspace.find_field(reference) else { return FieldCondition::Nothing };
    match field.role {
        FieldRole::Title => FieldCondition::Title(value.clone()),
        FieldRole::Description => FieldCondition::Description(value.clone()),
        FieldRole::DueDate => {
            value::moment_of(value, zone).map_or(FieldCondition::Nothing, FieldCondition::Due)
        }
        FieldRole::Custom => custom_condition(field, value, zone),
    }
}

/// Compares a custom value as it is kept: dates as instants, numbers without a needless fraction.
fn custom_condition(field: &Field, value: &Value, zone: Zone) -> FieldCondition {
    let exactly = |value: Value| FieldCondition::Custom(field.id.clone(), value);
    match (&field.format, value) {
        (FieldFormat::DateTime(_), _) => match value::moment_of(value, zone) {
            Some(moment) => FieldCondition::CustomDate(field.id.clone(), moment),
            None => exactly(value.clone()),
        },
        (FieldFormat::Number(_), Value::Number(number)) => {
            exactly(Value::Number(value::canonical_number(number)))
        }
        (_, value) => exactly(value.clone()),
    }
}
