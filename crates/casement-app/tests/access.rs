//! Access: who reaches which workspace, and who acts in it; contract sections 1 and 11.10.

use std::sync::Arc;

use casement_domain::id::{AccountId, StreamId};
use casement_wire::spelling::Noun;
use serde_json::json;

use crate::house::{House, STREAM, new_case, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_reaches_its_own_streams_and_no_others() {
    let house = House::build().await;
    let other = House::add_workspace(&house.app, "st-2").await;
    let denied = |app: &casement_app::jwt_app::JwtApp, stream: &str| {
        house.app.access(&Arc::new(app.clone()), stream, None, None).is_err()
    };
    assert!(!denied(&house.jwt, STREAM) && !denied(&other, "st-2"));
    for stream in ["st-2", "st-3", "", "installation", "ST-1"] {
        assert!(denied(&house.jwt, stream), "{stream:?}");
    }
    let changed = |change: fn(&mut casement_app::jwt_app::JwtApp)| {
        let mut app = house.jwt.clone();
        change(&mut app);
        denied(&app, STREAM)
    };
    assert!(changed(|app| app.active = false));
    assert!(changed(|app| app.scopes = vec!["another".to_owned()]));
    assert!(changed(|app| app.streams = vec![StreamId::from_text("st-2")]));
    assert!(changed(|app| app.account = AccountId::from_text("another")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_the_subject_names_acts_and_anyone_else_is_the_app() {
    let house = House::build().await;
    let (_, _, agent) = house.stored("agent").await.remove(0);
    let command = casement_wire::case::read_create(new_case("Acted").as_object().unwrap(), None);
    let user = agent["user"].as_str().unwrap();
    for (subject, name) in [
        (None, "Casement app"),
        (Some("nobody"), "Casement app"),
        (Some(""), "Casement app"),
        (Some(user), "First Agent"),
        (Some("AGENT@example.com"), "First Agent"),
    ] {
        let access = house.app.access(&Arc::new(house.jwt.clone()), STREAM, subject, None).unwrap();
        let zone = casement_domain::date::Zone::UTC;
        let made =
            casement_app::case::create::create_case(&house.app, &access, &command, zone, None).await.unwrap();
        let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
        assert_eq!(
            (&made["createdBy"]["name"], &made["createdBy"]["profImage"]),
            (&json!(name), &json!("no-avatar"))
        );
        if subject.is_none() {
            assert_eq!(made["createdBy"]["_id"], house.jwt.user.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_of_one_workspace_are_unknown_in_another() {
    let house = House::build().await;
    let case = house.create_case(new_case("Mine")).await.unwrap();
    let other = House::add_workspace(&house.app, "st-2").await;
    let access = house.app.access(&Arc::new(other), "st-2", None, None).unwrap();
    let command = casement_wire::task::read_create(crate::house::new_task(&case).as_object().unwrap());
    let zone = casement_domain::date::Zone::UTC;
    let outcome = casement_app::task::create::create_task(&house.app, &access, &command, zone, None).await;
    let faults = refused(outcome);
    assert!(faults.has(casement_domain::fault::FaultKind::NotFound));
    let query = casement_wire::list::read_query(&serde_json::Map::new(), Noun::Case);
    let page = casement_app::list::list(&house.app, &access, Noun::Case, query, zone).await.unwrap();
    let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
    assert_eq!(page["totalResults"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_command_stores_nothing() {
    let house = House::build().await;
    let head = house.store.workspace(STREAM).await.unwrap().unwrap().head;
    let mut body = new_case("Refused");
    body["userInfo"] = json!({"emailId": "new@example.com"});
    body["source"] = json!("");
    refused(house.create_case(body).await);
    assert_eq!(house.store.workspace(STREAM).await.unwrap().unwrap().head, head);
    assert!(house.stored("customer").await.is_empty());
    assert!(house.store.claim(STREAM, "customer.email:new@example.com").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_customer_is_stored_whatever_the_script() {
    let house = House::build().await;
    let mut body = new_case("Long");
    let long = |count: usize| "\u{1f600}".repeat(count);
    body["userInfo"] =
        json!({"_id": long(64), "name": long(512), "emailId": long(320), "phoneNumber": long(64)});
    let made = house.create_case(body.clone()).await.unwrap();
    assert_eq!(made["userInfo"], body["userInfo"]);
    let again = house.create_case(body).await.unwrap();
    assert_eq!(again["refId"], "CS000101");
    assert_eq!(house.stored("customer").await.len(), 1);
}
