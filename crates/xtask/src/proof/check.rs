//! The comparison: what the ledger knows against what the server lists after a restart.
//!
//! Pure, so that it is itself tested: a checker that can't fail proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ledger::{Book, Known, Ledger};
use super::listing::{Listed, Listing};

/// The first number of each counter (contract, section 2).
const FIRST_NUMBER: u64 = 100;

/// A promise that was not kept.
#[derive(Debug, PartialEq)]
pub enum Violation {
    /// Something acknowledged is not listed.
    Missing { id: String, reference: String },
    /// A key that never changes differs from what was acknowledged.
    Differs { id: String, key: &'static str, expected: String, found: String },
    /// A value was neither the acknowledged one nor one that was sent after it.
    WrongValue { id: String, expected: Vec<String>, found: String },
    /// A document that nobody created, or one that a former check had shown to be lost.
    NeverSent { id: String, name: String },
    /// A create took effect twice: names are unique to a request.
    MadeTwice { name: String },
    /// A document is listed twice.
    ListedTwice { id: String },
    /// A reference number stands on two documents.
    Repeated { reference: String },
    /// A reference number is missing below the highest one.
    Gap { after: u64, next: u64 },
    /// A reference is no letters and digits as `CS000100`.
    Unreadable { reference: String },
    /// The total is not the number of documents listed.
    WrongTotal { total: u64, listed: u64 },
    /// A case does not name a task of its own.
    TaskNotInCase { task: String, case: String },
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { id, reference } => {
                write!(formatter, "{reference} ({id}) was acknowledged and is not there")
            }
            Self::Differs { id, key, expected, found } => {
                write!(formatter, "{id}: {key} is {found:?}, acknowledged was {expected:?}")
            }
            Self::WrongValue { id, expected, found } => {
                write!(formatter, "{id}: the value is {found:?}, possible were {expected:?}")
            }
            Self::NeverSent { id, name } => {
                write!(formatter, "{id} ({name:?}) was never sent, or had been lost before")
            }
            Self::MadeTwice { name } => write!(formatter, "{name:?} was made twice"),
            Self::ListedTwice { id } => write!(formatter, "{id} is listed twice"),
            Self::Repeated { reference } => write!(formatter, "{reference} stands on two documents"),
            Self::Gap { after, next } => write!(formatter, "after number {after} comes {next}"),
            Self::Unreadable { reference } => write!(formatter, "{reference:?} is no reference"),
            Self::WrongTotal { total, listed } => {
                write!(formatter, "the total says {total}, listed are {listed}")
            }
            Self::TaskNotInCase { task, case } => write!(formatter, "{case} does not name its task {task}"),
        }
    }
}

/// Compares the ledger with the listed cases and tasks.
pub fn violations(ledger: &Ledger, cases: &Listing, tasks: &Listing) -> Vec<Violation> {
    let mut found = Vec::new();
    for (book, listing) in [(&ledger.cases, cases), (&ledger.tasks, tasks)] {
        found.extend(numbering(listing));
        found.extend(contents(book, listing));
    }
    found.extend(tasks_of_cases(cases, tasks));
    found
}

/// The total, and the reference numbers: contiguous from the first, without repeats.
fn numbering(listing: &Listing) -> Vec<Violation> {
    let mut found = Vec::new();
    let listed = listing.documents.len() as u64;
    if listing.total != listed {
        found.push(Violation::WrongTotal { total: listing.total, listed });
    }
    let mut numbers = Vec::new();
    for document in &listing.documents {
        match number(&document.reference) {
            Some(number) => numbers.push((number, &document.reference)),
            None => found.push(Violation::Unreadable { reference: document.reference.clone() }),
        }
    }
    numbers.sort_unstable();
    let mut after = FIRST_NUMBER - 1;
    for (next, reference) in numbers {
        if next == after {
            found.push(Violation::Repeated { reference: reference.clone() });
        } else if next != after + 1 {
            found.push(Violation::Gap { after, next });
        }
        after = next;
    }
    found
}

/// Each known document as acknowledged, and no document that nobody sent.
fn contents(book: &Book, listing: &Listing) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    let open = &book.open;
    for document in &listing.documents {
        if !seen.insert(document.id.as_str()) {
            found.push(Violation::ListedTwice { id: document.id.clone() });
            continue;
        }
        if !names.insert(document.name.as_str()) {
            found.push(Violation::MadeTwice { name: document.name.clone() });
            continue;
        }
        match book.known.get(&document.id) {
            Some(known) => found.extend(differences(known, document)),
            None if open.contains(document.name.as_str()) => {}
            None => found.push(Violation::NeverSent { id: document.id.clone(), name: document.name.clone() }),
        }
    }
    let missing = book.known.iter().filter(|(id, _)| !seen.contains(id.as_str()));
    found.extend(
        missing.map(|(id, known)| Violation::Missing { id: id.clone(), reference: known.reference.clone() }),
    );
    found
}

