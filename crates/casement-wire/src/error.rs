//! Errors on the wire: one table of statuses and codes, and the problem document; contract section 10.

use casement_domain::fault::{FaultKind, Faults};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::JsonFault;
use crate::spelling::{Noun, spelling};

/// The media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $slug:literal $title:literal;)*) => {
        /// What an error is; each has one status and one code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
        }

        impl ErrorKind {
            /// All kinds, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The status of the answer.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The code in the vendor's envelope.
            pub fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// The URN that names the kind.
            pub fn urn(self) -> &'static str {
                match self { $(Self::$name => concat!("urn:casement:problem:", $slug),)* }
            }

            /// The short title.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    /// The request is wrong whatever the state.
    Invalid = 400 4003 "invalid" "The request is not valid";
    /// No usable token.
    Unauthenticated = 401 4002 "unauthenticated" "The token is missing or not valid";
    /// The token does not reach this.
    Forbidden = 403 4010 "forbidden" "The app may not do this";
    /// No such document or route.
    NotFound = 404 4004 "not-found" "There is no such thing here";
    /// The route has no such method.
    MethodNotAllowed = 405 4005 "method-not-allowed" "The method is not allowed here";
    /// The request took too long to arrive.
    RequestTimeout = 408 4008 "request-timeout" "The request took too long";
    /// The state forbids it.
    Conflict = 409 4009 "conflict" "The request conflicts with what is stored";
    /// The document has another version than the request demands.
    PreconditionFailed = 412 4012 "precondition-failed" "The document has another version";
    /// The body is over the limit.
    BodyTooLarge = 413 4013 "body-too-large" "The body is too large";
    /// The request line is over the limit.
    UriTooLong = 414 4014 "uri-too-long" "The request line is too long";
    /// The body is of another media type.
    UnsupportedMediaType = 415 4015 "unsupported-media-type" "The media type is not supported";
    /// The file has no such span.
    NoSuchRange = 416 4016 "no-such-range" "The file has no such range";
    /// The configuration forbids it.
    Unprocessable = 422 4022 "unprocessable" "The configuration does not allow the request";
    /// Too many requests.
    TooManyRequests = 429 4029 "too-many-requests" "Too many requests";
    /// The headers are over the limit.
    HeadersTooLarge = 431 4031 "headers-too-large" "The headers are too large";
    /// Our fault.
    Internal = 500 5000 "internal" "The server failed";
    /// Overloaded, or the store is not available.
    Unavailable = 503 5003 "unavailable" "The server can't answer now";
}

/// An error as it is answered: RFC 9457 with the vendor's envelope in `errors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URN that names the kind of error.
    #[serde(rename = "type")]
    #[schema(example = "urn:casement:problem:invalid")]
    pub urn: &'static str,
    /// The kind of error in words.
    pub title: &'static str,
    /// The status of the answer.
    #[schema(example = 400)]
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// Every fault, up to 100.
    pub errors: Vec<ProblemEntry>,
}

/// One fault in the vendor's envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemEntry {
    /// What is wrong.
    pub msg: String,
    /// The code of the fault's kind.
    #[schema(example = 4003)]
    pub code: u16,
    /// The key or header that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "dueDate")]
    pub field: Option<String>,
    /// Where in a text of the query language the fault begins, in characters from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
}

impl Problem {
    /// Makes an error with one entry.
    pub fn new(kind: ErrorKind, detail: impl Into<String>, field: Option<&str>) -> Self {
        let detail = detail.into();
        let field = field.map(str::to_owned);
        let entry = ProblemEntry { msg: detail.clone(), code: kind.code(), field, position: None };
        Self::of(kind, detail, vec![entry])
    }

    /// Makes the error of a body whose JSON is at fault.
    pub fn of_json(faults: Vec<JsonFault>) -> Self {
        let entries = faults.into_iter().map(|fault| ProblemEntry {
            msg: sentence(fault.path.as_deref(), &fault.message),
            code: ErrorKind::Invalid.code(),
            field: fault.path,
            position: None,
        });
        Self::of_entries(ErrorKind::Invalid, entries.collect())
    }

