//! What comes back from documents, claims, workspaces and the log.

use casement_store::document::{Along, Claim, WorkspaceRow};
use casement_store::error::StoreError;
use casement_store::limits;

use super::Subject;
use crate::build::{EXPIRES_MS, create, empty, numbered, putting, under, update, workspace, writing};

pub async fn events_come_in_order_and_in_pages(subject: Subject) {
    let store = subject.acknowledging().await;
    for step in 1..=10u8 {
        let mut set = create("w", &format!("c{step}"));
        set.operation = [step; 16];
        store.commit(set).await.unwrap();
    }
    let mut update = update("w", "c1", 1, b"changed");
    update.operation = [11; 16];
    update.events[0].kind = "updated".into();
    store.commit(update).await.unwrap();
    let first = store.events("w", 0, 6).await.unwrap();
    let second = store.events("w", 6, 6).await.unwrap();
    assert_eq!(store.events("w", 11, 6).await.unwrap(), []);
    assert_eq!(store.events("w", u64::MAX, 6).await.unwrap(), []);
    let all: Vec<_> = first.into_iter().chain(second).collect();
    assert!(all.iter().map(|event| event.sequence).eq(1..=11));
    assert!(all.iter().map(|event| event.operation[0]).eq(1..=11));
    let last = all.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.document_kind.as_str(), last.document.as_str()),
        ("updated", "case", "c1")
    );
    assert_eq!((last.actor.as_str(), last.app.as_str(), last.at_ms), ("ann", "console", 1_700_000_000_000));
    assert_eq!((last.version, last.changes.as_deref(), last.salt), (2, Some(&b"changed"[..]), Some([9; 16])));
    assert_eq!(all[0].changes, None);
}

pub async fn a_document_has_its_own_events(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    store.commit(create("w", "c2")).await.unwrap();
    store.commit(create("v", "c1")).await.unwrap();
    store.commit(update("w", "c1", 1, b"x")).await.unwrap();
    store.commit(update("w", "c1", 2, b"y")).await.unwrap();
    let sequences = async |after, limit| -> Vec<u64> {
        let events = store.document_events("w", "c1", after, limit).await.unwrap();
        events.iter().map(|event| event.sequence).collect()
    };
    assert_eq!(sequences(0, 10).await, [1, 3, 4]);
    assert_eq!(sequences(1, 1).await, [3]);
    assert!(sequences(4, 10).await.is_empty());
    let sequences_below = async |below, limit| -> Vec<u64> {
        let events = store.document_events_below("w", "c1", below, limit).await.unwrap();
        events.iter().map(|event| event.sequence).collect()
    };
    assert_eq!(sequences_below(u64::MAX >> 1, 2).await, [4, 3]);
    assert_eq!(sequences_below(3, 10).await, [1]);
    assert!(sequences_below(1, 10).await.is_empty());
}

pub async fn what_changed_comes_once_in_the_order_of_last_changes(subject: Subject) {
    let store = subject.acknowledging().await;
    for id in ["c1", "c2", "c3"] {
        store.commit(create("w", id)).await.unwrap();
    }
    store.commit(create("v", "c1")).await.unwrap();
    store.commit(update("w", "c1", 1, b"x")).await.unwrap();
    store.commit(writing(empty("w"), "task", "c2", 0, b"{}")).await.unwrap();
    let mut twice = update("w", "c3", 1, b"y");
    twice.events.push(twice.events[0].clone());
    store.commit(twice).await.unwrap();
    let changed = async |after, limit| -> Vec<(String, String, u64, u64)> {
        let documents = store.changed_documents("w", after, limit).await.unwrap();
        documents
            .into_iter()
            .map(|document| (document.kind, document.id, document.version, document.sequence))
            .collect()
    };
    let one = |kind: &str, id: &str, version, sequence| (kind.to_owned(), id.to_owned(), version, sequence);
    let all =
        [one("case", "c2", 1, 2), one("case", "c1", 2, 4), one("task", "c2", 1, 5), one("case", "c3", 2, 7)];
    assert_eq!(changed(0, 100).await, all);
    assert_eq!(changed(2, 100).await, all[1..]);
    assert_eq!(changed(2, 1).await, []);
    assert_eq!(changed(2, 2).await, all[1..2]);
    assert_eq!(changed(6, 1).await, all[3..]);
    assert_eq!(changed(7, 100).await, []);
    assert_eq!(changed(u64::MAX, 100).await, []);
    assert_eq!(store.changed_documents("v", 0, 9).await.unwrap().len(), 1);
    assert!(matches!(
        store.changed_documents("w", 0, limits::PAGE_MAX + 1).await,
        Err(StoreError::Refused(_))
    ));
}

