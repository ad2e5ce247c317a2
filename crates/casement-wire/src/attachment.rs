//! Writes attachments as the API shows them, and their name as a header.

use casement_domain::attachment::Attachment;
use casement_domain::attachment::kind::Shown;
use serde::Serialize;
use utoipa::ToSchema;

use crate::document::{ActorDoc, actor_doc};

/// A file on a case; its bytes are at `…/attachments/{attachmentId}/content`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(example = "at-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    /// The case that it is on.
    #[schema(example = "ci-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    case_id: &'a str,
    /// Its name, made safe: without separators of paths, control characters and marks of direction.
    #[schema(example = "screenshot.png")]
    name: &'a str,
    /// The media type as it was told.
    #[serde(rename = "type")]
    #[schema(example = "image/png")]
    media_type: &'a str,
    /// How many bytes it has.
    #[schema(example = 48_213)]
    size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    hash: &'a str,
    /// Whether its bytes are handed out as an image to be shown in place; else to be saved.
    is_inline: bool,
    created_by: ActorDoc<'a>,
    /// When it was added, in ISO 8601.
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    created_at: String,
    /// Whether it was deleted: its bytes are gone or will be.
    is_deleted: bool,
}

/// A page of attachments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentPage<'a> {
    /// In the order of their making.
    pub results: Vec<AttachmentDoc<'a>>,
    /// Whether there are further ones.
    pub has_more: bool,
    /// Where the next page begins: `after` this. Absent when there are no further ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<&'a str>,
}

fn attachment_doc(attachment: &Attachment) -> AttachmentDoc<'_> {
    AttachmentDoc {
        id: attachment.id.as_str(),
        case_id: attachment.case.as_str(),
        name: attachment.name.as_str(),
        media_type: &attachment.media_type,
        size: attachment.bytes,
        hash: &attachment.hash,
        is_inline: matches!(attachment.shown(), Shown::Inline(_)),
        created_by: actor_doc(&attachment.created_by),
        created_at: attachment.created_at.iso(),
        is_deleted: attachment.deleted_at.is_some(),
    }
}

/// Writes an attachment.
pub fn write_attachment(attachment: &Attachment) -> Vec<u8> {
    serde_json::to_vec(&attachment_doc(attachment)).expect("invariant: texts and numbers are always JSON")
}

/// Writes a page of attachments; `next` is there when there are more.
pub fn write_attachment_page(attachments: &[Attachment], next: Option<&str>) -> Vec<u8> {
    let results = attachments.iter().map(attachment_doc).collect();
    serde_json::to_vec(&AttachmentPage { results, has_more: next.is_some(), next })
        .expect("invariant: texts and numbers are always JSON")
}

/// Gives the value of `Content-Disposition` for an attachment: its name in ASCII for readers that know nothing better, and
/// whole in the form of RFC 8187 where the two differ.
pub fn content_disposition(attachment: &Attachment) -> String {
    let kind = match attachment.shown() {
        Shown::Inline(_) => "inline",
        Shown::Saved(_) => "attachment",
    };
    let (name, ascii) = (attachment.name.as_str(), attachment.name.ascii());
    let mut text = format!("{kind}; filename=\"{ascii}\"");
    if name != ascii {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            // The characters of `attr-char`.
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}
