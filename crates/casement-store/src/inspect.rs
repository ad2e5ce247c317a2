//! Looking at a data directory or database server from outside: without a lock, beside a server at work, changing nothing.
//!
//! For whoever wants to know whether what is stored is sound. It asks and counts; what an answer means is judged above.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::path::Path;

use rusqlite::Connection;
use tokio::runtime::Runtime;

use crate::document::{Document, WorkspaceRow};
use crate::error::StoreError;
use crate::event::{ChainReport, Event};
use crate::options::Server;
use crate::postgres::connect::{Purpose, Target};
use crate::postgres::link::Link;
use crate::sqlite::reader::{self, Readers};
use crate::sqlite::{inspecting, schema, verify};
use crate::{limits, lock, postgres};

/// A database that is looked at.
#[derive(Debug)]
pub struct Inspection {
    place: Place,
    schema: u32,
}

#[derive(Debug)]
enum Place {
    File { readers: Readers, connection: Box<Connection> },
    Server(Box<Served>),
}

/// A server that is looked at, from a thread that may be held up.
#[derive(Debug)]
struct Served {
    runtime: Runtime,
    link: Link,
    warnings: Vec<String>,
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
    /// When it took something last, in milliseconds since 1970.
    pub at_ms: i64,
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

/// Tells of a database that is absent or empty where something tells that there was one.
///
/// # Errors
/// It is so ([`StoreError::Gone`]), or the directory can't be looked at.
pub fn check_not_gone(directory: &Path) -> Result<(), StoreError> {
    lock::refuse_without_database(directory)
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
        let place = Place::File { readers: Readers::open(&path, 1)?, connection: Box::new(connection) };
        Ok(Inspection { place, schema })
    }

