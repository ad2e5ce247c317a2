//! The request bodies as the API description shows them.
//!
//! Bodies are read key by key, so that all faults are found at once; these types only describe them, and `bounds`
//! adds what types can't say. A test holds the described keys against those that the readers take.

pub mod bounds;
pub mod comment;
pub mod feedback;
pub mod relation;
pub mod search;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The body of createCase.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct CreateCaseBody {
    /// The template by id or exact name.
    #[schema(rename = "caseTmp")]
    case_tmp: String,
    /// The title: 1 to 512 characters after trimming.
    name: String,
    /// The description: up to 64 KiB.
    desc: String,
    /// Up to 100 tags of 1 to 64 characters.
    tags: Option<Vec<String>>,
    /// The customer.
    #[schema(rename = "userInfo")]
    user_info: UserInfoBody,
    /// Related sessions.
    #[schema(rename = "sessIds")]
    sess_ids: Option<Vec<String>>,
    /// Related conversations.
    #[schema(rename = "convIds")]
    conv_ids: Option<Vec<String>>,
    /// The status: `_id` decides, else the name in any case; a string is taken as either.
    status: Option<ReferenceBody>,
    /// The priority, named as a status is.
    priority: Option<ReferenceBody>,
    /// Where it comes from, such as `rtm` or `email`: 1 to 128 characters.
    source: String,
    /// Values of fields; unnamed fields stay as they are.
    fields: Option<Vec<FieldBody>>,
    /// The queues, each named as a status is.
    queues: Option<Vec<ReferenceBody>>,
    /// `unassigned`, `queues` or `agent`.
    #[schema(rename = "assigneeType")]
    assignee_type: Option<String>,
    /// The agent; `{}` names nobody.
    #[schema(rename = "currAssignee")]
    curr_assignee: Option<AssigneeBody>,
    /// ISO 8601 or milliseconds since the epoch.
    #[schema(rename = "dueDate")]
    due_date: Option<DateBody>,
    /// The due date in its other spelling; an empty string means none.
    #[schema(rename = "ETA")]
    eta: Option<DateBody>,
    /// The channels used.
    channel: Option<Vec<String>>,
    /// The e-mail address of the customer; the one inside `userInfo` wins.
    #[schema(rename = "emailId")]
    email_id: Option<String>,
    /// The phone number of the customer; the one inside `userInfo` wins.
    #[schema(rename = "phoneNumber")]
    phone_number: Option<String>,
    /// The language of the conversation: 1 to 64 characters.
    language: Option<String>,
}

/// The body of updateCase: what is absent stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct UpdateCaseBody {
    /// The template by id or exact name.
    #[schema(rename = "caseTmp")]
    case_tmp: Option<String>,
    /// The title: 1 to 512 characters after trimming.
    name: Option<String>,
    /// The description: up to 64 KiB.
    desc: Option<String>,
    /// Up to 100 tags of 1 to 64 characters.
    tags: Option<Vec<String>>,
    /// The customer.
    #[schema(rename = "userInfo")]
    user_info: Option<UserInfoBody>,
    /// Related sessions.
    #[schema(rename = "sessIds")]
    sess_ids: Option<Vec<String>>,
    /// Related conversations.
    #[schema(rename = "convIds")]
    conv_ids: Option<Vec<String>>,
    /// The status: `_id` decides, else the name in any case; a string is taken as either.
    status: Option<ReferenceBody>,
    /// The priority, named as a status is.
    priority: Option<ReferenceBody>,
    /// Where it comes from, such as `rtm` or `email`: 1 to 128 characters.
    source: Option<String>,
    /// Values of fields; unnamed fields stay as they are.
    fields: Option<Vec<FieldBody>>,
    /// The queues, each named as a status is.
    queues: Option<Vec<ReferenceBody>>,
    /// `unassigned`, `queues` or `agent`.
    #[schema(rename = "assigneeType")]
    assignee_type: Option<String>,
    /// The agent; `{}` names nobody.
    #[schema(rename = "currAssignee")]
    curr_assignee: Option<AssigneeBody>,
    /// ISO 8601 or milliseconds since the epoch.
    #[schema(rename = "dueDate")]
    due_date: Option<DateBody>,
    /// The due date in its other spelling; an empty string means none.
    #[schema(rename = "ETA")]
    eta: Option<DateBody>,
    /// The channels used.
    channel: Option<Vec<String>>,
    /// The language of the conversation: 1 to 64 characters.
    language: Option<String>,
    /// Must be the stored ones: they follow from the assignment.
    #[schema(value_type = Option<Vec<Object>>)]
    participants: Option<Vec<Value>>,
    /// False deletes, true restores.
    #[schema(rename = "isActive")]
    is_active: Option<bool>,
    /// Objects or strings, kept as sent: 100 entries, 16 KiB in all.
    #[schema(value_type = Option<Vec<Object>>)]
    attachments: Option<Vec<Value>>,
    /// As attachments.
    #[schema(value_type = Option<Vec<Object>>)]
    feedback: Option<Vec<Value>>,
    /// As attachments.
    #[schema(rename = "resolutionCmts", value_type = Option<Vec<Object>>)]
    resolution_cmts: Option<Vec<Value>>,
    /// The version that the client read.
    #[schema(rename = "timestampValue")]
    timestamp_value: Option<i64>,
    /// Must be the stored one.
    #[schema(rename = "_id")]
    id: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "accountId")]
    account_id: Option<String>,
    /// The stream; must be the stored one.
    #[schema(rename = "iId")]
    i_id: Option<String>,
    /// Another spelling of `iId`.
    lid: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "orgId")]
    org_id: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "refId")]
    ref_id: Option<String>,
    /// Must be the stored one, in any case.
    #[schema(rename = "conversationType")]
    conversation_type: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "createdAt")]
    created_at: Option<DateBody>,
    /// Its `_id` must be the stored one.
    #[schema(rename = "createdBy")]
    created_by: Option<ActorBody>,
}

