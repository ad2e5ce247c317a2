//! The history of a comment: who wrote what, and when.

use bytes::Bytes;
use casement_domain::change::Record;
use casement_domain::comment::Comment;
use casement_domain::workspace::Workspace;
use casement_wire::comment::write_comment;
use casement_wire::history::{ById, EventDoc, HistoryPage, at, changes, write_history};
use serde_json::{Map, Value};

use crate::access::Access;
use crate::app::App;
use crate::commit::Reads;
use crate::error::AppError;
use crate::history::HistoryQuery;
use crate::version::Walk;

/// Gives a page of the events of a comment, newest first. Of a deleted one they tell who and when alone.
///
/// # Errors
/// There is no such case or comment, or the store can't be read.
pub async fn comment_history(
    app: &App,
    access: &Access,
    case: &str,
    id: &str,
    query: HistoryQuery,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let mut reads = Reads::default();
    let case = app.case_named(access, case, &mut reads).await?;
    let comment = app.comment_of(access, &case.value, id, &mut reads).await?;
    let config = access.workspace.config();
    let is_told = comment.value.active;
    let mut after = shown(&comment.value, &config)?;
    let stored = comment.map(Record::Comment);
    let mut walk = Walk::new(app, access.workspace.id(), &stored);
    let mut page = HistoryPage { results: Vec::new(), has_more: false };
    while let Some(event) = walk.step().await? {
        let is_asked = query.before.is_none_or(|before| event.version < before);
        if is_asked && page.results.len() == query.limit {
            page.has_more = true;
            break;
        }
        let before = if walk.is_over() { None } else { Some(shown(&walk.former()?, &config)?) };
        if is_asked {
            let told = match &before {
                Some(before) => Some(changes(before, &after)),
                None => (event.version == 1).then(Vec::new),
            };
            page.results.push(EventDoc {
                sequence: event.sequence,
                version: event.version,
                at: at(event.at_ms),
                by: ById { id: event.actor },
                app: event.app,
                kind: event.kind,
                changes: told.filter(|told| is_told || told.is_empty()),
            });
        }
        after = before.unwrap_or_default();
    }
    Ok(Bytes::from(write_history(&page)))
}

fn shown(comment: &Comment, config: &Workspace) -> Result<Map<String, Value>, AppError> {
    serde_json::from_slice(&write_comment(comment, config))
        .map_err(|error| AppError::Failed(format!("a comment is no JSON: {error}")))
}
