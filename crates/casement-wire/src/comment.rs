//! Comments of cases and standard responses: their bodies, and the documents that answers hold.

use casement_domain::actor::Actor;
use casement_domain::comment::input::{CommentIdentity, CommentInput, CreateComment, UpdateComment};
use casement_domain::comment::{Comment, Visibility};
use casement_domain::fault::Key;
use casement_domain::rich_text::TextFormat;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::response::StandardResponse;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::reader::{Reader, date, part, reference};
use crate::spelling::Noun;

/// A comment as the API returns it. Of a deleted one `text` and `html` are empty, and so are its lists.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommentDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(example = "co-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    #[schema(example = "ci-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    case_id: &'a str,
    /// `internal`: a note for agents alone; `public`: a reply that the customer sees too.
    #[schema(example = "internal")]
    visibility: &'static str,
    /// How `text` is written: `html` or `markdown`.
    #[schema(example = "markdown")]
    format: &'static str,
    /// HTML as it was cleaned, or Markdown as it was given.
    #[schema(example = "The fuse is **blown**.")]
    text: &'a str,
    /// Safe to show, whatever the text is.
    #[schema(example = "<p>The fuse is <strong>blown</strong>.</p>\n")]
    html: &'a str,
    mentions: Vec<MentionDoc<'a>>,
    /// The ids of its attachments.
    #[schema(value_type = Vec<String>)]
    attachments: &'a [String],
    /// The id of the standard response that the text came from; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_response: Option<&'a str>,
    /// The id of the case that was made of it; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    split_into: Option<&'a str>,
    created_by: AuthorDoc<'a>,
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    created_at: String,
    updated_by: AuthorDoc<'a>,
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    updated_at: String,
    /// Whether the text or its format was changed after it was made.
    is_edited: bool,
    is_deleted: bool,
}

/// An agent whom a comment mentions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MentionDoc<'a> {
    agent_id: &'a str,
    a_id: &'a str,
    name: &'a str,
}

/// Who wrote a comment or changed it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuthorDoc<'a> {
    name: &'a str,
    #[serde(rename = "_id")]
    id: &'a str,
    prof_image: &'a str,
}

/// A page of comments.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes what write_comments puts together from written comments")]
pub struct CommentPage {
    /// Newest first.
    results: Vec<CommentDoc<'static>>,
    /// Whether there are earlier ones.
    has_more: bool,
    /// Where the next page begins: `before` this. Absent when there are no earlier ones.
    #[schema(nullable = false)]
    next: Option<String>,
}

/// A page of the standard responses that may be used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandardResponsePage<'a> {
    /// In the order of their names, in any case.
    results: Vec<StandardResponseDoc<'a>>,
    /// Whether there are further ones.
    has_more: bool,
    /// Where the next page begins: `after` this, the name of the last one here. Absent when there are no further ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<&'a str>,
}

/// A standard response: a text with placeholders.
#[derive(Debug, Serialize, ToSchema)]
struct StandardResponseDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(example = "sr-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    #[schema(example = "Thanks")]
    name: &'a str,
    /// `html` or `markdown`.
    #[schema(example = "markdown")]
    format: &'static str,
    #[schema(example = "Dear {{customer.name}}, thank you for your patience.")]
    text: &'a str,
}

/// A standard response with the values of a case in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenderedResponseDoc<'a> {
    /// A text for a comment.
    #[schema(example = "Dear John, thank you for your patience.")]
    text: &'a str,
    /// What it is shown as.
    #[schema(example = "<p>Dear John, thank you for your patience.</p>\n")]
    html: &'a str,
    /// `html` or `markdown`.
    #[schema(example = "markdown")]
    format: &'static str,
}

/// The visibilities, as bodies and parameters spell them.
pub const VISIBILITIES: [(&str, Visibility); 2] =
    [("internal", Visibility::Internal), ("public", Visibility::Public)];

/// The spelling of a visibility.
pub fn visibility_name(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Internal => "internal",
        Visibility::Public => "public",
    }
}

/// The spelling of a format.
pub fn text_format_name(format: TextFormat) -> &'static str {
    match format {
        TextFormat::Html => "html",
        TextFormat::Markdown => "markdown",
    }
}

/// Reads the body of createComment.
pub fn read_create_comment(object: &Map<String, Value>) -> CreateComment {
    let mut reader = Reader::new(object, Noun::Case);
    let input = read_input(&mut reader);
    let standard_response = reader.read(Key::StandardResponse, reference);
    CreateComment { input, standard_response, faults: reader.faults }
}

