//! From an expression as it is written to one whose names the workspace knows.

use serde_json::Value;

use super::custom_condition;
use super::dates::span;
use crate::actor::Actor;
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::id::{CaseId, PriorityId};
use crate::item::fields::value;
use crate::list::expression::{Clause, Comparison, Operand, Subject, Written};
use crate::list::filter::{DueCondition, Expression, FieldCondition, Filter};
use crate::text::{Prefix, fold_case, fold_email, search_words};
use crate::workspace::entries::Category;
use crate::workspace::field::{Field, FieldRole, FieldSort};
use crate::workspace::{Reference, Workspace};

/// What an expression is resolved against.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The configuration.
    pub workspace: &'a Workspace,
    /// Who asks: `me`.
    pub actor: &'a Actor,
    /// The zone of days.
    pub zone: Zone,
    /// The time of the request.
    pub now: Moment,
}

/// Asks the workspace what the names of an expression mean. Faults are added with their places.
pub fn resolve(written: &Written, surroundings: Surroundings<'_>, faults: &mut Faults) -> Expression {
    let parts = |parts: &[Written], faults: &mut Faults| {
        parts.iter().map(|part| resolve(part, surroundings, faults)).collect()
    };
    match written {
        Written::All(all) => Expression::All(parts(all, faults)),
        Written::Any(any) => Expression::Any(parts(any, faults)),
        Written::Not(inner) => Expression::Not(Box::new(resolve(inner, surroundings, faults))),
        Written::Words(text) => is(Filter { words_anywhere: prefixes(text), ..Filter::default() }),
        Written::Clause(clause) => resolve_clause(clause, surroundings, faults),
    }
}

/// Gives the words of a text as they are searched.
pub fn prefixes(text: &str) -> Vec<Prefix> {
    search_words(text).iter().map(|word| Prefix::of(word)).collect()
}

fn is(filter: Filter) -> Expression {
    Expression::Is(Box::new(filter))
}

fn not(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}

fn resolve_clause(clause: &Clause, surroundings: Surroundings<'_>, faults: &mut Faults) -> Expression {
    let mut any = Vec::with_capacity(clause.values.len());
    for operand in &clause.values {
        match one_value(clause, operand, surroundings) {
            Ok(expression) => any.push(expression),
            Err(message) => faults.add_in_text(FaultKind::Invalid, Key::Expression, operand.at, message),
        }
    }
    if any.len() == 1 { any.swap_remove(0) } else { Expression::Any(any) }
}

/// Resolves a clause with one of its values.
fn one_value(
    clause: &Clause,
    operand: &Operand,
    surroundings: Surroundings<'_>,
) -> Result<Expression, String> {
    let Surroundings { workspace, actor, zone, now } = surroundings;
    let text = operand.text.as_str();
    let word = if operand.quoted { String::new() } else { text.to_lowercase() };
    let is_none = word == "none";
    let comparison = clause.comparison;
    let has_order =
        matches!(clause.subject, Subject::Created | Subject::Updated | Subject::Due | Subject::Priority);
    if comparison != Comparison::Is && !has_order {
        return Err("only created, updated, due and priority can be compared by less or more".to_owned());
    }
    let filter = match &clause.subject {
        Subject::Created => {
            Filter { created: Some(span(operand, comparison, zone, now)?), ..Filter::default() }
        }
        Subject::Updated => {
            Filter { updated: Some(span(operand, comparison, zone, now)?), ..Filter::default() }
        }
        Subject::Due if is_none && comparison == Comparison::Is => never_due(),
        Subject::Due => Filter { due: Some(span(operand, comparison, zone, now)?), ..Filter::default() },
        Subject::Priority => priorities(workspace, text, comparison)?,
        Subject::Status => statuses(workspace, text)?,
        Subject::Queue if is_none => Filter { unqueued: true, ..Filter::default() },
        Subject::Queue => {
            let queue = workspace.find_queue(&Reference::Either(text.to_owned()));
            let queue =
                queue.ok_or_else(|| unknown("queue", text, names(&workspace.queues, |queue| &queue.name)))?;
            Filter { queues: Some(vec![queue.id.clone()]), ..Filter::default() }
        }
        Subject::Assignee if is_none => unassigned(),
        Subject::Assignee if word == "me" => mine(workspace, actor),
        Subject::Assignee => assignee(workspace, text)?,
        Subject::Watcher if word == "me" => {
            let own = workspace.agent_of_user(&actor.id).map(|agent| agent.id.clone());
            Filter { watchers: Some(own.into_iter().collect()), ..Filter::default() }
        }
        Subject::Watcher => Filter { watchers: assignee(workspace, text)?.agents, ..Filter::default() },
        Subject::Channel => Filter { channels: Some(vec![fold_case(text)]), ..Filter::default() },
        Subject::Tag if is_none => Filter { untagged: true, ..Filter::default() },
        Subject::Tag => Filter { tags: Some(vec![fold_case(text)]), ..Filter::default() },
        Subject::Customer => Filter { customers: Some(vec![fold_email(text)]), ..Filter::default() },
        Subject::Template => templates(workspace, text)?,
        Subject::Name => Filter { name_part: fold_case(text), ..Filter::default() },
        Subject::Comment => commented(text)?,
        Subject::Id => Filter { ids: Some(vec![id(text)]), ..Filter::default() },
        Subject::Case => match crate::id::reference_number(crate::case::COUNTER, &text.to_uppercase()) {
            Some(number) => Filter { case_number: Some(Some(number)), ..Filter::default() },
            None => Filter { case: Some(CaseId::from_text(text)), ..Filter::default() },
        },
        Subject::Is => return state(workspace, actor, &word, text),
        Subject::Has => return has(&word, text),
        Subject::Field(name) => field(workspace, name, operand, is_none, zone)?,
    };
    Ok(is(filter))
}