/// The body of createTask.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct CreateTaskBody {
    /// The id of the case.
    #[schema(rename = "caseId")]
    case_id: String,
    /// The reference id of the same case.
    #[schema(rename = "caseRefId")]
    case_ref_id: String,
    /// The template by id or exact name; absent for a custom task.
    #[schema(rename = "taskTmp")]
    task_tmp: Option<String>,
    /// The title: 1 to 512 characters after trimming.
    name: Option<String>,
    /// The description: up to 64 KiB.
    desc: Option<String>,
    /// Up to 100 tags of 1 to 64 characters.
    tags: Option<Vec<String>>,
    /// The customer.
    #[schema(rename = "userInfo")]
    user_info: UserInfoBody,
    /// Related sessions.
    #[schema(rename = "sessIds")]
    sess_ids: Option<Vec<String>>,
    /// Related conversations.
    #[schema(rename = "convIds")]
    conv_ids: Option<Vec<String>>,
    /// The status: `_id` decides, else the name in any case; a string is taken as either.
    status: Option<ReferenceBody>,
    /// The priority, named as a status is.
    priority: Option<ReferenceBody>,
    /// Where it comes from, such as `rtm` or `email`: 1 to 128 characters.
    source: String,
    /// Values of fields; unnamed fields stay as they are.
    fields: Option<Vec<FieldBody>>,
    /// The queues, each named as a status is.
    queues: Option<Vec<ReferenceBody>>,
    /// `unassigned`, `queues` or `agent`.
    #[schema(rename = "assigneeType")]
    assignee_type: Option<String>,
    /// The agent; `{}` names nobody.
    #[schema(rename = "currAssignee")]
    curr_assignee: Option<AssigneeBody>,
    /// ISO 8601 or milliseconds since the epoch.
    #[schema(rename = "dueDate")]
    due_date: Option<DateBody>,
    /// The due date in its other spelling; an empty string means none.
    #[schema(rename = "ETA")]
    eta: Option<DateBody>,
    /// The channels used.
    channel: Option<Vec<String>>,
    /// The e-mail address of the customer; the one inside `userInfo` wins.
    #[schema(rename = "emailId")]
    email_id: Option<String>,
    /// The phone number of the customer; the one inside `userInfo` wins.
    #[schema(rename = "phoneNumber")]
    phone_number: Option<String>,
}

