//! Pages, totals and counts by group, in each way that they can be found.

use proptest::prelude::*;

use super::world::{self, condition, documents, engine, plain, query, words};
use crate::engine::Engine;
use crate::layout::{ColumnId, FacetId};
use crate::query::{Condition, Plan, QueryError};

fn built_in_bulk(documents: &[crate::layout::Document]) -> Engine {
    let mut engine = Engine::new(world::layout());
    engine.begin_bulk();
    documents.iter().for_each(|document| {
        engine.apply(document).unwrap();
    });
    engine.finish_bulk();
    engine
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_page_is_what_a_plain_scan_gives_however_it_is_found(
        documents in documents(),
        queries in prop::collection::vec(query(), 1..12),
    ) {
        let (engine, plain) = (engine(&documents), plain(&documents));
        for query in queries {
            let expected = plain.page(&query);
            for plan in [Plan::Auto, Plan::Walk, Plan::Select] {
                prop_assert_eq!(&engine.page_by(&query, plan).unwrap(), &expected, "{:?} {:?}", plan, query);
            }
            prop_assert_eq!(engine.count(&query.condition, &query.words).unwrap(), expected.total);
        }
    }

    #[test]
    fn a_bulk_with_later_changes_answers_as_changes_one_by_one(
        documents in documents(),
        split in 0.0..1.0_f64,
        queries in prop::collection::vec(query(), 1..8),
    ) {
        let (early, late) = documents.split_at((documents.len() as f64 * split) as usize);
        let mut engine = built_in_bulk(early);
        late.iter().for_each(|document| { engine.apply(document).unwrap(); });
        let plain = plain(&documents);
        for query in queries {
            prop_assert_eq!(engine.page(&query).unwrap(), plain.page(&query), "{:?}", query);
        }
    }

    #[test]
    fn counts_by_group_are_those_of_a_plain_scan(
        documents in documents(),
        asked in prop::collection::vec((condition(), words(), -50_000_000..50_000_000_i64), 1..8),
    ) {
        let (engine, plain) = (engine(&documents), plain(&documents));
        for (condition, words, shift_ms) in asked {
            for facet in (0..world::FACETS).map(FacetId) {
                prop_assert_eq!(
                    engine.groups(&condition, &words, facet).unwrap(),
                    plain.groups(&condition, &words, facet)
                );
            }
            // The first column holds numbers that no moment has.
            prop_assert_eq!(
                engine.days(&condition, &words, ColumnId(1), shift_ms).unwrap(),
                plain.days(&condition, &words, ColumnId(1), shift_ms)
            );
        }
    }

    #[test]
    fn the_earliest_documents_come_in_their_order(
        documents in documents(),
        below in 0..900_000_000_i64,
        limit in 0..30_usize,
    ) {
        let (engine, plain) = (engine(&documents), plain(&documents));
        let mut expected: Vec<(i64, String)> = plain
            .0
            .values()
            .filter_map(|document| Some((document.columns[1]?, document.id.clone())))
            .filter(|(due, _)| *due < below)
            .collect();
        expected.sort();
        expected.truncate(limit);
        let found = engine.earliest(ColumnId(1), below, limit);
        let ids: Vec<String> = found.into_iter().map(|found| found.id).collect();
        prop_assert_eq!(ids, expected.into_iter().map(|(_, id)| id).collect::<Vec<String>>());
    }

    #[test]
    fn what_is_known_of_a_document_is_its_newest_version(documents in documents()) {
        let (engine, plain) = (engine(&documents), plain(&documents));
        prop_assert_eq!(engine.len(), plain.0.len());
        for document in plain.0.values() {
            let ordinal = engine.ordinal(&document.id).unwrap();
            prop_assert_eq!(engine.id(ordinal), &document.id);
            prop_assert_eq!(engine.version(ordinal), document.version);
            prop_assert_eq!(engine.value(ordinal, ColumnId(1)), document.columns[1]);
            let mut values = document.facets[2].clone();
            values.sort();
            values.dedup();
            let mut found = engine.values(ordinal, FacetId(2));
            found.sort_unstable();
            prop_assert_eq!(found, values);
            for value in &document.facets[1] {
                prop_assert!(engine.with_value(FacetId(1), value).contains(&ordinal));
            }
        }
        prop_assert_eq!(engine.ordinal("nothing"), None);
    }
}

#[test]
fn a_condition_that_is_nested_too_deeply_is_refused() {
    let engine = engine(&[]);
    let nested = |levels: usize| (0..levels).fold(Condition::All, |inner, _| Condition::And(vec![inner]));
    assert_eq!(engine.count(&nested(crate::limits::CONDITION_DEPTH_MAX - 1), &[]), Ok(0));
    assert_eq!(engine.count(&nested(crate::limits::CONDITION_DEPTH_MAX), &[]), Err(QueryError::TooDeep));
}

#[test]
fn what_the_layout_lacks_is_refused() {
    let engine = engine(&[]);
    assert_eq!(engine.count(&Condition::Without(FacetId(9)), &[]), Err(QueryError::Unknown));
    assert_eq!(engine.count(&Condition::Lacking(ColumnId(9)), &[]), Err(QueryError::Unknown));
    assert!(engine.groups(&Condition::All, &[], FacetId(9)).is_err());
}

#[test]
fn a_value_that_changes_by_itself_keeps_the_version() {
    let document = crate::layout::Document {
        id: "ci-1".to_owned(),
        version: 3,
        facets: vec![vec!["open".to_owned()]],
        ..crate::layout::Document::default()
    };
    let mut engine = engine(&[document]);
    engine.amend(0, FacetId(0), &["closed".to_owned()]);
    let closed = Condition::AnyOf(FacetId(0), vec!["closed".to_owned()]);
    assert_eq!((engine.count(&closed, &[]), engine.version(0)), (Ok(1), 3));
    engine.amend(7, FacetId(0), &[]);
    assert_eq!(engine.len(), 1);
}
