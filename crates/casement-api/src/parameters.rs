//! What routes of the REST API take in path and headers, for the API's description: each parameter is described once.

use casement_wire::relation::LINK_TYPES;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// The path of what belongs to a stream alone.
#[derive(Debug)]
pub struct StreamPath;

/// The path of a case, and of what belongs to it.
#[derive(Debug)]
pub struct CasePath;

/// The path of a task, and of what belongs to it.
#[derive(Debug)]
pub struct TaskPath;

/// The agent who watches a case.
#[derive(Debug)]
pub struct WatcherPath;

/// The other case of a link.
#[derive(Debug)]
pub struct OtherCasePath;

/// The sort of a link.
#[derive(Debug)]
pub struct LinkType;

/// The sort of links, perhaps.
#[derive(Debug)]
pub struct OptionalLinkType;
/// The path of a file on a case.
#[derive(Debug)]
pub struct AttachmentPath;

/// The path of a comment, and of what belongs to it.
#[derive(Debug)]
pub struct CommentPath;

/// The path of a standard response for a case.
#[derive(Debug)]
pub struct ResponsePath;

/// The path of a link for feedback.
#[derive(Debug)]
pub struct FeedbackPath;

/// The header of every write.
#[derive(Debug)]
pub struct WriteHeader;

/// The header of writes on one document.
#[derive(Debug)]
pub struct VersionHeader;

/// The header of whatever reads dates.
#[derive(Debug)]
pub struct ZoneHeader;

const STREAM: (&str, &str) = ("streamId", "The stream, such as `st-0193f0a1-…`.");

impl IntoParams for StreamPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path(STREAM)]
    }
}

impl IntoParams for CasePath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path(STREAM), path(("caseId", "The id or the reference id of the case."))]
    }
}

impl IntoParams for AttachmentPath {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = CasePath::into_params(place);
        all.push(path(("attachmentId", "The id of the file.")));
        all
    }
}

impl IntoParams for TaskPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path(STREAM), path(("taskId", "The id or the reference id of the task."))]
    }
}

impl IntoParams for WatcherPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path(("agentId", "The agent by `aId` or `agentId`, or `me`: the acting agent."))]
    }
}

impl IntoParams for OtherCasePath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![path(("otherId", "The id or the reference id of the other case."))]
    }
}

impl IntoParams for LinkType {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![link_type(Required::True)]
    }
}

impl IntoParams for OptionalLinkType {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![link_type(Required::False)]
    }
}

impl IntoParams for CommentPath {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = CasePath::into_params(place);
        parameters.push(path(("commentId", "The id of the comment.")));
        parameters
    }
}

impl IntoParams for ResponsePath {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = CasePath::into_params(place);
        parameters.push(path(("responseId", "The id or the name of the standard response.")));
        parameters
    }
}

impl IntoParams for FeedbackPath {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = StreamPath::into_params(place);
        parameters.push(path(("token", "The token of the link.")));
        parameters
    }
}

impl IntoParams for WriteHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "1 to 255 printable ASCII characters that name this write: its repetitions within 7 days take no effect and get the first answer.";
        vec![header("Idempotency-Key", description)]
    }
}

impl IntoParams for VersionHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![header("If-Match", "Entity tags of the versions that may be changed, or `*`.")]
    }
}

impl IntoParams for ZoneHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Minutes from UTC with the sign of JavaScript's `getTimezoneOffset`: the zone of dates without one. What is no such number counts as UTC.";
        vec![header("X-Timezone-Offset", description)]
    }
}

fn link_type(required: Required) -> Parameter {
    parameter("type", "What the other case is to this one.", ParameterIn::Query)
        .required(required)
        .schema(Some(text(Type::String).enum_values(Some(LINK_TYPES))))
        .build()
}

fn path((name, description): (&str, &str)) -> Parameter {
    parameter(name, description, ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text(Type::String)))
        .build()
}

fn header(name: &str, description: &str) -> Parameter {
    parameter(name, description, ParameterIn::Header)
        .required(Required::False)
        .schema(Some(text(Type::String)))
        .build()
}

fn parameter(name: &str, description: &str, place: ParameterIn) -> ParameterBuilder {
    ParameterBuilder::new().name(name).parameter_in(place).description(Some(description))
}

fn text(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}
