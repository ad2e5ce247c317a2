//! Templates: which fields, tasks, assignee and due date they give. What documents keep to makes the next version.

use super::draft::{At, Draft, Entry, Meant};
use super::fault::{ConfigurationFaults, EntryKey};
use super::input::{ConfigureAssignee, ConfigureCaseTemplate, ConfigureTaskTemplate};
use crate::given::Given;
use crate::id::{CaseTemplateId, FieldId, TaskTemplateId};
use crate::limits;
use crate::text::{fold_case, fold_email};
use crate::workspace::entries::{Agent, Queue};
use crate::workspace::field::Field;
use crate::workspace::template::{CaseTemplate, DefaultAssignee, FIRST_VERSION, TaskTemplate};

/// What templates may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The queues.
    pub queues: &'a Draft<Queue>,
    /// The agents.
    pub agents: &'a Draft<Agent>,
    /// The fields.
    pub fields: &'a Draft<Field>,
}

/// Takes over one task template.
pub fn task_template(
    draft: &mut Draft<TaskTemplate>,
    input: &ConfigureTaskTemplate,
    index: usize,
    around: Around<'_>,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, before) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            let id = id.map_or_else(|| TaskTemplateId::fresh(next()), TaskTemplateId::from_text);
            (None, new_task_template(id, around))
        }
    };
    let mut after = before.clone();
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    take_fields(&mut at, &input.fields, around, &mut after.fields);
    take_assignee(&mut at, &input.default_assignee, around, &mut after.default_assignee);
    take_due(&mut at, &input.default_due_ms, &mut after.default_due_ms);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    if place.is_some() {
        after.succeed(&before);
    }
    draft.put(place, after, index);
}

/// A new template shows the system fields until it is told otherwise.
fn new_task_template(id: TaskTemplateId, around: Around<'_>) -> TaskTemplate {
    TaskTemplate {
        id,
        name: String::new(),
        fields: system_fields(around),
        default_assignee: DefaultAssignee::Unassigned,
        default_due_ms: None,
        active: true,
        version: FIRST_VERSION,
        former: Vec::new(),
    }
}

/// Takes over one case template.
pub fn case_template(
    draft: &mut Draft<CaseTemplate>,
    input: &ConfigureCaseTemplate,
    index: usize,
    around: Around<'_>,
    task_templates: &Draft<TaskTemplate>,
    next: &mut dyn FnMut() -> u128,
    faults: &mut ConfigurationFaults,
) {
    let Some(meant) = draft.meant(&input.named, index, faults) else { return };
    let mut at = At { list: draft.list, index, faults };
    let (place, before) = match meant {
        Meant::Stored(place, before) => (Some(place), before),
        Meant::New(id) => {
            let id = id.map_or_else(|| CaseTemplateId::fresh(next()), CaseTemplateId::from_text);
            (None, new_case_template(id, around))
        }
    };
    let mut after = before.clone();
    at.name(&input.named.name, EntryKey::Name, &mut after.name);
    take_fields(&mut at, &input.fields, around, &mut after.fields);
    take_assignee(&mut at, &input.default_assignee, around, &mut after.default_assignee);
    take_due(&mut at, &input.default_due_ms, &mut after.default_due_ms);
    take_tasks(&mut at, &input.tasks, task_templates, &mut after.tasks);
    at.take(&input.custom_tasks, EntryKey::CustomTasks, &mut after.custom_tasks);
    at.take(&input.closes_with_open_tasks, EntryKey::ClosesWithOpenTasks, &mut after.closes_with_open_tasks);
    at.take(&input.active, EntryKey::Active, &mut after.active);
    if place.is_some() {
        after.succeed(&before);
    }
    draft.put(place, after, index);
}

fn new_case_template(id: CaseTemplateId, around: Around<'_>) -> CaseTemplate {
    CaseTemplate {
        id,
        name: String::new(),
        fields: system_fields(around),
        default_assignee: DefaultAssignee::Unassigned,
        default_due_ms: None,
        tasks: Vec::new(),
        custom_tasks: true,
        closes_with_open_tasks: false,
        active: true,
        version: FIRST_VERSION,
        former: Vec::new(),
    }
}

fn system_fields(around: Around<'_>) -> Vec<FieldId> {
    let fields = around.fields.entries.iter().filter(|field| !field.is_custom());
    fields.map(|field| field.id.clone()).collect()
}

/// Finds an entry by id, else by name in any case.
fn find<'a, T: Entry>(entries: &'a [T], text: &str) -> Option<&'a T> {
    let folded = fold_case(text);
    let by_id = entries.iter().find(|entry| entry.id() == text);
    by_id.or_else(|| entries.iter().find(|entry| fold_case(entry.name()) == folded))
}

