//! The configuration document: what is read of it, and that what is shown makes itself.

use casement_domain::given::Given;
use casement_domain::id::{AgentId, QueueId};
use casement_domain::workspace::Workspace;
use casement_domain::workspace::configure::input::{Configure, ConfigureAssignee};
use casement_domain::workspace::configure::{ConfigurationChange, configure};
use casement_domain::workspace::field::{Field, FieldSort};
use casement_domain::workspace::template::DefaultAssignee;
use casement_wire::configuration::document_faults;
use casement_wire::configuration::read::read;
use casement_wire::configuration::write::write;
use serde_json::{Value, json};

use crate::documents::workspace;

fn readable(document: &Value) -> Configure {
    let (command, faults) = read(document.to_string().as_bytes());
    assert_eq!(faults, [], "{document}");
    command
}

fn paths(document: &[u8]) -> Vec<String> {
    read(document).1.into_iter().map(|fault| fault.path).collect()
}

fn applied(workspace: &Workspace, document: &[u8]) -> Result<ConfigurationChange, Vec<String>> {
    let (command, faults) = read(document);
    assert_eq!(faults, []);
    configure(workspace, &command, &mut (9_000_u128..))
        .map_err(|faults| document_faults(&faults).into_iter().map(|fault| fault.sentence()).collect())
}