/// What a listed document shows otherwise than it was acknowledged.
fn differences(known: &Known, document: &Listed) -> Vec<Violation> {
    let case = |case: &Option<String>| case.clone().unwrap_or_default();
    let keys = [
        ("refId", known.reference.clone(), document.reference.clone()),
        ("name", known.name.clone(), document.name.clone()),
        ("caseId", case(&known.case), case(&document.case)),
    ];
    let mut found: Vec<Violation> = keys
        .into_iter()
        .filter(|(_, expected, found)| expected != found)
        .map(|(key, expected, found)| Violation::Differs { id: document.id.clone(), key, expected, found })
        .collect();
    if !known.values.contains(&document.value) {
        found.push(Violation::WrongValue {
            id: document.id.clone(),
            expected: known.values.clone(),
            found: document.value.clone(),
        });
    }
    found
}

/// Each task is named by its case: the two were written in one transaction.
fn tasks_of_cases(cases: &Listing, tasks: &Listing) -> Vec<Violation> {
    let named: BTreeMap<&str, BTreeSet<&str>> = cases
        .documents
        .iter()
        .map(|case| (case.id.as_str(), case.task_ids.iter().map(String::as_str).collect()))
        .collect();
    tasks
        .documents
        .iter()
        .map(|task| (task.id.as_str(), task.case.as_deref().unwrap_or_default()))
        .filter(|(task, case)| !named.get(case).is_some_and(|tasks| tasks.contains(task)))
        .map(|(task, case)| Violation::TaskNotInCase { task: task.to_owned(), case: case.to_owned() })
        .collect()
}

