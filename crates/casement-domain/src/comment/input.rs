//! What requests ask of comments, before any rule looked at it.

use super::Visibility;
use crate::date::DateInput;
use crate::fault::Faults;
use crate::given::Given;
use crate::rich_text::TextFormat;
use crate::workspace::Reference;

/// The keys of a comment that requests set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommentInput {
    /// Who it is for.
    pub visibility: Given<Visibility>,
    /// How the text is written.
    pub format: Given<TextFormat>,
    /// The text.
    pub text: Given<String>,
    /// Agents by profile, user id or e-mail address.
    pub mentions: Given<Vec<String>>,
    /// Attachments by id.
    pub attachments: Given<Vec<String>>,
}

/// Asks for a new comment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateComment {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The keys that updates set too.
    pub input: CommentInput,
    /// The standard response that gives the text.
    pub standard_response: Given<Reference>,
}

/// Asks for a change of a comment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateComment {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The keys to change.
    pub input: CommentInput,
    /// What must be as it is stored.
    pub identity: CommentIdentity,
}

/// What a request says about keys that never change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommentIdentity {
    /// The id.
    pub id: Given<String>,
    /// The id of the case.
    pub case: Given<String>,
    /// The reference id of the case.
    pub case_reference: Given<String>,
    /// The account.
    pub account: Given<String>,
    /// The stream.
    pub stream: Given<String>,
    /// The stream in its other spelling.
    pub stream_alias: Given<String>,
    /// The organisation.
    pub organisation: Given<String>,
    /// The id of whoever made it; `None`: somebody without an id.
    pub created_by: Given<Option<String>>,
    /// When it was made.
    pub created_at: Given<DateInput>,
    /// Whether it is deleted.
    pub deleted: Given<bool>,
}
