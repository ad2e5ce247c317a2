//! The index against the plain functions of the domain: the same documents, in the same order, for every list.

use casement_app::index::Index;
use casement_app::index::entry::Entry;
use casement_app::index::question::{Asked as IndexAsked, query};
use casement_domain::case::Case;
use casement_domain::comment::{Comment, Visibility};
use casement_domain::date::{Moment, Zone};
use casement_domain::id::{CaseId, CommentId};
use casement_domain::list::filter::{CaseState, Filter};
use casement_domain::list::order::Order;
use casement_domain::list::resolve::resolve;
use casement_domain::list::row::{Row, Work};
use casement_domain::rich_text::TextFormat;
use casement_domain::workspace::Workspace;
use casement_wire::spelling::Noun;
use proptest::prelude::*;

use crate::documents::{self, NOW, workspace};
use crate::queries::{Asked, asked, asking, cases, expressed, one_part, rows};

/// The cases that the tasks belong to, as documents.
fn parents(like: &Case) -> Vec<Row> {
    let parent = |(id, state): (CaseId, CaseState)| {
        let mut case = like.clone();
        case.id = id;
        case.item.active = state.active;
        Row::prepared(Work::Case(case)).committed(1, state.number)
    };
    cases().into_iter().map(parent).collect()
}

/// A comment on the case at a place among those that there are, in one or two versions.
#[derive(Debug, Clone)]
struct Said {
    case: usize,
    former: Option<&'static str>,
    text: &'static str,
    active: bool,
}

fn said() -> impl Strategy<Value = Vec<Said>> {
    let text = || prop::sample::select(vec!["A <b>re</b>fund", "Le café", "Blue café, refunded", "5 prints"]);
    let one = (0..40_usize, prop::option::of(text()), text(), prop::bool::weighted(0.8));
    prop::collection::vec(one, 0..12).prop_map(|all| {
        let all = all.into_iter();
        all.map(|(case, former, text, active)| Said { case, former, text, active }).collect()
    })
}

fn comment(number: usize, case: &Row, text: &str, active: bool) -> Comment {
    Comment {
        id: CommentId::fresh(number as u128 + 1),
        case: case.work.case().clone(),
        visibility: Visibility::Internal,
        format: TextFormat::Html,
        text: if active { text.to_owned() } else { String::new() },
        html: None,
        mentions: Vec::new(),
        attachments: Vec::new(),
        standard_response: None,
        split_into: None,
        edited: false,
        active,
        created_by: documents::app_actor(),
        created_at: NOW,
        updated_by: documents::app_actor(),
        updated_at: NOW,
    }
}

/// Puts comments on cases: into the index, and into the rows.
fn say(index: &mut Index, all: &[Said], rows: &mut [Row], workspace: &Workspace) {
    let cases: Vec<usize> = (0..rows.len()).filter(|place| noun(&rows[*place]) == Noun::Case).collect();
    for (number, said) in all.iter().enumerate() {
        let row = &mut rows[cases[said.case % cases.len()]];
        let former = said.former.map(|text| comment(number, row, text, true));
        let last = comment(number, row, said.text, said.active);
        for (version, comment) in former.iter().chain([&last]).enumerate() {
            let entry = Entry::of_comment(comment).committed(version as u64 + 1, 0);
            index.apply(entry, workspace).unwrap();
        }
        if said.active {
            row.comments.push(last.words());
        }
    }
}

fn noun(row: &Row) -> Noun {
    match row.work {
        Work::Case(_) => Noun::Case,
        Work::Task(_) => Noun::Task,
    }
}

fn take(index: &mut Index, row: &Row, version: u64, workspace: &Workspace) {
    index.apply(Entry::prepared(&row.work).committed(version, row.number), workspace).unwrap();
}

/// What the definition says: the ids in order.
fn plain(rows: &[&Row], filter: &Filter, order: &Order, workspace: &Workspace) -> Vec<String> {
    let case_of = |id: &CaseId| {
        let case = rows.iter().find(|row| noun(row) == Noun::Case && row.work.id() == id.as_str());
        case.map(|row| CaseState { number: row.number, active: row.work.item().active })
    };
    let listed = |row: &&Row| filter.matches(row, workspace, NOW, case_of);
    let mut found: Vec<&Row> = rows.iter().copied().filter(listed).collect();
    found.sort_by(|left, right| order.compare(left, right, filter, workspace));
    found.into_iter().map(|row| row.work.id().to_owned()).collect()
}