/// Words that one comment says, all of them.
fn commented(text: &str) -> Result<Filter, String> {
    let words = prefixes(text);
    if words.is_empty() {
        return Err(format!("{text:?} has no word to look for in comments"));
    }
    Ok(Filter { commented: words, ..Filter::default() })
}

/// Gives an id as it is, and a reference id in its own case.
fn id(text: &str) -> String {
    let upper = text.to_uppercase();
    let is_reference = |counter: &str| crate::id::reference_number(counter, &upper).is_some();
    if is_reference(crate::case::COUNTER) || is_reference(crate::task::COUNTER) {
        upper
    } else {
        text.to_owned()
    }
}

fn never_due() -> Filter {
    Filter { deadlines: vec![DueCondition::Never], ..Filter::default() }
}

fn unassigned() -> Filter {
    Filter { unassigned: true, ..Filter::default() }
}

fn mine(workspace: &Workspace, actor: &Actor) -> Filter {
    let agent = workspace.agent_of_user(&actor.id).map(|agent| agent.id.clone());
    Filter { mine: Some(agent), ..Filter::default() }
}

fn of_category(workspace: &Workspace, category: Category) -> Filter {
    let statuses = workspace.statuses.iter().filter(|status| status.category == category);
    Filter { statuses: Some(statuses.map(|status| status.id.clone()).collect()), ..Filter::default() }
}

fn category(word: &str) -> Option<Category> {
    const ALL: [Category; 5] =
        [Category::Open, Category::InProgress, Category::OnHold, Category::Resolved, Category::Closed];
    ALL.into_iter().find(|category| category.name() == word)
}

/// Statuses with an id or name, and all of a category with this name; contract section 6.
fn statuses(workspace: &Workspace, text: &str) -> Result<Filter, String> {
    let named = workspace.find_status(&Reference::Either(text.to_owned()));
    let mut filter =
        category(&fold_case(text)).map_or_else(Filter::default, |category| of_category(workspace, category));
    if let Some(status) = named {
        filter.statuses.get_or_insert_default().push(status.id.clone());
    }
    if filter.statuses.is_none() {
        return Err(unknown("status", text, names(&workspace.statuses, |status| &status.name)));
    }
    Ok(filter)
}

/// Priorities with this name or id, or whose score compares so with its score.
fn priorities(workspace: &Workspace, text: &str, comparison: Comparison) -> Result<Filter, String> {
    let named = workspace.find_priority(&Reference::Either(text.to_owned()));
    let named = named
        .ok_or_else(|| unknown("priority", text, names(&workspace.priorities, |priority| &priority.name)))?;
    let compares = |score: i64| match comparison {
        Comparison::Is => false,
        Comparison::Before => score < named.score,
        Comparison::UpTo => score <= named.score,
        Comparison::After => score > named.score,
        Comparison::From => score >= named.score,
    };
    let meant = workspace.priorities.iter().filter(|priority| {
        if comparison == Comparison::Is { priority.id == named.id } else { compares(priority.score) }
    });
    let ids: Vec<PriorityId> = meant.map(|priority| priority.id.clone()).collect();
    Ok(Filter { priorities: Some(ids), ..Filter::default() })
}

/// Agents by profile or user id, e-mail or name. Several may share a name.
fn assignee(workspace: &Workspace, text: &str) -> Result<Filter, String> {
    let folded = fold_case(text);
    let meant = workspace.agents.iter().filter(|agent| {
        agent.id.as_str() == text
            || agent.user.as_str() == text
            || fold_case(&agent.name) == folded
            || (!agent.email.is_empty() && fold_email(&agent.email) == fold_email(text))
    });
    let ids: Vec<_> = meant.map(|agent| agent.id.clone()).collect();
    if ids.is_empty() {
        return Err(format!(
            "there is no agent {text:?}; write a name, an e-mail address, an id, me or none"
        ));
    }
    Ok(Filter { agents: Some(ids), ..Filter::default() })
}

