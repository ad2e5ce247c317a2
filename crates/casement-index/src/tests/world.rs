//! Random documents and queries, and the plain scan that answers them from the words of the query's definition alone.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::answer::{Days, Groups};
use crate::engine::Engine;
use crate::layout::{ColumnId, ColumnUse, Document, FacetId, Layout};
use crate::query::{Condition, Direction, Found, Page, Place, Query, Sort, SortKey, SortValue, Span, Word};

pub const FACETS: usize = 3;
pub const COLUMNS: usize = 3;

/// A facet with few values, one with many, and one of which a document has several; two sorted columns, of which one is
/// often empty, and one that is only filtered by; two text fields.
pub fn layout() -> Layout {
    Layout {
        facets: vec!["small", "large", "several"],
        columns: vec![
            ("made", ColumnUse::Sorted),
            ("due", ColumnUse::Sorted),
            ("digest", ColumnUse::Filtered),
        ],
        texts: vec!["first", "second"],
    }
}

/// The documents as they are, by id.
#[derive(Debug, Default, Clone)]
pub struct Plain(pub BTreeMap<String, Document>);

impl Plain {
    pub fn apply(&mut self, document: &Document) {
        let known = self.0.get(&document.id).map_or(0, |known| known.version);
        if known < document.version || !self.0.contains_key(&document.id) {
            self.0.insert(document.id.clone(), document.clone());
        }
    }

    /// Gives what fulfils a condition and has all words, by id.
    pub fn matching(&self, condition: &Condition, words: &[Word]) -> Vec<&Document> {
        let all = self.0.values();
        all.filter(|document| holds(condition, document) && words.iter().all(|word| has_word(document, word)))
            .collect()
    }

    pub fn page(&self, query: &Query) -> Page {
        let mut found = self.matching(&query.condition, &query.words);
        found.sort_by(|left, right| compare(&query.sort, &query.words, left, right));
        let total = found.len() as u64;
        let mut rest = match &query.after {
            None => found.split_off(found.len().min(query.skip as usize)),
            Some(place) => {
                let is_behind = |document: &&Document| {
                    let own = place_of(&query.sort, &query.words, document);
                    compare_places(&query.sort, &own, place) == Ordering::Greater
                };
                found.into_iter().filter(is_behind).collect()
            }
        };
        let more_follow = rest.len() > query.limit;
        rest.truncate(query.limit);
        let last = rest.last().filter(|_| more_follow);
        Page {
            next: last.map(|document| place_of(&query.sort, &query.words, document)),
            found: rest
                .into_iter()
                .map(|document| Found { id: document.id.clone(), version: document.version })
                .collect(),
            total,
        }
    }

    pub fn groups(&self, condition: &Condition, words: &[Word], facet: FacetId) -> Groups {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut without = 0;
        for document in self.matching(condition, words) {
            let values: BTreeSet<&String> = document.facets[facet.0].iter().collect();
            without += u64::from(values.is_empty());
            values.into_iter().for_each(|value| *counts.entry(value.clone()).or_default() += 1);
        }
        Groups { counts: counts.into_iter().collect(), without }
    }

    pub fn days(&self, condition: &Condition, words: &[Word], column: ColumnId, shift_ms: i64) -> Days {
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        let mut without = 0;
        for document in self.matching(condition, words) {
            match document.columns[column.0] {
                Some(value) => *counts.entry((value + shift_ms).div_euclid(86_400_000)).or_default() += 1,
                None => without += 1,
            }
        }
        Days { counts: counts.into_iter().collect(), without }
    }
}

fn has_word(document: &Document, word: &Word) -> bool {
    let fields = document.terms.iter().take(word.fields);
    !word.text.is_empty() && fields.flatten().any(|term| term.starts_with(&word.text))
}

