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
use crate::limits;
use crate::version::Walk;

/// The key of a body that tells of the last transfer.
const TRANSFER: &str = "transfer";

/// Which page of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only events that made an earlier version than this; `None`: all.
    pub before: Option<u64>,
    /// The most events.
    pub limit: usize,
}

/// Gives a page of the events of a case or task, newest first: at most as many as asked for, and no further once
/// they showed [`limits::HISTORY_BYTES_MAX`] of documents. Costs what has changed since the page's end.
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
    let stored = work.map(Record::from);
    let mut walk = Walk::new(app, access.workspace.id(), &stored);
    let shown = |walk: &Walk<'_>| {
        let work = match noun {
            Noun::Case => Work::Case(walk.former()?),
            Noun::Task => Work::Task(walk.former()?),
        };
        // A merge has moved a task from one case to another: former versions show the one that they were of.
        let of_former = access.workspace.index().case_state(work.case().as_str());
        let case_number = of_former.map_or(case_number, |state| state.number);
        shown(&work, number, case_number, &config)
    };
    let mut page = HistoryPage { results: Vec::new(), has_more: false };
    // The document after the next event, once it is within the page.
    let mut after = None;
    let mut bytes = 0;
    while let Some(version) = walk.next_version().await? {
        let is_asked = query.before.is_none_or(|before| version < before);
        if is_asked && (page.results.len() == query.limit || bytes > limits::HISTORY_BYTES_MAX) {
            page.has_more = true;
            break;
        }
        if is_asked && after.is_none() && !walk.is_over() {
            after = Some(shown(&walk)?);
        }
        let Some(event) = walk.step().await? else { break };
        if !is_asked {
            continue;
        }
        let before = if walk.is_over() { None } else { Some(shown(&walk)?) };
        let is_making = event.version == 1;
        let told = match (&before, &after) {
            (Some((before, _)), Some((after, _))) => Some(changes(before, after)),
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
            note: event.changes.as_deref().and_then(note),
        });
        bytes += before.as_ref().map_or(0, |(_, bytes)| *bytes);
        after = before;
        // Rendering is work: others get their turn between two events.
        tokio::task::yield_now().await;
    }
    Ok(Bytes::from(write_history(&page)))
}

/// Gives the note of a transfer.
fn note(changes: &[u8]) -> Option<String> {
    let changes: Map<String, Value> = serde_json::from_slice(changes).ok()?;
    Some(changes.get(TRANSFER)?.get("to")?.get("note")?.as_str()?.to_owned())
}

/// Gives a document as clients see it, with its size in bytes.
fn shown(
    work: &Work,
    number: u64,
    case_number: u64,
    config: &Workspace,
) -> Result<(Map<String, Value>, usize), AppError> {
    let bytes = match work {
        Work::Case(case) => write_case(case, number, config),
        Work::Task(task) => write_task(task, number, case_number, config),
    };
    let members = serde_json::from_slice(&bytes)
        .map_err(|error| AppError::Failed(format!("a document is no JSON: {error}")))?;
    Ok((members, bytes.len()))
}
