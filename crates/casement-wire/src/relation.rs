//! What cases and tasks have to do with others: transfers, watchers, links and merges.

use casement_domain::case::Case;
use casement_domain::case::link::LinkKind;
use casement_domain::case::merge::MergeCase;
use casement_domain::fault::Key;
use casement_domain::id::AgentId;
use casement_domain::item::transfer::Transfer;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::entries::Agent;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::document::{StatusDoc, status_of};
use crate::item::agent;
use crate::reader::Reader;
use crate::spelling::Noun;

/// Reads the body of a transfer.
pub fn read_transfer(object: &Map<String, Value>, noun: Noun) -> Transfer {
    let mut reader = Reader::new(object, noun);
    Transfer {
        agent: reader.read(Key::Agent, agent),
        queue: reader.reference(Key::Queue),
        nobody: reader.boolean(Key::Nobody),
        note: reader.string(Key::Note),
        faults: reader.faults,
    }
}

/// Reads the body of a merge.
pub fn read_merge(object: &Map<String, Value>) -> MergeCase {
    let mut reader = Reader::new(object, Noun::Case);
    MergeCase { into: reader.string(Key::Into), faults: reader.faults }
}

/// The sorts of links that requests may name.
pub const LINK_TYPES: [&str; 5] = ["related", "duplicateOf", "duplicatedBy", "parent", "child"];

/// Reads a sort of link.
pub fn read_link_type(text: &str) -> Option<LinkKind> {
    match text {
        "related" => Some(LinkKind::Related),
        "duplicateOf" => Some(LinkKind::DuplicateOf),
        "duplicatedBy" => Some(LinkKind::DuplicatedBy),
        "parent" => Some(LinkKind::Parent),
        "child" => Some(LinkKind::Child),
        _ => None,
    }
}

fn link_type(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Related => "related",
        LinkKind::DuplicateOf => "duplicateOf",
        LinkKind::DuplicatedBy => "duplicatedBy",
        LinkKind::Parent => "parent",
        LinkKind::Child => "child",
        LinkKind::Merged => "merged",
    }
}

/// The agents who watch a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchersDoc<'a> {
    /// In the order of their coming.
    results: Vec<WatcherDoc<'a>>,
}

/// An agent who watches a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatcherDoc<'a> {
    /// The id of the profile.
    a_id: &'a str,
    /// The id of the person.
    agent_id: &'a str,
    name: &'a str,
}

/// Writes the agents who watch a case.
pub fn write_watchers<'a>(watchers: &[AgentId], workspace: &'a Workspace) -> Vec<u8> {
    let watchers = watchers.iter().filter_map(|id| workspace.agent(id));
    let of = |agent: &'a Agent| WatcherDoc {
        a_id: agent.id.as_str(),
        agent_id: agent.user.as_str(),
        name: &agent.name,
    };
    let doc = WatchersDoc { results: watchers.map(of).collect() };
    serde_json::to_vec(&doc).expect("invariant: texts are always JSON")
}

/// The cases that a case is linked with.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinksDoc<'a> {
    /// In the order of their making.
    results: Vec<LinkDoc<'a>>,
}

/// A case that a case is linked with.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkDoc<'a> {
    /// What the other case is to this one: `related`, `duplicateOf`, `duplicatedBy`, `parent`, `child`, `merged` (it was merged
    /// into this one) or `mergedInto`.
    #[serde(rename = "type")]
    #[schema(example = "duplicateOf")]
    kind: &'static str,
    case: LinkedCaseDoc<'a>,
}

/// What is told of a linked case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkedCaseDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[schema(example = "CS000100")]
    ref_id: String,
    name: &'a str,
    status: Option<StatusDoc<'a>>,
    /// False when it is deleted or merged.
    is_active: bool,
}

/// A case that a case is linked with, as it is stored.
#[derive(Debug)]
pub struct Linked {
    /// What it is; `None`: what the case was merged into.
    pub kind: Option<LinkKind>,
    /// The other case.
    pub case: Case,
    /// The number of the other case.
    pub number: u64,
}

/// Writes the cases that a case is linked with.
pub fn write_links(links: &[Linked], workspace: &Workspace) -> Vec<u8> {
    let doc = LinksDoc { results: links.iter().map(|linked| link_doc(linked, workspace)).collect() };
    serde_json::to_vec(&doc).expect("invariant: texts are always JSON")
}

fn link_doc<'a>(linked: &'a Linked, workspace: &'a Workspace) -> LinkDoc<'a> {
    let Linked { kind, case, number } = linked;
    LinkDoc {
        kind: kind.map_or("mergedInto", link_type),
        case: LinkedCaseDoc {
            id: case.id.as_str(),
            ref_id: casement_domain::case::reference_id(*number),
            name: &case.item.name,
            status: status_of(&case.item, workspace),
            is_active: case.item.active,
        },
    }
}
