//! Resolution comments and feedback: their bodies, the entries of a case that they become, and what links answer.

use casement_domain::case::feedback::{Feedback, GiveFeedback, MakeFeedbackLink};
use casement_domain::case::resolution::{AddResolutionComment, ResolutionComment};
use casement_domain::date::Moment;
use casement_domain::fault::Key;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::document::{ActorDoc, actor_doc};
use crate::reader::{Reader, integer};
use crate::spelling::Noun;

/// Reads the body of addResolutionComment.
pub fn read_resolution_comment(object: &Map<String, Value>) -> AddResolutionComment {
    let mut reader = Reader::new(object, Noun::Case);
    AddResolutionComment { text: reader.string(Key::Text), faults: reader.faults }
}

/// Reads the body of createFeedbackLink.
pub fn read_feedback_link(object: &Map<String, Value>) -> MakeFeedbackLink {
    let mut reader = Reader::new(object, Noun::Case);
    MakeFeedbackLink { days: reader.read(Key::ExpiresInDays, whole), faults: reader.faults }
}

/// Reads the body of giveFeedback.
pub fn read_feedback(object: &Map<String, Value>) -> GiveFeedback {
    let mut reader = Reader::new(object, Noun::Case);
    GiveFeedback {
        score: reader.read(Key::Score, whole),
        text: reader.string(Key::Text),
        faults: reader.faults,
    }
}

fn whole(value: &Value) -> Result<i64, &'static str> {
    integer(value).ok_or("must be a whole number")
}

/// An entry of `resolutionCmts` that was added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResolutionCommentDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    text: &'a str,
    created_by: ActorDoc<'a>,
    created_at: String,
}

/// An entry of `feedback` that came by a link.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FeedbackDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    score: u8,
    text: &'a str,
    given_at: String,
    via: &'static str,
}

/// Writes a resolution comment as an entry of its case.
pub fn resolution_comment_entry(comment: ResolutionComment<'_>) -> Value {
    entry(&ResolutionCommentDoc {
        id: comment.id.as_str(),
        text: comment.text,
        created_by: actor_doc(comment.by),
        created_at: comment.at.iso(),
    })
}

/// Writes feedback as an entry of its case.
pub fn feedback_entry(feedback: Feedback<'_>) -> Value {
    entry(&FeedbackDoc {
        id: feedback.id.as_str(),
        score: feedback.score,
        text: feedback.text,
        given_at: feedback.at.iso(),
        via: "link",
    })
}

fn entry(document: &impl Serialize) -> Value {
    serde_json::to_value(document).expect("invariant: texts and numbers are always JSON")
}

/// A link by which the customer gives feedback once. Nothing else shows its token again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackLinkDoc<'a> {
    /// Whoever has it may give the feedback.
    #[schema(example = "k3vV0m1Jm9bq2Q4xT8y7Zc6Wd5Re4Tf3Yg2Uh1Ij0Ko")]
    token: &'a str,
    /// Where `getFeedbackLink` and `giveFeedback` are for it, below the address of the server.
    #[schema(example = "/api/v1/streams/st-0193f0a1-…/feedback/k3vV0m1Jm9bq2Q4xT8y7Zc6Wd5Re4Tf3Yg2Uh1Ij0Ko")]
    path: String,
    /// From then on it is none.
    #[schema(example = "2026-01-31T12:00:00.000Z")]
    expires_at: String,
}

/// What the holder of a link is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskedFeedbackDoc<'a> {
    case: AskedCaseDoc<'a>,
    /// Whether the feedback was given.
    is_given: bool,
}

/// What the holder of a link is told of the case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AskedCaseDoc<'a> {
    #[schema(example = "CS000100")]
    ref_id: String,
    #[schema(example = "Printer on fire")]
    name: &'a str,
}

/// Writes a link of a stream.
pub fn write_feedback_link(stream: &str, token: &str, expires_at: Moment) -> Vec<u8> {
    let path = format!("/api/v1/streams/{stream}/feedback/{token}");
    to_bytes(&FeedbackLinkDoc { token, path, expires_at: expires_at.iso() })
}

/// Writes what the holder of a link is told; `number` is that of the case.
pub fn write_asked_feedback(number: u64, name: &str, is_given: bool) -> Vec<u8> {
    let case = AskedCaseDoc { ref_id: casement_domain::case::reference_id(number), name };
    to_bytes(&AskedFeedbackDoc { case, is_given })
}

fn to_bytes(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("invariant: a document is always JSON")
}
