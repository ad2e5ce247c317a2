//! A configured workspace and random documents in it, for the tests of domain and wire.

use std::collections::BTreeMap;

use casement_domain::actor::Actor;
use casement_domain::case::Case;
use casement_domain::customer::CustomerSnapshot;
use casement_domain::date::{MOMENT_MAX, MOMENT_MIN, Moment};
use casement_domain::id::{
    AccountId, AgentId, CaseId, CaseTemplateId, CheckItemId, FieldId, OrganisationId, QueueId, StatusId,
    StreamId, TaskId, TaskTemplateId, UserId,
};
use casement_domain::item::{Assignment, Participant, WorkItem};
use casement_domain::task::Task;
use casement_domain::task::plan::{CheckItem, Plan};
use casement_domain::workspace::Workspace;
use casement_domain::workspace::defaults::{self, Identity};
use casement_domain::workspace::entries::{Agent, Category, Origin, Queue, Status};
use casement_domain::workspace::field::{Field, FieldFormat, FieldRole, FieldSort};
use casement_domain::workspace::template::{CaseTemplate, DefaultAssignee, FIRST_VERSION, TaskTemplate};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Noon of the 29th of May 2025 in UTC.
pub const NOW: Moment = Moment::from_ms(1_748_520_000_000);

/// Makes a workspace with more than the defaults: `General` has the custom fields `Colour` and `Size`, there are
/// agents Ann, Ben and the inactive Old, queues Default, Second and the inactive Gone, and a template for every rule.
pub fn workspace() -> Workspace {
    let identity = Identity {
        account: AccountId::from_text("6639f7bd58c97ffac03b0001"),
        organisation: OrganisationId::from_text("o-1"),
        stream: StreamId::from_text("st-1"),
    };
    let mut workspace = defaults::workspace(identity, Moment::from_ms(0), &mut (1_u128..));
    workspace.statuses.extend([
        status("sts-waiting", "Waiting", Category::OnHold, true),
        status("sts-retired", "Retired", Category::Open, false),
    ]);
    workspace.queues = [("qu-q", "Default", true), ("qu-r", "Second", true), ("qu-g", "Gone", false)]
        .map(|(id, name, active)| Queue { id: QueueId::from_text(id), name: name.to_owned(), active })
        .to_vec();
    workspace.agents =
        vec![agent("a", "Ann Agent", true), agent("b", "Ben Agent", true), agent("o", "Old Agent", false)];
    workspace.fields.extend([custom_field("fd-colour", "Colour"), custom_field("fd-size", "Size")]);
    let all: Vec<FieldId> = workspace.fields.iter().map(|field| field.id.clone()).collect();
    let system: Vec<FieldId> = all.iter().take(3).cloned().collect();
    workspace.task_templates =
        [("Follow-up", None, true), ("Call", Some(60_000), true), ("Old", None, false)]
            .map(|(name, default_due_ms, active)| TaskTemplate {
                id: TaskTemplateId::from_text(format!("ttm-{}", name.to_lowercase())),
                name: name.to_owned(),
                fields: if name == "Follow-up" { all.clone() } else { system.clone() },
                default_assignee: match name {
                    "Call" => DefaultAssignee::Agent(AgentId::from_text("a-b")),
                    _ => DefaultAssignee::Unassigned,
                },
                default_due_ms,
                active,
                version: FIRST_VERSION,
                former: Vec::new(),
            })
            .to_vec();
    let general = CaseTemplate {
        id: CaseTemplateId::from_text("ctm-general"),
        name: "General".to_owned(),
        fields: all,
        default_assignee: DefaultAssignee::Unassigned,
        default_due_ms: None,
        tasks: Vec::new(),
        custom_tasks: true,
        closes_with_open_tasks: false,
        active: true,
        version: FIRST_VERSION,
        former: Vec::new(),
    };
    let named = |name: &str| CaseTemplate {
        id: CaseTemplateId::from_text(format!("ctm-{}", name.to_lowercase())),
        name: name.to_owned(),
        fields: system.clone(),
        ..general.clone()
    };
    workspace.case_templates = vec![
        general.clone(),
        CaseTemplate {
            default_assignee: DefaultAssignee::Queue(QueueId::from_text("qu-r")),
            ..named("Queued")
        },
        CaseTemplate {
            default_assignee: DefaultAssignee::Agent(AgentId::from_text("a-b")),
            ..named("Assigned")
        },
        CaseTemplate { default_assignee: DefaultAssignee::Creator, ..named("Created") },
        CaseTemplate { default_due_ms: Some(86_400_000), custom_tasks: false, ..named("Prompt") },
        CaseTemplate {
            tasks: ["ttm-follow-up", "ttm-old", "ttm-call"].map(TaskTemplateId::from_text).to_vec(),
            ..named("Planned")
        },
        CaseTemplate { closes_with_open_tasks: true, ..named("Lenient") },
        CaseTemplate { active: false, ..named("Off") },
    ];
    workspace
}