/// The body of updateTask: what is absent stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct UpdateTaskBody {
    /// The template by id or exact name; absent for a custom task.
    #[schema(rename = "taskTmp")]
    task_tmp: Option<String>,
    /// Another spelling of `taskTmp`.
    #[schema(rename = "caseTmp")]
    case_tmp: Option<String>,
    /// The title: 1 to 512 characters after trimming.
    name: Option<String>,
    /// The description: up to 64 KiB.
    desc: Option<String>,
    /// Up to 100 tags of 1 to 64 characters.
    tags: Option<Vec<String>>,
    /// The customer.
    #[schema(rename = "userInfo")]
    user_info: Option<UserInfoBody>,
    /// Related sessions.
    #[schema(rename = "sessIds")]
    sess_ids: Option<Vec<String>>,
    /// Related conversations.
    #[schema(rename = "convIds")]
    conv_ids: Option<Vec<String>>,
    /// The status: `_id` decides, else the name in any case; a string is taken as either.
    status: Option<ReferenceBody>,
    /// The priority, named as a status is.
    priority: Option<ReferenceBody>,
    /// Where it comes from, such as `rtm` or `email`: 1 to 128 characters.
    source: Option<String>,
    /// Values of fields; unnamed fields stay as they are.
    fields: Option<Vec<FieldBody>>,
    /// The queues, each named as a status is.
    queues: Option<Vec<ReferenceBody>>,
    /// `unassigned`, `queues` or `agent`.
    #[schema(rename = "assigneeType")]
    assignee_type: Option<String>,
    /// The agent; `{}` names nobody.
    #[schema(rename = "currAssignee")]
    curr_assignee: Option<AssigneeBody>,
    /// ISO 8601 or milliseconds since the epoch.
    #[schema(rename = "dueDate")]
    due_date: Option<DateBody>,
    /// The due date in its other spelling; an empty string means none.
    #[schema(rename = "ETA")]
    eta: Option<DateBody>,
    /// The channels used.
    channel: Option<Vec<String>>,
    /// Must be the stored ones: they follow from the assignment.
    #[schema(value_type = Option<Vec<Object>>)]
    participants: Option<Vec<Value>>,
    /// False deletes, true restores.
    #[schema(rename = "isActive")]
    is_active: Option<bool>,
    /// Objects or strings, kept as sent: 100 entries, 16 KiB in all.
    #[schema(value_type = Option<Vec<Object>>)]
    attachments: Option<Vec<Value>>,
    /// As attachments.
    #[schema(value_type = Option<Vec<Object>>)]
    feedback: Option<Vec<Value>>,
    /// As attachments.
    #[schema(rename = "resolutionCmts", value_type = Option<Vec<Object>>)]
    resolution_cmts: Option<Vec<Value>>,
    /// The version that the client read.
    #[schema(rename = "timestampValue")]
    timestamp_value: Option<i64>,
    /// Must be the stored one.
    #[schema(rename = "_id")]
    id: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "accountId")]
    account_id: Option<String>,
    /// The stream; must be the stored one.
    #[schema(rename = "iId")]
    i_id: Option<String>,
    /// Another spelling of `iId`.
    lid: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "orgId")]
    org_id: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "refId")]
    ref_id: Option<String>,
    /// Must be the stored one, in any case.
    #[schema(rename = "conversationType")]
    conversation_type: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "createdAt")]
    created_at: Option<DateBody>,
    /// Its `_id` must be the stored one.
    #[schema(rename = "createdBy")]
    created_by: Option<ActorBody>,
    /// Must be the stored one.
    #[schema(rename = "caseId")]
    case_id: Option<String>,
    /// Must be the stored one.
    #[schema(rename = "caseRefId")]
    case_ref_id: Option<String>,
}

/// The body of getCases: every key is optional.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct CaseListBody {
    /// Plain words; each must be found as the beginning of a word.
    #[schema(rename = "searchText")]
    search_text: Option<String>,
    /// A part of the name in any case.
    name: Option<String>,
    /// Only what is neither resolved nor closed.
    unresolved: Option<bool>,
    /// Only what no agent has.
    unassigned: Option<bool>,
    /// Only what the acting user has.
    mycase: Option<bool>,
    /// Names in any case or ids.
    priority: Option<Vec<String>>,
    /// Names in any case, ids or categories.
    status: Option<Vec<String>>,
    /// Channels or sources.
    channel: Option<Vec<String>>,
    /// Names in any case or ids.
    queues: Option<Vec<String>>,
    /// `aId` or `agentId`.
    agents: Option<Vec<String>>,
    /// The first creation date; a plain date means 00:00.
    #[schema(rename = "startDate")]
    start_date: Option<String>,
    /// The last creation date; a plain date means 23:59:59.999.
    #[schema(rename = "endDate")]
    end_date: Option<String>,
    /// The exact due date; a plain date means that day.
    #[schema(rename = "dueDate")]
    due_date: Option<String>,
    /// Any of `overdue`, `today`, `tomorrow`, `week`, `none`.
    #[schema(rename = "ETAlist")]
    eta_list: Option<Vec<String>>,
    /// Values that fields must have.
    #[schema(rename = "customFields")]
    custom_fields: Option<Vec<FieldFilterBody>>,
    /// A field name, or an object of field names with `asc` or `desc`.
    #[schema(rename = "sortBy")]
    sort_by: Option<SortBody>,
    /// Documents before the page.
    skip: Option<u64>,
    /// Documents on the page: 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Keys to answer with; `_id` always comes.
    #[schema(rename = "selectedColumns")]
    selected_columns: Option<Vec<String>>,
}