/// The number in a reference: two letters, then at least six digits.
pub fn number(reference: &str) -> Option<u64> {
    let (letters, digits) = reference.split_at_checked(2)?;
    let is_reference = letters.chars().all(|character| character.is_ascii_uppercase()) && digits.len() >= 6;
    is_reference.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(number: u64, value: &str) -> Listed {
        Listed {
            id: format!("ci-{number}"),
            reference: format!("CS{number:06}"),
            name: format!("case {number}"),
            value: value.to_owned(),
            case: None,
            task_ids: Vec::new(),
        }
    }

    fn listing(documents: Vec<Listed>) -> Listing {
        Listing { total: documents.len() as u64, documents }
    }

    /// A ledger in which the cases 100 to 102 were acknowledged with the value `first`.
    fn ledger() -> (Ledger, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::create(&folder.path().join("ledger.jsonl")).unwrap();
        for number in 100..103 {
            ledger.case_sent(&format!("case {number}")).unwrap();
            ledger.case_acknowledged(&case(number, "first")).unwrap();
        }
        (ledger, folder)
    }

    fn whole() -> Vec<Listed> {
        (100..103).map(|number| case(number, "first")).collect()
    }

    fn found(ledger: &Ledger, cases: Vec<Listed>) -> Vec<Violation> {
        violations(ledger, &listing(cases), &listing(Vec::new()))
    }

    #[test]
    fn a_whole_listing_has_no_violation() {
        let (ledger, _folder) = ledger();
        assert_eq!(found(&ledger, whole()), []);
    }

    #[test]
    fn a_missing_acknowledged_case_is_found() {
        let (ledger, _folder) = ledger();
        let mut cases = whole();
        cases.pop();
        let missing = Violation::Missing { id: "ci-102".to_owned(), reference: "CS000102".to_owned() };
        assert_eq!(found(&ledger, cases), [missing]);
    }

    #[test]
    fn a_create_that_took_effect_twice_is_found() {
        let (mut ledger, _folder) = ledger();
        let twin = Listed { name: "case 102".to_owned(), ..case(103, "first") };
        ledger.case_sent(&twin.name).unwrap();
        assert!(ledger.cases.open.is_empty(), "what is certain to have happened can't happen again");
        ledger.case_acknowledged(&twin).unwrap();
        let mut documents = whole();
        documents.push(twin);
        assert_eq!(found(&ledger, documents), [Violation::MadeTwice { name: "case 102".to_owned() }]);
    }

    #[test]
    fn a_doubled_number_is_found() {
        let (mut ledger, _folder) = ledger();
        ledger.case_sent("other").unwrap();
        let mut cases = whole();
        cases.push(Listed { id: "ci-other".to_owned(), name: "other".to_owned(), ..case(102, "x") });
        assert_eq!(found(&ledger, cases), [Violation::Repeated { reference: "CS000102".to_owned() }]);
    }

    #[test]
    fn a_gap_in_the_numbers_is_found_also_before_the_first() {
        let (mut ledger, _folder) = ledger();
        ledger.case_sent("case 104").unwrap();
        let mut cases = whole();
        cases.push(case(104, "x"));
        assert_eq!(found(&ledger, cases), [Violation::Gap { after: 102, next: 104 }]);
        assert_eq!(numbering(&listing(vec![case(101, "x")])), [Violation::Gap { after: 99, next: 101 }]);
    }

    #[test]
    fn an_older_value_than_the_acknowledged_one_is_found() {
        let (mut ledger, _folder) = ledger();
        ledger.value_sent("ci-101", "second").unwrap();
        ledger.value_acknowledged("ci-101", "second").unwrap();
        let older = Violation::WrongValue {
            id: "ci-101".to_owned(),
            expected: vec!["second".to_owned()],
            found: "first".to_owned(),
        };
        assert_eq!(found(&ledger, whole()), [older]);
    }

    #[test]
    fn a_later_value_that_was_sent_and_not_acknowledged_may_show() {
        let (mut ledger, _folder) = ledger();
        ledger.value_sent("ci-101", "second").unwrap();
        let mut cases = whole();
        cases[1] = case(101, "second");
        assert_eq!(found(&ledger, cases), []);
        assert_eq!(found(&ledger, whole()), []);
    }

    #[test]
    fn a_value_that_flips_back_after_it_was_seen_is_found() {
        let (mut ledger, _folder) = ledger();
        ledger.value_sent("ci-101", "second").unwrap();
        let mut cases = whole();
        cases[1] = case(101, "second");
        ledger.settle(&listing(cases), &listing(Vec::new()));
        assert_eq!(found(&ledger, whole()).len(), 1);
    }

    #[test]
    fn an_open_create_may_be_there_once_and_a_stranger_may_not() {
        let (mut ledger, _folder) = ledger();
        ledger.case_sent("case 103").unwrap();
        let mut cases = whole();
        cases.push(case(103, "x"));
        assert_eq!(found(&ledger, cases.clone()), []);
        cases.push(Listed { id: "ci-again".to_owned(), name: "case 103".to_owned(), ..case(104, "x") });
        let twice = Violation::MadeTwice { name: "case 103".to_owned() };
        assert_eq!(found(&ledger, cases), [twice]);
    }

    #[test]
    fn a_wrong_total_a_changed_name_and_a_double_listing_are_found() {
        let (ledger, _folder) = ledger();
        let total = Listing { total: 4, documents: whole() };
        let wrong = violations(&ledger, &total, &listing(Vec::new()));
        assert_eq!(wrong, [Violation::WrongTotal { total: 4, listed: 3 }]);

        let mut renamed = whole();
        renamed[0].name = "other".to_owned();
        assert!(matches!(found(&ledger, renamed)[..], [Violation::Differs { key: "name", .. }]));

        let mut twice = whole();
        twice.push(case(102, "first"));
        assert!(found(&ledger, twice).contains(&Violation::ListedTwice { id: "ci-102".to_owned() }));
    }

    #[test]
    fn a_task_that_its_case_does_not_name_is_found() {
        let (mut ledger, _folder) = ledger();
        let task = Listed {
            id: "ti-1".to_owned(),
            reference: "TS000100".to_owned(),
            name: "call back".to_owned(),
            value: String::new(),
            case: Some("ci-100".to_owned()),
            task_ids: Vec::new(),
        };
        ledger.task_sent("ci-100", "call back").unwrap();
        ledger.task_acknowledged(&task).unwrap();
        let mut cases = whole();
        let lost = violations(&ledger, &listing(cases.clone()), &listing(vec![task.clone()]));
        assert_eq!(lost, [Violation::TaskNotInCase { task: "ti-1".to_owned(), case: "ci-100".to_owned() }]);
        cases[0].task_ids.push("ti-1".to_owned());
        assert_eq!(violations(&ledger, &listing(cases.clone()), &listing(vec![task])), []);
        assert_eq!(violations(&ledger, &listing(cases), &listing(Vec::new())).len(), 1);
    }

    #[test]
    fn a_reference_is_two_letters_and_six_digits_or_more() {
        assert_eq!(number("CS000100"), Some(100));
        assert_eq!(number("TS1000000"), Some(1_000_000));
        for unreadable in ["", "C", "CS100", "000100", "cs000100", "CS00x100"] {
            assert_eq!(number(unreadable), None, "{unreadable}");
        }
    }
}
