//! Comments on cases: notes of agents among themselves, and replies to the customer.
//!
//! A comment is a document of its own beside its case, which it does not change. Its text is clean when it is stored.

pub mod create;
pub mod input;
pub mod split;
pub mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::case::Case;
use crate::case::update::check_merged;
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::id::{AgentId, CaseId, CommentId, StandardResponseId};
use crate::limits;
use crate::rich_text::mentions::mentioned_ids;
use crate::rich_text::plain::plain_text;
use crate::rich_text::{self, TextFormat};
use crate::text::{Words, fold_email};
use crate::workspace::Workspace;

/// Who a comment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Agents alone: a note.
    Internal,
    /// The customer too: a reply.
    Public,
}

/// A comment on a case. Once deleted it keeps who and when, and nothing of what it said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id; the order of ids is that of their making.
    pub id: CommentId,
    /// The case.
    pub case: CaseId,
    /// Who it is for.
    pub visibility: Visibility,
    /// How the text is written.
    pub format: TextFormat,
    /// HTML cleaned, or Markdown as it was given.
    pub text: String,
    /// What Markdown became, cleaned; `None`: the text is the HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The agents whom it calls, also within its text, each once; at most [`limits::MENTIONS_MAX`].
    pub mentions: Vec<AgentId>,
    /// The ids of its attachments, each once; at most [`limits::COMMENT_ATTACHMENTS_MAX`].
    pub attachments: Vec<String>,
    /// The standard response that its text came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_response: Option<StandardResponseId>,
    /// The case that was made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_into: Option<CaseId>,
    /// Whether what it says was changed after it was made.
    pub edited: bool,
    /// False when it is deleted.
    pub active: bool,
    /// Who made it.
    pub created_by: Actor,
    /// When it was made.
    pub created_at: Moment,
    /// Who changed it last.
    pub updated_by: Actor,
    /// When it changed last; strictly increasing.
    pub updated_at: Moment,
}

impl Comment {
    /// Gives the HTML that shows it; empty once it is deleted.
    pub fn html(&self) -> &str {
        self.html.as_deref().unwrap_or(&self.text)
    }

    /// Gives the text that it shows, without markup; empty once it is deleted.
    pub fn plain_text(&self) -> String {
        if self.active { plain_text(self.html()) } else { String::new() }
    }

    /// Gives the words by which its case is found: those of the text that it shows.
    pub fn words(&self) -> Words {
        Words::of([self.plain_text().as_str()])
    }

    /// Marks an accepted change: who made it, and a moment later than the last one's.
    fn touch(&mut self, actor: &Actor, now: Moment) {
        self.updated_by = actor.clone();
        self.updated_at = now.max(self.updated_at.plus_ms(1));
    }
}

/// Adds a fault where a case takes no writes of comments.
fn check_case(case: &Case, faults: &mut Faults) {
    if case.merged_into.is_some() {
        check_merged(case, Key::Body, faults);
    } else if !case.item.active {
        let message = "the case is deleted: its comments can be read and not changed";
        faults.add(FaultKind::Conflict, Key::Body, message);
    }
}

/// What a text is kept as: itself and, of Markdown, its HTML.
struct Written {
    text: String,
    html: Option<String>,
}

impl Written {
    /// Gives the HTML that shows it.
    fn html(&self) -> &str {
        self.html.as_deref().unwrap_or(&self.text)
    }
}

/// Cleans a text. `None`: it has a fault.
fn written(format: TextFormat, text: &str, faults: &mut Faults) -> Option<Written> {
    if text.trim().is_empty() {
        faults.invalid(Key::Text, "must not be empty");
        return None;
    }
    if text.len() > limits::COMMENT_TEXT_BYTES_MAX {
        faults.invalid(Key::Text, format!("must be at most {} bytes long", limits::COMMENT_TEXT_BYTES_MAX));
        return None;
    }
    match (rich_text::render(format, text), format) {
        (Ok(html), TextFormat::Html) => Some(Written { text: html, html: None }),
        (Ok(html), TextFormat::Markdown) => Some(Written { text: text.to_owned(), html: Some(html) }),
        (Err(unclean), TextFormat::Html | TextFormat::Markdown) => {
            faults.add(FaultKind::Unprocessable, Key::Text, unclean.sentence());
            None
        }
    }
}

