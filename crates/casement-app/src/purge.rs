//! Purging a case or task: nothing of what it said stays in the documents, the log, the index and the bytes beside them.
//!
//! Each document that goes leaves a row with its id and number, a [`Purged`] in place of its body, and one event that tells
//! of the erasure of all its earlier ones. What belongs to a case goes before it, in sets of a bounded size, and so do the cases
//! that were merged into it, since they are seen through it; what breaks off in between leaves a deleted case with less to it, and the same request goes on there. The case's version, which every set
//! guards, stays the same until its own, so that nothing is purged of a case after somebody restored it. What fits into one set goes whole.

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
    let workspace = &access.workspace;
    let id = app.id_of(access, noun, named).await?;
    let (kind, turn) = match noun {
        // All attachments change the one document of what is used.
        Noun::Case => (body::CASE, Usage::ID.to_owned()),
        Noun::Task => {
            let task = app.task(workspace.id(), &id, &mut Reads::default()).await?;
            (body::TASK, task.ok_or(AppError::NotFound)?.value.case.to_string())
        }
    };
    let is_own = |document: &Document| document.kind == kind && document.id == id;
    let mut misses = 0;
    while misses < limits::COMMIT_ATTEMPTS_MAX {
        let _turn = workspace.turn(&turn).await;
        let config = workspace.config();
        let mut reads = Reads::default();
        let (version, holders) = check(app, access, noun, &id, if_match, &mut reads).await?;
        let left = app.left(workspace.id(), noun, &id, &holders).await?;
        if left.iter().any(|document| is_own(document) && document.version != version) {
            // Another node has changed it since: what was decided is of another version.
            misses += 1;
            continue;
        }
        let portion = app.portion(workspace.id(), left).await?;
        let is_last = portion.whole.iter().any(|(document, _)| is_own(document));
        let attachments = portion.attachments()?;
        let change = match attachments.is_empty() {
            true => Change::default(),
            false => free_room(&attachments, app.usage(workspace.id(), &mut reads).await?.as_ref()),
        };
        let ticket = ticket.filter(|_| is_last);
        let now = app.sources().now();
        let mut pending = pending(&config, Act::of(access, now), &change, reads, None, app.sources())?;
        pending.erase(&portion, now, app.sources());
        if let Some(ticket) = ticket {
            pending.keep_outcome(ticket, Outcome::Purged);
        }
        if app.commit(workspace, pending, ticket).await?.is_none() {
            misses += 1;
            continue;
        }
        misses = 0;
        remove_bytes(app, workspace.id(), &attachments).await;
        if is_last {
            return Ok(Done::Committed(Rendered::nothing()));
        }
    }
    Err(contended())
}

/// Loads what is to be purged, notes that it was read, and has it decided; gives its version, and of a case the ids under which
/// there is what belongs to it.
async fn check(
    app: &App,
    access: &Access,
    noun: Noun,
    id: &str,
    if_match: &IfMatch,
    reads: &mut Reads,
) -> Result<(u64, Vec<String>), AppError> {
    let workspace = access.workspace.id();
    let (version, holders, decided) = match noun {
        Noun::Case => {
            let case = app.case(workspace, id, reads).await?.ok_or(AppError::NotFound)?;
            (case.version, holders(&case.value), trace::decide().in_scope(|| purge_case(&case.value)))
        }
        Noun::Task => {
            let task = app.task(workspace, id, reads).await?.ok_or(AppError::NotFound)?;
            (task.version, Vec::new(), trace::decide().in_scope(|| purge_task(&task.value)))
        }
    };
    if !if_match.accepts(version) {
        return Err(AppError::VersionDiffers);
    }
    decided.map(|()| (version, holders)).map_err(AppError::Refused)
}

/// Removes the bytes of purged attachments. What can't be removed now goes with the next sweep.
async fn remove_bytes(app: &App, workspace: &str, attachments: &[Attachment]) {
    let Ok(blobs) = app.blobs() else { return };
    for Attachment { id, .. } in attachments {
        if let Err(error) = blobs.remove(&key(workspace, id.as_str())).await {
            tracing::warn!(
                workspace.id = workspace,
                document.id = id.as_str(),
                %error,
                "the bytes of a purged attachment could not be removed; the next sweep does it"
            );
        }
    }
}

impl Portion {
    /// Gives the attachments of which nothing stays.
    fn attachments(&self) -> Result<Vec<Attachment>, AppError> {
        let of_kind = self
            .whole
            .iter()
            .map(|(document, _)| document)
            .filter(|document| document.kind == body::ATTACHMENT);
        let found = of_kind.filter_map(|document| body::decode_attachment(document).transpose());
        found.map(|found| found.map(|found| found.value)).collect()
    }
}

impl App {
    /// Gives some of what is there still, in the order in which it goes: what belongs to a case, the cases that were merged into
    /// it, and last the document itself.
    async fn left(
        &self,
        workspace: &str,
        noun: Noun,
        id: &str,
        holders: &[String],
    ) -> Result<Vec<Document>, AppError> {
        let (store, most) = (self.store(), limits::PURGED_DOCUMENTS);
        let mut left: Vec<Document> = Vec::new();
        if noun == Noun::Case {
            for kind in OF_CASES {
                let room = most.saturating_sub(left.len());
                if room > 0 {
                    // A purged document has no parent.
                    let page = store.children_page(workspace, kind, holders, &Along::Down(None), room);
                    left.extend(page.await?);
                }
            }
        }
        let (kind, absorbed) = match noun {
            Noun::Case => (body::CASE, holders.get(1..).unwrap_or_default()),
            Noun::Task => (body::TASK, [].as_slice()),
        };
        let cases = [absorbed, &[id.to_owned()]].concat();
        let found = store.documents(workspace, kind, &cases).await?;
        left.extend(found.into_iter().filter(|document| document.schema != body::PURGED_SCHEMA));
        left.truncate(most);
        Ok(left)
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
