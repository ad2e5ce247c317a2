//! What requests say about a work item, before any rule looked at it.

use serde_json::Value;

use super::AssigneeKind;
use crate::customer::CustomerInput;
use crate::date::{DateInput, Moment};
use crate::given::Given;
use crate::workspace::Reference;

/// The keys that creates and updates of work items share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemInput {
    /// The title.
    pub name: Given<String>,
    /// The description.
    pub description: Given<String>,
    /// The tags.
    pub tags: Given<Vec<String>>,
    /// The customer.
    pub customer: Given<CustomerInput>,
    /// Related sessions.
    pub session_ids: Given<Vec<String>>,
    /// Related conversations.
    pub conversation_ids: Given<Vec<String>>,
    /// The status by id or name.
    pub status: Given<Reference>,
    /// The priority by id or name.
    pub priority: Given<Reference>,
    /// Where it comes from.
    pub source: Given<String>,
    /// Values of fields.
    pub fields: Given<Vec<FieldInput>>,
    /// The queues by id or name.
    pub queues: Given<Vec<Reference>>,
    /// The sort of assignee.
    pub assignee_kind: Given<AssigneeKind>,
    /// The agent; `None` in it names nobody.
    pub assignee: Given<Option<AssigneeInput>>,
    /// When it is due.
    pub due: Given<DateInput>,
    /// The same in its other spelling; `None` in it is no due date.
    pub eta: Given<Option<DateInput>>,
    /// The channels used.
    pub channels: Given<Vec<String>>,
}

/// The keys that only updates have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateInput {
    /// The shared keys.
    pub item: ItemInput,
    /// The keys that may only repeat what is stored.
    pub identity: IdentityInput,
    /// The participants, which may only repeat what is stored.
    pub participants: Given<Vec<ParticipantInput>>,
    /// False deletes, true restores.
    pub active: Given<bool>,
    /// Objects or strings.
    pub attachments: Given<Vec<Value>>,
    /// Objects or strings.
    pub feedback: Given<Vec<Value>>,
    /// Objects or strings.
    pub resolution_comments: Given<Vec<Value>>,
    /// The version that the client read, by the moment of its last change.
    pub read_at: Option<Moment>,
}

/// How a request names an agent; contract section 11.3: the profile's id decides, else the user's, else the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssigneeInput {
    /// The id of the profile.
    Profile(String),
    /// The id of the person.
    User(String),
    /// The name.
    Name(String),
    /// Any of these, in this order.
    Any(String),
}

/// One entry of a request's fields.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldInput {
    /// The field.
    pub field: Reference,
    /// Its value: absent leaves it as it is, null clears it.
    pub value: Given<Value>,
}

/// One entry of a request's participants; what is absent is not compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParticipantInput {
    /// The id of the profile.
    pub agent: Option<String>,
    /// The id of the person.
    pub user: Option<String>,
    /// Whether the turn goes on.
    pub active: Option<bool>,
    /// When it began.
    pub assigned_at: Option<DateInput>,
}

/// The keys of an update that may only repeat what is stored; contract section 9.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdentityInput {
    /// The document's id.
    pub id: Given<String>,
    /// The account.
    pub account: Given<String>,
    /// The stream.
    pub stream: Given<String>,
    /// The stream in its other spelling.
    pub stream_alias: Given<String>,
    /// The organisation.
    pub organisation: Given<String>,
    /// The reference id.
    pub reference: Given<String>,
    /// The sort of document, in any case.
    pub conversation_type: Given<String>,
    /// The case of a task.
    pub case: Given<String>,
    /// The reference id of the case of a task.
    pub case_reference: Given<String>,
    /// When it was made.
    pub created_at: Given<DateInput>,
    /// The id of who made it; `None` in it: not said.
    pub created_by: Given<Option<String>>,
}
