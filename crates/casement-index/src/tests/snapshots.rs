//! Snapshots: what is read back answers as before, what is damaged is refused.

use proptest::prelude::*;

use super::world::{documents, engine, layout, plain, query};
use crate::engine::Engine;
use crate::layout::{ColumnId, Document, FacetId, Layout};
use crate::query::Plan;
use crate::snapshot::dump::Dump;
use crate::snapshot::load::{LoadError, Loaded, load};

const NAME: &str = "st-1 case";

fn snapshot(engine: &Engine) -> Vec<u8> {
    let mut dump = Dump::begin(engine, NAME, 7);
    let mut bytes = Vec::new();
    while let Some(section) = dump.next(engine) {
        bytes.extend(section);
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<Loaded, LoadError> {
    load(&mut &*bytes, NAME, layout())
}

fn some_documents() -> Vec<Document> {
    let document = |number: u64| Document {
        id: format!("ci-{number}"),
        version: number,
        facets: vec![
            vec![format!("value {}", number % 3)],
            vec![],
            vec!["red".to_owned(), format!("{number}")],
        ],
        columns: vec![Some(number as i64), None, Some(-1)],
        name: format!("name {number}"),
        terms: vec![
            vec![format!("cs{number:06}")],
            vec!["printer".to_owned(), format!("term{}", number % 7)],
        ],
    };
    (1..60).map(document).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_snapshot_with_the_later_documents_answers_as_a_fresh_build(
        documents in documents(),
        (begin, end) in (0.0..1.0_f64, 0.0..1.0_f64),
        queries in prop::collection::vec(query(), 1..8),
    ) {
        let place = |share: f64| (documents.len() as f64 * share) as usize;
        let (begin, end) = (place(begin.min(end)), place(begin.max(end)));
        let mut engine = engine(&documents[..begin]);
        let mut dump = Dump::begin(&engine, NAME, begin as u64);
        let mut meanwhile = documents[begin..end].iter();
        let mut bytes = Vec::new();
        while let Some(section) = dump.next(&engine) {
            bytes.extend(section);
            // Documents change while the snapshot is being written.
            meanwhile.by_ref().take(7).for_each(|document| { engine.apply(document).unwrap(); });
        }
        let mut loaded = read(&bytes).unwrap();
        prop_assert_eq!(loaded.sequence, begin as u64);
        documents[begin..].iter().for_each(|document| { loaded.engine.apply(document).unwrap(); });
        let plain = plain(&documents);
        for query in queries {
            let expected = plain.page(&query);
            for plan in [Plan::Walk, Plan::Select] {
                prop_assert_eq!(&loaded.engine.page_by(&query, plan).unwrap(), &expected, "{:?}", query);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0..200_usize) {
        prop_assert!(read(&bytes).is_err());
        let mut whole = snapshot(&engine(&some_documents()));
        whole.truncate(cut);
        whole.extend(bytes);
        prop_assert!(read(&whole).is_err());
    }
}

#[test]
fn damage_at_any_byte_is_found() {
    let bytes = snapshot(&engine(&some_documents()));
    assert!(read(&bytes).is_ok());
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        assert!(read(&damaged).is_err(), "byte {position}");
    }
}

#[test]
fn a_snapshot_that_is_cut_off_or_goes_on_is_refused() {
    let bytes = snapshot(&engine(&some_documents()));
    for length in 0..bytes.len() {
        assert!(matches!(read(&bytes[..length]), Err(LoadError::Damaged)), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(read(&longer), Err(LoadError::Damaged)));
}

#[test]
fn a_snapshot_of_another_index_layout_or_format_is_refused() {
    let bytes = snapshot(&engine(&some_documents()));
    let other = load(&mut &*bytes, "st-2 case", layout());
    assert!(matches!(other, Err(LoadError::OtherIndex)));
    let fewer = Layout { facets: vec!["small"], ..layout() };
    assert!(matches!(load(&mut &*bytes, NAME, fewer), Err(LoadError::OtherLayout)));
    let mut later = bytes;
    later[8] = 2;
    assert!(matches!(read(&later), Err(LoadError::Foreign)));
}

#[test]
fn an_empty_engine_can_be_read_back() {
    let loaded = read(&snapshot(&engine(&[]))).unwrap();
    assert!(loaded.engine.is_empty());
    assert_eq!(loaded.engine.earliest(ColumnId(0), 9, 9), []);
    assert_eq!(loaded.engine.with_value(FacetId(0), "open"), []);
}
