//! Writes cases and tasks as the public API shows them; contract sections 3 and 4.

use std::collections::HashSet;

use casement_domain::actor::Actor;
use casement_domain::case::{self, Case};
use casement_domain::customer::CustomerSnapshot;
use casement_domain::date::Moment;
use casement_domain::item::{AssigneeKind, WorkItem};
use casement_domain::task::{self, Task};
use casement_domain::workspace::Workspace;
use casement_domain::workspace::entries::{Priority, Status};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::field::{FieldDoc, fields_doc};
use crate::item::assignee_kind_name;
use crate::member::Members;
use crate::spelling::origin;

/// A case as the API returns it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(example = "ci-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    /// The name of the template.
    case_tmp: &'a str,
    #[serde(flatten)]
    item: ItemDoc<'a>,
    language: &'a str,
    support_custom_tasks: bool,
    /// The tasks that are not deleted, in the order of their making.
    #[schema(value_type = Vec<String>)]
    task_ids: Vec<&'a str>,
    /// Only in the answer of createCase: the tasks that the template made.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskDoc<'a>>>,
}

/// A task as the API returns it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(example = "ti-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    case_id: &'a str,
    #[schema(example = "CS000100")]
    case_ref_id: String,
    /// The name of the template; empty for a custom task.
    task_tmp: &'a str,
    #[serde(flatten)]
    item: ItemDoc<'a>,
    /// Whether the task has no template.
    is_cust_tsk: bool,
}

/// The keys that cases and tasks share.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemDoc<'a> {
    name: &'a str,
    lname: String,
    desc: &'a str,
    tags: &'a [String],
    user_info: UserInfoDoc<'a>,
    sess_ids: &'a [String],
    conv_ids: &'a [String],
    account_id: &'a str,
    i_id: &'a str,
    org_id: &'a str,
    status: Option<StatusDoc<'a>>,
    priority: Option<PriorityDoc<'a>>,
    source: &'a str,
    /// `CASE` or `TASK`.
    conversation_type: &'static str,
    fields: Vec<FieldDoc<'a>>,
    participants: Vec<ParticipantDoc<'a>>,
    queues: Vec<QueueDoc<'a>>,
    #[schema(example = "CS000100")]
    ref_id: String,
    /// `unassigned`, `queues` or `agent`.
    assignee_type: &'static str,
    curr_assignee: AssigneeDoc<'a>,
    is_active: bool,
    #[schema(value_type = Vec<Object>)]
    attachments: &'a [Value],
    #[schema(value_type = Vec<Object>)]
    feedback: &'a [Value],
    #[schema(value_type = Vec<Object>)]
    resolution_cmts: &'a [Value],
    /// Always empty: activities are a resource of their own.
    activity_ids: [&'static str; 0],
    /// Always empty: comments are a resource of their own.
    comment_ids: [&'static str; 0],
    created_by: ActorDoc<'a>,
    updated_by: ActorDoc<'a>,
    /// Milliseconds since the epoch of the last accepted change; strictly increasing.
    timestamp_value: i64,
    /// Milliseconds since the epoch; absent when there is no due date.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<i64>,
    /// The due date in ISO 8601; empty when there is none.
    #[serde(rename = "ETA")]
    eta: String,
    is_breached: bool,
    channel: &'a [String],
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserInfoDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
}

/// A status in full.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
    lname: String,
    status_category: &'static str,
    #[serde(rename = "type")]
    origin: &'static str,
    desc: &'a str,
    is_enabled: bool,
    is_active: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PriorityDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
    lname: String,
    #[serde(rename = "type")]
    origin: &'static str,
    desc: &'a str,
    color: &'a str,
    is_enabled: bool,
    is_active: bool,
    score: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ParticipantDoc<'a> {
    agent_id: &'a str,
    a_id: &'a str,
    name: &'a str,
    /// `ACTIVE` or `INACTIVE`.
    p_status: &'static str,
    assigned_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct QueueDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
}

/// The agent who has the document; empty when nobody has.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AssigneeDoc<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    a_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActorDoc<'a> {
    name: &'a str,
    #[serde(rename = "_id")]
    id: &'a str,
    prof_image: &'a str,
}

/// A page of cases.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes what write_page puts together from rendered documents")]
pub struct CasePage {
    results: Vec<CaseDoc<'static>>,
    /// Counted from 1.
    page: u64,
    limit: u32,
    has_more: bool,
    total_pages: u64,
    /// Exact.
    total_results: u64,
}

/// A page of tasks.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes what write_page puts together from rendered documents")]
pub struct TaskPage {
    results: Vec<TaskDoc<'static>>,
    /// Counted from 1.
    page: u64,
    limit: u32,
    has_more: bool,
    total_pages: u64,
    /// Exact.
    total_results: u64,
}

