//! A filter: a query with its names and dates resolved, and the plain test of one row.

use serde_json::Value;

use super::query::{Deadline, ListQuery};
use super::row::{Row, Work};
use crate::actor::Actor;
use crate::date::{DAY_MS, DateInput, Moment, Zone};
use crate::fault::{Faults, Key};
use crate::id::{AgentId, CaseId, FieldId, PriorityId, QueueId, StatusId, reference_number};
use crate::item::due::is_past;
use crate::item::fields::value;
use crate::text::{Prefix, fold_case, search_words};
use crate::workspace::field::{Field, FieldFormat, FieldRole};
use crate::workspace::{Reference, Workspace};

/// A condition on one field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldCondition {
    /// The title equals this.
    Title(Value),
    /// The description equals this.
    Description(Value),
    /// The due date is this instant.
    Due(Moment),
    /// The custom field's value equals this.
    Custom(FieldId, Value),
    /// The custom field's value is a date that means this instant.
    CustomDate(FieldId, Moment),
    /// There is no such field: nothing matches.
    Nothing,
}

/// A span of time with both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub first: Moment,
    /// The last moment.
    pub last: Moment,
}

impl Span {
    fn contains(self, moment: Moment) -> bool {
        (self.first..=self.last).contains(&moment)
    }
}

/// A condition on the due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueCondition {
    /// Due within a span.
    Within(Span),
    /// Past and unresolved.
    Overdue,
    /// Not due at all.
    Never,
}

/// What a list needs of the case that a task belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseState {
    /// The number that its reference id shows.
    pub number: u64,
    /// False when it is deleted.
    pub active: bool,
}

/// Which rows a list shows. A condition that is `None` or empty filters nothing; all others must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// Words, each a prefix of a word of the row.
    pub words: Vec<Prefix>,
    /// A part of the folded name.
    pub name_part: String,
    /// Only what is neither resolved nor closed.
    pub unresolved: bool,
    /// Only what no agent has.
    pub unassigned: bool,
    /// Only what this agent has; `Some(None)`: the acting user is no agent and has nothing.
    pub mine: Option<Option<AgentId>>,
    /// Any of these priorities.
    pub priorities: Option<Vec<PriorityId>>,
    /// Any of these statuses.
    pub statuses: Option<Vec<StatusId>>,
    /// Any of these folded channels or sources.
    pub channels: Option<Vec<String>>,
    /// Any of these queues.
    pub queues: Option<Vec<QueueId>>,
    /// Any of these agents.
    pub agents: Option<Vec<AgentId>>,
    /// Made within this span.
    pub created: Option<Span>,
    /// Due within this span.
    pub due: Option<Span>,
    /// Any of these deadlines.
    pub deadlines: Vec<DueCondition>,
    /// All of these field values.
    pub fields: Vec<FieldCondition>,
    /// Only tasks of this case.
    pub case: Option<CaseId>,
    /// Only tasks of the case with this number; `Some(None)`: the reference names none.
    pub case_number: Option<Option<u64>>,
}

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
    let filter = Filter {
        words: search_words(&query.search_text).iter().map(|word| Prefix::of(word)).collect(),
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
    };
    faults.or(filter)
}

impl Filter {
    /// Tells whether a row is in the list. `case_of` gives what is known of the case that a task belongs to; the tasks
    /// of a deleted case are not listed (contract section 11.5).
    pub fn matches(
        &self,
        row: &Row,
        workspace: &Workspace,
        now: Moment,
        case_of: impl Fn(&CaseId) -> Option<CaseState>,
    ) -> bool {
        let item = row.work.item();
        let case = match &row.work {
            Work::Case(case) => Some(CaseState { number: row.number, active: case.item.active }),
            Work::Task(task) => case_of(&task.case),
        };
        let assignment = &item.assignment;
        item.active
            && case.is_some_and(|case| case.active)
            && !(self.unresolved && item.is_over(workspace))
            && !(self.unassigned && assignment.agent.is_some())
            && self.mine.as_ref().is_none_or(|agent| agent.is_some() && assignment.agent == *agent)
            && includes(&self.priorities, |priority| *priority == item.priority)
            && includes(&self.statuses, |status| *status == item.status)
            && includes(&self.agents, |agent| assignment.agent.as_ref() == Some(agent))
            && includes(&self.queues, |queue| assignment.queues.contains(queue))
            && includes(&self.channels, |channel| {
                fold_case(&item.source) == *channel
                    || item.channels.iter().any(|entry| fold_case(entry) == *channel)
            })
            && self.created.is_none_or(|span| span.contains(item.created_at))
            && self.due.is_none_or(|span| item.due.is_some_and(|due| span.contains(due)))
            && (self.deadlines.is_empty()
                || self.deadlines.iter().any(|deadline| match deadline {
                    DueCondition::Within(span) => item.due.is_some_and(|due| span.contains(due)),
                    DueCondition::Overdue => is_past(item.due, now) && !item.is_over(workspace),
                    DueCondition::Never => item.due.is_none(),
                }))
            && self.case.as_ref().is_none_or(|case| row.work.case() == case)
            && self
                .case_number
                .is_none_or(|number| number.is_some() && case.map(|case| case.number) == number)
            && row.folded_name.contains(&self.name_part)
            && self.fields.iter().all(|condition| condition.holds(&row.work))
            && self
                .words
                .iter()
                .all(|word| row.first_words.has_prefix(word) || row.second_words.has_prefix(word))
    }

    /// Gives how well a row fits the words of the search; higher fits better.
    pub fn relevance(&self, row: &Row) -> usize {
        self.words.iter().map(|word| if row.first_words.has_prefix(word) { 2 } else { 1 }).sum()
    }
}

impl FieldCondition {
    fn holds(&self, work: &Work) -> bool {
        let item = work.item();
        match self {
            Self::Title(value) => value.as_str() == Some(item.name.as_str()),
            Self::Description(value) => value.as_str() == Some(item.description.as_str()),
            Self::Due(moment) => item.due == Some(*moment),
            Self::Custom(field, value) => item.field_values.get(field) == Some(value),
            Self::CustomDate(field, moment) => {
                let value = item.field_values.get(field);
                value.and_then(|value| value::moment_of(value, Zone::UTC)) == Some(*moment)
            }
            Self::Nothing => false,
        }
    }
}

fn any_of<T>(texts: &[String], find: impl Fn(&str) -> Vec<T>) -> Option<Vec<T>> {
    (!texts.is_empty()).then(|| texts.iter().flat_map(|text| find(text)).collect())
}

fn includes<T>(wanted: &Option<Vec<T>>, is_it: impl Fn(&T) -> bool) -> bool {
    wanted.as_ref().is_none_or(|entries| entries.iter().any(is_it))
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