pub async fn a_fresh_log_is_whole(subject: Subject) {
    let store = subject.acknowledging().await;
    let report = store.verify("w").await.unwrap();
    assert_eq!((report.events, report.fault), (0, None));
    let mut set = create("w", "c1");
    let event = set.events[0].clone();
    set.events.resize(1000, event);
    store.commit(set).await.unwrap();
    let mut set = update("w", "c1", 1, b"x");
    let event = set.events[0].clone();
    set.events.resize(1000, event);
    store.commit(set).await.unwrap();
    store.commit(update("w", "c1", 2, b"x")).await.unwrap();
    let report = store.verify("w").await.unwrap();
    assert_eq!((report.events, report.fault), (2001, None));
}

pub async fn children_come_by_id(subject: Subject) {
    let store = subject.acknowledging().await;
    for id in ["m3", "m1", "m2"] {
        store.commit(under(writing(empty("w"), "comment", id, 0, b"{}"), "c1")).await.unwrap();
    }
    store.commit(under(writing(empty("w"), "comment", "m4", 0, b"{}"), "c2")).await.unwrap();
    store.commit(under(writing(empty("w"), "task", "t1", 0, b"{}"), "c1")).await.unwrap();
    store.commit(under(writing(empty("v"), "comment", "m5", 0, b"{}"), "c1")).await.unwrap();
    let children = store.children("w", "comment", "c1").await.unwrap();
    let ids: Vec<_> = children.iter().map(|document| document.id.as_str()).collect();
    assert_eq!(ids, ["m1", "m2", "m3"]);
    assert_eq!(children[0].parent.as_deref(), Some("c1"));
    assert_eq!(store.children("w", "comment", "c9").await.unwrap(), []);
}

pub async fn a_page_of_children_goes_back_from_the_last_id(subject: Subject) {
    let store = subject.acknowledging().await;
    for id in ["m3", "m1", "m5", "m2", "m4"] {
        store.commit(under(writing(empty("w"), "comment", id, 0, b"{}"), "c1")).await.unwrap();
    }
    store.commit(under(writing(empty("w"), "comment", "m9", 0, b"{}"), "c2")).await.unwrap();
    store.commit(under(writing(empty("w"), "task", "m8", 0, b"{}"), "c1")).await.unwrap();
    store.commit(under(writing(empty("v"), "comment", "m7", 0, b"{}"), "c1")).await.unwrap();
    let parents = ["c1".to_owned()];
    let page = async |before: Option<&str>, limit| -> Vec<String> {
        let along = Along::Down(before.map(str::to_owned));
        let page = store.children_page("w", "comment", &parents, &along, limit).await.unwrap();
        page.into_iter().map(|document| document.id).collect()
    };
    assert_eq!(page(None, 2).await, ["m5", "m4"]);
    store.commit(under(writing(empty("w"), "comment", "m6", 0, b"{}"), "c1")).await.unwrap();
    assert_eq!(page(Some("m4"), 2).await, ["m3", "m2"]);
    assert_eq!(page(Some("m2"), 2).await, ["m1"]);
    assert_eq!(page(Some("m1"), 2).await, Vec::<String>::new());
    assert_eq!(page(Some("m35"), 1).await, ["m3"], "a place need not be that of a document");
    assert_eq!(page(None, 100).await, ["m6", "m5", "m4", "m3", "m2", "m1"]);
    let too_many = store.children_page("w", "comment", &parents, &Along::Down(None), limits::PAGE_MAX + 1);
    assert!(too_many.await.is_err());
}

pub async fn children_of_several_parents_come_in_one_order_either_way(subject: Subject) {
    let store = subject.acknowledging().await;
    let places =
        [("m1", "c1"), ("m2", "c2"), ("m3", "c1"), ("m4", "c3"), ("m5", "c2"), ("m6", "c1"), ("m7", "c9")];
    for (id, parent) in places {
        store.commit(under(writing(empty("w"), "comment", id, 0, b"{}"), parent)).await.unwrap();
    }
    store.commit(under(writing(empty("w"), "task", "m0", 0, b"{}"), "c1")).await.unwrap();
    store.commit(under(writing(empty("v"), "comment", "m8", 0, b"{}"), "c1")).await.unwrap();
    let parents = ["c1", "c2", "c3", "c4"].map(str::to_owned);
    let page = async |along: Along, limit| -> Vec<String> {
        let page = store.children_page("w", "comment", &parents, &along, limit).await.unwrap();
        page.into_iter().map(|document| document.id).collect()
    };
    let at = |id: &str| Some(id.to_owned());
    assert_eq!(page(Along::Down(None), 100).await, ["m6", "m5", "m4", "m3", "m2", "m1"]);
    assert_eq!(page(Along::Up(None), 100).await, ["m1", "m2", "m3", "m4", "m5", "m6"]);
    assert_eq!(page(Along::Down(at("m5")), 2).await, ["m4", "m3"]);
    assert_eq!(page(Along::Up(at("m2")), 2).await, ["m3", "m4"]);
    assert_eq!(page(Along::Up(at("m6")), 2).await, Vec::<String>::new());
    assert_eq!(store.children_page("w", "comment", &[], &Along::Up(None), 5).await.unwrap(), []);
    let many = vec![String::from("c1"); limits::PARENTS_MAX + 1];
    assert!(store.children_page("w", "comment", &many, &Along::Up(None), 5).await.is_err());
    for (parent, count) in [("c1", 3), ("c3", 1), ("c4", 0)] {
        assert_eq!(store.count_children("w", "comment", parent).await.unwrap(), count, "{parent}");
    }
}

