//! What a new workspace holds before anybody configures it.

use std::collections::BTreeMap;

use super::Workspace;
use super::entries::{Agent, Category, Origin, Priority, Queue, Status};
use super::field::{Field, FieldFormat, FieldRole, FieldSort};
use super::template::{CaseTemplate, DefaultAssignee, FIRST_VERSION, TaskTemplate};
use crate::actor::NO_AVATAR;
use crate::date::Moment;
use crate::id::{
    AccountId, AgentId, CaseTemplateId, FieldId, OrganisationId, PriorityId, QueueId, StatusId, StreamId,
    TaskTemplateId, UserId,
};

/// The name of the priority that a new document gets.
pub const DEFAULT_PRIORITY: &str = "Medium";

const STATUSES: [(&str, Category, &str); 5] = [
    ("Open", Category::Open, "When a new case/task is created"),
    ("In-Progress", Category::InProgress, "When somebody works on a case/task"),
    ("On-Hold", Category::OnHold, "When a case/task waits for somebody or something"),
    ("Resolved", Category::Resolved, "When a case/task is solved and may be reopened"),
    ("Closed", Category::Closed, "When a case/task is done"),
];

const PRIORITIES: [(&str, &str, i64, &str); 4] = [
    ("Low", "#2563EB", 5, "Little urgency"),
    (DEFAULT_PRIORITY, "#16A34A", 10, "Moderate urgency"),
    ("High", "#D97706", 12, "Great urgency"),
    ("Critical", "#DC2626", 15, "Needs attention at once"),
];

/// The ids that a new workspace is made with.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The account that it belongs to.
    pub account: AccountId,
    /// The organisation that it belongs to.
    pub organisation: OrganisationId,
    /// The stream that it is.
    pub stream: StreamId,
}

/// Makes the workspace that an installation starts with: system fields, five statuses, four priorities, one queue,
/// one case template, one task template and one agent. `ids` must not end.
pub fn workspace(identity: Identity, now: Moment, ids: &mut dyn Iterator<Item = u128>) -> Workspace {
    let mut next = || ids.next().expect("invariant: the source of ids does not end");
    let fields = vec![
        field(FieldId::fresh(next()), "Title", "title", FieldRole::Title, FieldSort::Input),
        field(
            FieldId::fresh(next()),
            "Description",
            "description",
            FieldRole::Description,
            FieldSort::Textarea,
        ),
        field(FieldId::fresh(next()), "Due Date", "dueDate", FieldRole::DueDate, FieldSort::DateTime),
    ];
    let field_ids: Vec<FieldId> = fields.iter().map(|field| field.id.clone()).collect();
    Workspace {
        account: identity.account,
        organisation: identity.organisation,
        stream: identity.stream,
        config_version: 0,
        created_at: now,
        statuses: STATUSES
            .iter()
            .map(|(name, category, description)| Status {
                id: StatusId::fresh(next()),
                name: (*name).to_owned(),
                category: *category,
                origin: Origin::System,
                description: (*description).to_owned(),
                enabled: true,
                active: true,
            })
            .collect(),
        priorities: PRIORITIES
            .iter()
            .map(|(name, color, score, description)| Priority {
                id: PriorityId::fresh(next()),
                name: (*name).to_owned(),
                color: (*color).to_owned(),
                score: *score,
                origin: Origin::System,
                description: (*description).to_owned(),
                enabled: true,
                active: true,
            })
            .collect(),
        queues: vec![Queue { id: QueueId::fresh(next()), name: "Default".to_owned(), active: true }],
        case_templates: vec![CaseTemplate {
            id: CaseTemplateId::fresh(next()),
            name: "General".to_owned(),
            fields: field_ids.clone(),
            default_assignee: DefaultAssignee::Unassigned,
            default_due_ms: None,
            tasks: Vec::new(),
            custom_tasks: true,
            closes_with_open_tasks: false,
            active: true,
            version: FIRST_VERSION,
            former: Vec::new(),
        }],
        task_templates: vec![TaskTemplate {
            id: TaskTemplateId::fresh(next()),
            name: "Follow-up".to_owned(),
            fields: field_ids,
            default_assignee: DefaultAssignee::Unassigned,
            default_due_ms: None,
            active: true,
            version: FIRST_VERSION,
            former: Vec::new(),
        }],
        agents: vec![Agent {
            id: AgentId::fresh(next()),
            user: UserId::fresh(next()),
            name: "First Agent".to_owned(),
            email: "agent@example.com".to_owned(),
            image: NO_AVATAR.to_owned(),
            active: true,
        }],
        fields,
        standard_responses: Vec::new(),
    }
}

fn field(id: FieldId, name: &str, key: &str, role: FieldRole, sort: FieldSort) -> Field {
    let (description, placeholder) = match role {
        FieldRole::Title => ("Title of the field", "Enter title"),
        FieldRole::Description => ("Transcription based on the conversation summary", "Enter description"),
        FieldRole::DueDate => ("Date/time to complete a case", "Enter date"),
        FieldRole::Custom => ("", ""),
    };
    Field {
        id,
        name: name.to_owned(),
        key: key.to_owned(),
        role,
        format: FieldFormat::plain(sort),
        description: description.to_owned(),
        placeholder: placeholder.to_owned(),
        tooltip: description.to_owned(),
        read_only: false,
        required: true,
        default: None,
        messages: BTreeMap::new(),
        shown: true,
        enabled: true,
        active: true,
    }
}