    /// Connects to a database server for looking at what is stored there. Not for tasks of a runtime: it waits on the
    /// calling thread.
    ///
    /// # Errors
    /// The server can't be reached or is not set up so that it can be used, holds none of our tables or those of a later
    /// release.
    pub fn connect(server: &Server) -> Result<Inspection, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| StoreError::Io {
            action: "start a runtime for",
            path: "the database".into(),
            source,
        })?;
        let (link, warnings, schema) = runtime.block_on(async {
            let target = Target::new(server.url.clone(), server.fresh_reads)?;
            let link = target.link(&Purpose::Read(limits::INSPECT_WAIT), 0).await?;
            let warnings = target.warnings(&link).await?;
            let schema = postgres::schema::schema(&link).await?;
            Ok::<_, StoreError>((link, warnings, schema))
        })?;
        if schema == 0 {
            let sentence = "the database holds no data; `casement init` or `casement serve` makes it";
            return Err(StoreError::Unusable(sentence.into()));
        }
        Ok(Inspection { place: Place::Server(Box::new(Served { runtime, link, warnings })), schema })
    }

    /// Gives what an operator should know about the server; `None`: the database is a file.
    pub fn server_warnings(&self) -> Option<&[String]> {
        match &self.place {
            Place::File { .. } => None,
            Place::Server(served) => Some(&served.warnings),
        }
    }

    /// Gives the schema of the database, and the latest that this release knows.
    pub fn schema(&self) -> (u32, u32) {
        let latest = match &self.place {
            Place::File { .. } => schema::latest(),
            Place::Server(_) => postgres::schema::latest(),
        };
        (self.schema, latest)
    }

    /// Checks the database file; gives what is wrong with it, a hundred faults at the most. A server checks its own
    /// (`pg_amcheck`): then nothing is found here.
    ///
    /// # Errors
    /// It can't be read.
    pub fn faults(&self, depth: Depth) -> Result<Vec<String>, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } => inspecting::faults(connection, depth),
            Place::Server(served) => {
                let _ = served;
                Ok(Vec::new())
            }
        }
    }

    /// Lists the workspaces.
    ///
    /// # Errors
    /// They can't be read.
    pub fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } => reader::workspaces(connection),
            Place::Server(served) => served.runtime.block_on(postgres::reader::workspaces(&served.link)),
        }
    }

    /// Walks a workspace's log, as [`crate::store::Store::verify`] does.
    ///
    /// # Errors
    /// It can't be read.
    pub fn chain(&self, workspace: &str) -> Result<ChainReport, StoreError> {
        match &self.place {
            Place::File { readers, connection: _ } => verify::verify(readers, workspace),
            Place::Server(served) => {
                served.runtime.block_on(postgres::verify::of_link(&served.link, workspace))
            }
        }
    }

    /// Lists the kinds of documents that a workspace has.
    ///
    /// # Errors
    /// They can't be read.
    pub fn kinds(&self, workspace: &str) -> Result<Vec<String>, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } => inspecting::kinds(connection, workspace),
            Place::Server(served) => {
                served.runtime.block_on(postgres::inspecting::kinds(&served.link, workspace))
            }
        }
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
        match &self.place {
            Place::File { readers: _, connection } => {
                reader::scan(connection, workspace, kind, after, limits::INSPECT_PAGE)
            }
            Place::Server(served) => {
                let page = postgres::reader::scan(&served.link, workspace, kind, after, limits::INSPECT_PAGE);
                served.runtime.block_on(page)
            }
        }
    }

    /// Gives counters and numbers of a workspace.
    ///
    /// # Errors
    /// They can't be read.
    pub fn numbering(&self, workspace: &str) -> Result<Numbering, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } => inspecting::numbering(connection, workspace),
            Place::Server(served) => {
                served.runtime.block_on(postgres::inspecting::numbering(&served.link, workspace))
            }
        }
    }

    /// Counts the documents whose last event is not theirs.
    ///
    /// # Errors
    /// They can't be read.
    pub fn strays(&self, workspace: &str) -> Result<u64, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } => inspecting::strays(connection, workspace),
            Place::Server(served) => {
                served.runtime.block_on(postgres::inspecting::strays(&served.link, workspace))
            }
        }
    }

    /// Counts the claims that have ended before a moment, in milliseconds since 1970, and are still there.
    ///
    /// # Errors
    /// They can't be read.
    pub fn ended_claims(&self, workspace: &str, before_ms: i64) -> Result<u64, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } => {
                inspecting::ended_claims(connection, workspace, before_ms)
            }
            Place::Server(served) => {
                let count = postgres::inspecting::ended_claims(&served.link, workspace, before_ms);
                served.runtime.block_on(count)
            }
        }
    }

    /// Gives the last events of a workspace, in order.
    ///
    /// # Errors
    /// They can't be read.
    pub fn last_events(&self, workspace: &WorkspaceRow) -> Result<Vec<Event>, StoreError> {
        let page = u64::try_from(limits::INSPECT_PAGE).unwrap_or(u64::MAX);
        let after = workspace.head.saturating_sub(page);
        match &self.place {
            Place::File { readers: _, connection } => {
                reader::events(connection, &workspace.id, after, limits::INSPECT_PAGE)
            }
            Place::Server(served) => {
                let events =
                    postgres::reader::events(&served.link, &workspace.id, after, limits::INSPECT_PAGE);
                served.runtime.block_on(events)
            }
        }
    }

    /// Lists the backups that follow the store.
    ///
    /// # Errors
    /// They can't be read.
    pub fn followers(&self) -> Result<Vec<Follower>, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } if self.schema >= schema::WITH_JOURNAL => {
                inspecting::followers(connection)
            }
            Place::File { .. } | Place::Server(_) => Ok(Vec::new()),
        }
    }

    /// Gives who the store is to its backups, `None` before the first.
    ///
    /// # Errors
    /// It can't be read.
    pub fn identity(&self) -> Result<Option<String>, StoreError> {
        match &self.place {
            Place::File { readers: _, connection } if self.schema >= schema::WITH_JOURNAL => {
                inspecting::identity(connection)
            }
            Place::File { .. } | Place::Server(_) => Ok(None),
        }
    }
}
