//! What use cases tell the metrics: the sizes of what is kept in memory, worked out when they are asked for.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::app::{App, StoreState};

const DOCUMENTS: &str = "casement_index_documents";
const RENDERED_BYTES: &str = "casement_rendered_bytes";
const WORKSPACES: &str = "casement_workspaces";
const STORE_READY: &str = "casement_store_ready";
const BACKUP_UNTIL: &str = "casement_backup_until_timestamp_seconds";
const BACKUP_FAILURES: &str = "casement_backup_failures_total";

const SNAPSHOT_AT: &str = "casement_index_snapshot_timestamp_seconds";
const SNAPSHOT_FAILURES: &str = "casement_index_snapshot_failures_total";
const INDEX_READY: &str = "casement_index_ready";

/// Tells the recorder what the measures mean.
pub fn describe() {
    describe_gauge!(DOCUMENTS, Unit::Count, "Documents in the index, deleted ones too, by kind.");
    describe_gauge!(RENDERED_BYTES, Unit::Bytes, "Rendered documents that are kept.");
    describe_gauge!(WORKSPACES, Unit::Count, "Open workspaces.");
    describe_gauge!(STORE_READY, Unit::Count, "1 when the store takes writes, else 0.");
    describe_gauge!(BACKUP_UNTIL, Unit::Seconds, "Everything up to this moment is in the continuous backup.");
    describe_gauge!(SNAPSHOT_AT, Unit::Seconds, "When a snapshot of the index was written last.");
    describe_counter!(SNAPSHOT_FAILURES, Unit::Count, "Snapshots of the index that could not be written.");
    describe_gauge!(
        INDEX_READY,
        Unit::Count,
        "What the index answers, by part: 1 when lists or searches are, else 0."
    );
    describe_counter!(BACKUP_FAILURES, Unit::Count, "Runs of the continuous backup that failed.");
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
    let (mut cases, mut tasks) = (0, 0);
    for workspace in &workspaces {
        let index = workspace.index();
        cases += index.cases.len();
        tasks += index.tasks.len();
    }
    gauge!(DOCUMENTS, "kind" => "case").set(cases as f64);
    gauge!(DOCUMENTS, "kind" => "task").set(tasks as f64);
    gauge!(RENDERED_BYTES).set(app.rendered().bytes() as f64);
    gauge!(INDEX_READY, "part" => "lists").set(f64::from(u8::from(app.is_ready())));
    let has_words = app.progress().has_words();
    gauge!(INDEX_READY, "part" => "words").set(f64::from(u8::from(has_words)));
    gauge!(WORKSPACES).set(workspaces.len() as f64);
    gauge!(STORE_READY).set(f64::from(u8::from(app.store_state() == StoreState::Ready)));
}
