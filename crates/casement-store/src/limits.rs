//! The limits of the store: every queue, batch, page and wait has its number here.
//!
//! Going past one gives the stated answer, never a crash, a stall or a silent cut. What an
//! operator may set stands in [`crate::options::Options`] and has its default here.

use std::time::Duration;

/// The most documents that one set may write; past it the set is refused.
pub const SET_DOCUMENTS_MAX: usize = 256;
/// The most events in one set; past it the set is refused.
pub const SET_EVENTS_MAX: usize = 1024;
/// The most events that the erasures of one set should cover: each is a row that is written anew. Whoever erases more does it in
/// several sets.
pub const ERASED_EVENTS_MAX: usize = 1000;
/// How often a walk over a log goes on after its first end while erasures of what it has read come in; past it the fault is
/// told.
pub const VERIFY_ROUNDS_MAX: usize = 100;
/// The most guards in one set, and the most claim guards; past it the set is refused.
pub const SET_GUARDS_MAX: usize = 1024;
/// The most other workspaces whose logs one set guards; past it the set is refused.
pub const SET_HEAD_GUARDS_MAX: usize = 4;
/// The most claims that one set may write; past it the set is refused.
pub const SET_CLAIMS_MAX: usize = 1024;
/// The most bytes of one set, all its texts and bodies together; past it the set is refused.
pub const SET_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most bytes of one document's body; past it the set is refused.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of one event's changes: from and to of a whole body; past it the set is refused.
pub const CHANGES_BYTES_MAX: usize = 2 * BODY_BYTES_MAX;
/// The most bytes of one claim's result; past it the set is refused.
pub const RESULT_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of a key, an actor or an app; past it the set is refused, as is an empty one. An e-mail address of 320
/// characters has room in it, whatever its script.
pub const KEY_BYTES_MAX: usize = 2048;
/// The most counters of one workspace; past it the workspace is refused.
pub const COUNTERS_MAX: usize = 64;
/// The most workspaces that one store lists; past it listing them is an error.
pub const WORKSPACES_MAX: usize = 10_000;

/// The most sets that wait for the writer, if the options say nothing; past it commits are
/// answered [`crate::error::CommitError::Overloaded`].
pub const QUEUE_SETS_MAX: usize = 4096;
/// The most bytes that wait for the writer; past it commits are answered as overloaded. A set
/// always finds room in an empty queue.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most sets in one transaction.
pub const BATCH_SETS_MAX: usize = 512;
/// The bytes after which a transaction takes no further set; its first set may be larger.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most committed batches that wait for the feed's consumer; past it the writer waits.
pub const FEED_BATCHES_MAX: usize = 8;

/// The most documents or events in one page of a scan; a larger page is refused.
pub const PAGE_MAX: usize = 10_000;
/// The most ids in one question for documents; past it the question is refused.
pub const DOCUMENTS_MAX: usize = 10_000;
/// The most documents that are read in place, on the asking task's own thread: 4 to 20 µs each.
pub const DOCUMENTS_INLINE_MAX: usize = 64;
/// The most children of one parent that are read at once; past it reading them is an error.
pub const CHILDREN_MAX: usize = 10_000;
/// The most parents whose children one page holds; past it the question is refused.
pub const PARENTS_MAX: usize = 128;
/// Comes after every id, byte by byte.
pub const ID_END: &str = "\u{10FFFF}";
/// The events in one page of a walk over the log.
pub const VERIFY_PAGE_EVENTS: usize = 1000;

/// The read-only connections for point reads, if the options say nothing.
pub const READER_CONNECTIONS: usize = 4;
/// The read-only connections for pages and walks, beside those for point reads.
pub const SCAN_CONNECTIONS: usize = 2;
/// The prepared statements that one connection keeps.
pub const STATEMENTS_KEPT: usize = 32;

/// The size of a database page.
pub const PAGE_BYTES: u64 = 16 * 1024;
/// The memory for pages of the writing connection.
pub const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// The memory for pages of each reading connection.
pub const READER_CACHE_KIB: i64 = 8 * 1024;
/// The pages written to the log after which the checkpoint thread is woken: 8 MiB.
pub const CHECKPOINT_PAGES: u64 = 512;
/// The pages of log past which the writer itself restarts the log: 64 MiB.
pub const RESTART_PAGES: u64 = 4096;
/// How long the writer waits for readers when it restarts the log; past it the log grows by
/// another [`CHECKPOINT_PAGES`] and the writer tries again.
pub const RESTART_WAIT: Duration = Duration::from_millis(250);
/// How long a connection waits for a lock that another program holds, a backup for example.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The bytes that a full store must be able to write before it takes sets again.
pub const PROBE_BYTES: u64 = 8 * PAGE_BYTES;
/// The first wait between two probes of a full store.
pub const PROBE_WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait between two probes of a full store.
pub const PROBE_WAIT_MAX: Duration = Duration::from_secs(5);

