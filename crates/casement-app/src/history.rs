//! The history of a case or task: its events with what they changed.

use bytes::Bytes;
use casement_domain::change::Record;
use casement_domain::list::row::Work;
use casement_domain::workspace::Workspace;
use casement_wire::document::{write_case, write_task};
use casement_wire::history::{ById, EventDoc, HistoryPage, at, changes, write_history};
use casement_wire::spelling::Noun;
use serde_json::{Map, Value};

use crate::access::Access;
use crate::app::App;
use crate::error::AppError;
use crate::get::Stored;
use crate::version::Walk;

/// Which page of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only events that made an earlier version than this; `None`: all.
    pub before: Option<u64>,
    /// The most events.
    pub limit: usize,
}

/// Gives a page of the events of a case or task, newest first. Costs what has changed since the page's end.
///
/// # Errors
/// There is no such document, or the store can't be read.
pub async fn history(
    app: &App,
    access: &Access,
    noun: Noun,
    named: &str,
    query: HistoryQuery,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, noun, named);
    let Stored { work, case_number } = app.stored(access, noun, &id).await?;
    let config = access.workspace.config();
    let number = work.number.unwrap_or_default();
    let shown = |work: &Work| shown(work, number, case_number, &config);
    let mut after = Some(shown(&work.value)?);
    let stored = work.map(Record::from);
    let mut walk = Walk::new(app, access.workspace.id(), &stored);
    let mut page = HistoryPage { results: Vec::new(), has_more: false };
    while let Some(event) = walk.step().await? {
        let is_asked = query.before.is_none_or(|before| event.version < before);
        if is_asked && page.results.len() == query.limit {
            page.has_more = true;
            break;
        }
        // What the next event in the page comes after is needed too.
        let is_shown = is_asked || query.before == Some(event.version);
        let before = match noun {
            _ if walk.is_over() || !is_shown => None,
            Noun::Case => Some(shown(&Work::Case(walk.former()?))?),
            Noun::Task => Some(shown(&Work::Task(walk.former()?))?),
        };
        if is_asked {
            let is_making = event.version == 1;
            let told = match (&before, &after) {
                (Some(before), Some(after)) => Some(changes(before, after)),
                _ => is_making.then(Vec::new),
            };
            page.results.push(EventDoc {
                sequence: event.sequence,
                version: event.version,
                at: at(event.at_ms),
                by: ById { id: event.actor },
                app: event.app,
                kind: event.kind,
                changes: told,
            });
        }
        after = before;
    }
    Ok(Bytes::from(write_history(&page)))
}

fn shown(
    work: &Work,
    number: u64,
    case_number: u64,
    config: &Workspace,
) -> Result<Map<String, Value>, AppError> {
    let bytes = match work {
        Work::Case(case) => write_case(case, number, config),
        Work::Task(task) => write_task(task, number, case_number, config),
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| AppError::Failed(format!("a document is no JSON: {error}")))
}
