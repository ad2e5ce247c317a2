//! What use cases tell the metrics: the sizes of what is kept in memory, worked out when they are asked for, and how the
//! workers fare.

use std::collections::BTreeMap;

use casement_domain::date::Moment;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::app::{App, StoreState};
use crate::index::kind::Kind;
use crate::limits;

const DOCUMENTS: &str = "casement_index_documents";
const INDEX_BYTES: &str = "casement_index_bytes";
const RENDERED_BYTES: &str = "casement_rendered_bytes";
const RENDERED: &str = "casement_rendered_documents_total";
const WORKSPACES: &str = "casement_workspaces";
const STORE_READY: &str = "casement_store_ready";
const INDEX_READY: &str = "casement_index_ready";
const SNAPSHOT_AT: &str = "casement_index_snapshot_timestamp_seconds";
const SNAPSHOT_FAILURES: &str = "casement_index_snapshot_failures_total";
const BACKUP_UNTIL: &str = "casement_backup_until_timestamp_seconds";
const BACKUP_FAILURES: &str = "casement_backup_failures_total";
const ATTACHMENTS: &str = "casement_attachments";
const ATTACHMENT_BYTES: &str = "casement_attachment_bytes";
const UPLOADS: &str = "casement_attachment_uploads_total";
const DOWNLOADS: &str = "casement_attachment_downloads_total";
const BYTES_MOVED: &str = "casement_attachment_bytes_moved_total";
const SWEPT: &str = "casement_attachments_swept_total";
const WORKER_RUNS: &str = "casement_worker_runs_total";
const WORKER_SUCCESS: &str = "casement_worker_last_success_timestamp_seconds";

/// What works by itself, beside the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worker {
    Attachments,
    Backup,
    Deadlines,
    Sweep,
}

impl Worker {
    fn name(self) -> &'static str {
        match self {
            Self::Attachments => "attachments",
            Self::Backup => "backup",
            Self::Deadlines => "deadlines",
            Self::Sweep => "sweep",
        }
    }
}

/// Tells the recorder what the measures mean.
pub fn describe() {
    describe_gauge!(
        DOCUMENTS,
        Unit::Count,
        "Documents in the index, deleted ones too, by workspace and kind; workspaces past the first hundred count as other."
    );
    describe_gauge!(INDEX_BYTES, Unit::Bytes, "Memory of the index, by kind of document and part.");
    describe_gauge!(RENDERED_BYTES, Unit::Bytes, "Rendered documents that are kept.");
    describe_counter!(RENDERED, Unit::Count, "Documents that were needed rendered, by outcome: hit or miss.");
    describe_gauge!(WORKSPACES, Unit::Count, "Open workspaces.");
    describe_gauge!(STORE_READY, Unit::Count, "1 when the store takes writes, else 0.");
    // There from the start, so that an alert sees the first one.
    for failures in [BACKUP_FAILURES, SNAPSHOT_FAILURES] {
        counter!(failures).absolute(0);
    }
    describe_gauge!(BACKUP_UNTIL, Unit::Seconds, "Everything up to this moment is in the continuous backup.");
    describe_gauge!(SNAPSHOT_AT, Unit::Seconds, "When a snapshot of the index was written last.");
    describe_counter!(SNAPSHOT_FAILURES, Unit::Count, "Snapshots of the index that could not be written.");
    describe_gauge!(
        INDEX_READY,
        Unit::Count,
        "What the index answers, by part: 1 when lists or searches are, else 0."
    );
    describe_counter!(BACKUP_FAILURES, Unit::Count, "Runs of the continuous backup that failed.");
    describe_gauge!(ATTACHMENTS, Unit::Count, "Attachments whose bytes are kept, as of the last sweep.");
    describe_gauge!(ATTACHMENT_BYTES, Unit::Bytes, "Their bytes, as of the last sweep.");
    describe_counter!(
        UPLOADS,
        Unit::Count,
        "Attachments whose bytes had all come, by outcome: added or refused."
    );
    describe_counter!(
        DOWNLOADS,
        Unit::Count,
        "Downloads of attachments, or of spans of them, that were begun."
    );
    describe_counter!(BYTES_MOVED, Unit::Bytes, "Bytes of attachments, by direction: in or out.");
    describe_counter!(
        SWEPT,
        Unit::Count,
        "Blobs and unfinished files that were not needed any more and removed."
    );
    describe_counter!(WORKER_RUNS, Unit::Count, "Runs of a worker, by worker and outcome: done or failed.");
    describe_gauge!(WORKER_SUCCESS, Unit::Seconds, "When a worker last ended a run well, by worker.");
}

