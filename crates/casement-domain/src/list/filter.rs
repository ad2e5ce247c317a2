//! A filter: a query with its names and dates resolved, and the plain test of one row.

use serde_json::Value;

use super::row::{Row, Work};
use crate::date::{Moment, Zone};
use crate::id::{AgentId, CaseId, FieldId, PriorityId, QueueId, StatusId};
use crate::item::due::is_past;
use crate::item::fields::value;
use crate::text::{Prefix, fold_case, fold_email};
use crate::workspace::Workspace;

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
    /// The custom field's value is a list with this entry.
    Includes(FieldId, String),
    /// The custom field has no value.
    Without(FieldId),
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
    /// Words, each a prefix of a word of the row: name, reference id, description, customer's name or e-mail.
    pub words: Vec<Prefix>,
    /// The same, also looked for in [`Row::further_words`] and [`Row::comments`].
    pub words_anywhere: Vec<Prefix>,
    /// Words of which one comment of the case has all, each as a prefix. Nothing comments on a task.
    pub commented: Vec<Prefix>,
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
    /// Changed last within this span.
    pub updated: Option<Span>,
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
    /// Any of these ids or reference ids.
    pub ids: Option<Vec<String>>,
    /// Any of these folded tags.
    pub tags: Option<Vec<String>>,
    /// Only what has no tag.
    pub untagged: bool,
    /// Only what is in no queue.
    pub unqueued: bool,
    /// Watched by any of these agents.
    pub watchers: Option<Vec<AgentId>>,
    /// Any of these customers, by id or folded e-mail address.
    pub customers: Option<Vec<String>>,
    /// Any of these case or task templates, by id.
    pub templates: Option<Vec<String>>,
    /// Only what missed its due date.
    pub breached: bool,
    /// What must hold besides all that.
    pub expression: Option<Expression>,
}

/// An expression whose names are resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// All of these; of none, any row.
    All(Vec<Self>),
    /// Any of these; of none, no row.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// What a filter says. It has no expression of its own.
    Is(Box<Filter>),
}

impl Expression {
    /// Tells whether an expression holds when each filter in it holds or not as the caller says.
    pub fn holds(&self, is: &mut impl FnMut(&Filter) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(is)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(is)),
            Self::Not(part) => !part.holds(is),
            Self::Is(filter) => is(filter),
        }
    }

    /// Tells whether a filter somewhere in it is as the caller asks.
    fn has(&self, is: &impl Fn(&Filter) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.has(is)),
            Self::Not(part) => part.has(is),
            Self::Is(filter) => is(filter),
        }
    }

    fn add_words(&self, words: &mut Vec<Prefix>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.add_words(words)),
            Self::Not(_) => {}
            Self::Is(filter) => words.extend(filter.own_words().cloned()),
        }
    }
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
        let case = match &row.work {
            Work::Case(case) => Some(CaseState { number: row.number, active: case.item.active }),
            Work::Task(task) => case_of(&task.case),
        };
        row.work.item().active
            && case.is_some_and(|case| case.active)
            && self.holds(row, workspace, now, case)
    }

    /// Tells whether all conditions hold for a row that may be listed.
    fn holds(&self, row: &Row, workspace: &Workspace, now: Moment, case: Option<CaseState>) -> bool {
        let item = row.work.item();
        let assignment = &item.assignment;
        (!self.unresolved || !item.is_over(workspace))
            && (!self.unassigned || assignment.agent.is_none())
            && self.mine.as_ref().is_none_or(|agent| agent.is_some() && assignment.agent == *agent)
            && includes(&self.priorities, |priority| *priority == item.priority)
            && includes(&self.statuses, |status| *status == item.status)
            && includes(&self.agents, |agent| assignment.agent.as_ref() == Some(agent))
            && includes(&self.watchers, |agent| row.work.watchers().contains(agent))
            && includes(&self.queues, |queue| assignment.queues.contains(queue))
            && includes(&self.channels, |channel| {
                fold_case(&item.source) == *channel
                    || item.channels.iter().any(|entry| fold_case(entry) == *channel)
            })
            && self.created.is_none_or(|span| span.contains(item.created_at))
            && self.updated.is_none_or(|span| span.contains(item.updated_at))
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
            && self.words_anywhere.iter().all(|word| {
                [&row.first_words, &row.second_words, &row.further_words]
                    .into_iter()
                    .chain(&row.comments)
                    .any(|words| words.has_prefix(word))
            })
            && (self.commented.is_empty()
                || row
                    .comments
                    .iter()
                    .any(|comment| self.commented.iter().all(|word| comment.has_prefix(word))))
            && includes(&self.ids, |id| row.work.id() == id || row.work.reference_id(row.number) == *id)
            && includes(&self.tags, |tag| item.tags.iter().any(|entry| fold_case(entry) == *tag))
            && (!self.untagged || item.tags.is_empty())
            && (!self.unqueued || assignment.queues.is_empty())
            && includes(&self.customers, |customer| {
                let email = item.customer.email.as_deref().map(fold_email);
                item.customer.id.as_str() == customer || email.as_deref() == Some(customer)
            })
            && includes(&self.templates, |template| row.work.template() == Some(template))
            && (!self.breached || item.breached)
            && self.expression.as_ref().is_none_or(|expression| {
                expression.holds(&mut |filter: &Self| filter.holds(row, workspace, now, case))
            })
    }

    /// Gives the words that every row must have.
    pub fn own_words(&self) -> impl Iterator<Item = &Prefix> {
        self.words.iter().chain(&self.words_anywhere)
    }

    /// Tells whether what the comments of a case say may decide whether the case is in the list.
    pub fn looks_into_comments(&self) -> bool {
        let looks = |filter: &Self| !filter.words_anywhere.is_empty() || !filter.commented.is_empty();
        looks(self) || self.expression.as_ref().is_some_and(|expression| expression.has(&looks))
    }

    /// Gives the words that a row may be in the list for: those of the search, and those of the expression that are
    /// not negated.
    pub fn searched(&self) -> Vec<Prefix> {
        let mut words: Vec<Prefix> = self.own_words().cloned().collect();
        if let Some(expression) = &self.expression {
            expression.add_words(&mut words);
        }
        words
    }

    /// Gives how well a row fits the words of the search; higher fits better.
    pub fn relevance(&self, row: &Row) -> usize {
        self.own_words().map(|word| if row.first_words.has_prefix(word) { 2 } else { 1 }).sum()
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
            Self::Includes(field, entry) => {
                let entries = item.field_values.get(field).and_then(Value::as_array);
                entries.is_some_and(|entries| entries.iter().any(|known| known.as_str() == Some(entry)))
            }
            Self::Without(field) => !item.field_values.contains_key(field),
            Self::Nothing => false,
        }
    }
}

fn includes<T>(wanted: &Option<Vec<T>>, is_it: impl Fn(&T) -> bool) -> bool {
    wanted.as_ref().is_none_or(|entries| entries.iter().any(is_it))
}
