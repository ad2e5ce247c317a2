//! Passed deadlines become changes of their own; contract section 3.

use std::sync::atomic::Ordering;

use casement_app::deadline::mark_passed;
use casement_wire::spelling::Noun;
use serde_json::json;

use crate::house::{House, NOW_MS, STREAM, id, new_case, new_task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_due_date_that_passes_breaches_what_is_unresolved_and_nothing_else() {
    let house = House::build().await;
    let mut cases = Vec::new();
    for name in ["Due", "Resolved", "Deleted", "Later", "Never"] {
        let mut body = new_case(name);
        body["dueDate"] = json!(NOW_MS + if name == "Later" { 2_000 } else { 1_000 });
        cases.push(house.create_case(body).await.unwrap());
    }
    let mut task = new_task(&cases[4]);
    task["dueDate"] = json!(NOW_MS + 1_000);
    let task = house.create_task(task).await.unwrap();
    house.update_case(id(&cases[1]), json!({"status": "Resolved"})).await.unwrap();
    house.update_case(id(&cases[2]), json!({"isActive": false})).await.unwrap();
    house.update_case(id(&cases[4]), json!({"dueDate": null})).await.unwrap();

    house.clock.store(NOW_MS + 1_000, Ordering::SeqCst);
    assert_eq!(mark_passed(&house.app).await, 0, "due now is not past");
    house.clock.store(NOW_MS + 1_001, Ordering::SeqCst);
    assert_eq!(mark_passed(&house.app).await, 2);
    assert_eq!(mark_passed(&house.app).await, 0, "once");

    let listed = house.list(Noun::Case, json!({"sortBy": {"refId": "asc"}})).await;
    let breached: Vec<bool> = listed["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["isBreached"].as_bool().unwrap())
        .collect();
    assert_eq!(breached, [true, false, false, false], "Due, Resolved, Later, Never");
    let tasks = house.list(Noun::Task, json!({})).await;
    assert_eq!(tasks["results"][0]["isBreached"], true);
    assert!(tasks["results"][0]["timestampValue"].as_i64() > task["timestampValue"].as_i64());
    let events = house.store.document_events(STREAM, id(&cases[0]), 0, 10).await.unwrap();
    assert_eq!(events.last().unwrap().kind, "case.breached");
    assert_eq!(events.len(), 2);

    let moved = house.update_case(id(&cases[0]), json!({"dueDate": NOW_MS + 9_000})).await.unwrap();
    assert_eq!(moved["isBreached"], false, "moved to the future");
    let reopened = house.update_case(id(&cases[1]), json!({"status": "Open"})).await.unwrap();
    assert_eq!(reopened["isBreached"], true, "a change that says so sets it at once");
    let restored = house.update_case(id(&cases[2]), json!({"isActive": true})).await.unwrap();
    assert_eq!(restored["isBreached"], true);
    house.clock.store(NOW_MS + 9_001, Ordering::SeqCst);
    assert_eq!(mark_passed(&house.app).await, 2, "the moved one and Later");
    house.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_that_passed_while_the_server_was_down_are_marked_after_the_start() {
    let house = House::build().await;
    let mut body = new_case("Slept");
    body["dueDate"] = json!(NOW_MS + 1);
    house.create_case(body).await.unwrap();
    let house = house.reopened().await;
    house.clock.store(NOW_MS + 5_000, Ordering::SeqCst);
    assert_eq!(mark_passed(&house.app).await, 1);
}
