//! The limits of use cases and their followers.

use std::time::Duration;

/// How often a decision is made anew when what it read has changed since; past it the answer is "try again".
pub const COMMIT_ATTEMPTS_MAX: u32 = 16;
/// Documents that one set purges: each may have a body and events of up to a mebibyte. What is more goes in further sets.
pub const PURGED_DOCUMENTS: usize = 32;
/// Events that one set erases; what is more goes in further sets.
pub const PURGED_EVENTS: usize = casement_store::limits::ERASED_EVENTS_MAX;
/// How many documents one page holds while caches and the index are built.
pub const SCAN_PAGE: usize = 1_000;
/// Events of one document that are read at once when an old version is looked for.
pub const EVENTS_PAGE: usize = 64;
/// Bytes of rendered documents that are kept.
pub const RENDERED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The rendered documents that the cache is laid out for.
pub const RENDERED_ENTRIES: usize = 32_768;
/// Customers that are kept in memory, and unique keys of theirs: some 500 bytes each.
pub const CUSTOMERS_KEPT: usize = 65_536;
/// Queues for commands on single documents; commands whose documents share one wait for each other.
pub const TURNS: usize = 1_024;
/// How often passed deadlines are looked for; contract section 3 gives 2 s.
pub const DEADLINE_PERIOD: Duration = Duration::from_millis(250);
/// Cases, and tasks, of one workspace that one look at deadlines changes at most.
pub const DEADLINES_AT_ONCE: usize = 500;
/// How long the outcome of a request with an idempotency key is kept: 7 days.
pub const IDEMPOTENCY_KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// How long a request waits for an earlier one with the same idempotency key; past it the answer is 409.
pub const IN_FLIGHT_WAIT: Duration = Duration::from_secs(5);
/// How often claims that have ended are looked for.
pub const SWEEP_PERIOD: Duration = Duration::from_secs(60);
/// Ended claims that are removed at once; a transaction for each such page.
pub const SWEEP_PAGE: usize = 500;
/// Bytes of the stored body of one document.
pub const BODY_BYTES_MAX: usize = casement_store::limits::BODY_BYTES_MAX;
/// Apps of one installation, revoked ones too; past it no further one is made.
pub const APPS_MAX: usize = 10_000;
/// Characters of an app's name; past it the app is not made.
pub const APP_NAME_CHARACTERS_MAX: usize = 128;
/// Streams that one app reaches; past it the app is not made.
pub const APP_STREAMS_MAX: usize = 100;
/// Bytes of a public key as it is given, in PEM or as a JWK; a longer one is refused.
pub const PUBLIC_KEY_BYTES_MAX: usize = 16 * 1024;
/// Bits of an RSA key at least: below it signatures can be forged with enough means. A shorter one is refused.
pub const RSA_BITS_MIN: u32 = 2048;
/// Bits of an RSA key at most: verifying a signature of a longer one costs too much. A longer one is refused.
pub const RSA_BITS_MAX: u32 = 8192;
/// How long the former key of an app may stay good, in milliseconds: 30 days. A longer time is refused.
pub const ROTATION_GRACE_MS_MAX: i64 = 30 * 24 * 60 * 60 * 1000;
/// How long a decision that missed the configuration waits for the newer one to come with the log; past it the decision
/// is made anew all the same.
pub const CONFIG_WAIT: Duration = Duration::from_secs(1);
/// Bytes of a configuration document; past it the document is refused.
pub const CONFIGURATION_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Entries that one configuration document adds or changes: they are one set. Past it the document is refused.
pub const CONFIGURATION_CHANGES_MAX: usize = casement_store::limits::SET_DOCUMENTS_MAX;
/// Bytes of the digest that binds a cursor to its list.
pub const CURSOR_DIGEST_BYTES: usize = 16;
/// How often the index is asked for one page when documents of it change meanwhile.
pub const LIST_ATTEMPTS_MAX: u32 = 3;
/// How often a continuous backup is continued: it lies at most this and one run behind, 5 s at the most under load.
pub const BACKUP_PERIOD: Duration = Duration::from_secs(2);
/// How often the continuous backup looks at the heads of all its increments; at each run it looks at the bases.
pub const BACKUP_LOOK_PERIOD: Duration = Duration::from_secs(300);
/// Attachments that a backup looks at before it writes how far it is.
pub const BACKUP_BYTES_PAGE: usize = 32;
/// How long a server that stops copies bytes of attachments into its backup; past it the next start goes on.
pub const BACKUP_END_WAIT: Duration = Duration::from_secs(10);
/// The longest wait until a continuous backup that fails is tried again.
pub const BACKUP_WAIT_MAX: Duration = Duration::from_secs(60);
/// How old the newest base of a continuous backup grows before another is taken, in milliseconds: a day.
pub const BACKUP_BASE_PERIOD_MS: i64 = 24 * 3_600_000;
/// Below so many free bytes on the disk the doctor finds an error: 256 MiB.
pub const DOCTOR_FREE_BYTES_ERROR: u64 = 256 * 1024 * 1024;
/// Below so many it warns: 2 GiB.
pub const DOCTOR_FREE_BYTES_WARNING: u64 = 2 * 1024 * 1024 * 1024;
/// Files that a server has open beside its connections.
pub const DOCTOR_OPEN_FILES_BESIDE: u64 = 128;
/// How long after their end claims may still be there before the doctor counts them, in milliseconds.
pub const DOCTOR_SWEEP_MS: i64 = 10 * 60 * 1000;
/// So many ended claims are no finding: those of a server that was stopped for a while.
pub const DOCTOR_ENDED_CLAIMS: u64 = 10_000;
/// How far the clock may be off before the doctor says so, in milliseconds: two machines' clocks are seldom equal.
pub const DOCTOR_CLOCK_MS: i64 = 60 * 1000;
/// A backup that lacks changes of more than so many milliseconds is a warning: a day and an hour.
pub const DOCTOR_BACKUP_WARNING_MS: i64 = 25 * 3_600_000;
/// And an error past so many: a week.
pub const DOCTOR_BACKUP_ERROR_MS: i64 = 7 * 24 * 3_600_000;
/// Workspaces that have metrics of their own; those past it count together.
pub const MEASURED_WORKSPACES_MAX: usize = 100;
/// How often a start tries to seal what is not under the key, until it has.
pub const SEAL_PERIOD: Duration = Duration::from_millis(250);
/// Keys that a key file holds; past it the file is refused. There is one, and two while a rotation lasts.
pub const SEAL_KEYS_MAX: usize = 8;
/// Bytes of a key file; a longer one is refused.
pub const KEY_FILE_BYTES_MAX: u64 = 8 * 1024;
/// Bytes of comments after which a page of them ends.
pub const COMMENTS_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Comments that are looked at for one page of those of one visibility; past it the page ends, and says where to go on.
pub const COMMENTS_LOOKED_AT: usize = 2_000;
/// Cases that one sample makes at most; past it the command is refused. An index holds some billion documents.
pub const SAMPLE_CASES_MAX: u64 = 100_000_000;
/// Sets of a sample that wait for the store: two transactions' worth and a half. Past it the making waits.
pub const SAMPLE_SETS_QUEUED: usize = 1_280;
/// Documents of an index that is asked in place, on the task's own thread: below half a millisecond for a list without
/// words. Past it a blocking thread asks.
pub const INLINE_DOCUMENTS_MAX: usize = 2_000_000;
/// Documents before a page that are skipped in place; past it a blocking thread asks.
pub const INLINE_SKIP_MAX: u64 = 10_000;
/// Events of one workspace from which on a start without a snapshot answers lists before it makes words.
pub const WORDS_LATER_DOCUMENTS: u64 = 10_000;
/// Pages of documents that are read and decoded ahead while the index is built; past it reading waits.
pub const BUILD_PAGES_AHEAD: usize = 4;
/// Documents that may still wait for their words when an engine takes these under its lock: below a tenth of a second.
pub const WORDS_AWAITED_MAX: usize = 256;
/// How often what waits for words is put in beside the lock before it is done under it, however much it is: only a server
/// that writes without a pause meanwhile comes to it.
pub const WORDS_ROUNDS_MAX: u32 = 16;
/// How often the log tells how far a build is.
pub const BUILD_TOLD_PERIOD: Duration = Duration::from_secs(3);
/// How often is looked whether a snapshot of the index is due.
pub const SNAPSHOT_LOOK_PERIOD: Duration = Duration::from_secs(30);
/// The time between two snapshots of one workspace where little changes.
pub const SNAPSHOT_PERIOD: Duration = Duration::from_secs(300);
/// Below so many events since the last one a snapshot is not due; a stop writes it all the same.
pub const SNAPSHOT_EVENTS_MIN: u64 = 5_000;
/// From so many on it is due at the next look.
pub const SNAPSHOT_EVENTS_MANY: u64 = 50_000;
/// How long a stop lets snapshots be written; past it those that were there before stay.
pub const SNAPSHOT_STOP_WAIT: Duration = Duration::from_secs(10);
/// Bytes that a snapshot leaves free on the disk; without them none is written.
pub const SNAPSHOT_BYTES_LEFT: u64 = 256 * 1024 * 1024;
/// Documents that may have changed since a snapshot, beside a sixteenth of all: with more the index is built anew, which
/// costs little more then.
pub const SNAPSHOT_CHANGED_MAX: usize = 10_000;
/// Events that may have come since a snapshot; with more the index is built anew.
pub const SNAPSHOT_EVENTS_BEHIND_MAX: u64 = 10_000_000;
/// Events whose documents are read at once when a snapshot is brought up to date.
pub const CHANGED_PAGE: usize = 1_000;
/// How often a configuration is read at most until it is of one version; past it what was read last counts, and every
/// decision by it is guarded by its version.
pub const CONFIG_READS_MAX: usize = 4;
/// How long a request waits until what other nodes committed before it has been applied here; past it 503.
pub const FRESH_WAIT: Duration = Duration::from_secs(2);
/// The wait between two attempts to read what other nodes committed while the database can't be reached.
pub const CATCH_UP_WAIT: Duration = Duration::from_millis(100);
/// How long a lease holds, in milliseconds: when a node ends without a word, another has its work so long after. Longer
/// than the clocks of two nodes differ.
pub const LEASE_MS: i64 = 15_000;
/// How long before its end a lease is renewed, in milliseconds.
pub const LEASE_RENEW_MS: i64 = 5_000;
/// Bytes of documents after which a page of a history ends early; it has at least one event, and says that there are more.
pub const HISTORY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one attachment, if the settings say nothing: 50 MiB. Past it 413.
pub const ATTACHMENT_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// The most that the settings may say: 1 GiB.
pub const ATTACHMENT_BYTES_MAX_MAX: u64 = 1024 * 1024 * 1024;
/// Bytes of all attachments of a workspace that are not deleted, if the settings say nothing: 100 GiB. Past it 413.
pub const ATTACHMENTS_QUOTA_BYTES: u64 = 100 * 1024 * 1024 * 1024;
/// Uploads at once, of all apps; past it one waits for [`BYTES_WAIT`], then 503. Each holds at most two parts in memory.
pub const UPLOADS_MAX: usize = 32;
/// Of them those of one app: a quarter. Past it one waits as long, then 429.
pub const UPLOADS_OF_APP_MAX: usize = UPLOADS_MAX / 4;
/// How long an attachment whose decision was overtaken by another node waits, times the attempts before.
pub const UPLOAD_COMMIT_WAIT: Duration = Duration::from_millis(5);
/// Downloads at once; past it as above. Each holds at most two pieces in memory.
pub const DOWNLOADS_MAX: usize = 256;
/// How long an upload or download waits for a place; past it 503.
pub const BYTES_WAIT: Duration = Duration::from_millis(500);
/// How often bytes that are not needed are looked for.
pub const BYTES_SWEEP_PERIOD: Duration = Duration::from_secs(3600);
/// How often the first sweep looks whether the index is built.
pub const BYTES_SWEEP_WAIT: Duration = Duration::from_millis(250);
/// How long an unfinished file that nobody writes to stays, in milliseconds: an hour. The slowest upload writes a part a
/// minute.
pub const UNFINISHED_MS: i64 = 3_600_000;
/// How long the bytes of a deleted attachment stay, in milliseconds: a day.
pub const DELETED_BYTES_MS: i64 = 24 * 3_600_000;
/// How long bytes stay that no document names, in milliseconds: a day.
pub const NAMELESS_MS: i64 = 24 * 3_600_000;
/// The same in a bucket: 30 days, since a restored copy of the server may look at the bucket of the one that it is a copy of.
pub const NAMELESS_IN_BUCKET_MS: i64 = 30 * 24 * 3_600_000;
/// Bytes of the documents and events of one change; past it 422. Below what the store takes in one set.
pub const SET_BYTES_MAX: usize = casement_store::limits::SET_BYTES_MAX - 1024 * 1024;
/// Bytes of the texts of standard responses after which a page of them ends.
pub const RESPONSES_PAGE_BYTES: usize = 1024 * 1024;
/// Attachments that are read at once for a page: some hundred bytes each.
pub const ATTACHMENTS_READ: usize = 256;
/// Attachments that are looked at for one page, deleted ones too; past it the page ends, and says where to go on.
pub const ATTACHMENTS_LOOKED_AT: usize = 1_000;
/// Comments that are read at once for a page: each may have some hundred KiB.
pub const COMMENTS_READ: usize = 32;
/// Bytes of a file that are hashed in one turn on another thread.
pub const HASHED_AT_ONCE: usize = 1024 * 1024;
/// What a piece of a file that waits to be hashed counts for at least, in bytes: it costs memory beside what it holds.
pub const HASHED_PIECE_LEAST: usize = 256;
/// How long it counts that a database server has answered, or has not, for whoever asks after the health of this one.
pub const REACHED_KEPT: Duration = Duration::from_millis(500);
/// Long questions to the index at once, if there are fewer processors.
pub const TURNS_MIN: usize = 2;
/// How long such a question waits for its turn; past it the request is refused as by overload.
pub const TURN_WAIT: Duration = Duration::from_millis(500);
