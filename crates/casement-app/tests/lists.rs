//! Lists through the index: pages, totals, and what is not listed.

use std::sync::Arc;

use casement_wire::spelling::Noun;
use serde_json::{Value, json};

use crate::house::{House, id, new_case, new_task};

fn ids(page: &Value) -> Vec<String> {
    page["results"].as_array().unwrap().iter().map(|document| id(document).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_together_are_the_whole_list_and_totals_are_exact() {
    let house = House::build().await;
    for index in 0..23 {
        house.create_case(new_case(&format!("Case {}", index % 3))).await.unwrap();
    }
    for sort in
        [json!(null), json!("name"), json!({"name": "asc", "refId": "desc"}), json!({"status": "asc"})]
    {
        let whole = house.list(Noun::Case, json!({"sortBy": sort, "limit": 500})).await;
        let mut paged = Vec::new();
        for skip in (0..30).step_by(5) {
            let page = house.list(Noun::Case, json!({"sortBy": sort, "skip": skip, "limit": 5})).await;
            assert_eq!((&page["totalResults"], &page["totalPages"]), (&json!(23), &json!(5)));
            assert_eq!((&page["page"], &page["limit"]), (&json!(skip / 5 + 1), &json!(5)));
            assert_eq!(page["hasMore"], json!(skip + 5 < 23));
            paged.extend(ids(&page));
        }
        assert_eq!(paged, ids(&whole), "{sort}");
    }
    let none = house.list(Noun::Case, json!({"name": "nothing"})).await;
    assert_eq!((&none["totalPages"], &none["totalResults"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_documents_and_tasks_of_deleted_cases_are_not_listed_until_restored() {
    let house = House::build().await;
    let case = house.create_case(new_case("Kept")).await.unwrap();
    let task = house.create_task(new_task(&case)).await.unwrap();
    let count = async |noun| house.list(noun, json!({})).await["totalResults"].as_u64().unwrap();
    assert_eq!((count(Noun::Case).await, count(Noun::Task).await), (1, 1));
    house.update_case(id(&case), json!({"isActive": false})).await.unwrap();
    assert_eq!((count(Noun::Case).await, count(Noun::Task).await), (0, 0));
    house.update_case(id(&case), json!({"isActive": true})).await.unwrap();
    assert_eq!((count(Noun::Case).await, count(Noun::Task).await), (1, 1));
    house.update_task(id(&task), json!({"isActive": false})).await.unwrap();
    assert_eq!((count(Noun::Case).await, count(Noun::Task).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_found_by_their_case() {
    let house = House::build().await;
    let mut tasks = Vec::new();
    for name in ["One", "Two"] {
        let case = house.create_case(new_case(name)).await.unwrap();
        tasks.push((case.clone(), house.create_task(new_task(&case)).await.unwrap()));
    }
    for (case, task) in &tasks {
        for body in [json!({"caseId": case["_id"]}), json!({"caseRefId": case["refId"]})] {
            assert_eq!(ids(&house.list(Noun::Task, body).await), [id(task)]);
        }
    }
    let both = json!({"caseId": tasks[0].0["_id"], "caseRefId": tasks[1].0["refId"]});
    assert!(ids(&house.list(Noun::Task, both).await).is_empty());
    let listed = house.list(Noun::Case, json!({"caseId": tasks[0].0["_id"]})).await;
    assert_eq!(listed["totalResults"], 2, "an unknown key of getCases");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn selected_columns_come_with_the_id_and_nothing_else() {
    let house = House::build().await;
    house.create_case(new_case("Columns")).await.unwrap();
    let page = house.list(Noun::Case, json!({"selectedColumns": ["name", "nothing"]})).await;
    let keys: Vec<&String> = page["results"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["_id", "name"]);
    let page = house.list(Noun::Case, json!({"selectedColumns": ["nothing"]})).await;
    assert_eq!(page["results"][0].as_object().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_shows_only_what_matches_while_documents_change() {
    let house = Arc::new(House::build().await);
    let mut cases = Vec::new();
    for index in 0..6 {
        cases.push(id(&house.create_case(new_case(&format!("Case {index}"))).await.unwrap()).to_owned());
    }
    let changing = {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            for round in 0..120 {
                let priority = if round % 2 == 0 { "High" } else { "Low" };
                let case = &cases[round % cases.len()];
                house.update_case(case, json!({"priority": priority})).await.unwrap();
            }
        })
    };
    while !changing.is_finished() {
        let page =
            house.list(Noun::Case, json!({"priority": ["High"], "sortBy": {"updatedDate": "asc"}})).await;
        let results = page["results"].as_array().unwrap();
        assert_eq!(page["totalResults"], results.len());
        for found in results {
            assert_eq!(found["priority"]["name"], "High", "{found}");
        }
    }
    changing.await.unwrap();
}
