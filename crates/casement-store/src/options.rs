//! What an operator can set about the store.

use std::path::PathBuf;

use crate::database_url::DatabaseUrl;
use crate::limits;

/// Where the store lies and how much it may hold.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory: `casement.db`, its log and `lock` lie in it. Made, with mode 0700, if
    /// it is absent.
    pub directory: PathBuf,
    /// The read-only connections for point reads; at least one is opened.
    pub reader_connections: usize,
    /// The most sets that wait for the writer; at least one.
    pub queue_sets_max: usize,
    /// A quota for the database file in pages of 16 KiB, `None` for as much as the disk holds.
    /// Past it the store is [`crate::error::Health::Full`].
    pub database_pages_max: Option<u64>,
}

impl Options {
    /// Names the data directory and takes the defaults for the rest.
    pub fn new(directory: PathBuf) -> Options {
        Options {
            directory,
            reader_connections: limits::READER_CONNECTIONS,
            queue_sets_max: limits::QUEUE_SETS_MAX,
            database_pages_max: None,
        }
    }
}

/// How a read learns of everything that was acknowledged before it, on any node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreshReads {
    /// By a small commit: it waits for the standby like any other, so a primary that was replaced can't answer.
    Commit,
    /// By a plain question: enough where the server is never replaced by another.
    Plain,
}

/// The directory in which a node keeps what is not in the database: its key file, for example. Made if it is absent.
#[derive(Clone, Debug)]
pub enum Directory {
    /// For this store alone, as long as it is open.
    Own(PathBuf),
    /// For this one beside others.
    Common(PathBuf),
}

/// A database server, and how one node uses it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How reads are made fresh.
    pub fresh_reads: FreshReads,
    /// The node's directory, if it has one.
    pub directory: Option<Directory>,
    /// The most sets that wait for the writers; at least one.
    pub queue_sets_max: usize,
    /// The connections that commit; at least one.
    pub writers: usize,
}

impl Server {
    /// Names the server and takes the defaults for the rest.
    pub fn new(url: DatabaseUrl) -> Server {
        Server {
            url,
            fresh_reads: FreshReads::Commit,
            directory: None,
            queue_sets_max: limits::QUEUE_SETS_MAX,
            writers: limits::SERVER_WRITERS,
        }
    }
}