/// Every page of both kinds is what the definition says.
fn check(index: &Index, rows: &[&Row], asked: &Asked, workspace: &Workspace) -> Result<(), TestCaseError> {
    let zone = Zone::from_javascript_minutes(asked.minutes).unwrap();
    let filter = resolve(&asked.query, workspace, &asking(asked), zone, NOW).unwrap();
    let order = Order::of(&asked.query.sort, &filter);
    let expected = plain(rows, &filter, &order, workspace);
    for kind in [Noun::Case, Noun::Task] {
        let of_kind = |id: &&String| rows.iter().any(|row| noun(row) == kind && row.work.id() == id.as_str());
        let expected: Vec<String> = expected.iter().filter(of_kind).cloned().collect();
        let question = IndexAsked { noun: kind, filter: &filter, order: &order, config: workspace, now: NOW };
        for (skip, limit) in [(0, 500), (0, 3), (2, 4), (7, 1)] {
            let page = index.of(kind).page(&query(question, index, skip, None, limit).unwrap()).unwrap();
            prop_assert_eq!(page.total, expected.len() as u64);
            let found: Vec<&String> = page.found.iter().map(|found| &found.id).collect();
            let wanted: Vec<&String> = expected.iter().skip(skip as usize).take(limit).collect();
            prop_assert_eq!(found, wanted, "{:?} skip {} limit {}", asked, skip, limit);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn the_index_lists_what_the_definition_lists(
        rows in rows(),
        former in rows(),
        like in documents::case(),
        asked in prop_oneof![one_part().boxed(), asked().boxed(), expressed().boxed()],
        parents_first in any::<bool>(),
        said in said(),
        said_first in any::<bool>(),
    ) {
        let workspace = workspace();
        let mut index = Index::default();
        let parents = parents(&like);
        let mut all: Vec<Row> = rows.iter().chain(&parents).cloned().collect();
        if said_first {
            say(&mut index, &said, &mut all, &workspace);
        }
        if parents_first {
            parents.iter().for_each(|parent| take(&mut index, parent, 1, &workspace));
        }
        // Some documents had other values before.
        for (row, former) in rows.iter().zip(&former).filter(|(row, former)| noun(row) == noun(former)) {
            let mut former = former.clone();
            match (&mut former.work, &row.work) {
                (Work::Case(former), Work::Case(row)) => former.id = row.id.clone(),
                (Work::Task(former), Work::Task(row)) => former.id = row.id.clone(),
                (Work::Case(_) | Work::Task(_), _) => {}
            }
            former.number = row.number;
            take(&mut index, &former, 1, &workspace);
        }
        rows.iter().for_each(|row| take(&mut index, row, 2, &workspace));
        if !parents_first {
            // As if they had been deleted and restored once each.
            for parent in &parents {
                let mut turned = parent.clone();
                match &mut turned.work {
                    Work::Case(case) => case.item.active = !case.item.active,
                    Work::Task(_) => {}
                }
                take(&mut index, &turned, 1, &workspace);
                take(&mut index, parent, 2, &workspace);
            }
        }
        if !said_first {
            say(&mut index, &said, &mut all, &workspace);
        }
        check(&index, &all.iter().collect::<Vec<&Row>>(), &asked, &workspace)?;
    }

    #[test]
    fn deadlines_are_those_of_the_definition(rows in rows(), like in documents::case(), ms in -2..3_i64) {
        let workspace = workspace();
        let mut index = Index::default();
        let parents = parents(&like);
        let moment = NOW.plus_ms(ms * 3_600_000);
        let all: Vec<&Row> = rows.iter().chain(&parents).collect();
        all.iter().for_each(|row| take(&mut index, row, 1, &workspace));
        for kind in [Noun::Case, Noun::Task] {
            let mut expected: Vec<(Moment, &str, &str)> = all
                .iter()
                .filter(|row| noun(row) == kind)
                .filter_map(|row| Some((row.deadline(&workspace)?, row.work.id(), row.work.case().as_str())))
                .filter(|(deadline, _, _)| *deadline < moment)
                .collect();
            expected.sort();
            let found = index.due_before(kind, moment, 500);
            let found: Vec<(&str, &str)> = found.iter().map(|due| (due.id.as_str(), due.case.as_str())).collect();
            prop_assert_eq!(found, expected.iter().map(|(_, id, case)| (*id, *case)).collect::<Vec<_>>());
        }
    }
}
