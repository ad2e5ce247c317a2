//! Reads a configuration document into a command, with all faults of its shape.

use std::collections::BTreeMap;

use casement_domain::given::Given;
use casement_domain::workspace::configure::fault::{EntryKey, EntryList};
use casement_domain::workspace::configure::input::{
    Configure, ConfigureAgent, ConfigureAssignee, ConfigureCaseTemplate, ConfigureField, ConfigurePriority,
    ConfigureQueue, ConfigureStandardResponse, ConfigureStatus, ConfigureTaskTemplate, Named,
};
use casement_domain::workspace::entries::Category;
use casement_domain::workspace::field::{FieldOption, FieldRule, FieldSort};
use serde_json::{Map, Value};

use super::{DocumentFault, key_name, list_name, rule_name};
use crate::comment::text_format;
use crate::field::format_name;
use crate::json::read_object_of;
use crate::limits;
use crate::reader;

/// Keys that show prints and apply leaves alone: they follow from the rest.
const DERIVED: [&str; 2] = ["type", "version"];

/// Reads a configuration document. The command holds what could be read; it is of use only where there are no faults,
/// or to find those that its rules add.
pub fn read(bytes: &[u8]) -> (Configure, Vec<DocumentFault>) {
    let object = match read_object_of(bytes, limits::CONFIGURATION_VALUES_MAX) {
        Ok(object) => object,
        Err(faults) => {
            let spelled = faults
                .into_iter()
                .map(|fault| DocumentFault { path: fault.path.unwrap_or_default(), message: fault.message });
            return (Configure::default(), spelled.collect());
        }
    };
    let mut document = Document { object: &object, faults: Vec::new() };
    let command = Configure {
        statuses: document.list(EntryList::Statuses, status),
        priorities: document.list(EntryList::Priorities, priority),
        queues: document.list(EntryList::Queues, queue),
        agents: document.list(EntryList::Agents, agent),
        fields: document.list(EntryList::Fields, field),
        task_templates: document.list(EntryList::TaskTemplates, task_template),
        case_templates: document.list(EntryList::CaseTemplates, case_template),
        standard_responses: document.list(EntryList::StandardResponses, standard_response),
    };
    document.refuse_unknown();
    (command, document.faults)
}

const LISTS: [EntryList; 8] = [
    EntryList::Statuses,
    EntryList::Priorities,
    EntryList::Queues,
    EntryList::Agents,
    EntryList::Fields,
    EntryList::TaskTemplates,
    EntryList::CaseTemplates,
    EntryList::StandardResponses,
];

struct Document<'a> {
    object: &'a Map<String, Value>,
    faults: Vec<DocumentFault>,
}

impl Document<'_> {
    fn fault(&mut self, path: String, message: impl Into<String>) {
        if self.faults.len() < limits::JSON_FAULTS_MAX {
            self.faults.push(DocumentFault { path, message: message.into() });
        }
    }

    /// Reads the entries of a list. One that is no object stands there as one whose id can't be read, so that the others
    /// keep their places.
    fn list<T>(&mut self, list: EntryList, read: impl Fn(&mut Entry<'_>) -> T) -> Vec<T> {
        let name = list_name(list);
        let values = match self.object.get(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                self.fault(name.to_owned(), "must be an array");
                return Vec::new();
            }
        };
        let unreadable = Map::from_iter([(key_name(EntryKey::Id, list).to_owned(), Value::Bool(false))]);
        let mut entries = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let path = format!("{name}[{index}]");
            let Value::Object(object) = value else {
                self.fault(path, "must be an object");
                let mut entry = Entry { object: &unreadable, list, known: Vec::new(), faults: Vec::new() };
                entries.push(read(&mut entry));
                continue;
            };
            let mut entry = Entry { object, list, known: Vec::new(), faults: Vec::new() };
            entries.push(read(&mut entry));
            let Entry { known, faults, .. } = entry;
            for (key, message) in faults {
                self.fault(format!("{path}.{key}"), message);
            }
            for key in object.keys() {
                if !known.contains(&key.as_str()) && !DERIVED.contains(&key.as_str()) {
                    let message = format!("is not known; the keys are {}", known.join(", "));
                    self.fault(format!("{path}.{}", printable(key)), message);
                }
            }
        }
        entries
    }

    fn refuse_unknown(&mut self) {
        let names = LISTS.map(list_name);
        for key in self.object.keys() {
            if !names.contains(&key.as_str()) {
                self.fault(printable(key), format!("is not known; the lists are {}", names.join(", ")));
            }
        }
    }
}

