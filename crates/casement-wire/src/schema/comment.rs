//! The bodies of comments as the API description shows them.

use utoipa::ToSchema;

use super::{ActorBody, DateBody, ReferenceBody};

/// The body of createComment: `text` or `standardResponse`.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct CreateCommentBody {
    /// `internal`, a note for agents alone, unless it says `public`.
    visibility: Option<String>,
    /// How the text is written: `markdown` unless it says `html`.
    format: Option<String>,
    /// Up to 64 KiB.
    #[schema(example = "The fuse is **blown**.")]
    text: Option<String>,
    /// Agents.
    mentions: Option<Vec<MentionBody>>,
    /// Ids of attachments of the case.
    attachments: Option<Vec<String>>,
    /// Takes the place of the text: the standard response with the values of the case.
    standard_response: Option<ReferenceBody>,
}

/// The body of patchComment: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct UpdateCommentBody {
    /// `internal` or `public`.
    visibility: Option<String>,
    /// How the text is written: `html` or `markdown`.
    format: Option<String>,
    /// Up to 64 KiB.
    #[schema(example = "The fuse is **blown**, and the lamp too.")]
    text: Option<String>,
    /// Agents, all of them.
    mentions: Option<Vec<MentionBody>>,
    /// Ids of attachments of the case, all of them.
    attachments: Option<Vec<String>>,
    /// Must be the stored one.
    #[schema(rename = "_id")]
    id: Option<String>,
    /// Must be the stored one.
    case_id: Option<String>,
    /// Must be that of the case.
    case_ref_id: Option<String>,
    /// Must be the account of the stream.
    account_id: Option<String>,
    /// The stream; must be that of the path.
    i_id: Option<String>,
    /// Another spelling of `iId`.
    lid: Option<String>,
    /// Must be the organisation of the stream.
    org_id: Option<String>,
    /// Its `_id` must be the stored one.
    created_by: Option<ActorBody>,
    /// Must be the stored one.
    created_at: Option<DateBody>,
    /// Must be as it is stored: a comment is deleted by DELETE.
    is_deleted: Option<bool>,
}

/// An agent in a comment: an id or e-mail address, or an object that has one.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(untagged)]
pub enum MentionBody {
    /// By any of its keys.
    Named(MentionedBody),
    /// By `aId`, `agentId` or e-mail address as a string.
    Text(String),
}

/// An agent.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MentionedBody {
    /// Decides.
    a_id: Option<String>,
    /// Else this.
    agent_id: Option<String>,
    /// Else this.
    email_id: Option<String>,
}

/// The body of splitComment: that of createCase, of which nothing is required that the comment and its case can give.
#[derive(Debug, ToSchema)]
pub struct SplitCommentBody {}
