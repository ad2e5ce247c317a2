//! Holds the described keys against those that the readers take.

use casement_domain::fault::Faults;
use serde_json::{Map, json};
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::*;
use crate::error::Problem;
use crate::spelling::Noun;

/// Every key that any body is described with, each with a value that no reader takes.
fn wrong_body() -> Map<String, Value> {
    let schemas = [
        CreateCaseBody::schema(),
        UpdateCaseBody::schema(),
        CreateTaskBody::schema(),
        UpdateTaskBody::schema(),
        CaseListBody::schema(),
        TaskListBody::schema(),
        search::CaseSearchBody::schema(),
        search::CaseCountBody::schema(),
        relation::TransferBody::schema(),
        relation::MergeBody::schema(),
        comment::CreateCommentBody::schema(),
        comment::UpdateCommentBody::schema(),
    ];
    schemas.iter().flat_map(described).map(|key| (key, json!([false]))).collect()
}

fn described(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let mut keys: Vec<String> = object.properties.keys().cloned().collect();
            keys.sort();
            keys
        }
        _ => panic!("a body is described as an object"),
    }
}

fn together(base: &RefOr<Schema>, more: &RefOr<Schema>) -> Vec<String> {
    let mut keys = [described(base), described(more)].concat();
    keys.sort();
    keys
}

fn read(faults: &Faults, noun: Noun) -> Vec<String> {
    let problem = Problem::of_faults(faults, noun);
    let fields = problem.errors.into_iter().filter_map(|entry| entry.field);
    let mut keys: Vec<String> = fields.map(|field| field.trim_end_matches("[0]").to_owned()).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn the_described_keys_are_those_that_the_readers_take() {
    let body = wrong_body();
    let create_case = crate::case::read_create(&body, None).faults;
    assert_eq!(read(&create_case, Noun::Case), described(&CreateCaseBody::schema()));
    let update_case = crate::case::read_update_case(&body).faults;
    assert_eq!(read(&update_case, Noun::Case), described(&UpdateCaseBody::schema()));
    let create_task = crate::task::read_create(&body).faults;
    assert_eq!(read(&create_task, Noun::Task), described(&CreateTaskBody::schema()));
    let update_task = crate::task::read_update_task(&body).faults;
    assert_eq!(read(&update_task, Noun::Task), described(&UpdateTaskBody::schema()));
    let transfer = crate::relation::read_transfer(&body, Noun::Case).faults;
    assert_eq!(read(&transfer, Noun::Case), described(&relation::TransferBody::schema()));
    let merge = crate::relation::read_merge(&body).faults;
    assert_eq!(read(&merge, Noun::Case), described(&relation::MergeBody::schema()));
    let create_comment = crate::comment::read_create_comment(&body).faults;
    assert_eq!(read(&create_comment, Noun::Case), described(&comment::CreateCommentBody::schema()));
    let update_comment = crate::comment::read_update_comment(&body).faults;
    assert_eq!(read(&update_comment, Noun::Case), described(&comment::UpdateCommentBody::schema()));
    let cases = crate::list::read_query(&body, Noun::Case).faults;
    assert_eq!(read(&cases, Noun::Case), described(&CaseListBody::schema()));
    let tasks = crate::list::read_query(&body, Noun::Task).faults;
    assert_eq!(read(&tasks, Noun::Task), described(&TaskListBody::schema()));
    let found = read(&crate::search::read_search(&body, Noun::Case).query.faults, Noun::Case);
    assert_eq!(found, together(&CaseListBody::schema(), &search::CaseSearchBody::schema()));
    let found = read(&crate::search::read_search(&body, Noun::Task).query.faults, Noun::Task);
    assert_eq!(found, together(&TaskListBody::schema(), &search::TaskSearchBody::schema()));
    let found = read(&crate::search::read_counts(&body, Noun::Case).0.faults, Noun::Case);
    assert_eq!(found, together(&CaseListBody::schema(), &search::CaseCountBody::schema()));
    let found = read(&crate::search::read_counts(&body, Noun::Task).0.faults, Noun::Task);
    assert_eq!(found, together(&TaskListBody::schema(), &search::TaskCountBody::schema()));
}