fn status(id: &str, name: &str, category: Category, enabled: bool) -> Status {
    Status {
        id: StatusId::from_text(id),
        name: name.to_owned(),
        category,
        origin: Origin::Custom,
        description: String::new(),
        enabled,
        active: true,
    }
}

fn agent(letter: &str, name: &str, active: bool) -> Agent {
    Agent {
        id: AgentId::from_text(format!("a-{letter}")),
        user: UserId::from_text(format!("u-{letter}")),
        name: name.to_owned(),
        email: format!("{letter}@example.com"),
        image: "no-avatar".to_owned(),
        active,
    }
}

fn custom_field(id: &str, name: &str) -> Field {
    Field {
        id: FieldId::from_text(id),
        name: name.to_owned(),
        key: name.to_lowercase(),
        role: FieldRole::Custom,
        format: FieldFormat::plain(FieldSort::Input),
        description: String::new(),
        placeholder: String::new(),
        tooltip: String::new(),
        read_only: false,
        required: false,
        default: None,
        messages: BTreeMap::new(),
        shown: true,
        enabled: true,
        active: true,
    }
}

/// The app as somebody who acts.
pub fn app_actor() -> Actor {
    Actor { id: UserId::from_text("u-app"), name: "App".to_owned(), image: "no-avatar".to_owned() }
}

/// Gives any moment that a date may name, most of them near noon of the 29th of May 2025.
pub fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        4 => (-400_000_000_i64..400_000_000).prop_map(|ms| Moment::from_ms(NOW.ms() + ms)),
        1 => (MOMENT_MIN.ms()..=MOMENT_MAX.ms()).prop_map(Moment::from_ms),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-cÉß][a-z É0-9]{0,12}[a-z]".prop_map(|text| text)
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zA-Zé]{1,6}", 0..3)
}

fn notes() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(prop_oneof![Just(json!("note")), Just(json!({"a": [1, null]}))], 0..2)
}

fn customer() -> impl Strategy<Value = CustomerSnapshot> {
    (0..3_u8, "[A-Z]?[a-z]{0,5}", prop::option::of("[a-z]{1,3}@x"), prop::option::of("[0-9]{1,4}")).prop_map(
        |(id, name, email, phone)| CustomerSnapshot {
            id: UserId::from_text(format!("u-c{id}")),
            name,
            email,
            phone,
        },
    )
}

/// Gives any assignment, also to those who are switched off by now.
pub fn assignment() -> impl Strategy<Value = Assignment> {
    let queues = Just(["qu-q", "qu-r", "qu-g"].map(QueueId::from_text).to_vec()).prop_shuffle();
    let agent = prop::option::of(prop::sample::select(vec!["a-a", "a-b", "a-o"]));
    (agent, queues, 0..3_usize).prop_map(|(agent, queues, count)| Assignment {
        agent: agent.map(AgentId::from_text),
        queues: queues.into_iter().take(count).collect(),
    })
}

