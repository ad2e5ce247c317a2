//! Moving up: everything of an embedded database into a server's, unchanged, while no server runs on the first.
//!
//! Rows are copied page by page, each page a transaction, in the order of their keys: a transfer that was broken off goes on
//! behind the last row that is there. In the end every log is walked and every document and claim is read again on both sides
//! and compared by count and hash; only then workspaces appear in the new database, all at once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::Connection;

use crate::document::{Claim, Document, WorkspaceRow};
use crate::error::StoreError;
use crate::lock::{self, DirectoryLock};
use crate::options::Server;
use crate::postgres::connect::{Purpose, Target};
use crate::postgres::link::Link;
use crate::postgres::{reader as served, schema as served_schema, transferring, verify as served_verify};
use crate::sqlite::{inspecting, reader, schema, transferring as embedded};
use crate::{chain, limits};

/// How far a transfer is, for whoever shows it.
#[derive(Debug, Default)]
pub struct Course {
    total: AtomicU64,
    done: AtomicU64,
}

impl Course {
    /// Gives how many rows are to be copied and checked, and how many have been.
    pub fn rows(&self) -> (u64, u64) {
        (self.total.load(Ordering::Relaxed), self.done.load(Ordering::Relaxed))
    }

    fn expect(&self, rows: u64) {
        self.total.fetch_add(rows, Ordering::Relaxed);
    }

    fn done(&self, rows: usize) {
        self.done.fetch_add(rows as u64, Ordering::Relaxed);
    }
}

/// What was moved of one workspace, found equal on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The workspace.
    pub workspace: String,
    /// Its events.
    pub events: u64,
    /// Its documents.
    pub documents: u64,
    /// Its claims.
    pub claims: u64,
    /// The hash of the last event, in hexadecimal.
    pub head_hash: String,
    /// The hash of all documents and claims, in hexadecimal.
    pub content_hash: String,
}

/// Both ends of a transfer.
struct Ends {
    connection: Connection,
    link: Link,
    _lock: DirectoryLock,
}

