//! The bodies of transfers, merges and tasks made under their case, as the API description shows them.

use serde::Serialize;
use utoipa::ToSchema;

use super::ReferenceBody;

/// The body of postTask: that of createTask without the case, which the path names.
#[derive(Debug, ToSchema)]
pub struct PostTaskBody {}

/// The body of a transfer: one of `agent`, `queue` and `nobody`, and perhaps a note.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct TransferBody {
    /// The agent who gets it: as `currAssignee`, or an id or the name as a string.
    agent: Option<AgentBody>,
    /// The queue that gets it, named as a status is.
    queue: Option<ReferenceBody>,
    /// True takes it from agent and queues.
    nobody: Option<bool>,
    /// What the next one should know: 1 to 2 000 characters after trimming. Its event tells it.
    #[schema(example = "Knows the printers")]
    note: Option<String>,
}

/// An agent who must be named.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AgentBody {
    /// By `aId`, `agentId` or `name`.
    Named(NamedAgentBody),
    /// By any of these as a string.
    Text(String),
}

/// An agent in an object that is not empty.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedAgentBody {
    /// Decides.
    a_id: Option<String>,
    /// Else this.
    agent_id: Option<String>,
    /// Else the name in any case.
    name: Option<String>,
}

/// The body of a merge.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct MergeBody {
    /// The case that goes on, by id or reference id.
    #[schema(example = "CS000101")]
    into: String,
}