fn printable(key: &str) -> String {
    key.chars().filter(|character| !character.is_control()).collect()
}

/// One entry of a list, with what was read of it.
struct Entry<'a> {
    object: &'a Map<String, Value>,
    list: EntryList,
    known: Vec<&'static str>,
    faults: Vec<(String, String)>,
}

impl Entry<'_> {
    fn read<T>(&mut self, key: EntryKey, read: impl FnOnce(&Value) -> Result<T, String>) -> Given<T> {
        let name = key_name(key, self.list);
        self.known.push(name);
        match self.object.get(name) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(value) => match read(value) {
                Ok(value) => Given::Value(value),
                Err(message) => {
                    self.faults.push((name.to_owned(), message));
                    Given::Invalid
                }
            },
        }
    }

    fn named(&mut self) -> Named {
        Named { id: self.string(EntryKey::Id), name: self.string(EntryKey::Name) }
    }

    fn string(&mut self, key: EntryKey) -> Given<String> {
        self.read(key, |value| reader::string(value).map_err(str::to_owned))
    }

    fn strings(&mut self, key: EntryKey) -> Given<Vec<String>> {
        self.read(key, |value| {
            let entries = value.as_array().ok_or("must be an array of strings")?;
            entries.iter().map(|entry| reader::string(entry).map_err(str::to_owned)).collect()
        })
    }

    fn boolean(&mut self, key: EntryKey) -> Given<bool> {
        self.read(key, |value| value.as_bool().ok_or_else(|| "must be true or false".to_owned()))
    }

    fn count(&mut self, key: EntryKey) -> Given<u32> {
        self.read(key, |value| {
            let number = reader::integer(value).and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| "must be a whole number from 0".to_owned())
        })
    }

    fn integer(&mut self, key: EntryKey) -> Given<i64> {
        self.read(key, |value| reader::integer(value).ok_or_else(|| "must be a whole number".to_owned()))
    }

    fn value(&mut self, key: EntryKey) -> Given<Value> {
        self.read(key, |value| Ok(value.clone()))
    }
}

fn status(entry: &mut Entry<'_>) -> ConfigureStatus {
    ConfigureStatus {
        named: entry.named(),
        category: entry
            .read(EntryKey::Category, |value| one_of(value, &CATEGORIES, |category| category.name())),
        description: entry.string(EntryKey::Description),
        enabled: entry.boolean(EntryKey::Enabled),
        active: entry.boolean(EntryKey::Active),
    }
}

fn priority(entry: &mut Entry<'_>) -> ConfigurePriority {
    ConfigurePriority {
        named: entry.named(),
        color: entry.string(EntryKey::Color),
        score: entry.integer(EntryKey::Score),
        description: entry.string(EntryKey::Description),
        enabled: entry.boolean(EntryKey::Enabled),
        active: entry.boolean(EntryKey::Active),
    }
}

fn queue(entry: &mut Entry<'_>) -> ConfigureQueue {
    ConfigureQueue { named: entry.named(), active: entry.boolean(EntryKey::Active) }
}

fn agent(entry: &mut Entry<'_>) -> ConfigureAgent {
    ConfigureAgent {
        named: entry.named(),
        user: entry.string(EntryKey::User),
        email: entry.string(EntryKey::Email),
        image: entry.string(EntryKey::Image),
        active: entry.boolean(EntryKey::Active),
    }
}

fn field(entry: &mut Entry<'_>) -> ConfigureField {
    ConfigureField {
        named: entry.named(),
        key: entry.string(EntryKey::Key),
        sort: entry.read(EntryKey::Format, |value| one_of(value, &FieldSort::ALL, |sort| format_name(*sort))),
        description: entry.string(EntryKey::Description),
        placeholder: entry.string(EntryKey::Placeholder),
        tooltip: entry.string(EntryKey::Tooltip),
        read_only: entry.boolean(EntryKey::ReadOnly),
        required: entry.boolean(EntryKey::Required),
        shown: entry.boolean(EntryKey::Shown),
        enabled: entry.boolean(EntryKey::Enabled),
        active: entry.boolean(EntryKey::Active),
        default: entry.value(EntryKey::Default),
        messages: entry.read(EntryKey::Messages, messages),
        options: entry.read(EntryKey::Options, options),
        count_min: entry.count(EntryKey::CountMin),
        count_max: entry.count(EntryKey::CountMax),
        length_min: entry.count(EntryKey::LengthMin),
        length_max: entry.count(EntryKey::LengthMax),
        pattern: entry.string(EntryKey::Pattern),
        min: entry.value(EntryKey::Min),
        max: entry.value(EntryKey::Max),
        decimals: entry.count(EntryKey::Decimals),
    }
}

