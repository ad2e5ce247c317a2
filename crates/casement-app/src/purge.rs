//! Purging a case or task: nothing of what it said stays in the documents, the log, the index and the bytes beside them.
//!
//! Each document that goes leaves a row with its id and number, a [`Purged`] in place of its body, and one event that tells
//! of the erasure of all its earlier ones. What belongs to a case goes before it, in sets of a bounded size, and so do the cases
//! that were merged into it, since they are seen through it; what breaks off in between leaves a deleted case with less to it, and the same request goes on there. The case's version, which every set
//! guards, stays the same until its own, so that nobody restores it meanwhile.

use casement_domain::attachment::Attachment;
use casement_domain::attachment::purge::free_room;
use casement_domain::attachment::usage::Usage;
use casement_domain::case::purge::purge_case;
use casement_domain::change::Change;
use casement_domain::date::Moment;
use casement_domain::task::purge::purge_task;
use casement_store::document::{Along, Document};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::attachment::key;
use crate::body;
use crate::case::holders;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::trace;

/// What belongs to a case.
const OF_CASES: [&str; 3] = [body::COMMENT, body::ATTACHMENT, body::TASK];

/// What of a kind goes before a case.
#[derive(Debug, Clone, Copy)]
enum Below<'a> {
    /// What belongs to it, and to those that were merged into it.
    Of(&'a [String]),
    /// The documents with these ids: the cases that were merged into it.
    These(&'a [String]),
}

/// What one set erases.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Portion {
    /// Documents of which nothing stays, each with the last of its events.
    pub(crate) whole: Vec<(Document, u64)>,
    /// A document that has too many events for one set, with the last of those that go now. The document stays as it is.
    pub(crate) part: Option<(Document, u64)>,
}