/// The bytes of entries that the journal keeps for backups; past it the backup that was not continued for the longest
/// is given up and needs a new base.
pub const JOURNAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// The rows of the journal that one transaction takes away, so that none takes long.
pub const JOURNAL_TRIM_ROWS: usize = 1024;
/// The most series that follow one store; past it the one that was not continued for the longest is given up.
pub const SERIES_MAX: usize = 8;
/// The most bytes of the header of a backup's file; past it the file counts as damaged. Room for as many workspaces as
/// one store lists.
pub const BACKUP_HEADER_BYTES_MAX: u32 = 32 * 1024 * 1024;
/// The most bytes of an increment's payload that are read; past it the file counts as damaged. One frame more than
/// [`INCREMENT_BYTES`].
pub const INCREMENT_BYTES_MAX: u64 = INCREMENT_BYTES + 2 * SET_BYTES_MAX as u64;
/// The bytes after which an increment takes no further entry.
pub const INCREMENT_BYTES: u64 = 32 * 1024 * 1024;
/// Up to so many bytes the last increment is written anew with what came after it, instead of beginning another: a
/// backup that is continued every few seconds has few files.
pub const INCREMENT_GROWS_BYTES: u64 = 1024 * 1024;
/// How long a run waits for another one that works on the same backup; past it the run is refused.
pub const BACKUP_LOCK_WAIT: Duration = Duration::from_secs(10);
/// How often it looks.
pub const BACKUP_LOCK_POLL: Duration = Duration::from_millis(50);
/// The pages that are copied into a base at once: 1 MiB.
pub const BASE_STEP_PAGES: i32 = 64;
/// How long the copy of a base pauses between two steps, so that it takes at most 200 MB/s from the disk.
pub const BASE_STEP_PAUSE: Duration = Duration::from_millis(5);
/// How far the moment up to which an idle backup is whole may lie back, in milliseconds: its manifest is not written
/// anew more often.
pub const BACKUP_UNTIL_STEP_MS: i64 = 10_000;
/// The frames that a restore writes in one transaction.
pub const REPLAY_TRANSACTION_FRAMES: u64 = 1000;
/// The documents or events that an inspection reads at once.
pub const INSPECT_PAGE: usize = 1000;

/// The most bytes of a database server's address; past it the address is refused.
pub const DATABASE_URL_BYTES_MAX: usize = 8 * 1024;
/// The oldest release of PostgreSQL that is used, as its number.
pub const SERVER_VERSION_MIN: u32 = 140_000;
/// How long one host may take until it has answered a connection and shown that it can be used; past it the next is tried.
pub const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// The first wait between two attempts to connect; it doubles.
pub const RECONNECT_WAIT_MIN: Duration = Duration::from_millis(50);
/// The longest wait between two attempts to connect.
pub const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long sent bytes may stay without an acknowledgement before a connection counts as lost.
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
/// After how much silence a connection is probed.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
/// The time between two probes.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// The probes without an answer after which a connection counts as lost.
pub const KEEPALIVE_RETRIES: u32 = 3;
/// The connections of one node that commit, if the options say nothing; one workspace uses one at a time.
pub const SERVER_WRITERS: usize = 4;
/// The connections of one node for point reads; each carries many questions at once.
pub const SERVER_POINT_READERS: usize = 2;
/// The connections of one node for pages and walks.
pub const SERVER_PAGE_READERS: usize = 1;
/// How long a point read may take; past it the connection is given up and the read answered as unavailable.
pub const POINT_READ_WAIT: Duration = Duration::from_secs(5);
/// How long a page may take; past it as above.
pub const PAGE_READ_WAIT: Duration = Duration::from_secs(20);
/// How long one question of a doctor may take: it reads much.
pub const INSPECT_WAIT: Duration = Duration::from_secs(3600);
/// The documents, events or claims that a transfer copies in one transaction.
pub const TRANSFER_PAGE: usize = 2_000;
/// How long the first half of a transaction may take: having the workspace's lock and reading what a batch names. Past
/// it the connection is given up; nothing is written.
pub const LOCK_WAIT: Duration = Duration::from_secs(6);
/// How long a commit is waited for before its outcome is looked for on another connection.
pub const COMMIT_WAIT: Duration = Duration::from_secs(6);
/// How long a batch is tried in all, its outcome included; past it its sets are answered as unavailable, or as unknown.
/// Below the time that a request may take.
pub const BATCH_WAIT: Duration = Duration::from_secs(13);
/// How long the server keeps a transaction of a node that has gone silent. Past it others have the workspace.
pub const IDLE_IN_TRANSACTION_MS: u64 = 5_000;
/// How long a round of heads may take; past it whoever waits for it is told to come again.
pub const ROUND_WAIT: Duration = Duration::from_secs(2);
/// How often a node looks for what others committed, should no notification come.
pub const POLL_PERIOD: Duration = Duration::from_millis(250);
/// The time between two notifications of one node.
pub const NOTIFY_PERIOD: Duration = Duration::from_millis(5);
/// The notifications that wait to be read; what is past it comes with the poll.
pub const NOTIFICATIONS_MAX: usize = 1024;
/// How long a stop waits for the tasks of a connected store.
pub const SERVER_CLOSE_WAIT: Duration = Duration::from_secs(20);
/// Why there is no backup of a database server.
pub const NO_BACKUP: &str = "the data lies on a PostgreSQL server: back it up with its own tools (pg_basebackup and \
    its archived log, or pg_dump), and keep the key file beside";
/// The most bytes of the name of a workspace, kind or counter; past it the set is refused. With the ids it fits the keys
/// of every engine's indexes.
pub const NAME_BYTES_MAX: usize = 128;
/// The most bytes of a document's id, or its parent's; past it the set is refused.
pub const ID_BYTES_MAX: usize = 1024;
/// Bytes of a part of a blob in a directory: what is handed to the disk at once. A smaller blob is written at once.
pub const BLOB_PART_BYTES: usize = 1024 * 1024;
/// Bytes of a part of a blob in a bucket; no less is allowed there.
pub const BLOB_BUCKET_PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts of one blob that are on their way; past it writing waits.
pub const BLOB_PARTS_AT_ONCE: usize = 2;
/// Bytes of a blob in a directory that are read at once.
pub const BLOB_READ_BYTES: usize = 256 * 1024;