/// Notes up to when the continuous backup is whole, in milliseconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time stay far below 2^53")]
pub fn backed_up(until_ms: i64) {
    gauge!(BACKUP_UNTIL).set(until_ms as f64 / 1000.0);
}

/// Notes that a run of the continuous backup failed.
pub fn backup_failed() {
    counter!(BACKUP_FAILURES).increment(1);
}

/// Notes what a sweep found.
#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
pub(crate) fn attachments_stored(count: u64, bytes: u64) {
    gauge!(ATTACHMENTS).set(count as f64);
    gauge!(ATTACHMENT_BYTES).set(bytes as f64);
}

/// Notes what a sweep removed.
pub(crate) fn swept(count: u64) {
    counter!(SWEPT).increment(count);
}

/// Notes an attachment that was added.
pub(crate) fn uploaded(bytes: u64) {
    counter!(UPLOADS, "outcome" => "added").increment(1);
    counter!(BYTES_MOVED, "direction" => "in").increment(bytes);
}

/// Notes an attachment that was not added though its bytes had come.
pub(crate) fn upload_refused() {
    counter!(UPLOADS, "outcome" => "refused").increment(1);
}

/// Notes a download that begins.
pub(crate) fn download_begun() {
    counter!(DOWNLOADS).increment(1);
}

/// Notes bytes on their way to a client.
pub(crate) fn downloaded(bytes: usize) {
    counter!(BYTES_MOVED, "direction" => "out").increment(bytes as u64);
}

/// Notes that a worker ended a run well.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time stay far below 2^53")]
pub(crate) fn worker_done(worker: Worker, now: Moment) {
    counter!(WORKER_RUNS, "worker" => worker.name(), "outcome" => "done").increment(1);
    gauge!(WORKER_SUCCESS, "worker" => worker.name()).set(now.ms() as f64 / 1000.0);
}

/// Notes that a worker did not end a run well.
pub(crate) fn worker_failed(worker: Worker) {
    counter!(WORKER_RUNS, "worker" => worker.name(), "outcome" => "failed").increment(1);
}

/// Puts the parts of one sort together: a column for each date is more than anybody looks at.
fn sort_of(part: &str) -> String {
    if part.starts_with("term lists") {
        return "term-lists".to_owned();
    }
    part.split(' ').next().unwrap_or_default().to_owned()
}

/// Notes that a snapshot of the index was written, in milliseconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time stay far below 2^53")]
pub fn snapshot_written(at_ms: i64) {
    gauge!(SNAPSHOT_AT).set(at_ms as f64 / 1000.0);
}

/// Notes that a snapshot of the index could not be written.
pub fn snapshot_failed() {
    counter!(SNAPSHOT_FAILURES).increment(1);
}

/// Notes the sizes of now.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn observe(app: &App) {
    let workspaces = app.open_workspaces();
    let mut documents: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
    let mut bytes: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    for (place, workspace) in workspaces.iter().enumerate() {
        let name = if place < limits::MEASURED_WORKSPACES_MAX { workspace.id() } else { "other" };
        let index = workspace.index();
        for kind in Kind::ALL {
            let (engine, kind) = (index.of(kind), kind.name());
            *documents.entry((name, kind)).or_default() += engine.len();
            for part in engine.bytes() {
                *bytes.entry((kind, sort_of(&part.name))).or_default() += part.bytes;
            }
        }
    }
    for ((workspace, kind), count) in documents {
        gauge!(DOCUMENTS, "workspace" => workspace.to_owned(), "kind" => kind).set(count as f64);
    }
    for ((kind, part), bytes) in bytes {
        gauge!(INDEX_BYTES, "kind" => kind, "part" => part).set(bytes as f64);
    }
    let (hits, misses) = app.rendered().hits_and_misses();
    counter!(RENDERED, "outcome" => "hit").absolute(hits);
    counter!(RENDERED, "outcome" => "miss").absolute(misses);
    gauge!(RENDERED_BYTES).set(app.rendered().bytes() as f64);
    gauge!(INDEX_READY, "part" => "lists").set(f64::from(u8::from(app.is_ready())));
    let has_words = app.progress().has_words();
    gauge!(INDEX_READY, "part" => "words").set(f64::from(u8::from(has_words)));
    gauge!(WORKSPACES).set(workspaces.len() as f64);
    gauge!(STORE_READY).set(f64::from(u8::from(app.store_state() == StoreState::Ready)));
}