fn templates(workspace: &Workspace, text: &str) -> Result<Filter, String> {
    let folded = fold_case(text);
    let is_it = |id: &str, name: &str| id == text || fold_case(name) == folded;
    let cases =
        workspace.case_templates.iter().filter(|template| is_it(template.id.as_str(), &template.name));
    let tasks =
        workspace.task_templates.iter().filter(|template| is_it(template.id.as_str(), &template.name));
    let ids: Vec<String> = cases
        .map(|template| template.id.to_string())
        .chain(tasks.map(|template| template.id.to_string()))
        .collect();
    if ids.is_empty() {
        return Err(unknown("template", text, names(&workspace.case_templates, |template| &template.name)));
    }
    Ok(Filter { templates: Some(ids), ..Filter::default() })
}

fn state(workspace: &Workspace, actor: &Actor, word: &str, text: &str) -> Result<Expression, String> {
    if let Some(category) = category(word) {
        return Ok(is(of_category(workspace, category)));
    }
    Ok(match word {
        "unresolved" => is(Filter { unresolved: true, ..Filter::default() }),
        "overdue" => is(Filter { deadlines: vec![DueCondition::Overdue], ..Filter::default() }),
        "breached" => is(Filter { breached: true, ..Filter::default() }),
        "unassigned" => is(unassigned()),
        "assigned" => not(is(unassigned())),
        "mine" => is(mine(workspace, actor)),
        _ => {
            return Err(format!(
                "{text:?} is no state; take open, in-progress, on-hold, resolved, closed, unresolved, overdue, breached, \
                 assigned, unassigned or mine"
            ));
        }
    })
}

fn has(word: &str, text: &str) -> Result<Expression, String> {
    let lacks = match word {
        "due" => never_due(),
        "assignee" => unassigned(),
        "queue" => Filter { unqueued: true, ..Filter::default() },
        "tag" => Filter { untagged: true, ..Filter::default() },
        _ => return Err(format!("{text:?} is nothing to have; take due, assignee, queue or tag")),
    };
    Ok(not(is(lacks)))
}

/// A condition on a custom field: its whole value, or one entry of a list.
fn field(
    workspace: &Workspace,
    name: &str,
    operand: &Operand,
    is_none: bool,
    zone: Zone,
) -> Result<Filter, String> {
    let custom = || workspace.fields.iter().filter(|field| field.role == FieldRole::Custom);
    let folded = fold_case(name);
    let found = custom().find(|field| field.id.as_str() == name || fold_case(&field.name) == folded);
    let field = found.ok_or_else(|| {
        let known: Vec<&str> = custom().map(|field| field.name.as_str()).collect();
        unknown("field", name, list(&known))
    })?;
    let condition = if is_none {
        FieldCondition::Without(field.id.clone())
    } else {
        match value_of(field, &operand.text, zone)? {
            Meant::Value(value) => custom_condition(field, &value, zone),
            Meant::Entry(entry) => FieldCondition::Includes(field.id.clone(), entry),
        }
    };
    Ok(Filter { fields: vec![condition], ..Filter::default() })
}

enum Meant {
    Value(Value),
    Entry(String),
}

fn value_of(field: &Field, text: &str, zone: Zone) -> Result<Meant, String> {
    let name = &field.name;
    Ok(Meant::Value(match field.format.sort() {
        FieldSort::Number => {
            let number: Option<serde_json::Number> = serde_json::from_str(text).ok();
            Value::Number(number.ok_or_else(|| format!("{text:?} is no number, and {name} is one"))?)
        }
        FieldSort::Checkbox => match text.to_lowercase().as_str() {
            "true" | "yes" => Value::Bool(true),
            "false" | "no" => Value::Bool(false),
            _ => return Err(format!("{text:?} is neither yes nor no, and {name} is a checkbox")),
        },
        FieldSort::DateTime => {
            let value = Value::String(text.to_owned());
            if value::moment_of(&value, zone).is_none() {
                return Err(format!("{text:?} is no date, and {name} is one"));
            }
            value
        }
        FieldSort::MultiSelect => return Ok(Meant::Entry(text.to_owned())),
        FieldSort::Input
        | FieldSort::Textarea
        | FieldSort::Dropdown
        | FieldSort::Radio
        | FieldSort::Phone
        | FieldSort::Email
        | FieldSort::Url => Value::String(text.to_owned()),
    }))
}

fn names<T>(entries: &[T], name: impl Fn(&T) -> &String) -> String {
    let names: Vec<&str> = entries.iter().map(|entry| name(entry).as_str()).collect();
    list(&names)
}

/// Entries that a message names at most.
const NAMED_MAX: usize = 10;

fn list(names: &[&str]) -> String {
    let shown = names.get(..NAMED_MAX.min(names.len())).unwrap_or_default().join(", ");
    match names.len() {
        0 => "there is none".to_owned(),
        many if many > NAMED_MAX => format!("there are {shown} and {} more", many - NAMED_MAX),
        _ => format!("there are {shown}"),
    }
}

fn unknown(what: &str, text: &str, known: String) -> String {
    format!("there is no {what} {text:?}; {known}")
}