    /// Makes the error of a command's faults. The gravest kind decides: 400, 404, 422, 409 (contract section 11.1).
    /// Only 400 and 422 faults stand side by side.
    pub fn of_faults(faults: &Faults, noun: Noun) -> Self {
        let order = [FaultKind::Invalid, FaultKind::NotFound, FaultKind::Unprocessable, FaultKind::Conflict];
        let kind = order.into_iter().find(|kind| faults.has(*kind)).unwrap_or(FaultKind::Invalid);
        let shown = faults.list().iter().filter(|fault| {
            fault.kind == kind || (kind == FaultKind::Invalid && fault.kind == FaultKind::Unprocessable)
        });
        let entries = shown.map(|fault| {
            let field = spelling(fault.key, noun).map(|key| match fault.index {
                Some(index) => format!("{key}[{index}]"),
                None => key.to_owned(),
            });
            let code = error_kind(fault.kind).code();
            let position = fault.position;
            ProblemEntry { msg: sentence(field.as_deref(), &fault.message), code, field, position }
        });
        Self::of_entries(error_kind(kind), entries.collect())
    }

    fn of_entries(kind: ErrorKind, entries: Vec<ProblemEntry>) -> Self {
        let detail = match entries.as_slice() {
            [only] => only.msg.clone(),
            several => format!("{} faults were found", several.len()),
        };
        Self::of(kind, detail, entries)
    }

    fn of(kind: ErrorKind, detail: String, errors: Vec<ProblemEntry>) -> Self {
        Self { urn: kind.urn(), title: kind.title(), status: kind.status(), detail, errors }
    }

    /// Gives the bytes of the answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: texts and numbers are always JSON")
    }
}

fn error_kind(kind: FaultKind) -> ErrorKind {
    match kind {
        FaultKind::Invalid => ErrorKind::Invalid,
        FaultKind::NotFound => ErrorKind::NotFound,
        FaultKind::Unprocessable => ErrorKind::Unprocessable,
        FaultKind::Conflict => ErrorKind::Conflict,
    }
}

fn sentence(field: Option<&str>, message: &str) -> String {
    match field {
        Some(field) => format!("{field}: {message}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use casement_domain::fault::Key;

    use super::*;

    #[test]
    fn every_kind_has_a_code_and_a_name_of_its_own() {
        let mut codes: Vec<u16> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        let mut names: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.urn()).collect();
        codes.sort_unstable();
        codes.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((codes.len(), names.len()), (ErrorKind::ALL.len(), ErrorKind::ALL.len()));
    }

    #[test]
    fn a_400_lists_its_422_neighbours_and_leaves_conflicts_for_later() {
        let mut faults = Faults::new();
        faults.add(FaultKind::Conflict, Key::Id, "differs");
        faults.add(FaultKind::Unprocessable, Key::Template, "is switched off");
        faults.add_at(FaultKind::Invalid, Key::Tags, 3, "is too long");
        let problem = Problem::of_faults(&faults, Noun::Task);
        assert_eq!(problem.status, 400);
        let fields: Vec<_> =
            problem.errors.iter().map(|entry| (entry.field.as_deref(), entry.code)).collect();
        assert_eq!(fields, [(Some("taskTmp"), 4022), (Some("tags[3]"), 4003)]);
    }

    #[test]
    fn an_unknown_document_comes_before_422_and_409() {
        let mut faults = Faults::new();
        faults.add(FaultKind::Conflict, Key::Id, "differs");
        faults.add(FaultKind::Unprocessable, Key::Template, "is switched off");
        faults.add(FaultKind::NotFound, Key::CaseOfTask, "there is no such case");
        assert_eq!(Problem::of_faults(&faults, Noun::Task).status, 404);
    }
}
