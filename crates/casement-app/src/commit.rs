//! From a decision to a write set: what it read becomes guards, what it changes becomes documents, claims and events.

use casement_domain::actor::Actor;
use casement_domain::change::{Change, Record, RecordChange};
use casement_domain::customer::Customer;
use casement_domain::date::Moment;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::list::row::Work;
use casement_domain::workspace::Workspace;
use casement_store::document::Document;
use casement_store::error::{CommitError, Miss};
use casement_store::set::{
    ClaimGuard, ClaimWrite, Committed, DocumentWrite, EventWrite, Guard, HeadGuard, WriteSet,
};

use crate::access::{Access, Grant};
use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::index::entry::Entry;
use crate::installation::INSTALLATION;
use crate::limits;
use crate::once::{Outcome, Ticket};
use crate::purge::{self, Portion};
use crate::sources::Sources;
use crate::trace;
use crate::workspace::OpenWorkspace;
use tracing::Instrument;

/// What a decision read besides the documents that it writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reads {
    /// Documents with the version read; 0 for those that were absent.
    pub documents: Vec<Guard>,
    /// Unique keys with the holder read.
    pub claims: Vec<ClaimGuard>,
}

impl Reads {
    /// Notes that a document was read.
    pub fn document(&mut self, kind: &str, id: &str, version: u64) {
        let guard = Guard { kind: kind.to_owned(), id: id.to_owned(), version };
        if !self.documents.contains(&guard) {
            self.documents.push(guard);
        }
    }

    /// Notes that a unique key was read.
    pub fn claim(&mut self, key: &str, document: Option<String>) {
        self.claims.push(ClaimGuard { key: key.to_owned(), document });
    }
}

/// A decision that is ready to be committed.
#[derive(Debug)]
pub struct Pending {
    set: WriteSet,
    entries: Vec<Option<Entry>>,
    /// By what the request was let in; `None` for the server itself.
    grant: Option<Grant>,
}

impl Pending {
    /// Puts a key that the decision read; its guard is among what was read.
    pub(crate) fn put_claim(&mut self, claim: ClaimWrite) {
        self.set.claims.push(claim);
    }

    /// Adds what is erased: of whole documents a row stays that says when, of a part the document as it is.
    pub(crate) fn erase(&mut self, portion: &Portion, at: Moment, sources: &Sources) {
        let set = &mut self.set;
        for (document, until) in &portion.whole {
            let Document { kind, id, version, .. } = document;
            set.guards.retain(|guard| guard.kind != *kind || guard.id != *id);
            set.documents.push(DocumentWrite {
                kind: kind.clone(),
                id: id.clone(),
                parent: None,
                version: *version,
                counter: None,
                schema: body::PURGED_SCHEMA,
                body: purge::left(at),
            });
            set.events.push(EventWrite::erasing(kind, id, *until, sources.salt()));
        }
        if let Some((Document { kind, id, version, .. }, until)) = &portion.part {
            let guard = Guard { kind: kind.clone(), id: id.clone(), version: *version };
            if !set.guards.contains(&guard) {
                set.guards.push(guard);
            }
            set.events.push(EventWrite::erasing(kind, id, *until, sources.salt()));
        }
    }

    /// Keeps an outcome for repetitions of the request.
    pub(crate) fn keep_outcome(&mut self, ticket: &Ticket<'_>, outcome: Outcome) {
        ticket.stamp_outcome(&mut self.set, outcome);
    }
}

/// Who acts, through which app, and when.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// Who acts.
    pub actor: &'a Actor,
    /// The app's client id; empty for the server itself.
    pub app: &'a str,
    /// When.
    pub at: Moment,
    /// By what a request was let in; `None` for the server itself.
    pub(crate) grant: Option<&'a Grant>,
}

impl<'a> Act<'a> {
    /// What a request does.
    pub fn of(access: &'a Access, at: Moment) -> Self {
        Self { actor: &access.actor, app: access.app.as_str(), at, grant: Some(&access.grant) }
    }

    /// What somebody does who is no request.
    pub fn of_server(actor: &'a Actor, app: &'a str, at: Moment) -> Self {
        Self { actor, app, at, grant: None }
    }
}

/// The key that a customer's e-mail address claims.
pub fn email_claim(email: &str) -> String {
    format!("customer.email:{}", casement_domain::text::fold_email(email))
}

/// The key that a customer's phone number claims.
pub fn phone_claim(phone: &str) -> String {
    format!("customer.phone:{phone}")
}

