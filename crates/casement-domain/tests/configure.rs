//! Configuring a workspace: what a document adds and changes, and every rule that it can break.

use casement_domain::given::Given;
use casement_domain::limits;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::configure::fault::{EntryKey, EntryList};
use casement_domain::workspace::configure::input::{
    Configure, ConfigureAgent, ConfigureAssignee, ConfigureCaseTemplate, ConfigureField, ConfigurePriority,
    ConfigureQueue, ConfigureStatus, ConfigureTaskTemplate, Named,
};
use casement_domain::workspace::configure::{ConfigurationChange, configure};
use casement_domain::workspace::defaults::{self, Identity};
use casement_domain::workspace::entries::Category;
use casement_domain::workspace::field::{FieldOption, FieldSort};
use casement_domain::workspace::template::DefaultAssignee;

use crate::world::{NOW, given, workspace};

/// Where a fault is: the list, the entry, the key and its part.
pub type Place = (EntryList, Option<usize>, Option<EntryKey>, Option<usize>);

pub fn decide(workspace: &Workspace, command: &Configure) -> Result<ConfigurationChange, Vec<Place>> {
    configure(workspace, command, &mut (9_000_u128..)).map_err(|faults| {
        let places = faults.list().iter().map(|fault| {
            let place = fault.place;
            (place.list, place.index, place.key, place.part)
        });
        places.collect()
    })
}

pub fn faults(command: &Configure) -> Vec<Place> {
    decide(&workspace(), command).err().unwrap_or_default()
}

pub fn named(name: &str) -> Named {
    Named { id: Given::Absent, name: given(name) }
}

pub fn by_id(id: &str) -> Named {
    Named { id: given(id), name: Given::Absent }
}

pub fn field(name: &str, sort: FieldSort) -> ConfigureField {
    ConfigureField { named: named(name), sort: Given::Value(sort), ..ConfigureField::default() }
}

pub fn fields(fields: Vec<ConfigureField>) -> Configure {
    Configure { fields, ..Configure::default() }
}

pub fn options(names: &[&str]) -> Given<Vec<FieldOption>> {
    Given::Value(names.iter().map(|name| FieldOption { name: (*name).to_owned(), active: true }).collect())
}

/// The workspace after a change of its fields and templates.
pub fn after(workspace: &Workspace, change: &ConfigurationChange) -> Workspace {
    let mut after = workspace.clone();
    for (before, field) in &change.fields {
        match before {
            Some(_) => *after.fields.iter_mut().find(|other| other.id == field.id).unwrap() = field.clone(),
            None => after.fields.push(field.clone()),
        }
    }
    for (before, template) in &change.case_templates {
        let known = after.case_templates.iter_mut().find(|other| other.id == template.id);
        match known.filter(|_| before.is_some()) {
            Some(known) => *known = template.clone(),
            None => after.case_templates.push(template.clone()),
        }
    }
    after
}

#[test]
fn an_empty_document_and_one_that_repeats_what_is_there_change_nothing() {
    assert_eq!(decide(&workspace(), &Configure::default()), Ok(ConfigurationChange::default()));
    let command = Configure {
        queues: vec![ConfigureQueue { named: named("SECOND"), ..ConfigureQueue::default() }],
        fields: vec![ConfigureField { named: by_id("fd-colour"), ..field("Colour", FieldSort::Input) }],
        ..Configure::default()
    };
    let change = decide(&workspace(), &command).unwrap();
    assert_eq!(change.queues[0].1.name, "SECOND", "a name in another case is a new spelling");
    assert_eq!(change.entries().len(), 1);
}

