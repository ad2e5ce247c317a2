//! What leaves by the feed, when callers are answered, and how a store ends.

use casement_store::error::{CommitError, StoreError};
use casement_store::feed::CommittedSet;
use tokio::task::JoinSet;

use super::{Subject, acknowledge_all};
use crate::build::{create, guarding, workspace};

pub async fn the_feed_follows_commit_order(subject: Subject) {
    let Subject { store, mut feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    let mut commits = JoinSet::new();
    for step in 0..100 {
        let store = store.clone();
        let set = create("w", &format!("c{step:03}"));
        let set = if step % 10 == 0 { guarding(set, "case", "nobody", 1) } else { set };
        commits.spawn(async move { store.commit(set).await });
    }
    let mut seen = Vec::new();
    while seen.len() < 90 {
        for committed in feed.next().await.unwrap() {
            let document = store.document("w", "case", &committed.set.documents[0].id).await.unwrap();
            assert_eq!(document.unwrap().sequence, committed.outcome.documents[0].sequence);
            seen.push(committed.outcome.first_sequence);
            committed.acknowledge();
        }
    }
    assert!(seen.into_iter().eq(1..=90));
    let passed = commits.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(passed, 90);
}

pub async fn a_commit_is_answered_after_its_acknowledgement(subject: Subject) {
    let Subject { store, mut feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(create("w", "c1")).await }
    });
    let committed = feed.next().await.unwrap().pop().unwrap();
    // It is durable and readable by now, but nobody has been told.
    assert!(store.document("w", "case", "c1").await.unwrap().is_some());
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(!committing.is_finished());
    }
    committed.acknowledge();
    assert_eq!(committing.await.unwrap().unwrap().first_sequence, 1);
}

pub async fn a_committed_set_that_is_dropped_has_an_unknown_outcome(subject: Subject) {
    let Subject { store, mut feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(create("w", "c1")).await }
    });
    let batch: Vec<CommittedSet> = feed.next().await.unwrap();
    drop(batch);
    match committing.await.unwrap() {
        Err(CommitError::OutcomeUnknown(_)) => {}
        other => panic!("{other:?}"),
    }
}

pub async fn without_the_feed_nothing_is_committed(subject: Subject) {
    let Subject { store, feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    drop(feed);
    for _ in 0..2 {
        let outcome = store.commit(create("w", "c1")).await;
        assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{outcome:?}");
    }
    assert_eq!(store.document("w", "case", "c1").await.unwrap(), None);
}

pub async fn a_commit_nobody_waits_for_is_done(subject: Subject) {
    let Subject { store, mut feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    {
        let mut committing = Box::pin(store.commit(create("w", "c1")));
        let once = std::future::poll_fn(|context| {
            std::task::Poll::Ready(committing.as_mut().poll(context).is_pending())
        });
        assert!(once.await);
    }
    let committed = feed.next().await.unwrap().pop().unwrap();
    committed.acknowledge();
    assert!(store.document("w", "case", "c1").await.unwrap().is_some());
}

pub async fn closing_writes_what_is_queued(subject: Subject) {
    let Subject { store, feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    let mut commits = JoinSet::new();
    for step in 0..50 {
        let store = store.clone();
        commits.spawn(async move { store.commit(create("w", &format!("c{step}"))).await });
    }
    // On the test's one thread all of them have queued their sets before the close runs.
    tokio::task::yield_now().await;
    let consumer = tokio::spawn(acknowledge_all(feed));
    store.close().await;
    consumer.await.unwrap();
    for outcome in commits.join_all().await {
        outcome.unwrap();
    }
}

pub async fn a_closed_store_answers_unavailable(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    store.close().await;
    store.close().await;
    assert!(matches!(store.commit(create("w", "c2")).await, Err(CommitError::Unavailable(_))));
    assert!(matches!(store.create_workspace(workspace("x")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.document("w", "case", "c1").await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.scan("w", "case", None, 1).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.verify("w").await, Err(StoreError::Unavailable(_))));
}

pub async fn a_full_queue_is_overloaded(subject: Subject) {
    let Subject { store, feed } = subject;
    store.create_workspace(workspace("w")).await.unwrap();
    // Nobody takes from the feed, so at some point writer, feed and queue are all full.
    let mut commits = JoinSet::new();
    let mut overloaded = false;
    for step in 0..50_000 {
        let set = create("w", &format!("c{step}"));
        let mut committing = Box::pin({
            let store = store.clone();
            async move { store.commit(set).await }
        });
        let first = std::future::poll_fn(|context| std::task::Poll::Ready(committing.as_mut().poll(context)));
        match first.await {
            std::task::Poll::Ready(outcome) => {
                assert_eq!(outcome, Err(CommitError::Overloaded));
                overloaded = true;
                break;
            }
            std::task::Poll::Pending => drop(commits.spawn(committing)),
        }
    }
    assert!(overloaded);
    tokio::spawn(acknowledge_all(feed));
    for outcome in commits.join_all().await {
        outcome.unwrap();
    }
    store.commit(create("w", "later")).await.unwrap();
}
