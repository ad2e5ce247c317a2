//! Writes a workspace's configuration as the document that makes it so.

use casement_domain::date::Moment;
use casement_domain::text::fold_case;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::configure::draft::Entry;
use casement_domain::workspace::entries::{Agent, Priority, Queue, Status};
use casement_domain::workspace::field::{
    Choices, DateRules, Field, FieldFormat, NumberRules, Options, TextRules,
};
use casement_domain::workspace::response::StandardResponse;
use casement_domain::workspace::template::{CaseTemplate, DefaultAssignee, TaskTemplate};
use serde_json::{Map, Value, json};

use super::rule_name;
use crate::comment::text_format_name;
use crate::field::format_name;
use crate::spelling::origin;

/// Writes the whole configuration. Applied to the same workspace, it changes nothing; references are names, so that it
/// can be applied to another one.
pub fn write(workspace: &Workspace) -> Vec<u8> {
    let document = json!({
        "statuses": each(&workspace.statuses, status),
        "priorities": each(&workspace.priorities, priority),
        "queues": each(&workspace.queues, queue),
        "agents": each(&workspace.agents, agent),
        "fields": each(&workspace.fields, field),
        "taskTemplates": each(&workspace.task_templates, |template| task_template(template, workspace)),
        "caseTemplates": each(&workspace.case_templates, |template| case_template(template, workspace)),
        "standardResponses": each(&workspace.standard_responses, standard_response),
    });
    serde_json::to_vec_pretty(&document).expect("invariant: a document is always JSON")
}

fn each<T>(entries: &[T], write: impl Fn(&T) -> Value) -> Vec<Value> {
    entries.iter().map(write).collect()
}

fn status(status: &Status) -> Value {
    json!({
        "_id": status.id, "name": status.name, "statusCategory": status.category.name(),
        "type": origin(status.origin), "desc": status.description, "enabled": status.enabled,
        "active": status.active,
    })
}

fn priority(priority: &Priority) -> Value {
    json!({
        "_id": priority.id, "name": priority.name, "color": priority.color, "score": priority.score,
        "type": origin(priority.origin), "desc": priority.description, "enabled": priority.enabled,
        "active": priority.active,
    })
}

fn queue(queue: &Queue) -> Value {
    json!({"_id": queue.id, "name": queue.name, "active": queue.active})
}

fn agent(agent: &Agent) -> Value {
    json!({
        "aId": agent.id, "agentId": agent.user, "name": agent.name, "emailId": agent.email,
        "profImage": agent.image, "active": agent.active,
    })
}

fn field(field: &Field) -> Value {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("_id", json!(field.id));
    set("name", json!(field.name));
    set("key", json!(field.key));
    set("type", json!(origin(field.origin())));
    set("format", json!(format_name(field.format.sort())));
    set("desc", json!(field.description));
    set("placeholder", json!(field.placeholder));
    set("tooltipText", json!(field.tooltip));
    set("readOnly", json!(field.read_only));
    set("required", json!(field.required));
    set("show", json!(field.shown));
    for (key, value) in rules(&field.format) {
        set(key, value);
    }
    if let Some(default) = &field.default {
        set("defaultValue", default.clone());
    }
    if !field.messages.is_empty() {
        let messages = field.messages.iter().map(|(rule, text)| (rule_name(*rule).to_owned(), json!(text)));
        set("messages", Value::Object(messages.collect()));
    }
    set("enabled", json!(field.enabled));
    set("active", json!(field.active));
    Value::Object(object)
}

