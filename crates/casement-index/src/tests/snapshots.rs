//! Snapshots: what is read back answers as before, what is damaged is refused.

use proptest::prelude::*;

use super::world::{documents, engine, layout, plain, query};
use crate::engine::Engine;
use crate::layout::{ColumnId, Document, FacetId, Layout};
use crate::query::{Plan, QueryError};
use crate::snapshot::dump::{Dump, Next};
use crate::snapshot::load::{LoadError, open};
use crate::words::Words;

const LABELS: [&[u8]; 3] = [b"begun", b"lists", b"words"];

/// Dumps an engine while documents change.
fn dump<'a>(engine: &mut Engine, mut meanwhile: impl Iterator<Item = &'a Document>) -> Vec<u8> {
    let (mut dump, mut bytes) = Dump::begin(&[&*engine], LABELS[0]);
    let mut labels = LABELS[1..].iter();
    loop {
        match dump.next(&[&*engine]) {
            Next::Bytes(section) => bytes.extend(section),
            Next::Label => bytes.extend(dump.label(labels.next().unwrap())),
            Next::Nothing => return bytes,
        }
        meanwhile.by_ref().take(3).for_each(|document| {
            engine.apply(document).unwrap();
        });
    }
}

fn snapshot(engine: &mut Engine) -> Vec<u8> {
    dump(engine, [].into_iter())
}

fn read_as(bytes: &[u8], layout: Layout, changed: &[Document]) -> Result<Engine, LoadError> {
    let mut snapshot = open(bytes, vec![layout])?;
    assert_eq!(snapshot.label(), LABELS[0]);
    let changed = changed.iter().map(|document| document.id.clone()).collect();
    let mut lists = snapshot.lists(&[changed])?;
    assert_eq!(lists.label, LABELS[1]);
    let mut words = snapshot.words()?;
    assert_eq!(words.label, LABELS[2]);
    let mut engine = lists.engines.pop().unwrap();
    engine.take_words(words.words.pop().unwrap());
    Ok(engine)
}

fn read(bytes: &[u8]) -> Result<Engine, LoadError> {
    read_as(bytes, layout(), &[])
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
    (1..24).map(document).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_snapshot_with_the_later_documents_answers_as_a_fresh_build(
        documents in documents(),
        (begin, end) in (0.0..1.0_f64, 0.0..1.0_f64),
        words_late in any::<bool>(),
        queries in prop::collection::vec(query(), 1..8),
    ) {
        let place = |share: f64| (documents.len() as f64 * share) as usize;
        let (begin, end) = (place(begin.min(end)), place(begin.max(end)));
        let mut former = engine(&documents[..begin]);
        // Documents change while the snapshot is being written.
        let bytes = dump(&mut former, documents[begin..end].iter());
        let mut snapshot = open(&*bytes, vec![layout()]).unwrap();
        let changed = documents[begin..].iter().map(|document| document.id.clone()).collect();
        let mut engine = snapshot.lists(&[changed]).unwrap().engines.pop().unwrap();
        let words = snapshot.words().unwrap().words.pop().unwrap();
        let plain = plain(&documents);
        // As the store gives them: each as it is now.
        let apply = |engine: &mut Engine| {
            for document in &documents[begin..] {
                engine.apply(&plain.0[&document.id]).unwrap();
            }
        };
        if words_late {
            apply(&mut engine);
            engine.take_words(words);
        } else {
            engine.take_words(words);
            apply(&mut engine);
        }
        for query in queries {
            let expected = plain.page(&query);
            for plan in [Plan::Walk, Plan::Select] {
                prop_assert_eq!(&engine.page_by(&query, plan).unwrap(), &expected, "{:?}", query);
            }
        }
    }

    #[test]
    fn words_that_come_later_are_those_of_a_fresh_build(
        documents in documents(),
        (begin, end) in (0.0..1.0_f64, 0.0..1.0_f64),
        queries in prop::collection::vec(query(), 1..8),
    ) {
        let place = |share: f64| (documents.len() as f64 * share) as usize;
        let (begin, end) = (place(begin.min(end)), place(begin.max(end)));
        let mut engine = Engine::without_words(layout());
        let mut words = Words::new(&layout());
        engine.begin_bulk();
        documents[..begin].iter().for_each(|document| { engine.apply(document).unwrap(); });
        engine.finish_bulk();
        // What was stored at the start is read one by one; what comes meanwhile is taken in between.
        let stored = plain(&documents[..begin]);
        let mut later = documents[begin..end].iter();
        for (number, document) in stored.0.values().enumerate() {
            let ordinal = engine.ordinal(&document.id).unwrap();
            if engine.version(ordinal) <= document.version {
                words.set(ordinal, &document.terms);
            }
            for document in later.by_ref().take(number % 3) {
                engine.apply(document).unwrap();
            }
            if number % 7 == 0 {
                let awaited = engine.take_awaited();
                awaited.iter().for_each(|(ordinal, terms)| words.set(*ordinal, terms));
            }
        }
        for document in later {
            engine.apply(document).unwrap();
        }
        words.finish_bulk();
        for query in &queries {
            let is_search = !query.words.is_empty();
            prop_assert!(!is_search || engine.page(query) == Err(QueryError::WordsMissing));
        }
        engine.take_words(words);
        documents[end..].iter().for_each(|document| { engine.apply(document).unwrap(); });
        let plain = plain(&documents);
        for query in queries {
            prop_assert_eq!(&engine.page(&query).unwrap(), &plain.page(&query), "{:?}", query);
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0..200_usize) {
        prop_assert!(read(&bytes).is_err());
        let mut whole = snapshot(&mut engine(&some_documents()));
        whole.truncate(cut);
        whole.extend(bytes);
        prop_assert!(read(&whole).is_err());
    }
}

#[test]
fn damage_at_any_byte_is_found() {
    let bytes = snapshot(&mut engine(&some_documents()));
    assert!(read(&bytes).is_ok());
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        assert!(read(&damaged).is_err(), "byte {position}");
    }
}

#[test]
fn a_snapshot_that_is_cut_off_or_goes_on_is_refused() {
    let bytes = snapshot(&mut engine(&some_documents()));
    for length in 0..bytes.len() {
        assert!(matches!(read(&bytes[..length]), Err(LoadError::Damaged)), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(read(&longer), Err(LoadError::Damaged)));
}

#[test]
fn a_snapshot_of_another_layout_or_format_is_refused() {
    let bytes = snapshot(&mut engine(&some_documents()));
    let fewer = Layout { facets: vec!["small"], ..layout() };
    assert!(matches!(read_as(&bytes, fewer, &[]), Err(LoadError::OtherLayout)));
    assert!(matches!(open(&*bytes, vec![layout(), layout()]), Err(LoadError::OtherLayout)));
    assert!(matches!(open(&*bytes, vec![]), Err(LoadError::OtherLayout)));
    let mut later = bytes;
    later[8] = 2;
    assert!(matches!(read(&later), Err(LoadError::Foreign)));
}

#[test]
fn an_empty_engine_can_be_read_back() {
    let engine = read(&snapshot(&mut engine(&[]))).unwrap();
    assert!(engine.is_empty());
    assert_eq!(engine.earliest(ColumnId(0), 9, 9), []);
    assert_eq!(engine.with_value(FacetId(0), "open"), []);
}