/// Finds the agents who are mentioned, each once. Those of `stored` may have been retired since.
fn mentioned(
    named: &[String],
    stored: &[AgentId],
    workspace: &Workspace,
    faults: &mut Faults,
) -> Vec<AgentId> {
    if named.len() > limits::MENTIONS_MAX {
        faults.invalid(Key::Mentions, format!("must have at most {} entries", limits::MENTIONS_MAX));
        return Vec::new();
    }
    let mut agents: Vec<AgentId> = Vec::with_capacity(named.len());
    for (index, name) in named.iter().enumerate() {
        // Whatever is longer names nobody, and need not be looked for.
        if name.chars().count() > limits::EMAIL_CHARACTERS_MAX {
            faults.add_at(FaultKind::Invalid, Key::Mentions, index, "there is no such agent");
            continue;
        }
        let folded = fold_email(name);
        let is_meant = |email: &str| !email.is_empty() && fold_email(email) == folded;
        let found = workspace
            .agents
            .iter()
            .find(|agent| agent.id.as_str() == name || agent.user.as_str() == name || is_meant(&agent.email));
        match found.filter(|agent| agent.active || stored.contains(&agent.id)) {
            Some(agent) if agents.contains(&agent.id) => {}
            Some(agent) => agents.push(agent.id.clone()),
            None => faults.add_at(FaultKind::Invalid, Key::Mentions, index, "there is no such agent"),
        }
    }
    agents
}

/// Finds the agents who are mentioned within a text, by profile or user id, in its order. Who is unknown or retired is text like any
/// other: texts are pasted and quoted.
fn mentioned_within(html: &str, stored: &[AgentId], workspace: &Workspace) -> Vec<AgentId> {
    let ids = mentioned_ids(html);
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, id) in ids.iter().enumerate() {
        places.entry(id).or_insert(place);
    }
    if places.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, &AgentId)> = Vec::new();
    for agent in workspace.agents.iter().filter(|agent| agent.active || stored.contains(&agent.id)) {
        let place =
            [agent.id.as_str(), agent.user.as_str()].into_iter().filter_map(|id| places.get(id)).min();
        found.extend(place.map(|place| (*place, &agent.id)));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, agent)| agent.clone()).collect()
}

/// Adds the agents whom a text mentions to those who are mentioned beside it.
fn add_mentioned(mentions: &mut Vec<AgentId>, within: Vec<AgentId>, faults: &mut Faults) {
    for agent in within {
        if !mentions.contains(&agent) {
            mentions.push(agent);
        }
    }
    if mentions.len() > limits::MENTIONS_MAX {
        let message =
            format!("must have at most {} entries, with those within the text", limits::MENTIONS_MAX);
        faults.invalid(Key::Mentions, message);
    }
}

/// Takes the attachments over, each once. `usable` are those of the case that are there and not deleted; those of
/// `stored` may have been deleted since.
fn attached(named: &[String], stored: &[String], usable: &[String], faults: &mut Faults) -> Vec<String> {
    if named.len() > limits::COMMENT_ATTACHMENTS_MAX {
        let message = format!("must have at most {} entries", limits::COMMENT_ATTACHMENTS_MAX);
        faults.invalid(Key::Attachments, message);
        return Vec::new();
    }
    let mut attachments: Vec<String> = Vec::with_capacity(named.len());
    for (index, id) in named.iter().enumerate() {
        if !usable.contains(id) && !stored.contains(id) {
            let message = "there is no such attachment of this case";
            faults.add_at(FaultKind::Invalid, Key::Attachments, index, message);
        } else if !attachments.contains(id) {
            attachments.push(id.clone());
        }
    }
    attachments
}
