//! The log: each earlier body from the events, no event without a change, and the same answers after a restart.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use casement_app::document::{IfMatch, entity_tag};
use casement_app::error::AppError;
use casement_domain::change::undo;
use casement_wire::spelling::Noun;
use serde_json::{Map, Value, json};

use crate::house::{House, STREAM, id, new_case, new_task};

/// Makes a few documents and changes every part of them.
async fn lived_in(house: &House) -> Vec<(String, &'static str)> {
    let case = house.create_case(new_case("First")).await.unwrap();
    let other = house.create_case(new_case("Second")).await.unwrap();
    let task = house.create_task(new_task(&case)).await.unwrap();
    let agents = house.stored("agent").await;
    let queues = house.stored("queue").await;
    let updates = [
        json!({"name": "Renamed", "desc": "Described", "tags": ["a"]}),
        json!({"currAssignee": {"aId": agents[0].0}}),
        json!({"queues": [{"_id": queues[0].0}], "currAssignee": {}}),
        json!({"dueDate": null}),
        json!({"dueDate": "2020-01-01", "priority": "High"}),
        json!({"userInfo": {"_id": "u-other", "name": "Other", "emailId": "o@example.com"}}),
        json!({"userInfo": {"phoneNumber": "5"}, "attachments": [{"a": null}], "feedback": ["x"]}),
        json!({"status": "Resolved", "source": "email", "channel": ["rtm"], "language": "de"}),
        json!({"status": "Open", "sessIds": ["s"], "convIds": ["c"]}),
        json!({"isActive": false}),
        json!({"isActive": true, "ETA": "2030-01-01"}),
    ];
    for (step, update) in updates.into_iter().enumerate() {
        // A clock that goes back must not bring anything out of order.
        house.clock.fetch_add(if step % 3 == 0 { -5 } else { 7 }, Ordering::SeqCst);
        // The task while its case is there.
        if update["isActive"] == true {
            house.update_case(id(&case), update.clone()).await.unwrap();
            house.update_task(id(&task), update).await.unwrap();
        } else {
            house.update_task(id(&task), update.clone()).await.unwrap();
            house.update_case(id(&case), update).await.unwrap();
        }
    }
    vec![
        (id(&case).to_owned(), "case"),
        (id(&other).to_owned(), "case"),
        (id(&task).to_owned(), "task"),
        ("u-customer".to_owned(), "customer"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_earlier_body_is_the_present_one_with_its_events_undone() {
    let house = House::build().await;
    let case = house.create_case(new_case("First")).await.unwrap();
    let mut bodies: Vec<Map<String, Value>> = Vec::new();
    let steps = [
        json!({}),
        json!({"name": "Renamed"}),
        json!({"dueDate": null, "tags": ["a", "b"]}),
        json!({"userInfo": {"emailId": "x@example.com"}}),
        json!({"userInfo": {"_id": "u-2"}}),
        json!({"dueDate": "2001-01-01", "isActive": false}),
        json!({"isActive": true, "status": "Resolved"}),
    ];
    for step in steps {
        house.update_case(id(&case), step).await.unwrap();
        let (_, version, body) = house.stored("case").await.remove(0);
        bodies.push(body);
        assert_eq!(version, bodies.len() as u64);
    }
    let task = house.create_task(new_task(&case)).await.unwrap();
    bodies.push(house.stored("case").await.remove(0).2);
    house.update_task(id(&task), json!({"isActive": false})).await.unwrap();
    bodies.push(house.stored("case").await.remove(0).2);

    let events = house.store.document_events(STREAM, id(&case), 0, 1000).await.unwrap();
    assert_eq!(events.len(), bodies.len());
    let mut body = bodies.last().unwrap().clone();
    let created = Map::new();
    let earlier: Vec<&Map<String, Value>> =
        [&created].into_iter().chain(&bodies).take(events.len()).collect();
    for (event, before) in events.iter().zip(earlier).rev() {
        match &event.changes {
            Some(changes) => {
                let changes: Map<String, Value> = serde_json::from_slice(changes).unwrap();
                assert!(!changes.is_empty(), "{} changed nothing", event.kind);
                undo(&mut body, &changes);
                assert_eq!(
                    Value::Object(body.clone()),
                    Value::Object(before.clone()),
                    "before {}",
                    event.kind
                );
            }
            None => assert_eq!((event.kind.as_str(), event.version), ("case.created", 1)),
        }
    }
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds[5..], ["case.deleted", "case.restored", "case.updated", "case.updated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_and_times_of_a_document_only_rise_and_the_chain_is_whole() {
    let house = House::build().await;
    for (document, _) in lived_in(&house).await {
        let events = house.store.document_events(STREAM, &document, 0, 1000).await.unwrap();
        let versions: Vec<u64> = events.iter().map(|event| event.version).collect();
        assert_eq!(versions, (1..=events.len() as u64).collect::<Vec<_>>(), "{document}");
        let mut last = i64::MIN;
        for event in events.iter().filter_map(|event| event.changes.as_ref()) {
            let changes: Map<String, Value> = serde_json::from_slice(event).unwrap();
            if let Some(updated_at) = changes.get("updated_at") {
                let (from, to) = (updated_at["from"].as_i64().unwrap(), updated_at["to"].as_i64().unwrap());
                assert!(from >= last && to > from, "{document}");
                last = to;
            }
        }
    }
    house.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_changes_nothing_makes_no_event_and_keeps_the_version() {
    let house = House::build().await;
    let case = house.create_case(new_case("Still")).await.unwrap();
    let head = house.store.workspace(STREAM).await.unwrap().unwrap().head;
    let mut whole = case.clone();
    for body in [json!({}), json!({"name": " Still "}), case.clone(), {
        whole["unknown"] = json!(1);
        whole
    }] {
        let answer = house.update_case(id(&case), body).await.unwrap();
        assert_eq!(answer["timestampValue"], case["timestampValue"]);
        assert_eq!(answer["updatedAt"], case["updatedAt"]);
    }
    assert_eq!(house.store.workspace(STREAM).await.unwrap().unwrap().head, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_gone_is_told_before_the_faults_of_the_body_and_an_unknown_case_before_both() {
    let house = House::build().await;
    let case = house.create_case(new_case("Versions")).await.unwrap();
    let first = IfMatch::Tags(vec![entity_tag(1)]);
    house.update_case_if(id(&case), json!({"name": "Second"}), &first).await.unwrap();
    let wrong = json!({"name": "", "iId": "st-other"});
    let outcome = house.update_case_if(id(&case), wrong.clone(), &first).await;
    assert!(matches!(outcome, Err(AppError::VersionDiffers)));
    let outcome = house.update_case_if("ci-unknown", wrong.clone(), &first).await;
    assert!(matches!(outcome, Err(AppError::NotFound)));
    for id in ["", &"x".repeat(5000)] {
        assert!(matches!(house.update_case(id, wrong.clone()).await, Err(AppError::NotFound)));
    }
    assert!(matches!(house.update_case(id(&case), wrong).await, Err(AppError::Refused(_))));
}

fn questions() -> Vec<(Noun, Value)> {
    let bodies = [
        json!({}),
        json!({"searchText": "renamed"}),
        json!({"searchText": "cs0001", "sortBy": {"refId": "asc"}}),
        json!({"unresolved": true, "sortBy": "updatedDate"}),
        json!({"unassigned": true}),
        json!({"priority": ["high"]}),
        json!({"ETAlist": ["overdue", "none"]}),
        json!({"sortBy": {"dueDate": "asc"}, "skip": 1, "limit": 2}),
        json!({"caseRefId": "CS000100"}),
    ];
    [Noun::Case, Noun::Task].into_iter().flat_map(|noun| bodies.clone().map(|body| (noun, body))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_gives_the_same_lists_and_goes_on_with_the_numbers() {
    let house = House::build().await;
    lived_in(&house).await;
    let deleted = house.create_case(new_case("Deleted")).await.unwrap();
    house.create_task(new_task(&deleted)).await.unwrap();
    house.update_case(id(&deleted), json!({"isActive": false})).await.unwrap();
    let mut before = Vec::new();
    for (noun, body) in questions() {
        before.push(house.list(noun, body).await);
    }
    let house = house.reopened().await;
    for ((noun, body), before) in questions().into_iter().zip(before) {
        assert_eq!(house.list(noun, body.clone()).await, before, "{noun:?} {body}");
    }
    let next = house.create_case(new_case("Next")).await.unwrap();
    assert_eq!(next["refId"], "CS000103");
    assert_eq!(house.create_task(new_task(&next)).await.unwrap()["refId"], "TS000102");
    house.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_is_what_is_listed_and_stored() {
    let house = House::build().await;
    let mut answers: HashMap<String, Value> = HashMap::new();
    let case = house.create_case(new_case("One")).await.unwrap();
    let task = house.create_task(new_task(&case)).await.unwrap();
    let update = json!({"name": "Two", "dueDate": "2000-01-01"});
    for answer in [
        house.update_task(id(&task), update.clone()).await.unwrap(),
        house.update_case(id(&case), update).await.unwrap(),
    ] {
        answers.insert(id(&answer).to_owned(), answer);
    }
    for noun in [Noun::Case, Noun::Task] {
        let listed = house.list(noun, json!({})).await;
        let document = &listed["results"][0];
        assert_eq!(document, &answers[id(document)]);
        assert_eq!(document["isBreached"], true);
    }
}
