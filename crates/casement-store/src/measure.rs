//! What the store tells the metrics: commits and the queue before them.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Sets that one transaction committed.
const BATCH_SETS: &str = "casement_store_batch_sets";
/// The time of one transaction, its sync included.
const COMMIT: &str = "casement_store_commit_seconds";
/// Sets that missed, by the reason that they had to be decided anew.
const MISSED: &str = "casement_store_sets_missed_total";
/// Sets that wait for the writer.
const QUEUED: &str = "casement_store_queue_sets";
/// Sets that are committed and not yet in the index.
const LAG: &str = "casement_index_lag_sets";
/// Pages in SQLite's log.
const LOG_PAGES: &str = "casement_store_log_pages";

/// The time of one round of heads on a database server.
const ROUND: &str = "casement_store_round_seconds";
/// Commits without an answer, whose outcome was looked for.
const UNANSWERED: &str = "casement_store_commits_unanswered_total";

/// Tells the recorder what the measures mean.
pub fn describe() {
    describe_histogram!(BATCH_SETS, Unit::Count, "Write sets in one transaction.");
    describe_histogram!(COMMIT, Unit::Seconds, "Time of one transaction, its sync included.");
    describe_counter!(MISSED, Unit::Count, "Write sets whose guards did not hold; they are decided anew.");
    describe_gauge!(QUEUED, Unit::Count, "Write sets that wait for the writer.");
    describe_gauge!(LAG, Unit::Count, "Write sets that are committed and not yet in the index.");
    describe_histogram!(
        ROUND,
        Unit::Seconds,
        "Time of one round that makes reads fresh on a database server."
    );
    describe_counter!(UNANSWERED, Unit::Count, "Commits without an answer, whose outcome was looked for.");
    describe_gauge!(LOG_PAGES, Unit::Count, "Pages in the log of the embedded database.");
}

/// Notes a transaction.
pub(crate) fn committed(sets: usize, missed: usize, time: Duration) {
    histogram!(BATCH_SETS).record(count(sets));
    histogram!(COMMIT).record(time);
    if missed > 0 {
        counter!(MISSED).increment(missed as u64);
    }
}

/// Notes how many sets wait.
pub(crate) fn queued(sets: usize) {
    gauge!(QUEUED).set(count(sets));
}

/// Notes a set that whoever follows the log has yet to apply.
pub(crate) fn handed_over() {
    gauge!(LAG).increment(1.0);
}

/// Notes that it is applied.
pub(crate) fn applied() {
    gauge!(LAG).decrement(1.0);
}

/// Notes a round.
pub(crate) fn round(time: Duration) {
    histogram!(ROUND).record(time);
}

/// Notes a commit whose outcome must be looked for.
pub(crate) fn unanswered() {
    counter!(UNANSWERED).increment(1);
}

/// Notes how long SQLite's log is.
pub(crate) fn log_pages(pages: u64) {
    gauge!(LOG_PAGES).set(count(usize::try_from(pages).unwrap_or(usize::MAX)));
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn count(number: usize) -> f64 {
    number as f64
}
