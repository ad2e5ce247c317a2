//! The facts that every engine keeps, as functions over an opened, empty store.
//!
//! An engine's test module calls `facts!(open)` where the future of `open()` gives a guard that keeps the store's
//! place and the opened [`Subject`]. Nothing here knows which engine it runs on.

pub mod claims;
pub mod erasing;
pub mod feed;
pub mod reading;
pub mod writing;

use casement_store::error::{CommitError, Miss};
use casement_store::feed::CommitFeed;
use casement_store::set::WriteSet;
use casement_store::store::Store;

use crate::build;

/// An opened store without any workspace, and its feed.
pub struct Subject {
    pub store: Store,
    pub feed: CommitFeed,
}

impl Subject {
    /// Acknowledges everything at once from here on, and makes the workspaces `w` and `v`.
    pub async fn acknowledging(self) -> Store {
        tokio::spawn(acknowledge_all(self.feed));
        self.store.create_workspace(build::workspace("w")).await.unwrap();
        self.store.create_workspace(build::workspace("v")).await.unwrap();
        self.store
    }
}

/// Acknowledges until the feed ends.
pub async fn acknowledge_all(mut feed: CommitFeed) {
    while let Some(batch) = feed.next().await {
        for committed in batch {
            committed.acknowledge();
        }
    }
}

/// Commits a set that must miss, and gives its misses.
pub async fn misses(store: &Store, set: WriteSet) -> Vec<Miss> {
    match store.commit(set).await {
        Err(CommitError::Missed(misses)) => misses,
        other => panic!("expected a miss: {other:?}"),
    }
}

pub fn document_miss(id: &str, expected: u64, found: u64) -> Miss {
    Miss::Document { kind: "case".into(), id: id.into(), expected, found }
}

/// Makes a test of each fact.
macro_rules! facts {
    ($open:expr, $($module:ident::$fact:ident,)*) => {
        $(
            #[tokio::test]
            async fn $fact() {
                let (_place, subject) = $open().await;
                $crate::conformance::$module::$fact(subject).await;
            }
        )*
    };
    ($open:expr) => {
        $crate::conformance::facts! {
            $open,
            writing::a_new_document_is_read_back,
            writing::an_update_raises_the_version_and_keeps_the_number,
            writing::a_guard_on_another_log_misses_once_that_is_longer,
            writing::a_missed_guard_writes_nothing,
            writing::all_misses_are_listed,
            writing::an_absent_document_can_be_guarded,
            writing::a_key_is_held_by_one_document,
            writing::a_key_passes_on_under_its_guard,
            writing::a_removed_key_is_free,
            claims::a_set_may_write_claims_alone,
            claims::an_expired_key_is_free,
            claims::only_expired_claims_are_swept,
            claims::of_sets_that_want_one_key_the_first_has_it,
            writing::a_changed_configuration_misses_older_decisions,
            writing::counters_have_no_gaps_over_misses,
            writing::misses_leave_their_neighbours_alone,
            writing::a_hot_document_is_written_once_per_version,
            writing::a_set_of_an_unknown_workspace_is_refused,
            writing::unacceptable_sets_are_refused,
            writing::the_largest_set_passes,
            writing::two_workspaces_do_not_mix,
            writing::making_a_workspace_again_changes_nothing,
            erasing::an_erasure_takes_what_was_said_and_the_log_stays_whole,
            erasing::an_erasure_leaves_others_of_the_same_name_alone,
            erasing::an_erasure_may_go_in_parts,
            erasing::an_erasure_covers_what_its_own_set_said_before,
            erasing::an_erasure_that_says_nothing_is_refused,
            reading::events_come_in_order_and_in_pages,
            reading::a_document_has_its_own_events,
            reading::what_changed_comes_once_in_the_order_of_last_changes,
            reading::a_fresh_log_is_whole,
            reading::children_come_by_id,
            reading::a_page_of_children_goes_back_from_the_last_id,
            reading::children_of_several_parents_come_in_one_order_either_way,
            reading::a_scan_goes_through_all_documents_of_a_kind,
            reading::documents_come_in_the_order_asked,
            reading::claims_are_read_back,
            reading::workspaces_are_listed,
            reading::unanswerable_questions_are_refused,
            feed::the_feed_follows_commit_order,
            feed::a_commit_is_answered_after_its_acknowledgement,
            feed::a_committed_set_that_is_dropped_has_an_unknown_outcome,
            feed::without_the_feed_nothing_is_committed,
            feed::a_commit_nobody_waits_for_is_done,
            feed::closing_writes_what_is_queued,
            feed::a_closed_store_answers_unavailable,
            feed::a_full_queue_is_overloaded,
        }
    };
}
pub(crate) use facts;