#[test]
fn entries_are_matched_by_id_then_by_name_and_else_are_new() {
    let mut workspace = workspace();
    workspace.case_templates.clear();
    let queue = |named: Named| {
        let queues = vec![ConfigureQueue { named, active: Given::Value(false) }];
        let change = decide(&workspace, &Configure { queues, ..Configure::default() }).unwrap();
        let (before, after) = change.queues[0].clone();
        (before.is_some(), after.id.to_string(), after.name)
    };
    let both = |id: &str, name: &str| Named { id: given(id), name: given(name) };
    let (stored, renamed) = ((true, "qu-r".to_owned(), "Second".to_owned()), "Renamed".to_owned());
    assert_eq!(queue(named("second")).1, stored.1);
    assert_eq!(queue(by_id("qu-r")), stored);
    assert_eq!(queue(both("qu-r", " Renamed ")), (true, "qu-r".to_owned(), renamed));
    assert_eq!(queue(both("qu-elsewhere", "Second")), stored, "an unknown id does not hinder the name");
    assert_eq!(queue(both("qu-new", "New")), (false, "qu-new".to_owned(), "New".to_owned()));
    assert!(queue(named("New")).1.starts_with("qu-00000000-"));
}

#[test]
fn names_and_ids_must_be_usable_and_not_taken() {
    let queues = |queues: Vec<Named>| {
        let queues =
            queues.into_iter().map(|named| ConfigureQueue { named, ..ConfigureQueue::default() }).collect();
        faults(&Configure { queues, ..Configure::default() })
    };
    let at = |index: usize, key: Option<EntryKey>| vec![(EntryList::Queues, Some(index), key, None)];
    let both = |id: &str, name: &str| Named { id: given(id), name: given(name) };
    assert_eq!(queues(vec![Named::default()]), at(0, Some(EntryKey::Name)));
    assert_eq!(queues(vec![named("  ")]), at(0, Some(EntryKey::Name)));
    assert_eq!(queues(vec![named(&"x".repeat(limits::ENTRY_NAME_CHARACTERS_MAX))]), []);
    assert_eq!(
        queues(vec![named(&"x".repeat(limits::ENTRY_NAME_CHARACTERS_MAX + 1))]),
        at(0, Some(EntryKey::Name))
    );
    for wrong in ["new", "qu-", "fd-new", "qu-a b", &format!("qu-{}", "x".repeat(62))] {
        assert_eq!(queues(vec![both(wrong, "New")]), at(0, Some(EntryKey::Id)), "{wrong}");
    }
    assert_eq!(queues(vec![named("New"), named("NEW")]), at(1, None));
    assert_eq!(queues(vec![by_id("qu-r"), named("Second")]), at(1, None));
    assert_eq!(queues(vec![both("qu-r", "default")]), at(0, Some(EntryKey::Name)));
    assert_eq!(queues(vec![both("qu-r", "Default"), both("qu-q", "Second")]), [], "names may be swapped");
    let null = Named { id: Given::Absent, name: Given::Null };
    assert_eq!(queues(vec![Named { id: given("qu-r"), ..null }]), at(0, Some(EntryKey::Name)));
}

#[test]
fn what_could_not_be_read_has_no_further_fault() {
    let unread = Named { id: Given::Invalid, name: Given::Absent };
    let mut command = fields(vec![ConfigureField { named: unread, ..ConfigureField::default() }]);
    command.fields.push(ConfigureField {
        sort: Given::Invalid,
        pattern: Given::Invalid,
        default: Given::Invalid,
        ..field("New", FieldSort::Input)
    });
    assert_eq!(faults(&command), []);
}

#[test]
fn system_statuses_and_priorities_can_only_be_switched() {
    let switched = ConfigureStatus {
        named: named("On-Hold"),
        enabled: Given::Value(false),
        ..ConfigureStatus::default()
    };
    let change =
        decide(&workspace(), &Configure { statuses: vec![switched], ..Configure::default() }).unwrap();
    assert!(!change.statuses[0].1.enabled);
    let edited = |edit: fn(&mut ConfigureStatus)| {
        let mut status = ConfigureStatus { named: named("Closed"), ..ConfigureStatus::default() };
        edit(&mut status);
        faults(&Configure { statuses: vec![status], ..Configure::default() })
    };
    let whole = vec![(EntryList::Statuses, Some(0), None, None)];
    assert_eq!(edited(|status| status.description = given("x")), whole);
    assert_eq!(edited(|status| status.active = Given::Value(false)), whole);
    let category = edited(|status| status.category = Given::Value(Category::Open));
    assert_eq!(category, [(EntryList::Statuses, Some(0), Some(EntryKey::Category), None)]);
    let priority =
        ConfigurePriority { named: named("High"), color: given("#000000"), ..ConfigurePriority::default() };
    let command = Configure { priorities: vec![priority], ..Configure::default() };
    assert_eq!(faults(&command), [(EntryList::Priorities, Some(0), None, None)]);
}

