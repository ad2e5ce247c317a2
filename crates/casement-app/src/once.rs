//! Exactly once: a request with an idempotency key takes effect one time, and its repetitions get the same outcome;
//! contract section 11.9.
//!
//! The key is a claim in the store, written in the transaction of the effect. It holds what the answer is made from, not
//! the answer: a repetition renders the document as it was then. An outcome without an effect (a refusal, an update
//! that changes nothing) is a claim alone. What is not known or not decided (503, 500) is not kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use bytes::Bytes;
use casement_domain::attachment::Attachment;
use casement_domain::case::Case;
use casement_domain::change::{Change, Record};
use casement_domain::comment::Comment;
use casement_domain::fault::Faults;
use casement_domain::list::row::Work;
use casement_domain::task::Task;
use casement_domain::task::plan::PLANNED;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_store::document::Claim;
use casement_store::error::Miss;
use casement_store::set::{ClaimGuard, ClaimWrite, WriteSet};
use casement_wire::document::write_created_case;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::access::Access;
use crate::app::App;
use crate::attachment::rendered_attachment;
use crate::body;
use crate::comment::get::rendered_comment;
use crate::commit::{Reads, contended};
use crate::document::Rendered;
use crate::error::AppError;
use crate::limits;
use crate::workspace::OpenWorkspace;

/// The version of a document that was just made.
const FIRST_VERSION: u64 = 1;

/// One sending of a request that has an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    key: String,
    digest: [u8; 32],
}

impl Attempt {
    /// Takes the key (1 to 255 characters), the path and the body of a request. Two attempts are equal when all are.
    pub fn new(key: &str, path: &str, request_body: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&(path.len() as u64).to_be_bytes());
        context.update(path.as_bytes());
        context.update(request_body);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Self { key: key.to_owned(), digest }
    }
}

/// What the answer to a repetition is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// A case was made, with these tasks.
    CreatedCase { id: String, tasks: Vec<String> },
    /// The answer was this version of a case.
    Case { id: String, version: u64 },
    /// The answer was this version of a task.
    Task { id: String, version: u64 },
    /// The answer was the plan of this version of a task.
    Plan { id: String, version: u64 },
    /// The answer was this version of an attachment.
    Attachment { id: String, version: u64 },
    /// The answer was this version of a comment.
    Comment { id: String, version: u64 },
    /// The answer was a link for feedback on a case, whose token is sealed.
    FeedbackLink { case: String, token: String, expires_ms: i64 },
    /// A document was purged.
    Purged,
    /// There was no such document.
    NotFound,
    /// The case had no such attachment.
    NoAttachment,
    /// The document had another version than the request demanded.
    VersionDiffers,
    /// The command had faults.
    Refused(Faults),
}

impl Outcome {
    /// Tells the outcome of a change: its first record is the answer.
    fn of_change(change: &Change) -> Option<Self> {
        let first = change.records.first()?;
        let version = first.before.as_ref().map_or(0, |before| before.version) + 1;
        let made_task = |record: &Record| match record {
            Record::Task(task) => Some(task.id.to_string()),
            Record::Case(_)
            | Record::Customer(_)
            | Record::Attachment(_)
            | Record::Usage(_)
            | Record::Comment(_) => None,
        };
        match &first.after {
            Record::Case(case) if first.before.is_none() => Some(Self::CreatedCase {
                id: case.id.to_string(),
                tasks: change.records.iter().filter_map(|record| made_task(&record.after)).collect(),
            }),
            Record::Case(case) => Some(Self::Case { id: case.id.to_string(), version }),
            Record::Task(task) if first.event == PLANNED => {
                Some(Self::Plan { id: task.id.to_string(), version })
            }
            Record::Task(task) => Some(Self::Task { id: task.id.to_string(), version }),
            Record::Attachment(attachment) => {
                Some(Self::Attachment { id: attachment.id.to_string(), version })
            }
            Record::Customer(_) | Record::Usage(_) => None,
            Record::Comment(comment) => Some(Self::Comment { id: comment.id.to_string(), version }),
        }
    }