pub fn holds(condition: &Condition, document: &Document) -> bool {
    match condition {
        Condition::All => true,
        Condition::AnyOf(facet, values) => {
            values.iter().any(|value| document.facets[facet.0].contains(value))
        }
        Condition::Without(facet) => document.facets[facet.0].is_empty(),
        Condition::Within(column, span) => {
            document.columns[column.0].is_some_and(|value| (span.low..=span.high).contains(&value))
        }
        Condition::Lacking(column) => document.columns[column.0].is_none(),
        Condition::NameContains(text) => document.name.contains(text.as_str()),
        Condition::Word(word) => has_word(document, word),
        Condition::Ids(ids) => ids.contains(&document.id),
        Condition::Not(condition) => !holds(condition, document),
        Condition::And(conditions) => conditions.iter().all(|condition| holds(condition, document)),
        Condition::Or(conditions) => conditions.iter().any(|condition| holds(condition, document)),
    }
}

fn compare(sort: &Sort, words: &[Word], left: &Document, right: &Document) -> Ordering {
    match sort {
        Sort::Keys(keys, tie) => keys
            .iter()
            .map(|key| compare_key(key, left, right))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| tie.apply(left.id.cmp(&right.id))),
        Sort::Relevance(column) => {
            let newest = SortKey::Column(*column, Direction::Descending);
            in_first(right, words)
                .cmp(&in_first(left, words))
                .then_with(|| compare_key(&newest, left, right))
                .then_with(|| right.id.cmp(&left.id))
        }
    }
}

/// Counts the words that the first text field has.
fn in_first(document: &Document, words: &[Word]) -> u32 {
    let first = &document.terms[0];
    let is_first =
        |word: &&Word| word.fields > 0 && first.iter().any(|term| term.starts_with(word.text.as_str()));
    words.iter().filter(is_first).count() as u32
}

fn rank(key: &SortKey, document: &Document) -> i64 {
    let SortKey::Ranked { facet, ranks, other, direction } = key else { panic!("no ranks") };
    let own = ranks.iter().filter(|(value, _)| document.facets[facet.0].contains(value));
    let own = own.map(|(_, rank)| *rank);
    match direction {
        Direction::Ascending => own.min(),
        Direction::Descending => own.max(),
    }
    .unwrap_or(*other)
}

fn place_of(sort: &Sort, words: &[Word], document: &Document) -> Place {
    let value = |key: &SortKey| match key {
        SortKey::Column(column, _) => SortValue::Column(document.columns[column.0]),
        SortKey::Name(_) => SortValue::Name(document.name.clone()),
        SortKey::Ranked { .. } => SortValue::Rank(rank(key, document)),
    };
    let id = document.id.clone();
    match sort {
        Sort::Keys(keys, _) => Place { words: 0, values: keys.iter().map(value).collect(), id },
        Sort::Relevance(column) => {
            let values = vec![SortValue::Column(document.columns[column.0])];
            Place { words: in_first(document, words), values, id }
        }
    }
}

fn compare_places(sort: &Sort, left: &Place, right: &Place) -> Ordering {
    let newest = [Direction::Descending];
    let (directions, tie): (Vec<Direction>, Direction) = match sort {
        Sort::Keys(keys, tie) => {
            let direction = |key: &SortKey| match key {
                SortKey::Column(_, direction)
                | SortKey::Name(direction)
                | SortKey::Ranked { direction, .. } => *direction,
            };
            (keys.iter().map(direction).collect(), *tie)
        }
        Sort::Relevance(_) => (newest.to_vec(), Direction::Descending),
    };
    let by_values =
        directions.iter().zip(left.values.iter().zip(&right.values)).map(|(direction, pair)| match pair {
            (SortValue::Column(None), SortValue::Column(Some(_))) => Ordering::Greater,
            (SortValue::Column(Some(_)), SortValue::Column(None)) => Ordering::Less,
            (SortValue::Column(left), SortValue::Column(right)) => direction.apply(left.cmp(right)),
            (SortValue::Name(left), SortValue::Name(right)) => direction.apply(left.cmp(right)),
            (SortValue::Rank(left), SortValue::Rank(right)) => direction.apply(left.cmp(right)),
            other => panic!("values of different keys: {other:?}"),
        });
    let by_values = by_values.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal);
    right.words.cmp(&left.words).then(by_values).then_with(|| tie.apply(left.id.cmp(&right.id)))
}