#[test]
fn new_statuses_and_priorities_need_what_lists_and_rules_ask_of_them() {
    let command = Configure {
        statuses: vec![ConfigureStatus { named: named("New"), ..ConfigureStatus::default() }],
        priorities: vec![
            ConfigurePriority { named: named("New"), ..ConfigurePriority::default() },
            ConfigurePriority {
                named: named("Newer"),
                score: Given::Value(-1),
                color: given("red"),
                ..ConfigurePriority::default()
            },
        ],
        ..Configure::default()
    };
    assert_eq!(
        faults(&command),
        [
            (EntryList::Statuses, Some(0), Some(EntryKey::Category), None),
            (EntryList::Priorities, Some(0), Some(EntryKey::Score), None),
            (EntryList::Priorities, Some(1), Some(EntryKey::Color), None),
        ]
    );
}

#[test]
fn a_workspace_keeps_a_usable_open_status_and_a_usable_priority() {
    let off = |name: &str| ConfigureStatus {
        named: named(name),
        enabled: Given::Value(false),
        ..ConfigureStatus::default()
    };
    let command = Configure {
        statuses: vec![off("Open")],
        priorities: ["Low", "Medium", "High", "Critical"]
            .map(|name| ConfigurePriority {
                named: named(name),
                enabled: Given::Value(false),
                ..ConfigurePriority::default()
            })
            .to_vec(),
        ..Configure::default()
    };
    assert_eq!(
        faults(&command),
        [(EntryList::Statuses, None, None, None), (EntryList::Priorities, None, None, None)]
    );
    let mut replaced = Configure { statuses: vec![off("Open")], ..Configure::default() };
    replaced.statuses.push(ConfigureStatus {
        named: named("Arrived"),
        category: Given::Value(Category::Open),
        ..ConfigureStatus::default()
    });
    assert_eq!(faults(&replaced), []);
}

#[test]
fn an_added_open_status_does_not_become_the_default() {
    let identity = Identity {
        account: casement_domain::id::AccountId::from_text("a"),
        organisation: casement_domain::id::OrganisationId::from_text("o-1"),
        stream: casement_domain::id::StreamId::from_text("st-1"),
    };
    let mut workspace = defaults::workspace(identity, NOW, &mut (1_u128..));
    let added = ConfigureStatus {
        named: Named { id: given("sts-0"), name: given("Arrived") },
        category: Given::Value(Category::Open),
        ..ConfigureStatus::default()
    };
    let change = decide(&workspace, &Configure { statuses: vec![added], ..Configure::default() }).unwrap();
    workspace.statuses.insert(0, change.statuses[0].1.clone());
    assert_eq!(workspace.default_status().unwrap().name, "Open");
}

#[test]
fn agents_are_persons_with_addresses_of_their_own() {
    let agents = |agents: Vec<ConfigureAgent>| faults(&Configure { agents, ..Configure::default() });
    let new = |name: &str| ConfigureAgent { named: named(name), ..ConfigureAgent::default() };
    let at = |key: EntryKey| vec![(EntryList::Agents, Some(0), Some(key), None)];
    assert_eq!(
        agents(vec![ConfigureAgent { user: given("u-x"), email: given("x@y.org"), ..new("New") }]),
        []
    );
    assert_eq!(agents(vec![ConfigureAgent { user: given("x"), ..new("New") }]), at(EntryKey::User));
    assert_eq!(agents(vec![ConfigureAgent { user: given("u-a"), ..new("New") }]), at(EntryKey::User));
    assert_eq!(agents(vec![ConfigureAgent { user: given("u-x"), ..new("Ann Agent") }]), at(EntryKey::User));
    assert_eq!(
        agents(vec![ConfigureAgent { email: given("A@example.com"), ..new("New") }]),
        at(EntryKey::Email)
    );
    let long = "x".repeat(limits::EMAIL_CHARACTERS_MAX + 1);
    assert_eq!(agents(vec![ConfigureAgent { email: given(&long), ..new("New") }]), at(EntryKey::Email));
    let same = ConfigureAgent { user: given("u-a"), email: given("a@example.com"), ..new("Ann Agent") };
    assert_eq!(agents(vec![same]), []);
}

