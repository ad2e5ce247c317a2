//! Configuring a workspace: a document says what statuses, priorities, queues, agents, fields and templates there shall
//! be; the rules here decide what has to be added or changed for it.
//!
//! Entries that the document does not name stay, and nothing is ever removed: what documents refer to is retired, never
//! taken away.

pub mod draft;
pub mod fault;
pub mod fields;
pub mod input;
pub mod levels;
pub mod people;
pub mod responses;
pub mod templates;

use super::Workspace;
use super::entries::{Agent, Category, Priority, Queue, Status};
use super::field::{Field, FieldFormat, TextRules};
use super::response::StandardResponse;
use super::template::{CaseTemplate, TaskTemplate};
use crate::limits;
use draft::{Changed, Draft, Entry};
use fault::{ConfigurationFaults, EntryList};
use input::Configure;
use templates::Around;

/// What has to be added or changed: each entry before (unless it is new) and after.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigurationChange {
    /// The statuses.
    pub statuses: Vec<Changed<Status>>,
    /// The priorities.
    pub priorities: Vec<Changed<Priority>>,
    /// The queues.
    pub queues: Vec<Changed<Queue>>,
    /// The agents.
    pub agents: Vec<Changed<Agent>>,
    /// The fields.
    pub fields: Vec<Changed<Field>>,
    /// The task templates.
    pub task_templates: Vec<Changed<TaskTemplate>>,
    /// The case templates.
    pub case_templates: Vec<Changed<CaseTemplate>>,
    /// The standard responses.
    pub standard_responses: Vec<Changed<StandardResponse>>,
}

/// One entry that is added or changed, for a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedEntry {
    /// Its list.
    pub list: EntryList,
    /// Its id.
    pub id: String,
    /// Its name after the change.
    pub name: String,
    /// Whether it is new.
    pub is_new: bool,
}

impl ConfigurationChange {
    /// Names what is added or changed, list by list.
    pub fn entries(&self) -> Vec<ChangedEntry> {
        let mut entries = named(EntryList::Statuses, &self.statuses);
        entries.extend(named(EntryList::Priorities, &self.priorities));
        entries.extend(named(EntryList::Queues, &self.queues));
        entries.extend(named(EntryList::Agents, &self.agents));
        entries.extend(named(EntryList::Fields, &self.fields));
        entries.extend(named(EntryList::TaskTemplates, &self.task_templates));
        entries.extend(named(EntryList::CaseTemplates, &self.case_templates));
        entries.extend(named(EntryList::StandardResponses, &self.standard_responses));
        entries
    }
}

fn named<T: Entry>(list: EntryList, changed: &[Changed<T>]) -> Vec<ChangedEntry> {
    let entries = changed.iter().map(|(before, after)| ChangedEntry {
        list,
        id: after.id().to_owned(),
        name: after.name().to_owned(),
        is_new: before.is_none(),
    });
    entries.collect()
}