pub async fn a_scan_goes_through_all_documents_of_a_kind(subject: Subject) {
    let store = subject.acknowledging().await;
    for step in [3, 1, 4, 0, 2] {
        store.commit(create("w", &format!("c{step}"))).await.unwrap();
    }
    store.commit(writing(empty("w"), "task", "c9", 0, b"{}")).await.unwrap();
    store.commit(create("v", "c8")).await.unwrap();
    let mut after: Option<String> = None;
    let mut pages = Vec::new();
    loop {
        let page = store.scan("w", "case", after.as_deref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        pages.push(page.iter().map(|document| document.id.clone()).collect::<Vec<_>>());
    }
    assert_eq!(pages, [vec!["c0", "c1"], vec!["c2", "c3"], vec!["c4"]]);
}

pub async fn documents_come_in_the_order_asked(subject: Subject) {
    let store = subject.acknowledging().await;
    let count = limits::DOCUMENTS_INLINE_MAX * 2;
    for step in 0..count {
        store.commit(create("w", &format!("c{step:03}"))).await.unwrap();
    }
    let few: Vec<String> = ["c003", "nobody", "c001", "c003"].map(String::from).to_vec();
    let found = store.documents("w", "case", &few).await.unwrap();
    let ids: Vec<_> = found.iter().map(|document| document.id.as_str()).collect();
    assert_eq!(ids, ["c003", "c001", "c003"]);
    let many: Vec<String> = (0..count).rev().map(|step| format!("c{step:03}")).collect();
    let found = store.documents("w", "case", &many).await.unwrap();
    assert!(found.iter().map(|document| &document.id).eq(&many));
    assert_eq!(store.documents("v", "case", &many).await.unwrap(), []);
}

pub async fn claims_are_read_back(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(putting(create("w", "c1"), "mail/ann", "c1")).await.unwrap();
    let expected = Claim {
        key: "mail/ann".into(),
        document: "c1".into(),
        result: Some(b"kept".to_vec()),
        expires_ms: Some(EXPIRES_MS),
    };
    assert_eq!(store.claim("w", "mail/ann").await.unwrap(), Some(expected));
    assert_eq!(store.claim("w", "mail/bob").await.unwrap(), None);
    assert_eq!(store.claim("v", "mail/ann").await.unwrap(), None);
}

pub async fn workspaces_are_listed(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(numbered(create("w", "c1"), "CS")).await.unwrap();
    let row = |id: &str, head, next| {
        let mut counters = workspace(id).counters;
        counters.insert("CS".into(), next);
        WorkspaceRow {
            id: id.into(),
            account: "acme".into(),
            organisation: "support".into(),
            head,
            config_version: 1,
            counters,
        }
    };
    assert_eq!(store.workspaces().await.unwrap(), [row("v", 0, 1), row("w", 1, 2)]);
    assert_eq!(store.workspace("w").await.unwrap(), Some(row("w", 1, 2)));
    assert_eq!(store.workspace("x").await.unwrap(), None);
}

pub async fn unanswerable_questions_are_refused(subject: Subject) {
    let store = subject.acknowledging().await;
    for limit in [0, limits::PAGE_MAX + 1] {
        assert!(matches!(store.events("w", 0, limit).await, Err(StoreError::Refused(_))));
        assert!(matches!(store.scan("w", "case", None, limit).await, Err(StoreError::Refused(_))));
        assert!(matches!(store.document_events("w", "c", 0, limit).await, Err(StoreError::Refused(_))));
    }
    assert!(matches!(store.verify("nowhere").await, Err(StoreError::Refused(_))));
    let ids = vec!["c1".to_string(); limits::DOCUMENTS_MAX + 1];
    assert!(matches!(store.documents("w", "case", &ids).await, Err(StoreError::TooMany { .. })));
}