fn participants(assignment: &Assignment, former: &[&'static str], begun: Moment) -> Vec<Participant> {
    let turn = |agent: AgentId, active| Participant { agent, active, assigned_at: begun };
    let former = former.iter().map(|agent| turn(AgentId::from_text(*agent), false));
    former.chain(assignment.agent.iter().map(|agent| turn(agent.clone(), true))).collect()
}

/// Gives any work item that may be stored.
pub fn item() -> impl Strategy<Value = WorkItem> {
    let workspace = workspace();
    let statuses: Vec<StatusId> = workspace.statuses.iter().map(|status| status.id.clone()).collect();
    let priorities: Vec<_> = workspace.priorities.iter().map(|priority| priority.id.clone()).collect();
    let texts_part = (name(), "[a-z É\n]{0,8}", texts(), texts(), texts(), texts(), "[a-z]{1,6}");
    let entries_part = (
        prop::sample::select(statuses),
        prop::sample::select(priorities),
        customer(),
        any::<bool>(),
        any::<bool>(),
    );
    let who_part =
        (assignment(), prop::collection::vec(prop::sample::select(vec!["a-a", "a-b", "a-o"]), 0..3));
    let when_part = (prop::option::of(moment()), moment(), 0..100_000_i64);
    let values = prop::collection::btree_map(
        prop::sample::select(vec!["fd-colour", "fd-size"]).prop_map(FieldId::from_text),
        prop::sample::select(vec![
            json!("red"),
            json!(5),
            json!(2.5),
            json!(["a"]),
            json!({"x": null}),
            json!(false),
        ]),
        0..3,
    );
    (texts_part, entries_part, who_part, when_part, (values, notes(), notes(), notes())).prop_map(
        |(texts, entries, who, when, kept)| {
            let (name, description, tags, session_ids, conversation_ids, channels, source) = texts;
            let (status, priority, customer, active, breached) = entries;
            let (assignment, former) = who;
            let (due, created_at, age) = when;
            let (field_values, attachments, feedback, resolution_comments): (BTreeMap<_, _>, _, _, _) = kept;
            WorkItem {
                name,
                description,
                tags,
                customer,
                session_ids,
                conversation_ids,
                status,
                priority,
                source,
                field_values,
                participants: participants(&assignment, &former, created_at),
                assignment,
                active,
                attachments,
                feedback,
                resolution_comments,
                channels,
                due,
                breached,
                created_by: app_actor(),
                created_at,
                updated_by: app_actor(),
                updated_at: created_at.plus_ms(age),
                transfer: None,
            }
        },
    )
}

/// Gives any case of the template General.
pub fn case() -> impl Strategy<Value = Case> {
    let watchers = prop::collection::btree_set(prop::sample::select(vec!["a-a", "a-b", "a-o"]), 0..3);
    (item(), any::<u64>(), 0..3_usize, prop::sample::select(vec!["en", "english"]), watchers).prop_map(
        |(item, id, tasks, language, watchers)| Case {
            id: CaseId::fresh(u128::from(id)),
            template: CaseTemplateId::from_text("ctm-general"),
            template_version: FIRST_VERSION,
            item,
            language: language.to_owned(),
            supports_custom_tasks: true,
            tasks: (0..tasks).map(|task| TaskId::fresh(task as u128)).collect(),
            watchers: watchers.into_iter().map(AgentId::from_text).collect(),
            links: Vec::new(),
            merged_into: None,
        },
    )
}

/// Gives any task, of the template Follow-up or custom; a custom one has no field values.
pub fn task() -> impl Strategy<Value = Task> {
    (item(), any::<u64>(), any::<bool>(), 0..3_u128, plan()).prop_map(|(mut item, id, custom, case, plan)| {
        if custom {
            item.field_values.clear();
        }
        Task {
            id: TaskId::fresh(u128::from(id)),
            case: CaseId::fresh(case),
            template: (!custom).then(|| TaskTemplateId::from_text("ttm-follow-up")),
            template_version: FIRST_VERSION,
            plan,
            item,
        }
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let line = (0..9_u128, "[a-z]{1,9}", any::<bool>()).prop_map(|(id, text, done)| CheckItem {
        id: CheckItemId::fresh(id),
        text,
        done,
    });
    let depends_on = prop::collection::vec((0..9_u128).prop_map(TaskId::fresh), 0..3);
    (depends_on, any::<bool>(), prop::collection::vec(line, 0..3))
        .prop_map(|(depends_on, required, checklist)| Plan { depends_on, required, checklist })
}
