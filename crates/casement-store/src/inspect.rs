//! Looking at a data directory from outside: without its lock, beside a server at work, changing nothing.
//!
//! For whoever wants to know whether what is stored is sound. It asks and counts; what an answer means is judged above.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::path::Path;

use rusqlite::Connection;

use crate::document::{Document, WorkspaceRow};
use crate::error::StoreError;
use crate::event::{ChainReport, Event};
use crate::sqlite::reader::{self, Readers};
use crate::sqlite::{inspecting, schema, verify};
use crate::{limits, lock};

/// A database that is looked at.
#[derive(Debug)]
pub struct Inspection {
    readers: Readers,
    connection: Connection,
    schema: u32,
}

/// How thoroughly the database file is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every page, without comparing tables with their indexes.
    Quick,
    /// Every page and every index.
    Full,
}

/// The numbers that the documents of a kind have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The kind.
    pub kind: String,
    /// How many documents have a number.
    pub count: u64,
    /// How many different numbers there are.
    pub distinct: u64,
    /// The smallest.
    pub first: u64,
    /// The largest.
    pub last: u64,
}

/// The counters of a workspace and the numbers that they gave, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// The next number of each counter.
    pub counters: BTreeMap<String, u64>,
    /// The numbers of each kind whose documents have some.
    pub kinds: Vec<Numbers>,
}

/// A backup that follows the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Its directory.
    pub target: String,
    /// When the oldest change was made that it does not hold, in milliseconds since 1970; `None` when it holds all.
    pub lacks_since_ms: Option<i64>,
}

/// Says whether a process uses a data directory at this moment.
///
/// # Errors
/// The lock can't be looked at.
pub fn is_in_use(directory: &Path) -> Result<bool, StoreError> {
    let path = directory.join(lock::LOCK);
    let failed = |source| StoreError::Io { action: "look at", path: path.clone(), source };
    match std::fs::File::open(&path) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Says whether a restore into a data directory was broken off.
pub fn is_unfinished(directory: &Path) -> bool {
    directory.join(lock::RESTORING).exists()
}

impl Inspection {
    /// Opens the database of a data directory for looking at it. An older schema is looked at as it is.
    ///
    /// # Errors
    /// There is no database, it is not ours, of a later release, or can't be read.
    pub fn open(directory: &Path) -> Result<Inspection, StoreError> {
        let path = directory.join(lock::DATABASE);
        let connection = schema::open_reader(&path)?;
        let schema = schema::schema(&connection, &path)?;
        let readers = Readers::open(&path, 1)?;
        Ok(Inspection { readers, connection, schema })
    }

    /// Gives the schema of the database, and the latest that this release knows.
    pub fn schema(&self) -> (u32, u32) {
        (self.schema, schema::latest())
    }

    /// Checks the database file; gives what is wrong with it, a hundred faults at the most.
    ///
    /// # Errors
    /// It can't be read.
    pub fn faults(&self, depth: Depth) -> Result<Vec<String>, StoreError> {
        inspecting::faults(&self.connection, depth)
    }

    /// Lists the workspaces.
    ///
    /// # Errors
    /// They can't be read.
    pub fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        reader::workspaces(&self.connection)
    }

    /// Walks a workspace's log, as [`crate::store::Store::verify`] does.
    ///
    /// # Errors
    /// It can't be read.
    pub fn chain(&self, workspace: &str) -> Result<ChainReport, StoreError> {
        verify::verify(&self.readers, workspace)
    }

    /// Lists the kinds of documents that a workspace has.
    ///
    /// # Errors
    /// They can't be read.
    pub fn kinds(&self, workspace: &str) -> Result<Vec<String>, StoreError> {
        inspecting::kinds(&self.connection, workspace)
    }

    /// Gives a page of the documents of a kind in the order of their ids, after `after`.
    ///
    /// # Errors
    /// They can't be read.
    pub fn documents(
        &self,
        workspace: &str,
        kind: &str,
        after: Option<&str>,
    ) -> Result<Vec<Document>, StoreError> {
        reader::scan(&self.connection, workspace, kind, after, limits::INSPECT_PAGE)
    }

    /// Gives counters and numbers of a workspace.
    ///
    /// # Errors
    /// They can't be read.
    pub fn numbering(&self, workspace: &str) -> Result<Numbering, StoreError> {
        inspecting::numbering(&self.connection, workspace)
    }

    /// Counts the documents whose last event is not theirs.
    ///
    /// # Errors
    /// They can't be read.
    pub fn strays(&self, workspace: &str) -> Result<u64, StoreError> {
        inspecting::strays(&self.connection, workspace)
    }

    /// Counts the claims that have ended before a moment, in milliseconds since 1970, and are still there.
    ///
    /// # Errors
    /// They can't be read.
    pub fn ended_claims(&self, workspace: &str, before_ms: i64) -> Result<u64, StoreError> {
        inspecting::ended_claims(&self.connection, workspace, before_ms)
    }

    /// Gives the last events of a workspace, in order.
    ///
    /// # Errors
    /// They can't be read.
    pub fn last_events(&self, workspace: &WorkspaceRow) -> Result<Vec<Event>, StoreError> {
        let page = u64::try_from(limits::INSPECT_PAGE).unwrap_or(u64::MAX);
        let after = workspace.head.saturating_sub(page);
        reader::events(&self.connection, &workspace.id, after, limits::INSPECT_PAGE)
    }

    /// Lists the backups that follow the store.
    ///
    /// # Errors
    /// They can't be read.
    pub fn followers(&self) -> Result<Vec<Follower>, StoreError> {
        if self.schema < schema::WITH_JOURNAL {
            Ok(Vec::new())
        } else {
            inspecting::followers(&self.connection)
        }
    }

    /// Gives who the store is to its backups, `None` before the first.
    ///
    /// # Errors
    /// It can't be read.
    pub fn identity(&self) -> Result<Option<String>, StoreError> {
        if self.schema < schema::WITH_JOURNAL { Ok(None) } else { inspecting::identity(&self.connection) }
    }
}