/// The body of getTasks: every key is optional.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct TaskListBody {
    /// Plain words; each must be found as the beginning of a word.
    #[schema(rename = "searchText")]
    search_text: Option<String>,
    /// A part of the name in any case.
    name: Option<String>,
    /// Only what is neither resolved nor closed.
    unresolved: Option<bool>,
    /// Only what no agent has.
    unassigned: Option<bool>,
    /// Only what the acting user has.
    mycase: Option<bool>,
    /// Names in any case or ids.
    priority: Option<Vec<String>>,
    /// Names in any case, ids or categories.
    status: Option<Vec<String>>,
    /// Channels or sources.
    channel: Option<Vec<String>>,
    /// Names in any case or ids.
    queues: Option<Vec<String>>,
    /// `aId` or `agentId`.
    agents: Option<Vec<String>>,
    /// The first creation date; a plain date means 00:00.
    #[schema(rename = "startDate")]
    start_date: Option<String>,
    /// The last creation date; a plain date means 23:59:59.999.
    #[schema(rename = "endDate")]
    end_date: Option<String>,
    /// The exact due date; a plain date means that day.
    #[schema(rename = "dueDate")]
    due_date: Option<String>,
    /// Any of `overdue`, `today`, `tomorrow`, `week`, `none`.
    #[schema(rename = "ETAlist")]
    eta_list: Option<Vec<String>>,
    /// Values that fields must have.
    #[schema(rename = "customFields")]
    custom_fields: Option<Vec<FieldFilterBody>>,
    /// A field name, or an object of field names with `asc` or `desc`.
    #[schema(rename = "sortBy")]
    sort_by: Option<SortBody>,
    /// Documents before the page.
    skip: Option<u64>,
    /// Documents on the page: 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Keys to answer with; `_id` always comes.
    #[schema(rename = "selectedColumns")]
    selected_columns: Option<Vec<String>>,
    /// Only what the acting user has.
    mytask: Option<bool>,
    /// Only tasks of this case.
    #[schema(rename = "caseId")]
    case_id: Option<String>,
    /// Only tasks of the case with this reference id.
    #[schema(rename = "caseRefId")]
    case_ref_id: Option<String>,
}

/// A customer in a request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct UserInfoBody {
    /// Decides; an unknown one makes the customer.
    #[schema(rename = "_id")]
    id: Option<String>,
    /// Up to 512 characters.
    name: Option<String>,
    /// Up to 320 characters.
    #[schema(rename = "emailId")]
    email_id: Option<String>,
    /// Up to 64 characters.
    #[schema(rename = "phoneNumber")]
    phone_number: Option<String>,
}

/// The value of a field in a request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct FieldBody {
    /// Decides.
    #[schema(rename = "_id")]
    id: Option<String>,
    /// The name displayed, in any case.
    name: Option<String>,
    /// Stands for an absent `name`.
    #[schema(rename = "displayName")]
    display_name: Option<String>,
    /// The value; null clears it.
    #[schema(rename = "selectedValue", value_type = Option<Object>)]
    selected_value: Option<Value>,
}

/// The value that a field must have.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct FieldFilterBody {
    /// Decides.
    #[schema(rename = "_id")]
    id: Option<String>,
    /// The name displayed, in any case.
    name: Option<String>,
    /// The value.
    #[schema(value_type = Object)]
    value: Value,
}

/// An agent in a request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct AssigneeBody {
    /// Decides.
    #[schema(rename = "aId")]
    a_id: Option<String>,
    /// Else this.
    #[schema(rename = "agentId")]
    agent_id: Option<String>,
    /// Else the name in any case.
    name: Option<String>,
}

/// Somebody in a request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct ActorBody {
    /// Who it is.
    #[schema(rename = "_id")]
    id: Option<String>,
}

/// An entry of the configuration in a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedBody {
    /// Decides.
    #[serde(rename = "_id")]
    id: Option<String>,
    /// Else the name in any case.
    name: Option<String>,
}

/// An entry of the configuration: an object, or its id or name as a string.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ReferenceBody {
    /// By `_id` or `name`.
    Named(NamedBody),
    /// By either as a string.
    Text(String),
}

/// A date.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum DateBody {
    /// ISO 8601; without a zone in that of `X-Timezone-Offset`.
    Text(String),
    /// Milliseconds since the epoch.
    Milliseconds(i64),
}

/// What a list is sorted by.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SortBody {
    /// One field, descending.
    Field(String),
    /// Fields in the order written, each with `asc` or `desc`.
    Fields(std::collections::BTreeMap<String, String>),
}

#[cfg(test)]
mod tests;