fn take_fields(at: &mut At<'_>, given: &Given<Vec<String>>, around: Around<'_>, target: &mut Vec<FieldId>) {
    let Some(names) = listed(at, given, EntryKey::Fields, limits::FIELDS_MAX) else { return };
    let mut fields: Vec<FieldId> = Vec::with_capacity(names.len());
    for (part, name) in names.iter().enumerate() {
        match find(&around.fields.entries, name) {
            None => at.fault_of_part(EntryKey::Fields, part, format!("there is no field {name:?}")),
            Some(field) if fields.contains(&field.id) => {
                at.fault_of_part(EntryKey::Fields, part, format!("the field {name:?} is there already"));
            }
            Some(field) => fields.push(field.id.clone()),
        }
    }
    *target = fields;
}

fn take_tasks(
    at: &mut At<'_>,
    given: &Given<Vec<String>>,
    task_templates: &Draft<TaskTemplate>,
    target: &mut Vec<TaskTemplateId>,
) {
    let Some(names) = listed(at, given, EntryKey::Tasks, limits::TEMPLATE_TASKS_MAX) else { return };
    let mut tasks = Vec::with_capacity(names.len());
    for (part, name) in names.iter().enumerate() {
        match find(&task_templates.entries, name) {
            None => at.fault_of_part(EntryKey::Tasks, part, format!("there is no task template {name:?}")),
            Some(template) => tasks.push(template.id.clone()),
        }
    }
    *target = tasks;
}

fn listed<'a>(
    at: &mut At<'_>,
    given: &'a Given<Vec<String>>,
    key: EntryKey,
    entries_max: usize,
) -> Option<&'a [String]> {
    match given {
        Given::Absent | Given::Invalid => None,
        Given::Null => {
            at.fault(Some(key), "must not be null");
            None
        }
        Given::Value(names) if names.len() > entries_max => {
            at.fault(Some(key), format!("must have at most {entries_max} entries"));
            None
        }
        Given::Value(names) => Some(names),
    }
}

fn take_assignee(
    at: &mut At<'_>,
    given: &Given<ConfigureAssignee>,
    around: Around<'_>,
    target: &mut DefaultAssignee,
) {
    let key = EntryKey::DefaultAssignee;
    match given {
        Given::Absent | Given::Invalid => {}
        Given::Null | Given::Value(ConfigureAssignee::Unassigned) => *target = DefaultAssignee::Unassigned,
        Given::Value(ConfigureAssignee::Creator) => *target = DefaultAssignee::Creator,
        Given::Value(ConfigureAssignee::Queue(name)) => match find(&around.queues.entries, name) {
            Some(queue) => *target = DefaultAssignee::Queue(queue.id.clone()),
            None => at.fault(Some(key), format!("there is no queue {name:?}")),
        },
        Given::Value(ConfigureAssignee::Agent(name)) => {
            let agents = &around.agents.entries;
            let by_person = || {
                let email = fold_email(name);
                agents.iter().find(|agent| {
                    agent.user.as_str() == name || (!email.is_empty() && fold_email(&agent.email) == email)
                })
            };
            match find(agents, name).or_else(by_person) {
                Some(agent) => *target = DefaultAssignee::Agent(agent.id.clone()),
                None => at.fault(Some(key), format!("there is no agent {name:?}")),
            }
        }
    }
}

fn take_due(at: &mut At<'_>, given: &Given<i64>, target: &mut Option<i64>) {
    at.take_or_clear(given, target);
    let fits = |ms: &i64| (0..=limits::DEFAULT_DUE_MS_MAX).contains(ms);
    if given.value().is_some_and(|ms| !fits(ms)) {
        at.fault(Some(EntryKey::DefaultDue), format!("must be 0 to {}", limits::DEFAULT_DUE_MS_MAX));
    }
}

/// Adds a fault for each template whose default assignee is not active: at the template where the document names it,
/// else at the queue or agent that the document retires. `assignee` gives none for a template that is not active.
pub fn check_assignees<T: Entry>(
    templates: &Draft<T>,
    assignee: impl Fn(&T) -> Option<DefaultAssignee>,
    around: Around<'_>,
    faults: &mut ConfigurationFaults,
) {
    for template in &templates.entries {
        let assignee = assignee(template);
        let (id, is_active, list, named_by) = match &assignee {
            Some(DefaultAssignee::Queue(id)) => {
                let queue = around.queues.entries.iter().find(|queue| queue.id == *id);
                let is_active = queue.is_some_and(|queue| queue.active);
                (id.as_str(), is_active, around.queues.list, around.queues.named_by(id.as_str()))
            }
            Some(DefaultAssignee::Agent(id)) => {
                let agent = around.agents.entries.iter().find(|agent| agent.id == *id);
                let is_active = agent.is_some_and(|agent| agent.active);
                (id.as_str(), is_active, around.agents.list, around.agents.named_by(id.as_str()))
            }
            Some(DefaultAssignee::Unassigned | DefaultAssignee::Creator) | None => continue,
        };
        if is_active {
            continue;
        }
        if let Some(index) = templates.named_by(template.id()) {
            let mut at = At { list: templates.list, index, faults };
            at.fault(Some(EntryKey::DefaultAssignee), format!("{id} is not active"));
        } else if let Some(index) = named_by {
            let mut at = At { list, index, faults };
            let message = format!("is the default assignee of the template {:?}", template.name());
            at.fault(Some(EntryKey::Active), message);
        }
    }
}