fn compare_key(key: &SortKey, left: &Document, right: &Document) -> Ordering {
    match key {
        SortKey::Column(column, direction) => match (left.columns[column.0], right.columns[column.0]) {
            (Some(left), Some(right)) => direction.apply(left.cmp(&right)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
        SortKey::Name(direction) => direction.apply(left.name.cmp(&right.name)),
        SortKey::Ranked { direction, .. } => direction.apply(rank(key, left).cmp(&rank(key, right))),
    }
}

/// Makes an engine of documents in the order of their arrival.
pub fn engine(documents: &[Document]) -> Engine {
    let mut engine = Engine::new(layout());
    documents.iter().for_each(|document| {
        engine.apply(document).unwrap();
    });
    engine
}

pub fn plain(documents: &[Document]) -> Plain {
    let mut plain = Plain::default();
    documents.iter().for_each(|document| plain.apply(document));
    plain
}

fn text(texts: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

const WORDS: [&str; 12] =
    ["a", "ab", "abc", "abd", "b", "ba", "cs000100", "cs000101", "cs000110", "print", "printer", "zed"];
const NAMES: [&str; 6] =
    ["", "printer", "printing house", "cafe", "a much longer name that begins alike", "a much longer name"];

fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => (0..40_i64).prop_map(|step| step * 21_600_000),
        1 => -3..3_i64,
        1 => prop::sample::select(vec![i64::MAX, i64::MIN + 1, 9_000_000_000_000_000]),
    ]
}

/// Numbers that look random and that a seed repeats; hundreds of documents made of single strategies take too long.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % end
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        texts[self.below(texts.len() as u64) as usize].to_owned()
    }

    fn some(&mut self, end: u64, make: impl Fn(&mut Self) -> String) -> Vec<String> {
        (0..self.below(end)).map(|_| make(self)).collect()
    }

    fn near_moment(&mut self) -> i64 {
        self.below(40) as i64 * 21_600_000
    }

    fn moment(&mut self) -> i64 {
        match self.below(6) {
            0 => self.below(6) as i64 - 3,
            1 => [i64::MAX, i64::MIN + 1, 9_000_000_000_000_000][self.below(3) as usize],
            _ => self.near_moment(),
        }
    }

    fn term(&mut self) -> String {
        if self.below(5) < 3 { self.one_of(&WORDS) } else { format!("cs{:04}", self.below(60)) }
    }

    /// Gives an arrival: a document of one of several hundred ids. Ids don't come in the order of their making.
    fn document(&mut self) -> Document {
        let facets = vec![
            self.some(2, |own| own.one_of(&["open", "closed", "held"])),
            self.some(2, |own| format!("agent-{}", own.below(30))),
            self.some(4, |own| own.one_of(&["red", "green", "blue", "grey"])),
        ];
        let due = (self.below(3) > 0).then(|| self.near_moment());
        let digest = (self.below(3) > 0).then(|| self.below(5) as i64);
        Document {
            id: format!("ci-{:03}", self.below(400) * 151 % 400),
            version: 1 + self.below(4),
            facets,
            columns: vec![Some(self.moment()), due, digest],
            name: self.one_of(&NAMES),
            terms: vec![self.some(4, Self::term), self.some(8, Self::term)],
        }
    }
}

/// Gives documents in the order of their arrival: some ids come again, with newer and with older versions.
pub fn documents() -> impl Strategy<Value = Vec<Document>> {
    let count = prop_oneof![1 => 0..30_usize, 3 => 250..1_200_usize];
    (any::<u64>(), count).prop_map(|(seed, count)| {
        let mut numbers = Numbers(seed);
        (0..count).map(|_| numbers.document()).collect()
    })
}

fn span() -> impl Strategy<Value = Span> {
    (moment(), moment()).prop_map(|(low, high)| Span { low, high })
}

