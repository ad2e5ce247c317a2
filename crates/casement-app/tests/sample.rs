//! A sample: documents and log are those that requests would have made, and they follow from the seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use casement_app::app::App;
use casement_app::deadline::mark_passed;
use casement_app::making::NewWorkspaceInput;
use casement_app::sample::{
    SampleCourse, SampleError, SampleOrder, Sampled, configure_sample, run_sample, sample_sources,
};
use casement_app::seal::key_file::KeyFile;
use casement_app::sources::Sources;
use casement_domain::date::Moment;
use casement_store::options::Options;
use casement_store::store::Store;
use casement_wire::spelling::Noun;
use serde_json::json;

use crate::house::{House, NOW_MS, STREAM};

fn order(cases: u64) -> SampleOrder {
    SampleOrder { stream: None, cases, seed: 3, until: Moment::from_ms(NOW_MS) }
}

async fn sampled(house: &House, cases: u64) -> Sampled {
    configure_sample(&house.app, None).await.unwrap();
    run_sample(&house.app, &order(cases), &Arc::new(SampleCourse::default())).await.unwrap()
}

/// Makes a sample in a fresh directory as the program does; gives all documents of the workspace.
async fn fresh(directory: &Path) -> BTreeMap<(String, String), (u64, Option<u64>, Vec<u8>)> {
    let (store, feed) = Store::open(Options::new(directory.to_path_buf())).unwrap();
    let random = || std::process::id().to_be_bytes().repeat(4).try_into().unwrap();
    let system = Sources::new(|| Moment::from_ms(NOW_MS), || 1, random);
    let key_file = KeyFile::of(directory, None, None);
    let app =
        App::open(store.clone(), sample_sources(3, Moment::from_ms(NOW_MS), system), key_file).await.unwrap();
    let following = tokio::spawn(Arc::clone(&app).follow_installation(feed));
    let made = app.make_workspace(NewWorkspaceInput::default()).await.unwrap();
    configure_sample(&app, None).await.unwrap();
    run_sample(&app, &order(200), &Arc::new(SampleCourse::default())).await.unwrap();
    let stream = made.workspace.stream.as_str();
    let mut documents = BTreeMap::new();
    for kind in ["status", "agent", "queue", "field", "case-template", "case", "task", "customer"] {
        for document in store.scan(stream, kind, None, 10_000).await.unwrap() {
            let key = (kind.to_owned(), document.id);
            documents.insert(key, (document.version, document.number, document.body));
        }
    }
    store.close().await;
    following.await.unwrap().unwrap();
    documents
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_makes_the_same_documents_ids_and_numbers() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = fresh(directories[0].path()).await;
    assert!(first.len() > 450, "{}", first.len());
    assert_eq!(first, fresh(directories[1].path()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_is_whole_in_the_log_and_in_the_index() {
    let house = House::build().await;
    let Sampled { cases, tasks, customers, changes } = sampled(&house, 1_500).await;
    assert_eq!(cases, 1_500);
    house.verify().await;
    let stored = [house.stored("case").await, house.stored("task").await, house.stored("customer").await];
    assert_eq!(stored.each_ref().map(|documents| documents.len() as u64), [cases, tasks, customers]);
    let versions: u64 = stored.iter().flatten().map(|(_, version, _)| version).sum();
    assert_eq!(versions, cases + tasks + customers + changes, "each change is a version");
    let before = [
        house.list(Noun::Case, json!({"sortBy": {"updatedAt": "asc"}, "limit": 500})).await,
        house.list(Noun::Task, json!({"searchText": "access"})).await,
        house.list(Noun::Case, json!({"searchText": "invoice", "status": ["Closed"]})).await,
    ];
    let house = house.reopened().await;
    let after = [
        house.list(Noun::Case, json!({"sortBy": {"updatedAt": "asc"}, "limit": 500})).await,
        house.list(Noun::Task, json!({"searchText": "access"})).await,
        house.list(Noun::Case, json!({"searchText": "invoice", "status": ["Closed"]})).await,
    ];
    assert_eq!(before, after, "an index that was kept answers as one that is built from the documents");
    assert!(before.iter().all(|page| !page["results"].as_array().unwrap().is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dates_agree_with_each_other_and_with_the_log() {
    let house = House::build().await;
    sampled(&house, 800).await;
    for (id, version, case) in house.stored("case").await {
        let at = |key: &str| case[key].as_i64().unwrap();
        let (created, updated) = (at("created_at"), at("updated_at"));
        assert!(created < at("due") && created <= updated && updated < NOW_MS, "{case:?}");
        assert_eq!(created == updated, version == 1, "{case:?}");
        let events = house.store.document_events(STREAM, &id, 0, 100).await.unwrap();
        let times: Vec<i64> = events.iter().map(|event| event.at_ms).collect();
        assert_eq!((times[0], *times.last().unwrap()), (created, updated), "{case:?}");
        assert!(times.is_sorted());
    }
    house.clock.store(NOW_MS, Ordering::SeqCst);
    assert_eq!(mark_passed(&house.app).await, 0, "each deadline that passed is marked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_sorts_of_documents_are_there_and_some_more_often_than_others() {
    let house = House::build().await;
    sampled(&house, 2_000).await;
    let total = async |body| house.list(Noun::Case, body).await["totalResults"].as_u64().unwrap();
    let mut of_status = Vec::new();
    for status in ["Closed", "Resolved", "Open", "In-Progress", "On-Hold"] {
        of_status.push(total(json!({"status": [status]})).await);
    }
    assert!(of_status.iter().all(|total| *total > 0), "{of_status:?}");
    assert!(of_status[0] > 3 * of_status[2], "{of_status:?}");
    assert!(total(json!({"isBreached": true})).await > 20);
    let cases = house.stored("case").await;
    let count = |wanted: &dyn Fn(&serde_json::Map<String, serde_json::Value>) -> bool| {
        cases.iter().filter(|(_, _, case)| wanted(case)).count()
    };
    for language in ["en", "de", "es", "zh", "ja", "ar", "hi"] {
        assert!(count(&|case| case["language"] == language) > 15, "{language}");
    }
    assert!(count(&|case| case["active"] == false) > 5);
    assert!(count(&|case| case["assignment"]["agent"].is_null()) > 100);
    assert!(count(&|case| !case["field_values"].as_object().unwrap().is_empty()) > 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_sample_says_what_is_committed_and_senseless_numbers_are_refused() {
    let house = House::build().await;
    configure_sample(&house.app, None).await.unwrap();
    let course = Arc::new(SampleCourse::default());
    course.stop();
    let made = run_sample(&house.app, &order(1_000), &course).await.unwrap();
    assert_eq!(made, Sampled::default());
    for cases in [0, 100_000_001] {
        let refused = run_sample(&house.app, &order(cases), &Arc::default()).await;
        assert!(matches!(refused, Err(SampleError::Cases)), "{refused:?}");
    }
}