    /// Tells the outcome of a failure; `None`: it is not kept, and a repetition is a new try.
    fn of_error(error: &AppError) -> Option<Self> {
        match error {
            AppError::Refused(faults) => Some(Self::Refused(faults.clone())),
            AppError::NotFound => Some(Self::NotFound),
            AppError::NoAttachment => Some(Self::NoAttachment),
            AppError::VersionDiffers => Some(Self::VersionDiffers),
            AppError::NoRoom(_)
            | AppError::Off(_)
            | AppError::Busy(_)
            | AppError::KeyReused
            | AppError::InFlight
            | AppError::Stale
            | AppError::Revoked
            | AppError::WordsMissing
            | AppError::Overloaded
            | AppError::Unavailable(_)
            | AppError::OutcomeUnknown(_)
            | AppError::Failed(_) => None,
        }
    }
}

/// What is kept under the key.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Of path and body, in hexadecimal.
    digest: String,
    outcome: Outcome,
}

/// The right to carry a request out. Others with the same key wait in this process until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket<'a> {
    in_flight: &'a InFlight,
    claim: String,
    digest: [u8; 32],
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.claim);
    }
}

impl Ticket<'_> {
    /// Adds the claim of a change to its write set.
    pub(crate) fn stamp(&self, set: &mut WriteSet, change: &Change) {
        if let Some(outcome) = Outcome::of_change(change) {
            self.stamp_outcome(set, outcome);
        }
    }

    /// Adds the claim of an outcome to a write set.
    pub(crate) fn stamp_outcome(&self, set: &mut WriteSet, outcome: Outcome) {
        let kept = Kept { digest: hexadecimal(&self.digest), outcome };
        set.claim_guards.push(ClaimGuard { key: self.claim.clone(), document: None });
        set.claims.push(ClaimWrite::Put {
            key: self.claim.clone(),
            document: hexadecimal(&set.operation),
            result: Some(body::encode(&kept)),
            expires_ms: Some(set.at_ms.saturating_add(limits::IDEMPOTENCY_KEPT_MS)),
        });
    }

    /// Tells whether the claim of this request is among what a commit missed: somebody else has taken it.
    pub(crate) fn is_missed(&self, misses: &[Miss]) -> bool {
        misses.iter().any(|miss| matches!(miss, Miss::Claim { key } if *key == self.claim))
    }
}

/// How a request with or without a key begins.
#[derive(Debug)]
enum Start<'a> {
    /// Its first sending has ended: this was the outcome.
    Repeated(Result<Rendered, AppError>),
    /// It is to be carried out; with a ticket when it has a key.
    First(Option<Ticket<'a>>),
}

/// How a use case ended.
#[derive(Debug)]
pub(crate) enum Done {
    /// A change was committed, and the claim with it.
    Committed(Rendered),
    /// There was nothing to change; the answer is what the outcome names.
    Unchanged(Rendered, Outcome),
}

/// The keys whose requests are being carried out in this process. Each is removed when its request ends.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<String, watch::Sender<()>>>);

impl InFlight {
    /// Takes a key, or gives what tells that the request that has it ended.
    fn take(&self, claim: &str, digest: [u8; 32]) -> Result<Ticket<'_>, watch::Receiver<()>> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(claim.to_owned()) {
            Entry::Occupied(other) => Err(other.get().subscribe()),
            Entry::Vacant(free) => {
                free.insert(watch::channel(()).0);
                Ok(Ticket { in_flight: self, claim: claim.to_owned(), digest })
            }
        }
    }
}

/// A request that writes, from its first try to its answer.
///
/// With a stale access it is tried as things are known here: what a commit relied on is guarded. Any other outcome may come
/// of what is not known here yet, so it is no answer: the request is let in anew, behind a round, and tried once more.
///
/// ```text
/// let mut sending = Sending::new(app, access, attempt);
/// while let Some(trial) = sending.begin().await {
///     let done = carry_out(app, sending.access(), trial.ticket()).await;
///     sending.end(trial, done).await;
/// }
/// sending.answer()
/// ```
#[derive(Debug)]
pub(crate) struct Sending<'a> {
    app: &'a App,
    access: &'a Access,
    renewed: Option<Access>,
    attempt: Option<&'a Attempt>,
    answer: Option<Result<Rendered, AppError>>,
}

