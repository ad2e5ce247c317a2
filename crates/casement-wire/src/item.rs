//! Reads the keys that cases and tasks share.

use casement_domain::customer::CustomerInput;
use casement_domain::date::Moment;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::given::Given;
use casement_domain::item::AssigneeKind;
use casement_domain::item::input::{
    AssigneeInput, FieldInput, IdentityInput, ItemInput, ParticipantInput, UpdateInput,
};
use casement_domain::workspace::Reference;
use serde_json::{Map, Value};

use crate::reader::{self, Reader};

/// The spelling of an assignee's sort.
pub fn assignee_kind_name(kind: AssigneeKind) -> &'static str {
    match kind {
        AssigneeKind::Unassigned => "unassigned",
        AssigneeKind::Queues => "queues",
        AssigneeKind::Agent => "agent",
    }
}

/// Reads the keys that creates and updates share.
pub fn read_item(reader: &mut Reader<'_>) -> ItemInput {
    ItemInput {
        name: reader.string(Key::Name),
        description: reader.string(Key::Description),
        tags: reader.strings(Key::Tags),
        customer: read_customer(reader),
        session_ids: reader.strings(Key::SessionIds),
        conversation_ids: reader.strings(Key::ConversationIds),
        status: reader.reference(Key::Status),
        priority: reader.reference(Key::Priority),
        source: reader.string(Key::Source),
        fields: reader.read_list(Key::Fields, field),
        queues: reader.read_list(Key::Queues, reader::reference),
        assignee_kind: reader.read(Key::AssigneeType, assignee_kind),
        assignee: reader.read(Key::Assignee, assignee),
        due: reader.date(Key::DueDate),
        eta: reader.read(Key::Eta, eta),
        channels: reader.strings(Key::Channels),
    }
}

/// Reads the keys of an update.
pub fn read_update(reader: &mut Reader<'_>) -> UpdateInput {
    UpdateInput {
        item: read_item(reader),
        identity: read_identity(reader),
        participants: reader.read_list(Key::Participants, participant),
        active: reader.boolean(Key::Active),
        attachments: reader.read_list(Key::Attachments, note),
        feedback: reader.read_list(Key::Feedback, note),
        resolution_comments: reader.read_list(Key::ResolutionComments, note),
        read_at: read_stamp(reader),
    }
}

/// Reads which version the client read; it is never stored. A number that is no moment names no version.
fn read_stamp(reader: &mut Reader<'_>) -> Option<Moment> {
    let given = reader.read(Key::Stamp, |value| {
        if value.is_number() { Ok(reader::integer(value)) } else { Err("must be a number") }
    });
    given.value().copied().flatten().map(Moment::from_ms)
}

fn read_identity(reader: &mut Reader<'_>) -> IdentityInput {
    IdentityInput {
        id: reader.string(Key::Id),
        account: reader.string(Key::Account),
        stream: reader.string(Key::Stream),
        stream_alias: reader.string(Key::StreamAlias),
        organisation: reader.string(Key::Organisation),
        reference: reader.string(Key::ReferenceId),
        conversation_type: reader.string(Key::ConversationType),
        case: Given::Absent,
        case_reference: Given::Absent,
        created_at: reader.date(Key::CreatedAt),
        created_by: reader.read(Key::CreatedBy, |value| match value {
            Value::Object(object) => reader::part(object, "_id"),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err("must be an object")
            }
        }),
    }
}

fn read_customer(reader: &mut Reader<'_>) -> Given<CustomerInput> {
    let mut faults = Faults::new();
    let given = reader.read(Key::Customer, |value| match value {
        Value::Object(object) => Ok(customer(object, &mut faults)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("must be an object")
        }
    });
    if faults.is_empty() {
        return given;
    }
    for fault in faults.list() {
        reader.faults.add(fault.kind, fault.key, fault.message.clone());
    }
    Given::Invalid
}

fn customer(object: &Map<String, Value>, faults: &mut Faults) -> CustomerInput {
    let mut text = |spelled: &str, key: Key| match object.get(spelled) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            faults.add(FaultKind::Invalid, key, "must be a string");
            None
        }
    };
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    CustomerInput {
        id: filled(text("_id", Key::CustomerId)),
        name: text("name", Key::CustomerName),
        email: filled(text("emailId", Key::CustomerEmail)),
        phone: filled(text("phoneNumber", Key::CustomerPhone)),
    }
}

fn field(value: &Value) -> Result<FieldInput, &'static str> {
    let Value::Object(object) = value else { return Err("must be an object") };
    let name = match reader::part(object, "name")? {
        Some(name) => Some(name),
        None => reader::part(object, "displayName")?,
    };
    let field = match (reader::part(object, "_id")?, name) {
        (Some(id), _) => Reference::Id(id),
        (None, Some(name)) => Reference::Name(name),
        (None, None) => return Err("needs an _id or a name"),
    };
    let value = match object.get("selectedValue") {
        None => Given::Absent,
        Some(Value::Null) => Given::Null,
        Some(value) => Given::Value(value.clone()),
    };
    Ok(FieldInput { field, value })
}

fn assignee_kind(value: &Value) -> Result<AssigneeKind, &'static str> {
    let kinds = [AssigneeKind::Unassigned, AssigneeKind::Queues, AssigneeKind::Agent];
    let text = value.as_str().ok_or("must be a string")?;
    let found = kinds.into_iter().find(|kind| assignee_kind_name(*kind) == text);
    found.ok_or("must be unassigned, queues or agent")
}

/// Takes an agent who must be named: as `currAssignee` does it, or by id or name as a string.
pub fn agent(value: &Value) -> Result<AssigneeInput, &'static str> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(AssigneeInput::Any(text.clone())),
        Value::Object(_) => assignee(value)?.ok_or("needs an aId, an agentId or a name"),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("must be an object with an aId, an agentId or a name, or one of these as a string")
        }
    }
}

fn assignee(value: &Value) -> Result<Option<AssigneeInput>, &'static str> {
    let Value::Object(object) = value else { return Err("must be an object") };
    if object.is_empty() {
        return Ok(None);
    }
    if let Some(id) = reader::part(object, "aId")? {
        return Ok(Some(AssigneeInput::Profile(id)));
    }
    if let Some(id) = reader::part(object, "agentId")? {
        return Ok(Some(AssigneeInput::User(id)));
    }
    match reader::part(object, "name")? {
        Some(name) => Ok(Some(AssigneeInput::Name(name))),
        None => Err("needs an aId, an agentId or a name; {} names nobody"),
    }
}

fn eta(value: &Value) -> Result<Option<casement_domain::date::DateInput>, &'static str> {
    if value.as_str() == Some("") { Ok(None) } else { reader::date(value).map(Some) }
}

fn participant(value: &Value) -> Result<ParticipantInput, &'static str> {
    let Value::Object(object) = value else { return Err("must be an object") };
    let active = match reader::part(object, "pStatus")?.as_deref() {
        None => None,
        Some("ACTIVE") => Some(true),
        Some("INACTIVE") => Some(false),
        Some(_) => return Err("its pStatus must be ACTIVE or INACTIVE"),
    };
    let assigned_at = match object.get("assignedAt") {
        None | Some(Value::Null) => None,
        Some(value) => Some(reader::date(value)?),
    };
    Ok(ParticipantInput {
        agent: reader::part(object, "aId")?,
        user: reader::part(object, "agentId")?,
        active,
        assigned_at,
    })
}

fn note(value: &Value) -> Result<Value, &'static str> {
    match value {
        Value::Object(_) | Value::String(_) => Ok(value.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("must be an object or a string")
        }
    }
}
