//! Pages that go on behind a place, while documents come and change.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{self, documents, engine, plain, query};
use crate::layout::{ColumnId, Document, FacetId};
use crate::query::{Condition, Direction, Place, Plan, Query, QueryError, Sort, SortKey, SortValue, Span};

/// Pages of one walk: enough for most walks to come to their end.
const PAGES_MAX: usize = 60;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_page_behind_a_place_is_what_a_plain_scan_gives_whatever_changed_since(
        documents in documents(),
        early in 0.2..1.0_f64,
        query in query(),
        limit in 1..40_usize,
    ) {
        let (early, mut late) = documents.split_at((documents.len() as f64 * early) as usize);
        let (mut engine, mut plain) = (engine(early), plain(early));
        let mut query = Query { skip: 0, limit, ..query };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let unchanged = {
            let later: Vec<&str> = late.iter().map(|document| document.id.as_str()).collect();
            let all = plain.matching(&query.condition, &query.words).into_iter();
            let ids = all.map(|document| document.id.clone());
            ids.filter(|id| !later.contains(&id.as_str())).collect::<Vec<String>>()
        };
        for page in 0.. {
            let expected = plain.page(&query);
            for plan in [Plan::Auto, Plan::Walk, Plan::Select] {
                let found = engine.page_by(&query, plan).unwrap();
                prop_assert_eq!(&found, &expected, "{:?} {:?}", plan, query);
            }
            expected.found.iter().for_each(|found| *seen.entry(found.id.clone()).or_default() += 1);
            query.after = expected.next;
            if query.after.is_none() {
                // What did not change is seen exactly once by whoever walks to the end.
                for id in &unchanged {
                    prop_assert_eq!(seen.get(id), Some(&1), "{} in {:?}", id, query);
                }
                break;
            }
            if page == PAGES_MAX {
                break;
            }
            let (now, rest) = late.split_at(late.len().min(20));
            for document in now {
                engine.apply(document).unwrap();
                plain.apply(document);
            }
            late = rest;
        }
    }
}

/// Gives documents whose values follow from their number.
pub fn many(count: u32) -> Vec<Document> {
    let statuses = ["open", "closed", "held"];
    let of = |number: u32| Document {
        // Ids in another order than that of the making.
        id: format!("ci-{:06}", u64::from(number) * 48_271 % 65_537),
        version: 1,
        facets: vec![vec![statuses[number as usize % 3].to_owned()], Vec::new(), Vec::new()],
        columns: vec![
            Some(i64::from(number / 2)),
            (!number.is_multiple_of(5)).then_some(i64::from(number)),
            None,
        ],
        name: format!("name {}", number % 1_000),
        terms: vec![Vec::new(), Vec::new()],
    };
    (0..count).map(of).collect()
}

#[test]
fn a_walk_through_sixty_thousand_documents_by_places_sees_each_once_in_order() {
    let documents = many(60_000);
    let (engine, plain) = (engine(&documents), plain(&documents));
    let made = |direction| SortKey::Column(ColumnId(0), direction);
    let ranks = ["open", "closed", "held"].into_iter().zip(1..).map(|(text, rank)| (text.to_owned(), rank));
    let ranked = SortKey::Ranked {
        facet: FacetId(0),
        ranks: ranks.collect(),
        other: 0,
        direction: Direction::Descending,
    };
    let sorts = [
        vec![],
        vec![made(Direction::Descending)],
        vec![SortKey::Column(ColumnId(1), Direction::Ascending)],
        vec![ranked, made(Direction::Ascending)],
        vec![SortKey::Name(Direction::Ascending), made(Direction::Descending)],
    ];
    for sort in sorts {
        let all = Query {
            condition: Condition::Within(ColumnId(0), Span { low: 100, high: i64::MAX }),
            words: vec![],
            sort: Sort::Keys(sort, Direction::Descending),
            skip: 0,
            after: None,
            limit: usize::MAX,
        };
        let expected = plain.page(&all).found;
        let mut found = Vec::new();
        let mut query = Query { limit: 500, ..all };
        loop {
            let page = engine.page(&query).unwrap();
            assert_eq!(page.total, expected.len() as u64);
            found.extend(page.found);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn a_place_of_another_order_is_refused() {
    let engine = engine(&many(10));
    let place = |values| Place { words: 0, values, id: "ci-1".to_owned() };
    let query = |sort, values| Query {
        condition: Condition::All,
        words: vec![],
        sort,
        skip: 0,
        after: Some(place(values)),
        limit: 5,
    };
    let by_name = || Sort::Keys(vec![SortKey::Name(Direction::Ascending)], Direction::Ascending);
    for wrong in [vec![], vec![SortValue::Rank(1)], vec![SortValue::Column(None)]] {
        assert_eq!(engine.page(&query(by_name(), wrong)), Err(QueryError::OtherOrder));
    }
    let wrong = vec![SortValue::Name(String::new())];
    assert_eq!(engine.page(&query(Sort::Relevance(ColumnId(0)), wrong)), Err(QueryError::OtherOrder));
    let right = vec![SortValue::Name("name 4 and more".to_owned())];
    assert_eq!(engine.page(&query(by_name(), right)).unwrap().found.len(), 5);
    assert_eq!(world::engine(&[]).page(&query(by_name(), vec![])).map(|page| page.total), Ok(0));
}