#[test]
fn templates_refer_to_what_the_same_document_makes() {
    let command = Configure {
        queues: vec![ConfigureQueue { named: named("New queue"), ..ConfigureQueue::default() }],
        fields: vec![field("New field", FieldSort::Number)],
        task_templates: vec![ConfigureTaskTemplate {
            named: named("New task"),
            fields: Given::Value(vec!["new FIELD".to_owned()]),
            ..ConfigureTaskTemplate::default()
        }],
        case_templates: vec![ConfigureCaseTemplate {
            named: named("New case"),
            fields: Given::Value(vec!["fd-colour".to_owned(), "New field".to_owned(), "Title".to_owned()]),
            tasks: Given::Value(vec!["New task".to_owned(), "Call".to_owned(), "Call".to_owned()]),
            default_assignee: Given::Value(ConfigureAssignee::Queue("New queue".to_owned())),
            default_due_ms: Given::Value(1),
            ..ConfigureCaseTemplate::default()
        }],
        ..Configure::default()
    };
    let change = decide(&workspace(), &command).unwrap();
    let template = &change.case_templates[0].1;
    assert_eq!(template.fields.len(), 3);
    assert_eq!(template.fields[1], change.fields[0].1.id);
    assert_eq!(template.tasks[0], change.task_templates[0].1.id);
    assert_eq!(template.default_assignee, DefaultAssignee::Queue(change.queues[0].1.id.clone()));
    assert!(template.custom_tasks && template.active && !template.closes_with_open_tasks);
    assert_eq!(change.entries().len(), 4);
}

#[test]
fn a_new_template_shows_the_system_fields_until_it_is_told_otherwise() {
    let command = Configure {
        case_templates: vec![ConfigureCaseTemplate {
            named: named("New"),
            ..ConfigureCaseTemplate::default()
        }],
        ..Configure::default()
    };
    assert_eq!(decide(&workspace(), &command).unwrap().case_templates[0].1.fields.len(), 3);
}

#[test]
fn every_reference_of_a_template_must_lead_somewhere() {
    let strings = |names: &[&str]| Given::Value(names.iter().map(|name| (*name).to_owned()).collect());
    let template = || ConfigureCaseTemplate { named: named("New"), ..ConfigureCaseTemplate::default() };
    let found = |template: ConfigureCaseTemplate| {
        let command = Configure { case_templates: vec![template], ..Configure::default() };
        faults(&command).into_iter().map(|(_, _, key, part)| (key.unwrap(), part)).collect::<Vec<_>>()
    };
    let assignee = |assignee: ConfigureAssignee| {
        found(ConfigureCaseTemplate { default_assignee: Given::Value(assignee), ..template() })
    };
    assert_eq!(
        found(ConfigureCaseTemplate { fields: strings(&["Title", "Nix", "title"]), ..template() }),
        [(EntryKey::Fields, Some(1)), (EntryKey::Fields, Some(2))]
    );
    assert_eq!(
        found(ConfigureCaseTemplate { tasks: strings(&["Nix"]), ..template() }),
        [(EntryKey::Tasks, Some(0))]
    );
    for agent in ["Ann Agent", "a-a", "u-a", "A@EXAMPLE.com"] {
        assert_eq!(assignee(ConfigureAssignee::Agent(agent.to_owned())), [], "{agent}");
    }
    for nobody in [ConfigureAssignee::Agent("Nix".to_owned()), ConfigureAssignee::Queue("Nix".to_owned())] {
        assert_eq!(assignee(nobody), [(EntryKey::DefaultAssignee, None)]);
    }
    for retired in [ConfigureAssignee::Agent("a-o".to_owned()), ConfigureAssignee::Queue("Gone".to_owned())] {
        assert_eq!(assignee(retired), [(EntryKey::DefaultAssignee, None)]);
    }
    for (due_ms, faults) in
        [(0, 0), (limits::DEFAULT_DUE_MS_MAX, 0), (-1, 1), (limits::DEFAULT_DUE_MS_MAX + 1, 1)]
    {
        let due = ConfigureCaseTemplate { default_due_ms: Given::Value(due_ms), ..template() };
        assert_eq!(found(due).len(), faults, "{due_ms}");
    }
    let many: Vec<&str> = vec!["Call"; limits::TEMPLATE_TASKS_MAX + 1];
    assert_eq!(
        found(ConfigureCaseTemplate { tasks: strings(&many), ..template() }),
        [(EntryKey::Tasks, None)]
    );
    assert_eq!(found(ConfigureCaseTemplate { tasks: strings(&many[1..]), ..template() }), []);
}