/// Writes a case.
pub fn write_case(case: &Case, number: u64, workspace: &Workspace) -> Vec<u8> {
    to_bytes(&case_doc(case, number, workspace))
}

/// Writes the answer of createCase: the case with the tasks that its template made, each with its number.
pub fn write_created_case(
    case: &Case,
    number: u64,
    tasks: &[(&Task, u64)],
    workspace: &Workspace,
) -> Vec<u8> {
    let mut doc = case_doc(case, number, workspace);
    doc.tasks = Some(
        tasks.iter().map(|(task, task_number)| task_doc(task, *task_number, number, workspace)).collect(),
    );
    to_bytes(&doc)
}

/// Writes a task; `case_number` is the number of its case.
pub fn write_task(task: &Task, number: u64, case_number: u64, workspace: &Workspace) -> Vec<u8> {
    to_bytes(&task_doc(task, number, case_number, workspace))
}

/// Gives the id of a written document.
pub fn id_of(document: &[u8]) -> Option<&str> {
    let (_, quoted) = Members::of(document).find(|(key, _)| *key == b"_id")?;
    // An id has nothing to be escaped.
    std::str::from_utf8(quoted).ok()?.strip_prefix('"')?.strip_suffix('"')
}

/// Keeps the named keys of a document, and its id. A set, since a request may name thousands.
pub fn select_columns(document: &[u8], columns: &HashSet<&[u8]>) -> Vec<u8> {
    let mut kept = Vec::with_capacity(document.len().min(DOCUMENT_BYTES));
    kept.push(b'{');
    // The keys of a document have nothing to be escaped.
    let is_kept = |key: &[u8]| key == b"_id" || columns.contains(key);
    for (key, value) in Members::of(document).filter(|(key, _)| is_kept(key)) {
        if kept.len() > 1 {
            kept.push(b',');
        }
        kept.push(b'"');
        kept.extend_from_slice(key);
        kept.extend_from_slice(b"\":");
        kept.extend_from_slice(value);
    }
    kept.push(b'}');
    kept
}

/// The bytes that a document is given room for at first: most take between 2 and 4 KiB.
const DOCUMENT_BYTES: usize = 4096;

fn to_bytes(document: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DOCUMENT_BYTES);
    serde_json::to_writer(&mut bytes, document).expect("invariant: a document is always JSON");
    bytes
}

fn case_doc<'a>(case: &'a Case, number: u64, workspace: &'a Workspace) -> CaseDoc<'a> {
    let template = workspace.case_template(&case.template);
    let shows_description = |_: &WorkItem| true;
    CaseDoc {
        id: case.id.as_str(),
        case_tmp: template.map_or("", |template| template.name.as_str()),
        item: item_doc(
            &case.item,
            workspace,
            case::CONVERSATION_TYPE,
            case::reference_id(number),
            fields_doc(&case.item, case.fields(workspace), workspace, shows_description),
        ),
        language: &case.language,
        support_custom_tasks: case.supports_custom_tasks,
        task_ids: case.tasks.iter().map(|task| task.as_str()).collect(),
        tasks: None,
    }
}

fn task_doc<'a>(task: &'a Task, number: u64, case_number: u64, workspace: &'a Workspace) -> TaskDoc<'a> {
    let template = task.template.as_ref().and_then(|id| workspace.task_template(id));
    // A task shows its description only when it has one; contract section 11.5.
    let shows_description = |item: &WorkItem| !item.description.is_empty();
    TaskDoc {
        id: task.id.as_str(),
        case_id: task.case.as_str(),
        case_ref_id: case::reference_id(case_number),
        task_tmp: template.map_or("", |template| template.name.as_str()),
        item: item_doc(
            &task.item,
            workspace,
            task::CONVERSATION_TYPE,
            task::reference_id(number),
            fields_doc(&task.item, task.fields(workspace), workspace, shows_description),
        ),
        is_cust_tsk: task.template.is_none(),
    }
}

