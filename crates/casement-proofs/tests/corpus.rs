//! Every committed input holds what must hold for any input.

use std::path::{Path, PathBuf};

use casement_proofs::mutation::mutated;
use casement_proofs::targets::Target;

/// Changes of each JSON input that are tried here; the fuzzer tries millions.
const CHANGES: u64 = 40;

fn folder(target: Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name())
}

fn check(target: Target) {
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder(target)).unwrap() {
        let input = std::fs::read(entry.unwrap().path()).unwrap();
        target.check(&input);
        inputs += 1;
        if target.is_json() {
            for seed in 0..CHANGES {
                mutated(&input, seed).iter().for_each(|input| target.check(input));
            }
        }
    }
    assert!(inputs >= 3, "{inputs} inputs");
}

#[test]
fn each_folder_of_the_corpus_has_its_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut names: Vec<String> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut expected = Target::ALL.map(Target::name);
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn bodies_of_create_case_hold() {
    check(Target::CreateCase);
}

#[test]
fn bodies_of_update_case_hold() {
    check(Target::UpdateCase);
}

#[test]
fn bodies_of_create_task_hold() {
    check(Target::CreateTask);
}

#[test]
fn bodies_of_update_task_hold() {
    check(Target::UpdateTask);
}

#[test]
fn bodies_of_get_cases_hold() {
    check(Target::GetCases);
}

#[test]
fn bodies_of_get_tasks_hold() {
    check(Target::GetTasks);
}

#[test]
fn dates_hold() {
    check(Target::Date);
}

#[test]
fn tokens_hold() {
    check(Target::Token);
}

#[test]
fn texts_of_the_query_language_hold() {
    check(Target::Expression);
}
