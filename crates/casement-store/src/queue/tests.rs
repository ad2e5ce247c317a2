//! Facts about the queue that no engine is needed for.

use super::*;
use crate::set::EventWrite;

fn set(workspace: &str, operation: u8) -> WriteSet {
    WriteSet {
        workspace: workspace.into(),
        operation: [operation; 16],
        at_ms: 0,
        actor: String::new(),
        app: String::new(),
        config_version: None,
        changes_config: false,
        guards: vec![],
        claim_guards: vec![],
        head_guards: vec![],
        documents: vec![],
        claims: vec![],
        events: vec![EventWrite {
            kind: "changed".into(),
            document_kind: "case".into(),
            document: "c".into(),
            changes: None,
            salt: [0; 16],
        }],
    }
}

fn operations(work: Option<Work>) -> Vec<u8> {
    match work {
        Some(Work::Sets(batch)) => batch.sets.iter().map(|set| set.operation[0]).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_holds_one_workspace_and_leaves_the_others_in_order() {
    let queue = Queue::new(100);
    for (workspace, operation) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)] {
        queue.push_set(set(workspace, operation), 10).unwrap();
    }
    assert_eq!(operations(queue.take()), [1, 3]);
    assert_eq!(operations(queue.take()), [2, 5]);
    assert_eq!(operations(queue.take()), [4]);
}

#[test]
fn a_batch_ends_at_its_bytes_and_at_its_count() {
    let queue = Queue::new(10_000);
    for operation in 1..=3 {
        queue.push_set(set("a", operation), limits::BATCH_BYTES_MAX).unwrap();
    }
    assert_eq!(operations(queue.take()), [1]);
    assert_eq!(operations(queue.take()), [2]);
    assert_eq!(operations(queue.take()), [3]);
    for _ in 0..=limits::BATCH_SETS_MAX {
        queue.push_set(set("a", 1), 1).unwrap();
    }
    assert_eq!(operations(queue.take()).len(), limits::BATCH_SETS_MAX);
    assert_eq!(operations(queue.take()).len(), 1);
}

#[test]
fn a_workspace_to_be_made_is_not_overtaken() {
    let queue = Queue::new(100);
    queue.push_set(set("a", 1), 1).unwrap();
    let workspace = NewWorkspace {
        id: "a".into(),
        account: String::new(),
        organisation: String::new(),
        counters: Default::default(),
    };
    queue.push_workspace(workspace).unwrap();
    queue.push_set(set("a", 2), 1).unwrap();
    assert_eq!(operations(queue.take()), [1]);
    assert!(matches!(queue.take(), Some(Work::Workspace(..))));
    assert_eq!(operations(queue.take()), [2]);
}

#[test]
fn a_full_queue_is_overloaded() {
    let queue = Queue::new(2);
    queue.push_set(set("a", 1), 1).unwrap();
    queue.push_set(set("a", 2), 1).unwrap();
    assert_eq!(queue.push_set(set("a", 3), 1).unwrap_err(), CommitError::Overloaded);
    operations(queue.take());
    queue.push_set(set("a", 4), limits::QUEUE_BYTES_MAX).unwrap();
    assert_eq!(queue.push_set(set("a", 5), 1).unwrap_err(), CommitError::Overloaded);
}

#[test]
fn a_closed_queue_is_emptied_and_takes_nothing() {
    let queue = Queue::new(2);
    queue.push_set(set("a", 1), 1).unwrap();
    queue.close();
    assert!(matches!(queue.push_set(set("a", 2), 1), Err(CommitError::Unavailable(_))));
    assert_eq!(operations(queue.take()), [1]);
    assert!(queue.take().is_none());
}

#[test]
fn what_waits_is_answered_when_the_health_turns() {
    let queue = Queue::new(10);
    let mut answer = queue.push_set(set("a", 1), 1).unwrap();
    queue.fill("full".into());
    assert_eq!(answer.try_recv().unwrap(), Err(CommitError::Unavailable("full".into())));
    assert_eq!(queue.health(), Health::Full { reason: "full".into() });
    assert!(matches!(queue.push_set(set("a", 2), 1), Err(CommitError::Unavailable(_))));
    queue.recover();
    assert_eq!(queue.health(), Health::Ready);
    queue.push_set(set("a", 3), 1).unwrap();
}

#[test]
fn what_needs_a_restart_does_not_recover() {
    let queue = Queue::new(10);
    queue.fail("broken".into());
    queue.fill("full".into());
    queue.recover();
    assert_eq!(queue.health(), Health::RestartRequired { reason: "broken".into() });
}

#[test]
fn a_panic_of_the_writer_leaves_nobody_waiting() {
    let queue = Queue::new(10);
    let mut taken = queue.push_set(set("a", 1), 1).unwrap();
    let mut waiting = queue.push_set(set("b", 2), 1).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let _guard = PanicGuard { queue: &queue, thread: "writer" };
            let _batch = queue.take();
            panic!("as a test");
        });
        assert!(writer.join().is_err());
    });
    assert!(matches!(taken.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    assert!(matches!(waiting.try_recv(), Ok(Err(CommitError::Unavailable(_)))));
    assert!(matches!(queue.health(), Health::RestartRequired { .. }));
}