/// Makes the write set of a change; with a ticket, it keeps the outcome for repetitions of the request.
///
/// # Errors
/// A document would be too large to be stored.
pub(crate) fn pending(
    workspace: &Workspace,
    act: Act<'_>,
    change: &Change,
    reads: Reads,
    ticket: Option<&Ticket<'_>>,
    sources: &Sources,
) -> Result<Pending, AppError> {
    let mut set = write_set(workspace, act, change, reads, sources)?;
    if let Some(ticket) = ticket {
        ticket.stamp(&mut set, change);
    }
    Ok(Pending { set, entries: entries(change), grant: act.grant.cloned() })
}

/// Makes the write set of a decision that writes keys alone, without an event; with a ticket, it keeps the outcome for
/// repetitions of the request.
pub(crate) fn pending_claims(
    workspace: &Workspace,
    act: Act<'_>,
    claims: Vec<ClaimWrite>,
    reads: Reads,
    ticket: Option<(&Ticket<'_>, Outcome)>,
    sources: &Sources,
) -> Pending {
    let mut set = WriteSet {
        workspace: workspace.stream.to_string(),
        operation: sources.operation(),
        at_ms: act.at.ms(),
        actor: act.actor.id.to_string(),
        app: act.app.to_owned(),
        config_version: Some(workspace.config_version),
        changes_config: false,
        guards: reads.documents,
        claim_guards: reads.claims,
        head_guards: Vec::new(),
        documents: Vec::new(),
        claims,
        events: Vec::new(),
    };
    if let Some((ticket, outcome)) = ticket {
        ticket.stamp_outcome(&mut set, outcome);
    }
    Pending { set, entries: Vec::new(), grant: act.grant.cloned() }
}

/// Works out the entries of the index for what a change writes, in its order.
pub(crate) fn entries(change: &Change) -> Vec<Option<Entry>> {
    change.records.iter().map(|record| entry(&record.after)).collect()
}

/// Makes the write set of a change alone.
///
/// # Errors
/// A document would be too large to be stored.
pub(crate) fn write_set(
    workspace: &Workspace,
    act: Act<'_>,
    change: &Change,
    mut reads: Reads,
    sources: &Sources,
) -> Result<WriteSet, AppError> {
    let mut documents = Vec::with_capacity(change.records.len());
    let mut events = Vec::with_capacity(change.records.len());
    let mut claims = Vec::new();
    for record in &change.records {
        let (write, event) = written(record, sources);
        if write.body.len() > limits::BODY_BYTES_MAX {
            let mut faults = Faults::new();
            let message = format!("the document would be larger than {} bytes", limits::BODY_BYTES_MAX);
            faults.add(FaultKind::Unprocessable, Key::Body, message);
            return Err(AppError::Refused(faults));
        }
        reads.documents.retain(|guard| guard.kind != write.kind || guard.id != write.id);
        documents.push(write);
        events.push(event);
        if let Record::Customer(after) = &record.after {
            let before = record.before.as_ref().and_then(|before| match &before.value {
                Record::Customer(customer) => Some(customer),
                Record::Case(_)
                | Record::Task(_)
                | Record::Attachment(_)
                | Record::Usage(_)
                | Record::Comment(_) => None,
            });
            claims.extend(customer_claims(before, after));
        }
    }
    let bytes: usize = documents.iter().map(|write| write.body.len()).sum::<usize>()
        + events.iter().filter_map(|event| event.changes.as_ref()).map(Vec::len).sum::<usize>();
    if bytes > limits::SET_BYTES_MAX {
        let mut faults = Faults::new();
        let message =
            format!("the documents that change together take more than {} bytes", limits::SET_BYTES_MAX);
        faults.add(FaultKind::Unprocessable, Key::Body, message);
        return Err(AppError::Refused(faults));
    }
    Ok(WriteSet {
        workspace: workspace.stream.to_string(),
        operation: sources.operation(),
        at_ms: act.at.ms(),
        actor: act.actor.id.to_string(),
        app: act.app.to_owned(),
        config_version: Some(workspace.config_version),
        changes_config: false,
        guards: reads.documents,
        claim_guards: reads.claims,
        head_guards: Vec::new(),
        documents,
        claims,
        events,
    })
}

fn written(record: &RecordChange, sources: &Sources) -> (DocumentWrite, EventWrite) {
    let place = body::place(&record.after);
    let after = body::encode_record(&record.after);
    let before = record.before.as_ref().map(|before| body::encode_record(&before.value));
    let changes = before.map(|before| body::changes(&before, &after));
    let event = EventWrite {
        kind: record.event.to_owned(),
        document_kind: place.kind.to_owned(),
        document: place.id.clone(),
        changes,
        salt: sources.salt(),
    };
    let write = DocumentWrite {
        kind: place.kind.to_owned(),
        id: place.id,
        parent: place.parent,
        version: record.before.as_ref().map_or(0, |before| before.version),
        counter: place.counter.filter(|_| record.before.is_none()).map(str::to_owned),
        schema: body::SCHEMA,
        body: after,
    };
    (write, event)
}

fn entry(record: &Record) -> Option<Entry> {
    match record {
        Record::Case(case) => Some(Entry::prepared(&Work::Case(case.clone()))),
        Record::Task(task) => Some(Entry::prepared(&Work::Task(task.clone()))),
        Record::Comment(comment) => Some(Entry::of_comment(comment)),
        Record::Customer(_) | Record::Attachment(_) | Record::Usage(_) => None,
    }
}

fn customer_claims(before: Option<&Customer>, after: &Customer) -> Vec<ClaimWrite> {
    let keys = |customer: &Customer| {
        let email = customer.email.as_deref().map(email_claim);
        email.into_iter().chain(customer.phone.as_deref().map(phone_claim)).collect::<Vec<String>>()
    };
    let held = before.map(keys).unwrap_or_default();
    let put =
        |key: String| ClaimWrite::Put { key, document: after.id.to_string(), result: None, expires_ms: None };
    keys(after).into_iter().filter(|key| !held.contains(key)).map(put).collect()
}

impl App {
    /// Commits a decision. `Ok(None)`: what it read has changed since, decide anew.
    ///
    /// # Errors
    /// The store takes no writes now, or another node has carried the same request out.
    pub(crate) async fn commit(
        &self,
        workspace: &OpenWorkspace,
        pending: Pending,
        ticket: Option<&Ticket<'_>>,
    ) -> Result<Option<Committed>, AppError> {
        let Pending { mut set, entries, grant } = pending;
        if let Some(grant) = grant.as_ref().filter(|_| self.store().is_shared()) {
            // First the number: what was granted is looked at as of it, or later.
            let sequence = *self.installation_applied().borrow();
            self.check_granted(&grant.app)?;
            set.head_guards.push(HeadGuard { workspace: INSTALLATION.to_owned(), sequence });
        }
        let operation = set.operation;
        // Taken back when the caller goes away before the follower took the entries: it then works them out itself.
        let _kept = self.prepared().keep(operation, entries);
        match self.store().commit(set).instrument(trace::commit()).await {
            Ok(committed) => Ok(Some(committed)),
            Err(CommitError::Missed(misses)) if ticket.is_some_and(|ticket| ticket.is_missed(&misses)) => {
                Err(AppError::InFlight)
            }
            Err(CommitError::Missed(misses)) => {
                self.wait_for_missed(workspace, &misses).await;
                let is_stale = grant.is_some_and(|grant| !grant.is_fresh);
                if is_stale
                    && !misses.iter().all(|miss| matches!(miss, Miss::Document { .. } | Miss::Claim { .. }))
                {
                    return Err(AppError::Stale);
                }
                Ok(None)
            }
            Err(error) => {
                let missed = || AppError::Failed("a miss was answered above".to_owned());
                Err(AppError::of_commit(error).unwrap_or_else(missed))
            }
        }
    }
}

impl App {
    /// Waits until what a commit missed of configuration and installation has come with the log, at most
    /// [`limits::CONFIG_WAIT`]. Past the wait the decision is made anew and misses again; its attempts are counted.
    pub(crate) async fn wait_for_missed(&self, workspace: &OpenWorkspace, misses: &[Miss]) {
        for miss in misses {
            match miss {
                Miss::Config { found, .. } => workspace.wait_for_config(*found).await,
                Miss::Head { found, .. } => {
                    let waiting = self.wait_for_installation(*found);
                    let _ = tokio::time::timeout(limits::CONFIG_WAIT, waiting).await;
                }
                Miss::Document { .. } | Miss::Claim { .. } => {}
            }
        }
    }
}

/// Ends a use case whose decision was overtaken too often.
pub(crate) fn contended() -> AppError {
    AppError::Unavailable("what was read changed again and again".to_owned())
}