fn task_template(entry: &mut Entry<'_>) -> ConfigureTaskTemplate {
    ConfigureTaskTemplate {
        named: entry.named(),
        fields: entry.strings(EntryKey::Fields),
        default_assignee: entry.read(EntryKey::DefaultAssignee, assignee),
        default_due_ms: entry.integer(EntryKey::DefaultDue),
        active: entry.boolean(EntryKey::Active),
    }
}

fn case_template(entry: &mut Entry<'_>) -> ConfigureCaseTemplate {
    ConfigureCaseTemplate {
        named: entry.named(),
        fields: entry.strings(EntryKey::Fields),
        default_assignee: entry.read(EntryKey::DefaultAssignee, assignee),
        default_due_ms: entry.integer(EntryKey::DefaultDue),
        tasks: entry.strings(EntryKey::Tasks),
        custom_tasks: entry.boolean(EntryKey::CustomTasks),
        closes_with_open_tasks: entry.boolean(EntryKey::ClosesWithOpenTasks),
        active: entry.boolean(EntryKey::Active),
    }
}

fn standard_response(entry: &mut Entry<'_>) -> ConfigureStandardResponse {
    ConfigureStandardResponse {
        named: entry.named(),
        format: entry.read(EntryKey::Format, |value| text_format(value).map_err(str::to_owned)),
        text: entry.string(EntryKey::Text),
        enabled: entry.boolean(EntryKey::Enabled),
        active: entry.boolean(EntryKey::Active),
    }
}

const CATEGORIES: [Category; 5] =
    [Category::Open, Category::InProgress, Category::OnHold, Category::Resolved, Category::Closed];

fn one_of<T: Copy>(value: &Value, all: &[T], name: impl Fn(&T) -> &'static str) -> Result<T, String> {
    let found = value.as_str().and_then(|text| all.iter().find(|one| name(one) == text));
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(name).collect();
        format!("must be one of {}", names.join(", "))
    })
}

fn messages(value: &Value) -> Result<BTreeMap<FieldRule, String>, String> {
    let Value::Object(object) = value else { return Err("must be an object".to_owned()) };
    let mut messages = BTreeMap::new();
    for (name, message) in object {
        let rule = FieldRule::ALL.into_iter().find(|rule| rule_name(*rule) == name);
        match (rule, message.as_str()) {
            (Some(rule), Some(text)) => messages.insert(rule, text.to_owned()),
            (None, _) => {
                let names = FieldRule::ALL.map(rule_name);
                return Err(format!("has the key {:?}; the rules are {}", printable(name), names.join(", ")));
            }
            (Some(_), None) => return Err(format!("must have a string for {}", printable(name))),
        };
    }
    Ok(messages)
}

/// Takes options: a name, or an object with a name and whether it may be chosen.
fn options(value: &Value) -> Result<Vec<FieldOption>, String> {
    let shape = "must be an array of names, or of objects with name and active";
    let read = |entry: &Value| match entry {
        Value::String(name) => Ok(FieldOption { name: name.clone(), active: true }),
        Value::Object(object) => {
            let name = object.get("name").and_then(Value::as_str);
            let active = object.get("active").map_or(Some(true), Value::as_bool);
            let is_known = object.keys().all(|key| key == "name" || key == "active");
            match (name, active) {
                (Some(name), Some(active)) if is_known => Ok(FieldOption { name: name.to_owned(), active }),
                _ => Err(shape.to_owned()),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Err(shape.to_owned()),
    };
    value.as_array().ok_or(shape)?.iter().map(read).collect()
}

/// Takes `unassigned`, `creator`, or an object with a queue or an agent.
fn assignee(value: &Value) -> Result<ConfigureAssignee, String> {
    let only = match value {
        Value::Object(object) if object.len() == 1 => object.iter().next(),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        Value::String(_) => None,
    };
    match (value.as_str(), only.map(|(key, name)| (key.as_str(), name.as_str()))) {
        (Some("unassigned"), _) => Ok(ConfigureAssignee::Unassigned),
        (Some("creator"), _) => Ok(ConfigureAssignee::Creator),
        (_, Some(("queue", Some(name)))) => Ok(ConfigureAssignee::Queue(name.to_owned())),
        (_, Some(("agent", Some(name)))) => Ok(ConfigureAssignee::Agent(name.to_owned())),
        _ => Err("must be \"unassigned\", \"creator\", {\"queue\": …} or {\"agent\": …}".to_owned()),
    }
}