/// One try to carry a request out.
#[derive(Debug)]
pub(crate) struct Trial<'a>(Option<Ticket<'a>>);

impl Trial<'_> {
    /// Gives the ticket of a request that has a key.
    pub(crate) fn ticket(&self) -> Option<&Ticket<'_>> {
        self.0.as_ref()
    }
}

impl<'a> Sending<'a> {
    /// Takes a request.
    pub(crate) fn new(app: &'a App, access: &'a Access, attempt: Option<&'a Attempt>) -> Self {
        Self { app, access, renewed: None, attempt, answer: None }
    }

    /// Gives what the request may reach, as it is known at this try.
    pub(crate) fn access(&self) -> &Access {
        self.renewed.as_ref().unwrap_or(self.access)
    }

    fn is_fresh(&self) -> bool {
        self.access().grant.is_fresh
    }

    async fn renew(&mut self) -> Result<(), AppError> {
        self.renewed = Some(self.app.renewed(self.access).await?);
        Ok(())
    }

    /// Begins a try; `None`: the request has its answer.
    pub(crate) async fn begin(&mut self) -> Option<Trial<'a>> {
        while self.answer.is_none() {
            self.answer = match self.app.begin(self.access, self.attempt).await {
                Ok(Start::Repeated(_)) | Err(AppError::KeyReused | AppError::InFlight)
                    if !self.is_fresh() =>
                {
                    self.renew().await.err().map(Err)
                }
                Ok(Start::First(ticket)) => return Some(Trial(ticket)),
                Ok(Start::Repeated(answer)) => Some(answer),
                Err(error) => Some(Err(error)),
            };
        }
        None
    }

    /// Ends a try. What it gave may be no answer yet: then there is another try.
    pub(crate) async fn end(&mut self, trial: Trial<'_>, ended: Result<Done, AppError>) {
        let is_answer = match &ended {
            Ok(Done::Committed(_)) => true,
            Ok(Done::Unchanged(..)) | Err(AppError::Stale | AppError::InFlight) => false,
            Err(error) => Outcome::of_error(error).is_none(),
        };
        self.answer = if is_answer || self.is_fresh() {
            Some(self.app.finish(self.access, trial.0, ended).await)
        } else {
            drop(trial);
            self.renew().await.err().map(Err)
        };
    }

    /// Gives the answer.
    ///
    /// # Errors
    /// Those of what was carried out; the key was used for another request, an earlier sending takes too long, or the store
    /// can't be read. Without an answer, which only somebody has who makes no second try: the request must be sent again.
    pub(crate) fn answer(self) -> Result<Rendered, AppError> {
        self.answer.unwrap_or_else(|| Err(contended()))
    }
}