#[test]
fn who_is_assigned_by_a_template_can_not_be_retired_before_the_template() {
    let retire = |template: Option<bool>| {
        let mut command = Configure {
            queues: vec![ConfigureQueue { named: by_id("qu-r"), active: Given::Value(false) }],
            agents: vec![ConfigureAgent {
                named: by_id("a-b"),
                active: Given::Value(false),
                ..ConfigureAgent::default()
            }],
            ..Configure::default()
        };
        if let Some(active) = template {
            for name in ["Queued", "Assigned"] {
                command.case_templates.push(ConfigureCaseTemplate {
                    named: named(name),
                    active: Given::Value(active),
                    ..ConfigureCaseTemplate::default()
                });
            }
            command.task_templates.push(ConfigureTaskTemplate {
                named: named("Call"),
                active: Given::Value(active),
                ..ConfigureTaskTemplate::default()
            });
        }
        faults(&command)
    };
    let active = Some(EntryKey::Active);
    assert_eq!(
        retire(None),
        [
            (EntryList::Queues, Some(0), active, None),
            (EntryList::Agents, Some(0), active, None),
            (EntryList::Agents, Some(0), active, None),
        ]
    );
    assert!(retire(Some(true)).iter().all(|place| place.2 == Some(EntryKey::DefaultAssignee)));
    assert_eq!(retire(Some(false)), []);
}

#[test]
fn a_change_of_what_documents_keep_to_is_the_next_version_of_the_template() {
    let mut workspace = workspace();
    let set =
        |input: ConfigureCaseTemplate| Configure { case_templates: vec![input], ..Configure::default() };
    let general = || ConfigureCaseTemplate { named: named("General"), ..ConfigureCaseTemplate::default() };
    let steps = [
        (ConfigureCaseTemplate { default_due_ms: Given::Value(5), ..general() }, 1),
        (ConfigureCaseTemplate { custom_tasks: Given::Value(false), ..general() }, 2),
        (ConfigureCaseTemplate { custom_tasks: Given::Value(false), ..general() }, 2),
        (ConfigureCaseTemplate { fields: Given::Value(vec!["Title".to_owned()]), ..general() }, 3),
    ];
    for (input, version) in steps {
        let change = decide(&workspace, &set(input)).unwrap();
        workspace = after(&workspace, &change);
        assert_eq!(workspace.case_templates[0].version, version);
        assert_eq!(workspace.case_templates[0].former.len() + 1, usize::try_from(version).unwrap());
    }
}

#[test]
fn lists_and_patterns_are_limited() {
    let many = |count: usize, pattern: Given<String>| {
        let inputs = (0..count).map(|place| ConfigureField {
            pattern: pattern.clone(),
            ..field(&format!("Field {place}"), FieldSort::Input)
        });
        faults(&fields(inputs.collect()))
    };
    let there = workspace().fields.len();
    let whole = [(EntryList::Fields, None, None, None)];
    assert_eq!(many(limits::WORKSPACE_FIELDS_MAX - there, Given::Absent), []);
    assert_eq!(many(limits::WORKSPACE_FIELDS_MAX - there + 1, Given::Absent), whole);
    assert_eq!(many(limits::PATTERNS_MAX, given("a")), []);
    assert_eq!(many(limits::PATTERNS_MAX + 1, given("a")), whole);
}