fn facet_and_values() -> impl Strategy<Value = (FacetId, Vec<String>)> {
    let value = prop_oneof![
        text(&["open", "closed", "held", "red", "green", "blue", "nothing"]),
        (0..32_u32).prop_map(|number| format!("agent-{number}")),
    ];
    (0..FACETS).prop_flat_map(move |facet| (Just(FacetId(facet)), prop::collection::vec(value.clone(), 0..4)))
}

fn leaf() -> impl Strategy<Value = Condition> {
    prop_oneof![
        1 => Just(Condition::All),
        4 => facet_and_values().prop_map(|(facet, values)| Condition::AnyOf(facet, values)),
        1 => (0..FACETS).prop_map(|facet| Condition::Without(FacetId(facet))),
        3 => (0..COLUMNS, span()).prop_map(|(column, span)| Condition::Within(ColumnId(column), span)),
        1 => (0..5_i64).prop_map(|value| Condition::Within(ColumnId(2), Span { low: value, high: value })),
        1 => (0..COLUMNS).prop_map(|column| Condition::Lacking(ColumnId(column))),
        1 => text(&["", "print", "e", "longer name that", "fé", "house"]).prop_map(Condition::NameContains),
        1 => word(&["", "a", "ab", "cs00", "cs", "print", "zz"]).prop_map(Condition::Word),
        1 => prop::collection::vec((0..420_u32).prop_map(|number| format!("ci-{number:03}")), 0..4)
            .prop_map(Condition::Ids),
    ]
}

pub fn condition() -> impl Strategy<Value = Condition> {
    leaf().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|condition| Condition::Not(Box::new(condition))),
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::And),
            1 => prop::collection::vec(inner, 0..4).prop_map(Condition::Or),
        ]
    })
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Ascending, Direction::Descending])
}

fn sort_key() -> impl Strategy<Value = SortKey> {
    let ranks =
        prop::collection::vec((text(&["open", "closed", "held", "red", "green", "agent-3"]), 0..4_i64), 0..4);
    let distinct = ranks.prop_map(|ranks| {
        let by_value: BTreeMap<String, i64> = ranks.into_iter().collect();
        by_value.into_iter().collect::<Vec<(String, i64)>>()
    });
    prop_oneof![
        3 => (0..COLUMNS, direction()).prop_map(|(column, direction)| SortKey::Column(ColumnId(column), direction)),
        1 => direction().prop_map(SortKey::Name),
        1 => (0..FACETS, distinct, -1..4_i64, direction()).prop_map(|(facet, ranks, other, direction)| {
            SortKey::Ranked { facet: FacetId(facet), ranks, other, direction }
        }),
    ]
}

fn sort() -> impl Strategy<Value = Sort> {
    let keys = (prop::collection::vec(sort_key(), 0..4), direction());
    prop_oneof![
        3 => keys.prop_map(|(keys, tie)| Sort::Keys(keys, tie)),
        1 => Just(Sort::Relevance(ColumnId(0))),
    ]
}

fn word(texts: &'static [&'static str]) -> impl Strategy<Value = Word> + Clone {
    (text(texts), 0..4_usize).prop_map(|(text, fields)| Word { text, fields, elsewhere: None })
}

pub fn words() -> impl Strategy<Value = Vec<Word>> {
    let word = word(&[
        "a", "ab", "abc", "b", "c", "cs", "cs00", "cs000", "cs0001", "p", "print", "printer", "z", "",
    ]);
    prop_oneof![4 => Just(vec![]), 3 => prop::collection::vec(word.clone(), 1..3), 1 => prop::collection::vec(word, 3..6)]
}

pub fn query() -> impl Strategy<Value = Query> {
    let skip = prop_oneof![2 => Just(0), 2 => 0..40_u64, 1 => 0..500_u64];
    (condition(), words(), sort(), skip, 0..60_usize).prop_map(|(condition, words, sort, skip, limit)| {
        Query { condition, words, sort, skip, after: None, limit }
    })
}
