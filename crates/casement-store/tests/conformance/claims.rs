//! Claims that stand alone, and claims that end.

use casement_store::error::Miss;
use casement_store::set::Committed;
use tokio::task::JoinSet;

use super::{Subject, misses};
use crate::build::{
    AT_MS, EXPIRES_MS, create, decided_at, empty, guarding_claim, putting, removing, sweeping,
};

fn claim_miss(key: &str) -> Miss {
    Miss::Claim { key: key.into() }
}

pub async fn a_set_may_write_claims_alone(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(create("w", "c1")).await.unwrap();
    let committed = store.commit(putting(empty("w"), "k", "op1")).await.unwrap();
    let expected = Committed { first_sequence: 2, last_sequence: 1, config_version: 1, documents: vec![] };
    assert_eq!(committed, expected);
    assert_eq!(store.claim("w", "k").await.unwrap().unwrap().document, "op1");
    assert_eq!(misses(&store, putting(empty("w"), "k", "op2")).await, [claim_miss("k")]);
    assert_eq!(store.commit(create("w", "c2")).await.unwrap().first_sequence, 2);
    store.commit(removing(empty("w"), "k")).await.unwrap();
    assert_eq!(store.claim("w", "k").await.unwrap(), None);
    assert_eq!(store.verify("w").await.unwrap().fault, None);
}

pub async fn an_expired_key_is_free(subject: Subject) {
    let store = subject.acknowledging().await;
    store.commit(putting(empty("w"), "k", "op1")).await.unwrap();
    let just_before = decided_at(putting(empty("w"), "k", "op2"), EXPIRES_MS - 1);
    assert_eq!(misses(&store, just_before).await, [claim_miss("k")]);
    let free = guarding_claim(empty("w"), "k", None);
    assert_eq!(misses(&store, putting(free.clone(), "other", "op2")).await, [claim_miss("k")]);
    let held = decided_at(guarding_claim(putting(empty("w"), "other", "op2"), "k", Some("op1")), EXPIRES_MS);
    assert_eq!(misses(&store, held).await, [claim_miss("k")]);
    store.commit(decided_at(putting(free, "k", "op2"), EXPIRES_MS)).await.unwrap();
    let claim = store.claim("w", "k").await.unwrap().unwrap();
    assert_eq!(claim.document, "op2");
    assert!(!claim.is_expired(EXPIRES_MS - 1) && claim.is_expired(EXPIRES_MS));
}

pub async fn only_expired_claims_are_swept(subject: Subject) {
    let store = subject.acknowledging().await;
    for key in ["k1", "k2"] {
        store.commit(putting(empty("w"), key, "op1")).await.unwrap();
    }
    store.commit(putting(empty("v"), "k3", "op1")).await.unwrap();
    assert_eq!(store.expired_claims("w", EXPIRES_MS - 1, 10).await.unwrap(), [""; 0]);
    assert_eq!(store.expired_claims("w", EXPIRES_MS, 10).await.unwrap(), ["k1", "k2"]);
    assert_eq!(store.expired_claims("w", EXPIRES_MS, 1).await.unwrap().len(), 1);
    let early = decided_at(sweeping(sweeping(empty("w"), "k1"), "nobody"), AT_MS);
    store.commit(early).await.unwrap();
    assert!(store.claim("w", "k1").await.unwrap().is_some());
    store.commit(decided_at(sweeping(empty("w"), "k1"), EXPIRES_MS)).await.unwrap();
    assert_eq!(store.claim("w", "k1").await.unwrap(), None);
    assert!(store.claim("w", "k2").await.unwrap().is_some());
}

pub async fn of_sets_that_want_one_key_the_first_has_it(subject: Subject) {
    let store = subject.acknowledging().await;
    let mut commits = JoinSet::new();
    for step in 0..64 {
        let store = store.clone();
        let set = putting(create("w", &format!("c{step}")), "k", &format!("op{step}"));
        commits.spawn(async move { store.commit(set).await.is_ok() });
    }
    let passed = commits.join_all().await.into_iter().filter(|passed| *passed).count();
    assert_eq!(passed, 1);
    assert_eq!(store.scan("w", "case", None, 100).await.unwrap().len(), 1);
}
