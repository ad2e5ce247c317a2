//! What routes of the REST API answer besides success, for the API's description: once for reads and once for writes.

use std::collections::BTreeMap;

use casement_wire::error::MEDIA_TYPE;
use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// The refusals that any request for a document may get.
const OF_READS: [(&str, &str); 8] = [
    ("400", "Every fault of the request."),
    ("401", "No usable token."),
    ("403", "The stream or the account is not the app's."),
    ("404", "No such document."),
    ("414", "The address is too long."),
    ("429", "The app sends more requests than it may, or its address has too many under way."),
    ("500", "The server failed."),
    ("503", "Try again later."),
];

/// Those that only writes get.
const OF_WRITES: [(&str, &str); 6] = [
    ("408", "The body took too long."),
    ("409", "The request conflicts with what is stored."),
    ("412", "The document has another version than `If-Match` names."),
    ("413", "The body is too large."),
    ("415", "The body is not JSON."),
    ("422", "The configuration forbids it, or the idempotency key was used for another request."),
];

/// Those that whoever has a link gets in other words.
const OF_HOLDERS: [(&str, &str); 2] = [
    ("404", "No such link, or it has ended."),
    ("429", "More requests come from the address than it may send."),
];

/// The refusals of a read.
#[derive(Debug)]
pub struct ReadRefusals;

/// The refusals of a list, which needs no document.
#[derive(Debug)]
pub struct ListRefusals;

/// The refusals of a write that makes a document of no other.
#[derive(Debug)]
pub struct CreateRefusals;

/// The refusals of a write.
#[derive(Debug)]
pub struct WriteRefusals;

/// The refusals of a write that no version is named for.
#[derive(Debug)]
pub struct MakeRefusals;

/// The refusals of a read that needs no token of an app.
#[derive(Debug)]
pub struct HeldReadRefusals;

/// The refusals of a write that needs no token of an app.
#[derive(Debug)]
pub struct HeldWriteRefusals;

impl IntoResponses for MakeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = WriteRefusals::responses();
        all.remove("412");
        all
    }
}

impl IntoResponses for HeldReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = described(&OF_READS);
        all.extend(described(&OF_HOLDERS));
        for status in ["400", "401", "403"] {
            all.remove(status);
        }
        all
    }
}

impl IntoResponses for HeldWriteRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = MakeRefusals::responses();
        all.extend(described(&OF_HOLDERS));
        for status in ["401", "403"] {
            all.remove(status);
        }
        all
    }
}

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        described(&OF_READS)
    }
}

impl IntoResponses for ListRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = described(&OF_READS);
        all.remove("404");
        all
    }
}

impl IntoResponses for CreateRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = WriteRefusals::responses();
        all.remove("404");
        all.remove("412");
        all
    }
}

impl IntoResponses for WriteRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = described(&OF_READS);
        all.extend(described(&OF_WRITES));
        all
    }
}

fn described(refusals: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let of = |(status, description): &(&str, &str)| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(*description).content(MEDIA_TYPE, content).build();
        ((*status).to_owned(), RefOr::T(response))
    };
    refusals.iter().map(of).collect()
}