/// Decides what a configuration document changes. `ids` must not end.
///
/// # Errors
/// All faults of the document.
pub fn configure(
    workspace: &Workspace,
    command: &Configure,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<ConfigurationChange, ConfigurationFaults> {
    let next = &mut || ids.next().expect("invariant: the source of ids does not end");
    let faults = &mut ConfigurationFaults::default();
    let mut statuses = Draft::of(EntryList::Statuses, &workspace.statuses);
    for (index, input) in command.statuses.iter().enumerate() {
        levels::status(&mut statuses, input, index, next, faults);
    }
    let mut priorities = Draft::of(EntryList::Priorities, &workspace.priorities);
    for (index, input) in command.priorities.iter().enumerate() {
        levels::priority(&mut priorities, input, index, next, faults);
    }
    let mut queues = Draft::of(EntryList::Queues, &workspace.queues);
    for (index, input) in command.queues.iter().enumerate() {
        people::queue(&mut queues, input, index, next, faults);
    }
    let mut agents = Draft::of(EntryList::Agents, &workspace.agents);
    for (index, input) in command.agents.iter().enumerate() {
        people::agent(&mut agents, input, index, next, faults);
    }
    let mut fields = Draft::of(EntryList::Fields, &workspace.fields);
    for (index, input) in command.fields.iter().enumerate() {
        fields::field(&mut fields, input, index, next, faults);
    }
    let around = Around { queues: &queues, agents: &agents, fields: &fields };
    let mut task_templates = Draft::of(EntryList::TaskTemplates, &workspace.task_templates);
    for (index, input) in command.task_templates.iter().enumerate() {
        templates::task_template(&mut task_templates, input, index, around, next, faults);
    }
    let mut case_templates = Draft::of(EntryList::CaseTemplates, &workspace.case_templates);
    for (index, input) in command.case_templates.iter().enumerate() {
        templates::case_template(&mut case_templates, input, index, around, &task_templates, next, faults);
    }
    let mut standard_responses = Draft::of(EntryList::StandardResponses, &workspace.standard_responses);
    for (index, input) in command.standard_responses.iter().enumerate() {
        responses::standard_response(&mut standard_responses, input, index, next, faults);
    }
    statuses.check(limits::STATUSES_MAX, faults);
    priorities.check(limits::PRIORITIES_MAX, faults);
    queues.check(limits::WORKSPACE_QUEUES_MAX, faults);
    agents.check(limits::AGENTS_MAX, faults);
    fields.check(limits::WORKSPACE_FIELDS_MAX, faults);
    task_templates.check(limits::TEMPLATES_MAX, faults);
    case_templates.check(limits::TEMPLATES_MAX, faults);
    standard_responses.check(limits::STANDARD_RESPONSES_MAX, faults);
    let of_case = |template: &CaseTemplate| template.active.then(|| template.default_assignee.clone());
    templates::check_assignees(&case_templates, of_case, around, faults);
    let of_task = |template: &TaskTemplate| template.active.then(|| template.default_assignee.clone());
    templates::check_assignees(&task_templates, of_task, around, faults);
    check_needed(&statuses, &priorities, faults);
    check_patterns(&fields, faults);
    std::mem::take(faults).or(ConfigurationChange {
        statuses: statuses.changed(),
        priorities: priorities.changed(),
        queues: queues.changed(),
        agents: agents.changed(),
        fields: fields.changed(),
        task_templates: task_templates.changed(),
        case_templates: case_templates.changed(),
        standard_responses: standard_responses.changed(),
    })
}

/// Adds a fault where a new document would be without a status or a priority.
fn check_needed(statuses: &Draft<Status>, priorities: &Draft<Priority>, faults: &mut ConfigurationFaults) {
    let is_open = |status: &Status| status.category == Category::Open && status.is_usable();
    if !statuses.entries.iter().any(is_open) {
        faults.add_to_list(statuses.list, "at least one status of the category open must be usable");
    }
    if !priorities.entries.iter().any(Priority::is_usable) {
        faults.add_to_list(priorities.list, "at least one priority must be usable");
    }
}

/// Adds a fault where the compiled patterns could take too much memory.
fn check_patterns(fields: &Draft<Field>, faults: &mut ConfigurationFaults) {
    let has_pattern = |field: &&Field| match &field.format {
        FieldFormat::Input(TextRules { pattern, .. })
        | FieldFormat::Textarea(TextRules { pattern, .. })
        | FieldFormat::Phone(TextRules { pattern, .. })
        | FieldFormat::Email(TextRules { pattern, .. })
        | FieldFormat::Url(TextRules { pattern, .. }) => pattern.is_some(),
        FieldFormat::Number(_)
        | FieldFormat::Dropdown(_)
        | FieldFormat::Radio(_)
        | FieldFormat::MultiSelect(_)
        | FieldFormat::Checkbox
        | FieldFormat::DateTime(_) => false,
    };
    if fields.entries.iter().filter(has_pattern).count() > limits::PATTERNS_MAX {
        faults
            .add_to_list(fields.list, format!("at most {} of them can have a pattern", limits::PATTERNS_MAX));
    }
}