/// The workspace with a field of every format and every sort of assignee.
fn furnished() -> Workspace {
    let mut workspace = workspace();
    let base = json!({"role": "custom", "description": "d", "placeholder": "p", "tooltip": "t", "read_only": false,
        "required": true, "shown": false, "enabled": false, "active": true});
    let options = json!([{"name": "Red", "active": true}, {"name": "Old", "active": false}]);
    for (place, keys) in [
        json!({"format": "input", "length_min": 1, "length_max": 5, "pattern": "a*", "default": "aa",
            "messages": {"pattern": "only a", "read-only": "no"}}),
        json!({"format": "textarea"}),
        json!({"format": "number", "min": -1.5, "max": 10, "decimals": 2, "default": 0.25}),
        json!({"format": "dropdown", "options": options, "default": "Red"}),
        json!({"format": "radio", "options": options}),
        json!({"format": "multi-select", "options": options, "count_min": 1, "count_max": 1, "default": ["Red"]}),
        json!({"format": "checkbox", "default": true}),
        json!({"format": "phone", "length_max": 20}),
        json!({"format": "email"}),
        json!({"format": "url"}),
        json!({"format": "date-time", "first": 0, "last": 5, "default": "1970-01-01T00:00:00.001Z"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = base.clone();
        body["id"] = json!(format!("fd-{place}"));
        body["name"] = json!(format!("Field {place}"));
        body["key"] = json!(format!("key{place}"));
        for (key, value) in keys.as_object().unwrap() {
            body[key] = value.clone();
        }
        let field: Field = serde_json::from_value(body).unwrap();
        workspace.case_templates[0].fields.push(field.id.clone());
        workspace.fields.push(field);
    }
    workspace.task_templates[0].default_assignee = DefaultAssignee::Queue(QueueId::from_text("qu-r"));
    workspace.case_templates[1].default_assignee = DefaultAssignee::Agent(AgentId::from_text("a-a"));
    workspace.case_templates[2].default_assignee = DefaultAssignee::Creator;
    workspace
}

#[test]
fn what_is_shown_makes_itself_and_changes_nothing() {
    let workspace = furnished();
    assert_eq!(applied(&workspace, &write(&workspace)), Ok(ConfigurationChange::default()));
}

#[test]
fn what_is_shown_of_one_workspace_can_be_made_in_another() {
    let (from, to) = (furnished(), workspace());
    let change = applied(&to, &write(&from)).unwrap();
    assert_eq!(change.fields.len(), 11);
    let (before, template) = &change.case_templates[0];
    assert_eq!(before.as_ref().map(|before| before.version), Some(1));
    assert_eq!((template.version, template.fields.len()), (2, from.case_templates[0].fields.len()));
}

#[test]
fn an_entry_whose_name_is_another_ones_is_shown_by_its_id() {
    let mut workspace = workspace();
    let id = workspace.fields[3].id.clone();
    workspace.fields[4].name = "COLOUR".to_owned();
    let shown: Value = serde_json::from_slice(&write(&workspace)).unwrap();
    let fields = shown["caseTemplates"][0]["fields"].as_array().unwrap();
    assert!(fields.contains(&json!(id)) && fields.contains(&json!("Title")), "{fields:?}");
}

#[test]
fn options_and_assignees_have_a_short_and_a_long_form() {
    let command = readable(&json!({
        "fields": [{"format": "multiselect", "options": ["a", {"name": "b"}, {"name": "c", "active": false}]}],
        "taskTemplates": [
            {"defaultAssignee": "unassigned"}, {"defaultAssignee": "creator"}, {"defaultAssignee": {"queue": "q"}},
            {"defaultAssignee": {"agent": "a"}}, {"defaultAssignee": null}, {},
        ],
    }));
    assert_eq!(command.fields[0].sort, Given::Value(FieldSort::MultiSelect));
    let options = command.fields[0].options.value().unwrap();
    let shown: Vec<_> = options.iter().map(|option| (option.name.as_str(), option.active)).collect();
    assert_eq!(shown, [("a", true), ("b", true), ("c", false)]);
    let assignees: Vec<_> =
        command.task_templates.into_iter().map(|template| template.default_assignee).collect();
    assert_eq!(
        assignees,
        [
            Given::Value(ConfigureAssignee::Unassigned),
            Given::Value(ConfigureAssignee::Creator),
            Given::Value(ConfigureAssignee::Queue("q".to_owned())),
            Given::Value(ConfigureAssignee::Agent("a".to_owned())),
            Given::Null,
            Given::Absent,
        ]
    );
}

#[test]
fn every_fault_of_shape_is_told_with_its_path() {
    let document = json!({
        "statuses": [{"name": 7, "statusCategory": "opened"}],
        "priorities": [{"score": "1"}],
        "queues": {"name": "x"},
        "agents": [{"_id": "a-1"}],
        "fields": ["x", {"minLength": -1, "options": "a", "messages": {"lenght": "x"}, "show": "yes"},
            {"options": [7]}, {"options": [{"name": "a", "id": 1}]}, {"messages": {"length": 1}}],
        "taskTemplates": [{"fields": ["a", 7], "defaultAssignee": {"queue": "a", "agent": "b"}}],
        "caseTemplates": [{"defaultAssignee": "nobody", "defaultDueMs": 1.5, "version": 3}],
        "views": [],
    });
    assert_eq!(
        paths(document.to_string().as_bytes()),
        [
            "statuses[0].name",
            "statuses[0].statusCategory",
            "priorities[0].score",
            "queues",
            "agents[0]._id",
            "fields[0]",
            "fields[1].show",
            "fields[1].messages",
            "fields[1].options",
            "fields[1].minLength",
            "fields[2].options",
            "fields[3].options",
            "fields[4].messages",
            "taskTemplates[0].fields",
            "taskTemplates[0].defaultAssignee",
            "caseTemplates[0].defaultAssignee",
            "caseTemplates[0].defaultDueMs",
            "views",
        ]
    );
}

#[test]
fn what_is_no_json_object_is_told_as_such() {
    for wrong in ["", "[]", "null", "{", "{\"fields\": []} x", "{\"a\": 1, \"a\": 1}"] {
        assert!(!paths(wrong.as_bytes()).is_empty(), "{wrong}");
    }
    assert_eq!(paths(b"{}"), Vec::<String>::new());
    assert_eq!(paths(b"{\"fields\": null}"), Vec::<String>::new());
}

#[test]
fn the_places_of_broken_rules_are_spelled_as_the_document_spells_them() {
    let document = json!({
        "agents": [{"name": "Ann Agent"}, {"aId": "x", "name": "New", "agentId": "u-new"}],
        "fields": [{"name": "Colour", "format": "number"}, {"name": "New", "format": "input", "pattern": "("}],
        "caseTemplates": [{"name": "General", "fields": ["Title", "Nix"]}],
    });
    let sentences = applied(&workspace(), document.to_string().as_bytes()).unwrap_err();
    let paths: Vec<&str> =
        sentences.iter().filter_map(|sentence| Some(sentence.split_once(": ")?.0)).collect();
    assert_eq!(
        paths,
        ["agents[1].aId", "fields[0].format", "fields[1].pattern", "caseTemplates[0].fields[1]"]
    );
}

#[test]
fn standard_responses_are_read_checked_and_written() {
    let mut workspace = workspace();
    let document = json!({"standardResponses": [
        {"name": "Thanks", "text": "Dear {{customer.name}}"},
        {"_id": "sr-2", "name": "Again", "format": "html", "text": "<p>{{ case.refId }}</p>", "enabled": false},
    ]});
    let change = applied(&workspace, document.to_string().as_bytes()).unwrap();
    assert_eq!(change.entries().len(), 2);
    workspace.standard_responses = change.standard_responses.into_iter().map(|(_, after)| after).collect();
    let shown: Value = serde_json::from_slice(&write(&workspace)).unwrap();
    let again = &shown["standardResponses"][1];
    assert_eq!(
        *again,
        json!({"_id": "sr-2", "name": "Again", "format": "html", "text": "<p>{{ case.refId }}</p>", "enabled": false, "active": true})
    );
    assert!(
        applied(&workspace, &write(&workspace)).unwrap().entries().is_empty(),
        "what is shown changes nothing"
    );
    let wrong = json!({"standardResponses": [
        {"name": "Thanks", "text": null}, {"name": "New"}, {"name": "Other", "text": "{{customer.phone}} {% if x %}"},
        {"name": "Third", "format": "html", "text": "{{customer.name"},
    ]});
    let faults = applied(&workspace, wrong.to_string().as_bytes()).unwrap_err();
    let begins: Vec<&str> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    let text = |index: usize| format!("standardResponses[{index}].text");
    assert_eq!(begins, [text(0), text(1), text(2), text(2), text(3)], "{faults:?}");
    assert!(faults[3].contains("\"customer.phone\"") && faults[3].contains("case.dueDate"), "{faults:?}");
    let shape = json!({"standardResponses": [{"name": "x", "format": "rtf", "text": 1, "colour": "red"}]});
    assert_eq!(
        paths(shape.to_string().as_bytes()),
        ["standardResponses[0].format", "standardResponses[0].text", "standardResponses[0].colour"]
    );
}
