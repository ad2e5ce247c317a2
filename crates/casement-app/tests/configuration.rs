//! Applying configuration documents: one set, its events, what documents keep to, and two documents at once.

use std::sync::Arc;

use casement_app::configuration::ConfigurationError;
use casement_app::configuration::apply::{Run, apply};
use casement_app::configuration::show::show;
use casement_domain::workspace::configure::ChangedEntry;
use serde_json::{Value, json};

use crate::house::{House, STREAM, id, new_case};

async fn applied(house: &House, document: &Value) -> Vec<ChangedEntry> {
    apply(&house.app, None, document.to_string().as_bytes(), Run::Real).await.unwrap()
}

async fn head(house: &House) -> u64 {
    house.store.workspace(STREAM).await.unwrap().unwrap().head
}

/// A field that the template General shows first of all, or alone.
fn document(fields: &[&str]) -> Value {
    json!({
        "fields": [{"_id": "fd-size", "name": "Size", "format": "number"}],
        "caseTemplates": [{"name": "General", "fields": fields, "closesWithOpenTasks": true}],
    })
}

fn shown(case: &Value) -> Vec<&str> {
    case["fields"].as_array().unwrap().iter().map(|field| field["displayName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_document_is_one_set_with_an_event_for_each_entry_and_applying_it_again_is_none() {
    let house = House::build().await;
    let before = head(&house).await;
    let entries = applied(&house, &document(&["Size", "Title"])).await;
    let told: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.is_new)).collect();
    assert_eq!(told, [("Size", true), ("General", false)]);
    assert_eq!(head(&house).await, before + 2);
    let field = &house.store.document_events(STREAM, "fd-size", 0, 10).await.unwrap()[0];
    assert_eq!((field.kind.as_str(), &field.changes), ("field.created", &None));
    let events = house.store.document_events(STREAM, &entries[1].id, 0, 10).await.unwrap();
    assert_eq!(events[1].kind, "case-template.updated");
    assert_eq!(events[1].operation, field.operation);
    let changes: Value = serde_json::from_slice(events[1].changes.as_deref().unwrap()).unwrap();
    assert_eq!(changes["closes_with_open_tasks"], json!({"from": false, "to": true}));
    assert_eq!(changes["version"], json!({"to": 2}));
    assert_eq!(applied(&house, &document(&["Size", "Title"])).await, []);
    assert_eq!(head(&house).await, before + 2);
    house.verify().await;
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let house = House::build().await;
    let before = head(&house).await;
    let bytes = document(&["Size"]).to_string();
    let told = apply(&house.app, None, bytes.as_bytes(), Run::Dry).await.unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!(head(&house).await, before);
    assert_eq!(apply(&house.app, Some(STREAM), bytes.as_bytes(), Run::Real).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_case_keeps_to_its_templates_version_also_after_a_restart() {
    let mut house = House::build().await;
    applied(&house, &document(&["Title", "Size"])).await;
    let old = house.create_case(new_case("Old")).await.unwrap();
    applied(&house, &document(&["Title"])).await;
    let new = house.create_case(new_case("New")).await.unwrap();
    for _ in 0..2 {
        let size = json!({"fields": [{"name": "Size", "selectedValue": 5}]});
        let after = house.update_case(id(&old), size.clone()).await.unwrap();
        assert_eq!(shown(&after), ["Title", "Size"]);
        assert_eq!(after["fields"][1]["selectedValue"], 5);
        assert_eq!(shown(&house.update_case(id(&new), json!({"name": "Newer"})).await.unwrap()), ["Title"]);
        assert!(house.update_case(id(&new), size).await.is_err());
        house = house.reopened().await;
    }
    let away = json!({"caseTemplates": [{"name": "Away"}]});
    applied(&house, &away).await;
    house.update_case(id(&old), json!({"caseTmp": "Away"})).await.unwrap();
    let back = house.update_case(id(&old), json!({"caseTmp": "General"})).await.unwrap();
    assert_eq!(shown(&back), ["Title"], "a template that is set anew is set in its current version");
}

#[tokio::test]
async fn what_is_shown_is_the_same_after_a_restart_and_applies_to_nothing() {
    let house = House::build().await;
    let patterned = json!({"fields": [{"name": "Code", "format": "input", "pattern": "[A-Z]{2}"}]});
    applied(&house, &patterned).await;
    let before = show(&house.app, None).unwrap();
    let house = house.reopened().await;
    assert_eq!(show(&house.app, Some(STREAM)).unwrap(), before);
    assert_eq!(apply(&house.app, None, &before, Run::Real).await.unwrap(), []);
}

#[tokio::test]
async fn two_documents_at_once_are_both_applied() {
    let house = House::build().await;
    let mut running = tokio::task::JoinSet::new();
    for place in 0..8 {
        let app = Arc::clone(&house.app);
        let document = json!({"queues": [{"name": format!("Queue {}", place % 4)}]}).to_string();
        running.spawn(async move { apply(&app, None, document.as_bytes(), Run::Real).await.unwrap().len() });
    }
    let added: usize = running.join_all().await.into_iter().sum();
    assert_eq!(added, 4, "each name once");
    let mut names: Vec<String> = Vec::new();
    for (_, _, body) in house.stored("queue").await {
        names.push(body["name"].as_str().unwrap().to_owned());
    }
    names.sort_unstable();
    assert_eq!(names, ["Default", "Queue 0", "Queue 1", "Queue 2", "Queue 3"]);
    house.verify().await;
}

#[tokio::test]
async fn a_document_of_more_entries_than_one_set_takes_is_refused() {
    let house = House::build().await;
    let queues = |count: usize| {
        let queues = (0..count).map(|place| json!({"name": format!("Queue {place}")}));
        json!({"queues": queues.collect::<Vec<Value>>()}).to_string()
    };
    let refused = apply(&house.app, None, queues(257).as_bytes(), Run::Real).await.unwrap_err();
    assert!(matches!(refused, ConfigurationError::Faulty(_)), "{refused}");
    assert!(refused.to_string().contains("257") && refused.to_string().contains("256"), "{refused}");
    assert_eq!(apply(&house.app, None, queues(256).as_bytes(), Run::Real).await.unwrap().len(), 256);
    let long = format!("{{\"queues\": []{}}}", " ".repeat(4 * 1024 * 1024));
    let refused = apply(&house.app, None, long.as_bytes(), Run::Real).await.unwrap_err();
    assert!(refused.to_string().contains("bytes"), "{refused}");
}

#[tokio::test]
async fn faults_of_shape_and_of_rules_are_told_together_and_nothing_is_written() {
    let house = House::build().await;
    let before = head(&house).await;
    let document = json!({
        "queues": [{"name": "Good"}],
        "fields": [{"name": "A", "format": "number", "requierd": true, "pattern": "a"}, {"format": "input"}],
    });
    let refused = apply(&house.app, None, document.to_string().as_bytes(), Run::Real).await.unwrap_err();
    let ConfigurationError::Faulty(faults) = &refused else { panic!("{refused}") };
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["fields[0].requierd", "fields[0].pattern", "fields[1].name"]);
    assert_eq!(head(&house).await, before);
}

#[tokio::test]
async fn the_stream_may_be_absent_where_there_is_one_workspace() {
    let house = House::build().await;
    House::add_workspace(&house.app, "st-2").await;
    let refused = show(&house.app, None).unwrap_err().to_string();
    assert!(refused.contains("st-1, st-2"), "{refused}");
    assert!(show(&house.app, Some("st-2")).is_ok());
    assert!(show(&house.app, Some("st-3")).unwrap_err().to_string().contains("st-3"));
}

#[tokio::test]
async fn cases_that_are_made_while_the_configuration_changes_are_all_made() {
    let house = House::build().await;
    let mut configuring = tokio::task::JoinSet::new();
    for place in 0..10 {
        let app = Arc::clone(&house.app);
        let document = json!({"queues": [{"name": format!("Queue {place}")}]}).to_string();
        configuring.spawn(async move { apply(&app, None, document.as_bytes(), Run::Real).await.unwrap() });
    }
    let made = async {
        for place in 0..40 {
            house.create_case(new_case(&format!("Case {place}"))).await.unwrap();
        }
    };
    let (_, ()) = tokio::join!(configuring.join_all(), made);
    assert_eq!((house.stored("case").await.len(), house.stored("queue").await.len()), (40, 11));
    house.verify().await;
}