/// Moves everything from a data directory that nobody uses into an empty database, or goes on with that.
///
/// # Errors
/// The directory is in use or of another schema, the database holds something else, one of them fails, or what was moved is
/// not what was there.
pub async fn transfer(from: &Path, to: Server, course: Arc<Course>) -> Result<Vec<Moved>, StoreError> {
    let path = from.join(lock::DATABASE);
    if !path.exists() {
        return Err(StoreError::Refused(format!("{} holds no data", from.display())));
    }
    let lock = lock::take(from)?;
    let connection = schema::open_reader(&path)?;
    let (found, latest) = (schema::schema(&connection, &path)?, schema::latest());
    if found < latest {
        return Err(StoreError::Refused(format!(
            "the database in {} has schema {found} and this release {latest}: start this release on it once",
            from.display()
        )));
    }
    let target = Target::new(to.url, to.fresh_reads)?;
    let link = target.link(&Purpose::Transfer, 0).await?;
    served_schema::migrate(&link).await?;
    let ends = Ends { connection, link, _lock: lock };
    let workspaces = reader::workspaces(&ends.connection)?;
    let source = source(&ends.connection, &workspaces)?;
    transferring::begin(&ends.link, &source, from).await?;
    for workspace in &workspaces {
        let rows = embedded::count(&ends.connection, &workspace.id)?;
        // Copied, then read again.
        course.expect(rows.saturating_add(workspace.head) * 2);
    }
    for workspace in &workspaces {
        ends.copy_events(workspace, &course).await?;
        ends.copy_documents(workspace, &course).await?;
        ends.copy_claims(workspace, &course).await?;
    }
    let mut moved = Vec::with_capacity(workspaces.len());
    for workspace in &workspaces {
        moved.push(ends.compare(workspace, &course).await?);
    }
    let rows = workspaces.iter().map(|workspace| {
        let hash = embedded::head_hash(&ends.connection, &workspace.id)?;
        Ok((workspace, hash))
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    transferring::end(&ends.link, &source, &rows).await?;
    Ok(moved)
}

/// Names a database by what its logs end with: a transfer goes on only from the very state that it began with.
fn source(connection: &Connection, workspaces: &[WorkspaceRow]) -> Result<String, StoreError> {
    let mut context = Context::new(&SHA256);
    for workspace in workspaces {
        context.update(workspace.id.as_bytes());
        context.update(&embedded::head_hash(connection, &workspace.id)?);
    }
    Ok(hex(context.finish().as_ref()))
}

impl Ends {
    async fn copy_events(&self, workspace: &WorkspaceRow, course: &Course) -> Result<(), StoreError> {
        let mut after = transferring::last_event(&self.link, &workspace.id).await?;
        course.done(usize::try_from(after).unwrap_or_default());
        loop {
            let page = reader::events(&self.connection, &workspace.id, after, limits::TRANSFER_PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.sequence;
            transferring::insert_events(&self.link, &workspace.id, &page).await?;
            course.done(page.len());
        }
    }

    async fn copy_documents(&self, workspace: &WorkspaceRow, course: &Course) -> Result<(), StoreError> {
        for kind in inspecting::kinds(&self.connection, &workspace.id)? {
            let (mut after, count) = transferring::last_document(&self.link, &workspace.id, &kind).await?;
            course.done(usize::try_from(count).unwrap_or_default());
            loop {
                let page = self.documents(workspace, &kind, after.as_deref())?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                transferring::insert_documents(&self.link, &workspace.id, &page).await?;
                course.done(page.len());
            }
        }
        Ok(())
    }

    async fn copy_claims(&self, workspace: &WorkspaceRow, course: &Course) -> Result<(), StoreError> {
        let (mut after, count) = transferring::last_claim(&self.link, &workspace.id).await?;
        course.done(usize::try_from(count).unwrap_or_default());
        loop {
            let page = embedded::claims(&self.connection, &workspace.id, &after, limits::TRANSFER_PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.key.clone();
            transferring::insert_claims(&self.link, &workspace.id, &page).await?;
            course.done(page.len());
        }
    }

    fn documents(
        &self,
        workspace: &WorkspaceRow,
        kind: &str,
        after: Option<&str>,
    ) -> Result<Vec<Document>, StoreError> {
        reader::scan(&self.connection, &workspace.id, kind, after, limits::TRANSFER_PAGE)
    }

    /// Reads everything of a workspace again on both sides and compares it.
    async fn compare(&self, workspace: &WorkspaceRow, course: &Course) -> Result<Moved, StoreError> {
        let id = &workspace.id;
        let differ = |what: &str| {
            StoreError::Damaged(format!("workspace {id}: {what} of the two databases are not the same"))
        };
        let head_hash = embedded::head_hash(&self.connection, id)?;
        served_verify::ends_with(&self.link, id, workspace.head, &head_hash)
            .await?
            .map_or(Ok(()), |fault| {
                Err(differ(&format!("the logs (at event {}: {})", fault.sequence, fault.reason)))
            })?;
        course.done(usize::try_from(workspace.head).unwrap_or_default());
        let (mut left, mut right) = (Sum::new(), Sum::new());
        let kinds = inspecting::kinds(&self.connection, id)?;
        if kinds != crate::postgres::inspecting::kinds(&self.link, id).await? {
            return Err(differ("the kinds of documents"));
        }
        for kind in kinds {
            let mut after: Option<String> = None;
            loop {
                let page = self.documents(workspace, &kind, after.as_deref())?;
                let other =
                    served::scan(&self.link, id, &kind, after.as_deref(), limits::TRANSFER_PAGE).await?;
                page.iter().for_each(|document| left.document(document));
                other.iter().for_each(|document| right.document(document));
                course.done(page.len());
                if page.is_empty() && other.is_empty() {
                    break;
                }
                match page.last() {
                    Some(last) if page.len() == other.len() => after = Some(last.id.clone()),
                    Some(_) | None => return Err(differ("the numbers of documents")),
                }
            }
        }
        let documents = left.count;
        let mut after = String::new();
        loop {
            let page = embedded::claims(&self.connection, id, &after, limits::TRANSFER_PAGE)?;
            let other = transferring::claims(&self.link, id, &after).await?;
            page.iter().for_each(|claim| left.claim(claim));
            other.iter().for_each(|claim| right.claim(claim));
            course.done(page.len());
            if page.is_empty() && other.is_empty() {
                break;
            }
            match page.last() {
                Some(last) if page.len() == other.len() => after = last.key.clone(),
                Some(_) | None => return Err(differ("the numbers of claims")),
            }
        }
        let claims = left.count - documents;
        let (left, right) = (left.finish(), right.finish());
        if left != right {
            return Err(differ("documents or claims"));
        }
        Ok(Moved {
            workspace: id.clone(),
            events: workspace.head,
            documents,
            claims,
            head_hash: hex(&head_hash),
            content_hash: left,
        })
    }
}

/// A count and a hash over rows in order.
struct Sum {
    count: u64,
    context: Context,
}

impl Sum {
    fn new() -> Sum {
        Sum { count: 0, context: Context::new(&SHA256) }
    }

    fn part(&mut self, bytes: &[u8]) {
        self.context.update(&(bytes.len() as u64).to_be_bytes());
        self.context.update(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.context.update(&[u8::from(bytes.is_some())]);
        self.part(bytes.unwrap_or_default());
    }

    fn document(&mut self, document: &Document) {
        let Document { kind, id, parent, number, version, sequence, schema, body } = document;
        self.count += 1;
        self.part(kind.as_bytes());
        self.part(id.as_bytes());
        self.optional(parent.as_deref().map(str::as_bytes));
        self.optional(number.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        self.part(&version.to_be_bytes());
        self.part(&sequence.to_be_bytes());
        self.part(&schema.to_be_bytes());
        self.part(body);
    }

    fn claim(&mut self, claim: &Claim) {
        let Claim { key, document, result, expires_ms } = claim;
        self.count += 1;
        self.part(key.as_bytes());
        self.part(document.as_bytes());
        self.optional(result.as_deref());
        self.optional(expires_ms.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    fn finish(self) -> String {
        hex(self.context.finish().as_ref())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash that a log without an event ends with.
pub(crate) const EMPTY: [u8; 32] = chain::GENESIS;