impl App {
    /// Begins a request: waits for an earlier sending that is being carried out, and looks for its outcome.
    ///
    /// # Errors
    /// The key was used for another request, the earlier sending takes too long, or the store can't be read.
    async fn begin<'a>(&self, access: &'a Access, attempt: Option<&Attempt>) -> Result<Start<'a>, AppError> {
        let Some(attempt) = attempt else { return Ok(Start::First(None)) };
        let workspace = &access.workspace;
        let claim = format!("idempotency:{}:{}", access.app.as_str(), attempt.key);
        let deadline = Instant::now() + limits::IN_FLIGHT_WAIT;
        loop {
            if let Some(kept) = self.kept(workspace.id(), &claim).await? {
                return Box::pin(self.repeated(workspace, attempt, kept)).await.map(Start::Repeated);
            }
            match workspace.in_flight().take(&claim, attempt.digest) {
                // It may have ended between the look and the taking.
                Ok(ticket) => match self.kept(workspace.id(), &claim).await? {
                    Some(kept) => {
                        drop(ticket);
                        return Box::pin(self.repeated(workspace, attempt, kept)).await.map(Start::Repeated);
                    }
                    None => return Ok(Start::First(Some(ticket))),
                },
                Err(mut other) => {
                    // The other request ends by dropping its side, which is an error here and no change.
                    if timeout_at(deadline, other.changed()).await.is_err() {
                        return Err(AppError::InFlight);
                    }
                }
            }
        }
    }

    /// Ends a request: keeps an outcome that made no change, and gives the answer.
    ///
    /// # Errors
    /// Those of the use case, or the store takes no writes now.
    async fn finish(
        &self,
        access: &Access,
        start: Option<Ticket<'_>>,
        ended: Result<Done, AppError>,
    ) -> Result<Rendered, AppError> {
        let Some(ticket) = start else {
            return ended.map(|done| match done {
                Done::Committed(rendered) | Done::Unchanged(rendered, _) => rendered,
            });
        };
        let (outcome, answer) = match ended {
            Ok(Done::Committed(rendered)) => return Ok(rendered),
            Ok(Done::Unchanged(rendered, outcome)) => (outcome, Ok(rendered)),
            // Another node has carried it out meanwhile.
            Err(AppError::InFlight) => {
                let kept =
                    self.kept(access.workspace.id(), &ticket.claim).await?.ok_or(AppError::InFlight)?;
                let attempt = Attempt { key: String::new(), digest: ticket.digest };
                return Box::pin(self.repeated(&access.workspace, &attempt, kept)).await?;
            }
            Err(error) => match Outcome::of_error(&error) {
                Some(outcome) => (outcome, Err(error)),
                None => return Err(error),
            },
        };
        let mut set = WriteSet {
            workspace: access.workspace.id().to_owned(),
            operation: self.sources().operation(),
            at_ms: self.sources().now().ms(),
            actor: access.actor.id.to_string(),
            app: access.app.to_string(),
            config_version: None,
            changes_config: false,
            guards: Vec::new(),
            claim_guards: Vec::new(),
            head_guards: Vec::new(),
            documents: Vec::new(),
            claims: Vec::new(),
            events: Vec::new(),
        };
        ticket.stamp_outcome(&mut set, outcome);
        match self.store().commit(set).await {
            Ok(_) => answer,
            Err(error) => Err(AppError::of_commit(error).unwrap_or(AppError::InFlight)),
        }
    }

    /// Finds what is kept under a claim that has not ended.
    async fn kept(&self, workspace: &str, claim: &str) -> Result<Option<Kept>, AppError> {
        let found = self.store().claim(workspace, claim).await?;
        let now_ms = self.sources().now().ms();
        let Some(Claim { result: Some(result), .. }) = found.filter(|found| !found.is_expired(now_ms)) else {
            return Ok(None);
        };
        let damaged = |error| AppError::Failed(format!("the claim {claim} is damaged: {error}"));
        serde_json::from_slice(&result).map(Some).map_err(damaged)
    }

    /// Gives the outcome of the first sending, if this one is the same request. Large and rare: callers box it.
    async fn repeated(
        &self,
        workspace: &OpenWorkspace,
        attempt: &Attempt,
        kept: Kept,
    ) -> Result<Result<Rendered, AppError>, AppError> {
        if kept.digest != hexadecimal(&attempt.digest) {
            return Err(AppError::KeyReused);
        }
        let config = workspace.config();
        let rendered = match kept.outcome {
            Outcome::CreatedCase { id, tasks } => {
                self.created_case(workspace.id(), &id, &tasks, &config).await?
            }
            Outcome::Case { id, version } => {
                let case = self.case_at(workspace.id(), &id, version).await?;
                let case_number = case.number.unwrap_or_default();
                self.rendered_work(case.map(Work::Case), case_number, &config)
            }
            Outcome::Task { id, version } => {
                let task = self.task_at(workspace.id(), &id, version).await?;
                let case = self.case(workspace.id(), task.value.case.as_str(), &mut Reads::default()).await?;
                let case_number = case.and_then(|case| case.number).unwrap_or_default();
                self.rendered_work(task.map(Work::Task), case_number, &config)
            }
            Outcome::Plan { id, version } => {
                let task = self.task_at(workspace.id(), &id, version).await?;
                self.rendered_plan(workspace, &task).await?
            }
            Outcome::Attachment { id, version } => {
                let attachment = self.attachment_at(workspace.id(), &id, version).await?;
                rendered_attachment(&attachment)
            }
            Outcome::Comment { id, version } => {
                let comment = self.comment_at(workspace.id(), &id, version).await?;
                rendered_comment(&comment, &config)
            }
            Outcome::FeedbackLink { case, token, expires_ms } => {
                match self.repeated_link(workspace.id(), &case, &token, expires_ms) {
                    Ok(rendered) => rendered,
                    Err(error) => return Ok(Err(error)),
                }
            }
            Outcome::Purged => Rendered::nothing(),
            Outcome::NotFound => return Ok(Err(AppError::NotFound)),
            Outcome::NoAttachment => return Ok(Err(AppError::NoAttachment)),
            Outcome::VersionDiffers => return Ok(Err(AppError::VersionDiffers)),
            Outcome::Refused(faults) => return Ok(Err(AppError::Refused(faults))),
        };
        Ok(Ok(Rendered { is_replayed: true, ..rendered }))
    }

    async fn created_case(
        &self,
        workspace: &str,
        id: &str,
        tasks: &[String],
        config: &Workspace,
    ) -> Result<Rendered, AppError> {
        let case = self.case_at(workspace, id, FIRST_VERSION).await?;
        let mut made: Vec<Versioned<Task>> = Vec::with_capacity(tasks.len());
        for task in tasks {
            match self.task_at(workspace, task, FIRST_VERSION).await {
                Ok(task) => made.push(task),
                // It was purged since, and its case not.
                Err(AppError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let tasks: Vec<(&Task, u64)> =
            made.iter().map(|task| (&task.value, task.number.unwrap_or_default())).collect();
        let body = write_created_case(&case.value, case.number.unwrap_or_default(), &tasks, config);
        Ok(Rendered { body: Bytes::from(body), version: case.version, is_replayed: false })
    }

    /// Gives a case as it was at a version, or as it is where the log no longer tells. One that was purged is not found.
    async fn case_at(&self, workspace: &str, id: &str, version: u64) -> Result<Versioned<Case>, AppError> {
        let stored = self.case(workspace, id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
        let number = stored.number;
        let former = self.version(workspace, &stored.clone().map(Record::Case), version).await?;
        Ok(former.map_or(stored, |value| Versioned { version, number, value }))
    }

    /// Gives an attachment as it was at a version, or as it is where the log no longer tells. One that was purged is not found.
    async fn attachment_at(
        &self,
        workspace: &str,
        id: &str,
        version: u64,
    ) -> Result<Versioned<Attachment>, AppError> {
        let stored =
            self.attachment(workspace, id, &mut Reads::default()).await?.ok_or(AppError::NoAttachment)?;
        let former = self.version(workspace, &stored.clone().map(Record::Attachment), version).await?;
        Ok(former.map_or(stored, |value| Versioned { version, number: None, value }))
    }

    /// Gives a comment as it was at a version, or as it is where the log no longer tells. One that was purged is not found.
    async fn comment_at(
        &self,
        workspace: &str,
        id: &str,
        version: u64,
    ) -> Result<Versioned<Comment>, AppError> {
        let stored = self.comment(workspace, id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
        let former = self.version(workspace, &stored.clone().map(Record::Comment), version).await?;
        Ok(former.map_or(stored, |value| Versioned { version, number: None, value }))
    }

    /// Gives a task as it was at a version, or as it is where the log no longer tells. One that was purged is not found.
    async fn task_at(&self, workspace: &str, id: &str, version: u64) -> Result<Versioned<Task>, AppError> {
        let stored = self.task(workspace, id, &mut Reads::default()).await?.ok_or(AppError::NotFound)?;
        let number = stored.number;
        let former = self.version(workspace, &stored.clone().map(Record::Task), version).await?;
        Ok(former.map_or(stored, |value| Versioned { version, number, value }))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