fn item_doc<'a>(
    item: &'a WorkItem,
    workspace: &'a Workspace,
    conversation_type: &'static str,
    ref_id: String,
    fields: Vec<FieldDoc<'a>>,
) -> ItemDoc<'a> {
    ItemDoc {
        name: &item.name,
        lname: item.name.to_lowercase(),
        desc: &item.description,
        tags: &item.tags,
        user_info: user_info_doc(&item.customer),
        sess_ids: &item.session_ids,
        conv_ids: &item.conversation_ids,
        account_id: workspace.account.as_str(),
        i_id: workspace.stream.as_str(),
        org_id: workspace.organisation.as_str(),
        status: workspace.status(&item.status).map(status_doc),
        priority: workspace.priority(&item.priority).map(priority_doc),
        source: &item.source,
        conversation_type,
        fields,
        participants: participants_doc(item, workspace),
        queues: queues_doc(item, workspace),
        ref_id,
        assignee_type: assignee_kind_name(item.assignment.kind()),
        curr_assignee: assignee_doc(item, workspace),
        is_active: item.active,
        attachments: &item.attachments,
        feedback: &item.feedback,
        resolution_cmts: &item.resolution_comments,
        activity_ids: [],
        comment_ids: [],
        created_by: actor_doc(&item.created_by),
        updated_by: actor_doc(&item.updated_by),
        timestamp_value: item.updated_at.ms(),
        due_date: item.due.map(Moment::ms),
        eta: item.due.map(Moment::iso).unwrap_or_default(),
        is_breached: item.breached,
        channel: &item.channels,
        created_at: item.created_at.iso(),
        updated_at: item.updated_at.iso(),
    }
}

fn user_info_doc(customer: &CustomerSnapshot) -> UserInfoDoc<'_> {
    UserInfoDoc {
        id: customer.id.as_str(),
        name: &customer.name,
        email_id: customer.email.as_deref(),
        phone_number: customer.phone.as_deref(),
    }
}

/// Gives the status of an item as documents show it.
pub(crate) fn status_of<'a>(item: &WorkItem, workspace: &'a Workspace) -> Option<StatusDoc<'a>> {
    workspace.status(&item.status).map(status_doc)
}

fn status_doc(status: &Status) -> StatusDoc<'_> {
    StatusDoc {
        id: status.id.as_str(),
        name: &status.name,
        lname: status.name.to_lowercase(),
        status_category: status.category.name(),
        origin: origin(status.origin),
        desc: &status.description,
        is_enabled: status.enabled,
        is_active: status.active,
    }
}

fn priority_doc(priority: &Priority) -> PriorityDoc<'_> {
    PriorityDoc {
        id: priority.id.as_str(),
        name: &priority.name,
        lname: priority.name.to_lowercase(),
        origin: origin(priority.origin),
        desc: &priority.description,
        color: &priority.color,
        is_enabled: priority.enabled,
        is_active: priority.active,
        score: priority.score,
    }
}

fn participants_doc<'a>(item: &'a WorkItem, workspace: &'a Workspace) -> Vec<ParticipantDoc<'a>> {
    let rows = item.participants.iter().map(|participant| {
        let agent = workspace.agent(&participant.agent);
        ParticipantDoc {
            agent_id: agent.map_or("", |agent| agent.user.as_str()),
            a_id: participant.agent.as_str(),
            name: agent.map_or("", |agent| agent.name.as_str()),
            p_status: if participant.active { "ACTIVE" } else { "INACTIVE" },
            assigned_at: participant.assigned_at.iso(),
        }
    });
    rows.collect()
}

fn queues_doc<'a>(item: &'a WorkItem, workspace: &'a Workspace) -> Vec<QueueDoc<'a>> {
    let queues = item.assignment.queues.iter().filter_map(|id| workspace.queue(id));
    queues.map(|queue| QueueDoc { id: queue.id.as_str(), name: &queue.name }).collect()
}

fn assignee_doc<'a>(item: &'a WorkItem, workspace: &'a Workspace) -> AssigneeDoc<'a> {
    match item.assignment.kind() {
        AssigneeKind::Unassigned | AssigneeKind::Queues => AssigneeDoc::default(),
        AssigneeKind::Agent => {
            let agent = item.assignment.agent.as_ref().and_then(|id| workspace.agent(id));
            AssigneeDoc {
                a_id: agent.map(|agent| agent.id.as_str()),
                name: agent.map(|agent| agent.name.as_str()),
                agent_id: agent.map(|agent| agent.user.as_str()),
            }
        }
    }
}

/// Writes who did something.
pub(crate) fn actor_doc(actor: &Actor) -> ActorDoc<'_> {
    ActorDoc { name: &actor.name, id: actor.id.as_str(), prof_image: &actor.image }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_with_three_digits_and_z() {
        assert_eq!(Moment::from_ms(1_748_318_622_557).iso(), "2025-05-27T04:03:42.557Z");
        assert_eq!(Moment::from_ms(0).iso(), "1970-01-01T00:00:00.000Z");
        assert_eq!(casement_domain::date::MOMENT_MIN.iso(), "0001-01-01T00:00:00.000Z");
        assert_eq!(casement_domain::date::MOMENT_MAX.iso(), "9999-12-31T23:59:59.999Z");
    }
}