/// Reads the body of patchComment, which may be a whole comment.
pub fn read_update_comment(object: &Map<String, Value>) -> UpdateComment {
    let mut reader = Reader::new(object, Noun::Case);
    let input = read_input(&mut reader);
    let identity = CommentIdentity {
        id: reader.string(Key::Id),
        case: reader.string(Key::CaseOfTask),
        case_reference: reader.string(Key::CaseReference),
        account: reader.string(Key::Account),
        stream: reader.string(Key::Stream),
        stream_alias: reader.string(Key::StreamAlias),
        organisation: reader.string(Key::Organisation),
        created_by: reader.read(Key::CreatedBy, |value| match value {
            Value::Object(object) => part(object, "_id"),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err("must be an object")
            }
        }),
        created_at: reader.read(Key::CreatedAt, date),
        deleted: reader.boolean(Key::Deleted),
    };
    UpdateComment { input, identity, faults: reader.faults }
}

fn read_input(reader: &mut Reader<'_>) -> CommentInput {
    CommentInput {
        visibility: reader.read(Key::Visibility, |value| {
            let found = VISIBILITIES.iter().find(|(name, _)| value == name);
            found.map(|(_, visibility)| *visibility).ok_or("must be internal or public")
        }),
        format: reader.read(Key::Format, text_format),
        text: reader.string(Key::Text),
        mentions: reader.read_list(Key::Mentions, mention),
        attachments: reader.strings(Key::Attachments),
    }
}

/// Takes the format of a text.
pub fn text_format(value: &Value) -> Result<TextFormat, &'static str> {
    match value.as_str() {
        Some("html") => Ok(TextFormat::Html),
        Some("markdown") => Ok(TextFormat::Markdown),
        Some(_) | None => Err("must be html or markdown"),
    }
}

/// Takes an agent: an id or e-mail address, or an object that has one.
fn mention(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Object(object) => {
            let id = part(object, "aId")?.or(part(object, "agentId")?);
            id.or(part(object, "emailId")?).ok_or("needs an aId, an agentId or an emailId")
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("must be an id or an e-mail address, or an object with an aId, agentId or emailId")
        }
    }
}

/// Writes a comment.
pub fn write_comment(comment: &Comment, workspace: &Workspace) -> Vec<u8> {
    let mentions = comment.mentions.iter().map(|id| {
        let agent = workspace.agent(id);
        MentionDoc {
            agent_id: agent.map_or("", |agent| agent.user.as_str()),
            a_id: id.as_str(),
            name: agent.map_or("", |agent| agent.name.as_str()),
        }
    });
    to_bytes(&CommentDoc {
        id: comment.id.as_str(),
        case_id: comment.case.as_str(),
        visibility: visibility_name(comment.visibility),
        format: text_format_name(comment.format),
        text: &comment.text,
        html: comment.html(),
        mentions: mentions.collect(),
        attachments: &comment.attachments,
        standard_response: comment.standard_response.as_ref().map(|id| id.as_str()),
        split_into: comment.split_into.as_ref().map(|id| id.as_str()),
        created_by: author(&comment.created_by),
        created_at: comment.created_at.iso(),
        updated_by: author(&comment.updated_by),
        updated_at: comment.updated_at.iso(),
        is_edited: comment.edited,
        is_deleted: !comment.active,
    })
}

/// Puts a page of written comments together; `next` is there when there are more.
pub fn write_comments(comments: &[Vec<u8>], next: Option<&str>) -> Vec<u8> {
    let room = comments.iter().map(|comment| comment.len() + 1).sum::<usize>() + 128;
    let mut page = Vec::with_capacity(room);
    page.extend_from_slice(b"{\"results\":[");
    page.extend_from_slice(&comments.join(&b','));
    page.extend_from_slice(b"],\"hasMore\":");
    match next {
        None => page.extend_from_slice(b"false"),
        Some(next) => {
            page.extend_from_slice(b"true,\"next\":");
            page.extend_from_slice(&to_bytes(&next));
        }
    }
    page.push(b'}');
    page
}

/// Writes a page of standard responses; `has_more`: there are further ones behind the last one.
pub fn write_standard_responses(responses: &[&StandardResponse], has_more: bool) -> Vec<u8> {
    let results = responses.iter().map(|response| StandardResponseDoc {
        id: response.id.as_str(),
        name: &response.name,
        format: text_format_name(response.format),
        text: &response.text,
    });
    let next = responses.last().filter(|_| has_more).map(|last| last.name.as_str());
    to_bytes(&StandardResponsePage { results: results.collect(), has_more, next })
}

/// Writes a standard response with the values of a case in it.
pub fn write_rendered_response(format: TextFormat, text: &str, html: &str) -> Vec<u8> {
    to_bytes(&RenderedResponseDoc { text, html, format: text_format_name(format) })
}

fn author(actor: &Actor) -> AuthorDoc<'_> {
    AuthorDoc { name: &actor.name, id: actor.id.as_str(), prof_image: &actor.image }
}

fn to_bytes(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("invariant: a document is always JSON")
}
