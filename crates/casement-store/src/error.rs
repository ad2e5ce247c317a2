//! What can go wrong in the store, and how well it is.
//!
//! Each sentence says what happened and, where an operator can do something, what. None of them
//! is meant for a client of the API.

use std::path::PathBuf;

use thiserror::Error;

/// Why the store could not be opened or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process, or another store of this one, has the data directory.
    #[error(
        "the data directory {path} is in use by another casement; stop that one or name another directory"
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// A restore into the data directory was broken off.
    #[error("the restore into {path} did not end; remove what is in the directory and restore again")]
    Unfinished {
        /// The data directory.
        path: PathBuf,
    },
    /// The database is absent or empty, and what lies beside it tells that there was one.
    #[error(
        "{} {what}, but {beside} of an installation is there; nothing was changed. Put the database back as it was, or restore \
         the last backup into a new directory (casement restore). If its data is on a database server, name that one \
         (database_url). For a new installation name an empty directory", path.display()
    )]
    Gone {
        /// The database file.
        path: PathBuf,
        /// What is the matter with it.
        what: &'static str,
        /// What is there.
        beside: String,
    },
    /// A later release has written the database.
    #[error(
        "the database has schema {found} and this release knows up to {supported}; run the release that \
         wrote it, or a later one"
    )]
    NewerSchema {
        /// The schema number of the database.
        found: u32,
        /// The latest schema number that this release knows.
        supported: u32,
    },
    /// The file is a database of some other program.
    #[error("{path} is not a database of casement; name another data directory")]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// The store is closed or its writer has stopped.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The question or the workspace is not acceptable as it stands.
    #[error("the store refuses: {0}")]
    Refused(String),
    /// The answer would be larger than a limit allows.
    #[error("more than {limit} {what}; the store does not read as many at once")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The data directory or a file in it could not be used.
    #[error("could not {action} {path}; look at the disk and at the permissions")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// SQLite reported an error.
    #[error("the database reported an error: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A database server can't be reached now, or ended the connection. Trying again may help.
    #[error("{0}")]
    Unreachable(String),
    /// A database server is not set up so that it can be used, or refuses. Only an operator can help.
    #[error("{0}")]
    Unusable(String),
    /// A row holds what no release has written.
    #[error("the database is damaged: {0}; restore it from a backup")]
    Damaged(String),
}

/// Why a set was not committed, or is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
    /// What the decision read has changed since: load, decide and commit again. All misses are
    /// listed.
    #[error("{} of the set's guards missed", .0.len())]
    Missed(Vec<Miss>),
    /// The set itself is not acceptable; committing it again gives the same answer.
    #[error("the set is not acceptable: {0}")]
    Refused(String),
    /// The queue is full; nothing was written. Try again later.
    #[error("too many sets wait for the writer; try again later")]
    Overloaded,
    /// The store takes no sets now; nothing was written.
    #[error("the store does not take writes: {0}")]
    Unavailable(String),
    /// The store can't tell how this set ended: it may be there or not. A restart tells.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
}

/// One guard of a set that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// A document has another version than was read.
    Document {
        /// The document's kind.
        kind: String,
        /// The document's id.
        id: String,
        /// The version that the set named, 0 for absent.
        expected: u64,
        /// The version that the document has, 0 for absent.
        found: u64,
    },
    /// A key is held by another than the set relied on.
    Claim {
        /// The key.
        key: String,
    },
    /// The log of another workspace is longer than was read.
    Head {
        /// The workspace.
        workspace: String,
        /// The sequence number that the set named.
        expected: u64,
        /// That of the last event.
        found: u64,
    },
    /// The workspace's configuration has changed.
    Config {
        /// The version that the set named.
        expected: u64,
        /// The version that the workspace has.
        found: u64,
    },
}

/// How well the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes sets.
    Ready,
    /// The disk or the quota is full. Sets are refused, reads go on; the store tries by itself
    /// until it can write again.
    Full {
        /// What happened and what to do, in a sentence.
        reason: String,
    },
    /// The database can't be reached, or the server behind it takes no writes. The store connects by itself when it can.
    Unreachable {
        /// What happened and what to do, in a sentence.
        reason: String,
    },
    /// Writing has stopped for good: after a failed write to the disk only a restart can tell what
    /// is on it. Reads go on.
    RestartRequired {
        /// What happened and what to do, in a sentence.
        reason: String,
    },
}
