//! Contract section 3, `isBreached`: set by a change that says so, else by the server when the moment passes.

use casement_app::deadline::mark_passed;
use serde_json::{Value, json};

use crate::harness::server::{HOUR_MS, START_MS, Server, overlaid};

const SOON: i64 = START_MS + HOUR_MS;
const LATER: i64 = START_MS + 100 * HOUR_MS;

async fn case(server: &Server, id: &Value) -> Value {
    server.listed_case(id).await.unwrap()
}

#[tokio::test]
async fn a_passed_due_date_is_marked_once_by_an_event_of_its_own() {
    let server = Server::start().await;
    let due = server.create_case(json!({"dueDate": SOON})).await;
    let later = server.create_case(json!({"dueDate": LATER})).await;
    let task = server.create_task(&later, json!({"dueDate": SOON})).await;
    let before = server.events_total().await;
    for now_ms in [START_MS, SOON] {
        server.set_clock(now_ms);
        assert_eq!(mark_passed(&server.app).await, 0);
    }
    server.set_clock(SOON + 1);
    assert_eq!(mark_passed(&server.app).await, 2);
    assert_eq!(server.events_total().await, before + 2);
    let marked = case(&server, &due["_id"]).await;
    assert_eq!((&marked["isBreached"], &marked["timestampValue"]), (&json!(true), &json!(SOON + 1)));
    let listed = overlaid(due, json!({"tasks": crate::harness::server::ABSENT}));
    for (key, value) in listed.as_object().unwrap() {
        let follows = ["isBreached", "timestampValue", "updatedAt", "updatedBy"];
        assert!(follows.contains(&key.as_str()) || marked[key] == *value, "{key}");
    }
    assert_eq!(server.listed_task(&task["_id"]).await.unwrap()["isBreached"], true);
    assert_eq!(case(&server, &later["_id"]).await["isBreached"], false);
    let events = server.events_of(marked["_id"].as_str().unwrap()).await;
    assert_eq!(
        (events.len(), events[1].kind.as_str(), events[1].actor.as_str()),
        (2, "case.breached", "u-casement")
    );
    assert_eq!(mark_passed(&server.app).await, 0);
    assert_eq!(server.events_total().await, before + 2);
}

#[tokio::test]
async fn what_is_resolved_or_deleted_is_not_marked() {
    let server = Server::start().await;
    for (status, active) in [("Resolved", true), ("Closed", true), ("Open", false)] {
        let case = server.create_case(json!({"dueDate": SOON, "status": status})).await;
        server.update_case(&case, json!({"isActive": active})).await;
    }
    server.set_clock(SOON + 1);
    assert_eq!(mark_passed(&server.app).await, 0);
}

#[tokio::test]
async fn a_due_date_moved_to_the_future_clears_the_breach() {
    let server = Server::start().await;
    let made = server.create_case(json!({"dueDate": START_MS - 1})).await;
    assert_eq!(made["isBreached"], true);
    let resolved = server.update_case(&made, json!({"status": "Resolved"})).await;
    assert_eq!(resolved["isBreached"], true, "resolving leaves it");
    assert_eq!(server.update_case(&made, json!({"status": "Open"})).await["isBreached"], true);
    assert_eq!(server.update_case(&made, json!({"dueDate": SOON})).await["isBreached"], false);
    server.set_clock(SOON + 1);
    assert_eq!(mark_passed(&server.app).await, 1);
    assert_eq!(server.update_case(&made, json!({"dueDate": START_MS - 5})).await["isBreached"], true);
    assert_eq!(server.update_case(&made, json!({"ETA": ""})).await["isBreached"], false);
}

#[tokio::test]
async fn an_update_that_finds_the_due_date_past_says_so_itself() {
    let server = Server::start().await;
    let made = server.create_case(json!({"dueDate": SOON})).await;
    let moved = server.update_case(&made, json!({"dueDate": START_MS - 1})).await;
    assert_eq!(moved["isBreached"], true);
    let other = server.create_case(json!({"dueDate": SOON})).await;
    server.set_clock(SOON + 1);
    assert_eq!(server.update_case(&other, json!({"name": "New"})).await["isBreached"], true);
    assert_eq!(mark_passed(&server.app).await, 0);
}

#[tokio::test]
async fn a_resolved_case_that_is_reopened_past_its_due_date_is_breached() {
    let server = Server::start().await;
    let made = server.create_case(json!({"dueDate": START_MS - 1, "status": "Resolved"})).await;
    assert_eq!(made["isBreached"], false);
    assert_eq!(server.update_case(&made, json!({"status": "Open"})).await["isBreached"], true);
    let deleted = server.create_case(json!({"dueDate": SOON})).await;
    server.update_case(&deleted, json!({"isActive": false})).await;
    server.set_clock(SOON + 1);
    assert_eq!(server.update_case(&deleted, json!({"isActive": true})).await["isBreached"], true);
}

#[tokio::test]
async fn more_passed_due_dates_than_one_look_takes_are_marked_by_the_next() {
    let server = Server::start().await;
    let made = casement_app::limits::DEADLINES_AT_ONCE + 10;
    for _ in 0..made {
        server.create_case(json!({"dueDate": SOON})).await;
    }
    server.set_clock(SOON + 1);
    assert_eq!(mark_passed(&server.app).await, casement_app::limits::DEADLINES_AT_ONCE);
    assert_eq!(mark_passed(&server.app).await, 10);
}
