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
use crate::limits;
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
    let stored = comment.map(Record::Comment);
    let mut walk = Walk::new(app, access.workspace.id(), &stored);
    let mut page = HistoryPage { results: Vec::new(), has_more: false };
    // The comment after the next event, once it is within the page.
    let mut after = None;
    let mut bytes = 0;
    while let Some(version) = walk.next_version().await? {
        let is_asked = query.before.is_none_or(|before| version < before);
        if is_asked && (page.results.len() == query.limit || bytes > limits::HISTORY_BYTES_MAX) {
            page.has_more = true;
            break;
        }
        if is_asked && after.is_none() && !walk.is_over() {
            after = Some(shown(&walk.former()?, &config)?);
        }
        let Some(event) = walk.step().await? else { break };
        if !is_asked {
            continue;
        }
        let before = if walk.is_over() { None } else { Some(shown(&walk.former()?, &config)?) };
        let told = match (&before, &after) {
            (Some((before, _)), Some((after, _))) => Some(changes(before, after)),
            _ => (event.version == 1).then(Vec::new),
        };
        page.results.push(EventDoc {
            sequence: event.sequence,
            version: event.version,
            at: at(event.at_ms),
            by: ById { id: event.actor },
            app: event.app,
            kind: event.kind,
            note: None,
            changes: told.filter(|told| is_told || told.is_empty()),
        });
        bytes += before.as_ref().map_or(0, |(_, bytes)| *bytes);
        after = before;
    }
    Ok(Bytes::from(write_history(&page)))
}

fn shown(comment: &Comment, config: &Workspace) -> Result<(Map<String, Value>, usize), AppError> {
    let bytes = write_comment(comment, config);
    let members = serde_json::from_slice(&bytes)
        .map_err(|error| AppError::Failed(format!("a comment is no JSON: {error}")))?;
    Ok((members, bytes.len()))
}