/// Purges a case or task that is named by id or reference id, and was deleted. What belongs to a case goes with it. The answer
/// is empty; from then on there is no such document.
///
/// # Errors
/// There is no such document, it has another version than `if_match` demands, it is not deleted, the attempt's key is not
/// usable, or the store takes no writes now.
pub async fn purge(
    app: &App,
    access: &Access,
    noun: Noun,
    named: &str,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = Box::pin(carry_out(app, sending.access(), noun, named, if_match, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn carry_out(
    app: &App,
    access: &Access,
    noun: Noun,
    named: &str,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let id = app.id_of(access, noun, named).await?;
    match noun {
        Noun::Case => {
            let case = app.case(access.workspace.id(), &id, &mut Reads::default()).await?;
            let holders = holders(&case.ok_or(AppError::NotFound)?.value);
            for kind in OF_CASES {
                purge_below(app, access, &id, (kind, Below::Of(&holders)), if_match).await?;
            }
            let absorbed = holders.get(1..).unwrap_or_default();
            purge_below(app, access, &id, (body::CASE, Below::These(absorbed)), if_match).await?;
        }
        Noun::Task => {}
    }
    purge_itself(app, access, noun, &id, if_match, ticket).await
}

/// Purges what of a kind goes before a case, set by set.
async fn purge_below(
    app: &App,
    access: &Access,
    case: &str,
    (kind, below): (&str, Below<'_>),
    if_match: &IfMatch,
) -> Result<(), AppError> {
    let workspace = &access.workspace;
    // All attachments change the one document of what is used.
    let turn = if kind == body::ATTACHMENT { Usage::ID } else { case };
    let mut misses = 0;
    while misses < limits::COMMIT_ATTEMPTS_MAX {
        let _turn = workspace.turn(turn).await;
        let config = workspace.config();
        let mut reads = Reads::default();
        check(app, access, Noun::Case, case, if_match, &mut reads).await?;
        let page = app.left_below(workspace.id(), kind, below).await?;
        if page.is_empty() {
            return Ok(());
        }
        let portion = app.portion(workspace.id(), page).await?;
        let change = match kind {
            body::ATTACHMENT => {
                let documents = portion.whole.iter().map(|(document, _)| document);
                let attachments: Result<Vec<Attachment>, AppError> = documents
                    .filter_map(|document| body::decode_attachment(document).transpose())
                    .map(|found| found.map(|found| found.value))
                    .collect();
                free_room(&attachments?, app.usage(workspace.id(), &mut reads).await?.as_ref())
            }
            _ => Change::default(),
        };
        let now = app.sources().now();
        let mut pending = pending(&config, Act::of(access, now), &change, reads, None, app.sources())?;
        pending.erase(&portion, now, app.sources());
        if app.commit(workspace, pending, None).await?.is_none() {
            misses += 1;
            continue;
        }
        misses = 0;
        if kind == body::ATTACHMENT {
            remove_bytes(app, workspace.id(), &portion).await;
        }
    }
    Err(contended())
}

/// Purges a case that nothing belongs to any more, or a task.
async fn purge_itself(
    app: &App,
    access: &Access,
    noun: Noun,
    id: &str,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let kind = match noun {
        Noun::Case => body::CASE,
        Noun::Task => body::TASK,
    };
    let turn = match noun {
        Noun::Case => id.to_owned(),
        Noun::Task => {
            let task = app.task(workspace.id(), id, &mut Reads::default()).await?;
            task.ok_or(AppError::NotFound)?.value.case.to_string()
        }
    };
    let mut misses = 0;
    while misses < limits::COMMIT_ATTEMPTS_MAX {
        let _turn = workspace.turn(&turn).await;
        let config = workspace.config();
        let mut reads = Reads::default();
        let version = check(app, access, noun, id, if_match, &mut reads).await?;
        let document = app.store().document(workspace.id(), kind, id).await?.ok_or(AppError::NotFound)?;
        if document.version != version {
            // Another node has changed it since: what was decided is of another version.
            misses += 1;
            continue;
        }
        let portion = app.portion(workspace.id(), vec![document]).await?;
        let is_last = !portion.whole.is_empty();
        let ticket = ticket.filter(|_| is_last);
        let now = app.sources().now();
        let act = Act::of(access, now);
        let mut pending = pending(&config, act, &Change::default(), reads, None, app.sources())?;
        pending.erase(&portion, now, app.sources());
        if let Some(ticket) = ticket {
            pending.keep_outcome(ticket, Outcome::Purged);
        }
        match app.commit(workspace, pending, ticket).await? {
            Some(_) if is_last => return Ok(Done::Committed(Rendered::nothing())),
            Some(_) => misses = 0,
            None => misses += 1,
        }
    }
    Err(contended())
}

/// Loads what is to be purged, notes that it was read, and has it decided; gives its version.
async fn check(
    app: &App,
    access: &Access,
    noun: Noun,
    id: &str,
    if_match: &IfMatch,
    reads: &mut Reads,
) -> Result<u64, AppError> {
    let workspace = access.workspace.id();
    let (version, decided) = match noun {
        Noun::Case => {
            let case = app.case(workspace, id, reads).await?.ok_or(AppError::NotFound)?;
            (case.version, trace::decide().in_scope(|| purge_case(&case.value)))
        }
        Noun::Task => {
            let task = app.task(workspace, id, reads).await?.ok_or(AppError::NotFound)?;
            (task.version, trace::decide().in_scope(|| purge_task(&task.value)))
        }
    };
    if !if_match.accepts(version) {
        return Err(AppError::VersionDiffers);
    }
    decided.map(|()| version).map_err(AppError::Refused)
}

/// Removes the bytes of purged attachments. What can't be removed now goes with the next sweep.
async fn remove_bytes(app: &App, workspace: &str, portion: &Portion) {
    let Ok(blobs) = app.blobs() else { return };
    for (document, _) in &portion.whole {
        if let Err(error) = blobs.remove(&key(workspace, &document.id)).await {
            tracing::warn!(
                workspace.id = workspace,
                document.id = document.id,
                %error,
                "the bytes of a purged attachment could not be removed; the next sweep does it"
            );
        }
    }
}

impl App {
    /// Gives some of what is there still.
    async fn left_below(
        &self,
        workspace: &str,
        kind: &str,
        below: Below<'_>,
    ) -> Result<Vec<Document>, AppError> {
        let (store, limit) = (self.store(), limits::PURGED_DOCUMENTS);
        match below {
            // A purged document has no parent.
            Below::Of(parents) => {
                Ok(store.children_page(workspace, kind, parents, &Along::Down(None), limit).await?)
            }
            Below::These(ids) => {
                let mut found = store.documents(workspace, kind, ids).await?;
                found.retain(|document| document.schema != body::PURGED_SCHEMA);
                found.truncate(limit);
                Ok(found)
            }
        }
    }

    /// Takes of some documents as many as one set may erase: at least a part of the first.
    async fn portion(&self, workspace: &str, documents: Vec<Document>) -> Result<Portion, AppError> {
        let mut portion = Portion::default();
        let mut room = limits::PURGED_EVENTS;
        for document in documents {
            let Document { kind, id, sequence, .. } = &document;
            let events = self.store().unerased_events(workspace, kind, id, room + 1).await?;
            if events.len() <= room {
                room -= events.len();
                let last = events.last().copied().unwrap_or_default().max(*sequence);
                portion.whole.push((document, last));
                continue;
            }
            if portion.whole.is_empty() {
                portion.part = events.get(room - 1).map(|last| (document, *last));
            }
            break;
        }
        Ok(portion)
    }
}

/// What stays of a document that is purged at a moment.
pub(crate) fn left(at: Moment) -> Vec<u8> {
    body::encode(&body::Purged { purged_at: at })
}