/// Gives the rules that a format asks.
fn rules(format: &FieldFormat) -> Vec<(&'static str, Value)> {
    let asked = match format {
        FieldFormat::Input(rules)
        | FieldFormat::Textarea(rules)
        | FieldFormat::Phone(rules)
        | FieldFormat::Email(rules)
        | FieldFormat::Url(rules) => {
            let TextRules { length_min, length_max, pattern } = rules;
            vec![
                ("minLength", length_min.map(Value::from)),
                ("maxLength", length_max.map(Value::from)),
                ("pattern", pattern.as_ref().map(|pattern| Value::from(pattern.text()))),
            ]
        }
        FieldFormat::Number(NumberRules { min, max, decimals }) => vec![
            ("min", min.clone().map(Value::Number)),
            ("max", max.clone().map(Value::Number)),
            ("decimals", decimals.map(Value::from)),
        ],
        FieldFormat::Dropdown(list) | FieldFormat::Radio(list) => vec![("options", Some(options(list)))],
        FieldFormat::MultiSelect(Choices { options: list, count_min, count_max }) => vec![
            ("options", Some(options(list))),
            ("minCount", count_min.map(Value::from)),
            ("maxCount", count_max.map(Value::from)),
        ],
        FieldFormat::Checkbox => Vec::new(),
        FieldFormat::DateTime(DateRules { first, last }) => {
            vec![
                ("min", first.map(Moment::iso).map(Value::from)),
                ("max", last.map(Moment::iso).map(Value::from)),
            ]
        }
    };
    asked.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn options(options: &Options) -> Value {
    let written = options.options.iter().map(|option| {
        if option.active { json!(option.name) } else { json!({"name": option.name, "active": false}) }
    });
    Value::Array(written.collect())
}

fn task_template(template: &TaskTemplate, workspace: &Workspace) -> Value {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("_id", json!(template.id));
    set("name", json!(template.name));
    set("version", json!(template.version));
    set("fields", names(&workspace.fields, template.fields.iter().map(|id| id.as_str())));
    set("defaultAssignee", assignee(&template.default_assignee, workspace));
    if let Some(due_ms) = template.default_due_ms {
        set("defaultDueMs", json!(due_ms));
    }
    set("active", json!(template.active));
    Value::Object(object)
}

fn case_template(template: &CaseTemplate, workspace: &Workspace) -> Value {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("_id", json!(template.id));
    set("name", json!(template.name));
    set("version", json!(template.version));
    set("fields", names(&workspace.fields, template.fields.iter().map(|id| id.as_str())));
    set("defaultAssignee", assignee(&template.default_assignee, workspace));
    if let Some(due_ms) = template.default_due_ms {
        set("defaultDueMs", json!(due_ms));
    }
    set("tasks", names(&workspace.task_templates, template.tasks.iter().map(|id| id.as_str())));
    set("customTasks", json!(template.custom_tasks));
    set("closesWithOpenTasks", json!(template.closes_with_open_tasks));
    set("active", json!(template.active));
    Value::Object(object)
}

fn standard_response(response: &StandardResponse) -> Value {
    json!({
        "_id": response.id, "name": response.name, "format": text_format_name(response.format),
        "text": response.text, "enabled": response.enabled, "active": response.active,
    })
}

fn assignee(assignee: &DefaultAssignee, workspace: &Workspace) -> Value {
    match assignee {
        DefaultAssignee::Unassigned => json!("unassigned"),
        DefaultAssignee::Creator => json!("creator"),
        DefaultAssignee::Queue(id) => json!({"queue": name(&workspace.queues, id.as_str())}),
        DefaultAssignee::Agent(id) => json!({"agent": name(&workspace.agents, id.as_str())}),
    }
}

fn names<'a, T: Entry>(entries: &[T], ids: impl Iterator<Item = &'a str>) -> Value {
    Value::Array(ids.map(|id| Value::from(name(entries, id))).collect())
}

/// Names an entry: by its name where no other has it, else by its id.
fn name<T: Entry>(entries: &[T], id: &str) -> String {
    let found = entries.iter().find(|entry| entry.id() == id);
    let is_only = |name: &str| {
        let folded = fold_case(name);
        entries.iter().filter(|entry| fold_case(entry.name()) == folded || entry.id() == name).count() == 1
    };
    found.map(Entry::name).filter(|name| is_only(name)).unwrap_or(id).to_owned()
}
