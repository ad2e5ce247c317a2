//! The body of a list: the answer is the oracle's, the keys at fault as well.

use std::collections::{BTreeSet, HashSet};
use std::sync::OnceLock;

use casement_domain::actor::Actor;
use casement_domain::date::Zone;
use casement_domain::fault::Faults;
use casement_domain::id::{CaseId, UserId};
use casement_domain::list::filter::CaseState;
use casement_domain::list::order::Order;
use casement_domain::list::resolve::resolve;
use casement_domain::list::row::{Row, Work};
use casement_wire::document::{select_columns, write_case, write_task};
use casement_wire::error::Problem;
use casement_wire::list::{PageNumbers, read_query, write_page};
use casement_wire::spelling::Noun;
use serde_json::{Map, Value};

use super::json;
use crate::oracle::{self, Asking, Said};
use crate::world::{NOW, app_actor, number, world};

/// The documents of one kind: as rows for the server's rules, as bytes and as JSON for the oracle.
struct Shelf {
    rows: Vec<Row>,
    bytes: Vec<Vec<u8>>,
    documents: Vec<Value>,
}

fn shelf(noun: Noun) -> &'static Shelf {
    static SHELVES: OnceLock<[Shelf; 2]> = OnceLock::new();
    let [cases, tasks] = SHELVES.get_or_init(|| {
        let world = world();
        let cases = world.cases.iter().enumerate().map(|(place, case)| {
            let bytes = write_case(case, number(place), &world.workspace);
            (Row::prepared(Work::Case(case.clone())).committed(1, number(place)), bytes)
        });
        let tasks = world.tasks.iter().enumerate().map(|(place, task)| {
            let case_number = case_state(&task.case).map_or(0, |case| case.number);
            let bytes = write_task(task, number(place), case_number, &world.workspace);
            (Row::prepared(Work::Task(task.clone())).committed(1, number(place)), bytes)
        });
        [Shelf::of(cases), Shelf::of(tasks)]
    });
    match noun {
        Noun::Case => cases,
        Noun::Task => tasks,
    }
}

impl Shelf {
    fn of(entries: impl Iterator<Item = (Row, Vec<u8>)>) -> Self {
        let (rows, bytes): (Vec<Row>, Vec<Vec<u8>>) = entries.unzip();
        let documents = bytes.iter().map(|bytes| serde_json::from_slice(bytes).unwrap_or_default()).collect();
        Self { rows, bytes, documents }
    }
}

fn case_state(id: &CaseId) -> Option<CaseState> {
    let place = world().cases.iter().position(|case| case.id == *id)?;
    let active = world().cases.get(place)?.item.active;
    Some(CaseState { number: number(place), active })
}

fn deleted_cases() -> &'static HashSet<String> {
    static DELETED: OnceLock<HashSet<String>> = OnceLock::new();
    DELETED.get_or_init(|| {
        let deleted = world().cases.iter().filter(|case| !case.item.active);
        deleted.map(|case| case.id.to_string()).collect()
    })
}

/// Checks a body, asked by an app in UTC and by an agent in India and in Los Angeles.
pub(super) fn check(input: &[u8], noun: Noun) {
    let Some(body) = json::read(input) else { return };
    let shelf = shelf(noun);
    for (user, zone_minutes) in [("u-app", 0), ("u-a", -330), ("u-b", 480)] {
        let asking =
            Asking { now_ms: NOW.ms(), zone_minutes, user: user.to_owned(), tasks: noun == Noun::Task };
        let said = oracle::list(&shelf.documents, deleted_cases(), &body, &asking);
        match (answer(shelf, &body, noun, &asking), said) {
            (Ok(_), Said::Silent) => {}
            (Err(faults), Said::Silent) => {
                json::check_problem(&Problem::of_faults(&faults, noun), &[400]);
            }
            (Ok(page), Said::Page(expected)) => check_page(&page, &expected, &asking),
            (Err(faults), Said::Refused(expected)) => {
                let fields = json::check_problem(&Problem::of_faults(&faults, noun), &[400]);
                assert_eq!(BTreeSet::from_iter(fields), expected, "{asking:?}");
            }
            (Ok(page), Said::Refused(expected)) => {
                assert_eq!(Some(page.ids), None, "must be refused: {expected:?}");
            }
            (Err(faults), Said::Page(_)) => assert_eq!(faults, Faults::new(), "must be answered"),
        }
    }
}

/// What the server's rules answer: which documents, and the bytes.
struct Answer {
    ids: Vec<String>,
    bytes: Vec<u8>,
}

/// Documents on the longest page whose bytes are compared too; ids are always.
const COMPARED_DOCUMENTS_MAX: usize = 4;

fn check_page(page: &Answer, expected: &oracle::Page<'_>, asking: &Asking) {
    let ids: Vec<&str> = expected.documents.iter().filter_map(|document| document["_id"].as_str()).collect();
    assert_eq!(page.ids, ids, "{asking:?}");
    if ids.len() <= COMPARED_DOCUMENTS_MAX {
        let answer: Value = serde_json::from_slice(&page.bytes).expect("a page is JSON");
        assert_eq!(answer, expected.answer(), "{asking:?}");
    }
}

fn answer(shelf: &Shelf, body: &Map<String, Value>, noun: Noun, asking: &Asking) -> Result<Answer, Faults> {
    let workspace = &world().workspace;
    let query = read_query(body, noun);
    let minutes = i32::try_from(asking.zone_minutes).unwrap_or_default();
    let zone = Zone::from_javascript_minutes(minutes).unwrap_or(Zone::UTC);
    let actor = Actor { id: UserId::from_text(asking.user.as_str()), ..app_actor() };
    let filter = resolve(&query, workspace, &actor, zone, NOW)?;
    let order = Order::of(&query.sort, &filter);
    let rows = shelf.rows.iter().zip(&shelf.bytes);
    let mut found: Vec<_> = rows.filter(|(row, _)| filter.matches(row, workspace, NOW, case_state)).collect();
    found.sort_by(|(left, _), (right, _)| order.compare(left, right, &filter, workspace));
    let numbers = PageNumbers::new(query.skip, query.limit, found.len() as u64);
    let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
    let page: Vec<_> = found.into_iter().skip(skip).take(query.limit as usize).collect();
    let written: Vec<Vec<u8>> = page
        .iter()
        .map(|(_, bytes)| match query.columns.as_slice() {
            [] => (*bytes).clone(),
            columns => select_columns(bytes, &columns.iter().map(String::as_bytes).collect()),
        })
        .collect();
    Ok(Answer {
        ids: page.iter().map(|(row, _)| row.work.id().to_owned()).collect(),
        bytes: write_page(written.iter().map(Vec::as_slice), numbers),
    })
}
