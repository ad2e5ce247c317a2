//! Fills an engine with documents that look like cases, and prints what each shape of query costs.
//!
//! `cargo run --release -p casement-index --example shapes -- 1000000` (a second argument `no-text` leaves the terms out,
//! a third `snapshot` measures the snapshot alone).
//! A seed repeats the documents. Figures from it stand in docs/performance.md.

#![expect(clippy::indexing_slicing, reason = "tables of this file, and lists of a fixed number of rounds")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use casement_index::engine::Engine;
use casement_index::layout::{ColumnId, ColumnUse, Document, FacetId, Layout};
use casement_index::query::{Condition, Direction, Place, Query, Sort, SortKey, SortValue, Span, Word};
use casement_index::snapshot::dump::{Dump, Next};
use casement_index::snapshot::load::open;

const STATUS: FacetId = FacetId(0);
const PRIORITY: FacetId = FacetId(1);
const QUEUE: FacetId = FacetId(2);
const CHANNEL: FacetId = FacetId(3);
const ASSIGNEE: FacetId = FacetId(4);
const CREATED: ColumnId = ColumnId(0);
const UPDATED: ColumnId = ColumnId(1);
const DUE: ColumnId = ColumnId(2);
const DAY_MS: i64 = 86_400_000;
const NOW_MS: i64 = 1_780_000_000_000;
const ROUNDS: usize = 200;

const STATUSES: [&str; 6] = ["open", "in-progress", "on-hold", "waiting", "resolved", "closed"];
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "critical"];
const NOUNS: [&str; 24] = [
    "printer",
    "invoice",
    "login",
    "delivery",
    "refund",
    "screen",
    "network",
    "contract",
    "account",
    "payment",
    "keyboard",
    "meeting",
    "password",
    "order",
    "battery",
    "update",
    "license",
    "server",
    "mailbox",
    "phone",
    "report",
    "camera",
    "router",
    "subscription",
];

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % end
    }

    /// Small numbers are more frequent, as in languages and among customers.
    fn skewed(&mut self, end: u64) -> u64 {
        let (one, other) = (self.below(end) + 1, self.below(end) + 1);
        (one * other / end).min(end - 1)
    }
}

fn layout(has_text: bool) -> Layout {
    Layout {
        facets: vec!["status", "priority", "queue", "channel", "assignee", "tag", "customer", "template"],
        columns: vec![
            ("created", ColumnUse::Sorted),
            ("updated", ColumnUse::Sorted),
            ("due", ColumnUse::Sorted),
            ("number", ColumnUse::Sorted),
        ],
        texts: if has_text { vec!["first", "second"] } else { vec![] },
    }
}

fn document(number: u64, count: u64, has_text: bool) -> Document {
    let mut numbers = Numbers(number);
    let created = NOW_MS - 4 * 365 * DAY_MS + (4 * 365 * DAY_MS / count as i64) * number as i64;
    let is_old = number * 10 < count * 9;
    let status =
        if is_old && numbers.below(20) > 0 { 4 + numbers.below(2) } else { numbers.below(6) } as usize;
    let one = |text: String| vec![text];
    let noun = NOUNS[numbers.skewed(24) as usize];
    let customer = numbers.skewed(count / 3 + 1);
    let name = format!("{noun} problem of customer {customer} {}", NOUNS[numbers.below(24) as usize]);
    let assignee = match numbers.below(5) {
        0 => vec![],
        _ => one(format!("a-{}", numbers.skewed(200))),
    };
    let facets = vec![
        one(STATUSES[status].to_owned()),
        one(PRIORITIES[numbers.skewed(4) as usize].to_owned()),
        one(format!("queue-{}", numbers.skewed(20))),
        one(["rtm", "email", "voice", "web"][numbers.skewed(4) as usize].to_owned()),
        assignee,
        (0..numbers.below(4)).map(|_| format!("tag-{}", numbers.skewed(300))).collect(),
        one(format!("u-0192d5c4-7aaa-7bbb-8ccc-{customer:012x}")),
        one(format!("template-{}", numbers.skewed(12))),
    ];
    let due = (numbers.below(4) > 0).then(|| created + numbers.below(30 * DAY_MS as u64) as i64);
    let columns = vec![
        Some(created),
        Some(created + numbers.below(20 * DAY_MS as u64) as i64),
        due,
        Some(100 + number as i64),
    ];
    let terms = if has_text {
        let mut first: Vec<String> = name.split(' ').map(str::to_owned).collect();
        first.push(format!("cs{:06}", 100 + number));
        let mut second =
            vec![format!("customer{customer}@example.com"), "example".to_owned(), "com".to_owned()];
        second.extend((0..20 + numbers.below(60)).map(|_| {
            let word = numbers.skewed(numbers_of_words(count));
            format!("{}{word}", NOUNS[word as usize % 24].get(..3).unwrap_or_default())
        }));
        vec![first, second]
    } else {
        vec![]
    };
    Document {
        id: format!("ci-0192d5c4-7aaa-7bbb-8ccc-{number:012x}"),
        version: 1,
        facets,
        columns,
        name,
        terms,
    }
}

fn numbers_of_words(count: u64) -> u64 {
    (count / 10).clamp(1_000, 60_000)
}

fn any(facet: FacetId, values: &[&str]) -> Condition {
    Condition::AnyOf(facet, values.iter().map(|value| (*value).to_owned()).collect())
}

fn by(column: ColumnId, direction: Direction) -> Sort {
    Sort::Keys(vec![SortKey::Column(column, direction)], direction)
}

fn shapes(has_text: bool) -> Vec<(&'static str, Query)> {
    let newest = || by(CREATED, Direction::Descending);
    let query = |condition: Condition, sort: Sort| Query {
        condition,
        words: vec![],
        sort,
        skip: 0,
        after: None,
        limit: 50,
    };
    let unresolved = || Condition::Not(Box::new(any(STATUS, &["resolved", "closed"])));
    let within = |column, from_days: i64, to_days: i64| {
        Condition::Within(column, Span { low: NOW_MS + from_days * DAY_MS, high: NOW_MS + to_days * DAY_MS })
    };
    let by_due = || by(DUE, Direction::Ascending);
    let ranks =
        |texts: &[&str]| texts.iter().zip(0..).map(|(text, rank)| ((*text).to_owned(), rank)).collect();
    let by_status = Sort::Keys(
        vec![
            SortKey::Ranked {
                facet: STATUS,
                ranks: ranks(&STATUSES),
                other: -1,
                direction: Direction::Ascending,
            },
            SortKey::Column(DUE, Direction::Ascending),
        ],
        Direction::Ascending,
    );
    let made = vec![SortValue::Column(Some(NOW_MS - 365 * DAY_MS))];
    let a_year_ago = Place { words: 0, values: made, id: String::new() };
    let mut shapes = vec![
        ("all", query(Condition::All, newest())),
        ("3 of 6 statuses", query(any(STATUS, &["open", "on-hold", "closed"]), newest())),
        (
            "status + priority by due",
            query(Condition::And(vec![any(STATUS, &["open"]), any(PRIORITY, &["high"])]), by_due()),
        ),
        ("unresolved by updated", query(unresolved(), by(UPDATED, Direction::Descending))),
        ("resolved by updated, oldest", query(any(STATUS, &["open"]), by(UPDATED, Direction::Ascending))),
        ("unassigned", query(Condition::Without(ASSIGNEE), newest())),
        ("one channel", query(any(CHANNEL, &["web"]), newest())),
        ("queue + status", query(Condition::And(vec![any(QUEUE, &["queue-7"]), unresolved()]), newest())),
        ("30 days", query(within(CREATED, -60, -30), newest())),
        ("a year by due", query(within(CREATED, -700, -335), by_due())),
        ("a year of due dates by created", query(within(DUE, -700, -335), newest())),
        ("overdue", query(Condition::And(vec![within(DUE, -99_999, 0), unresolved()]), by_due())),
        ("assignee", query(any(ASSIGNEE, &["a-17"]), newest())),
        (
            "five filters",
            query(
                Condition::And(vec![
                    unresolved(),
                    any(PRIORITY, &["low", "high"]),
                    any(QUEUE, &["queue-1", "queue-3"]),
                    any(ASSIGNEE, &["a-3", "a-5", "a-8"]),
                    within(CREATED, -400, 0),
                ]),
                by(UPDATED, Direction::Descending),
            ),
        ),
        ("skip 10 000", Query { skip: 10_000, ..query(Condition::All, newest()) }),
        ("skip half", Query { skip: 500_000, ..query(Condition::All, newest()) }),
        (
            "behind a place of a year ago",
            Query { after: Some(a_year_ago), ..query(Condition::All, newest()) },
        ),
        ("by status, then due", query(Condition::All, by_status)),
        (
            "by name",
            query(unresolved(), Sort::Keys(vec![SortKey::Name(Direction::Ascending)], Direction::Ascending)),
        ),
        ("name contains", query(Condition::NameContains("mer 1234".to_owned()), newest())),
        ("name contains, frequent", query(Condition::NameContains("er".to_owned()), newest())),
        (
            "name contains + unresolved",
            query(Condition::And(vec![Condition::NameContains("outer".to_owned()), unresolved()]), newest()),
        ),
    ];
    if has_text {
        let search = |words: &[&str], condition: Condition| Query {
            words: words
                .iter()
                .map(|word| Word { text: (*word).to_owned(), fields: 2, elsewhere: None })
                .collect(),
            ..query(condition, Sort::Relevance(CREATED))
        };
        shapes.extend([
            ("search, frequent word", search(&["printer"], Condition::All)),
            ("search, rare word", search(&["customer77@example.com"], Condition::All)),
            ("search, reference", search(&["cs004711"], Condition::All)),
            ("search, two words", search(&["printer", "rou"], Condition::All)),
            ("search, prefix of 3", search(&["pri"], Condition::All)),
            ("search, prefix of 1", search(&["c"], Condition::All)),
            ("search, cs00", search(&["cs00"], Condition::All)),
            ("search + filter", search(&["refund"], unresolved())),
            (
                "search by due",
                Query { sort: by(DUE, Direction::Ascending), ..search(&["inv"], unresolved()) },
            ),
        ]);
    }
    shapes
}

/// The time that this thread had a processor: what others do on the machine is left out.
fn own_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// The time that all threads together had a processor.
fn all_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

fn timed(mut work: impl FnMut()) -> (Duration, Duration) {
    work();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = own_time();
            work();
            own_time() - start
        })
        .collect();
    times.sort_unstable();
    (times[ROUNDS / 2], times[ROUNDS * 99 / 100])
}

fn line(name: &str, (median, high): (Duration, Duration), total: u64) {
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    println!("{name:34} {:10.1} {:10.1} µs {total:>10}", us(median), us(high));
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let has_text = std::env::args().nth(2).is_none_or(|text| text != "no-text");
    let mut engine = Engine::new(layout(has_text));
    let (mut making, start) = (Duration::ZERO, own_time());
    engine.begin_bulk();
    for number in 0..count {
        let before = own_time();
        let document = document(number, count, has_text);
        making += own_time() - before;
        engine.apply(&document).expect("there is room");
    }
    let taken = (own_time() - start) - making;
    let before = own_time();
    engine.finish_bulk();
    println!("{count} documents: taken in {taken:.2?}, sorted in {:.2?}", (own_time() - before));
    let parts = engine.bytes();
    let all: usize = parts.iter().map(|part| part.bytes).sum();
    for part in parts {
        println!(
            "  {:24} {:8.1} MB {:6.1} B each",
            part.name,
            part.bytes as f64 / 1e6,
            part.bytes as f64 / count as f64
        );
    }
    println!("  {:24} {:8.1} MB {:6.1} B each", "together", all as f64 / 1e6, all as f64 / count as f64);
    if std::env::args().nth(3).is_some_and(|text| text == "snapshot") {
        snapshot(&engine, has_text);
        return;
    }
    println!("{:34} {:>10} {:>10}    {:>10}", "shape", "p50", "p99", "matches");
    for (name, query) in shapes(has_text) {
        let total = engine.page(&query).expect("the query fits").total;
        line(name, timed(|| drop(engine.page(&query))), total);
    }
    for (name, facet) in
        [("groups by status", STATUS), ("groups by assignee", ASSIGNEE), ("groups by tag", FacetId(5))]
    {
        let groups = engine.groups(&Condition::All, &[], facet).expect("the facet is there");
        line(name, timed(|| drop(engine.groups(&Condition::All, &[], facet))), groups.counts.len() as u64);
    }
    let days = engine.days(&Condition::All, &[], CREATED, 0).expect("the column is there");
    line(
        "groups by day",
        timed(|| drop(engine.days(&Condition::All, &[], CREATED, 0))),
        days.counts.len() as u64,
    );
    changes(&mut engine, count, has_text);
    snapshot(&engine, has_text);
}

/// Changes and adds documents one by one, as a server does.
fn changes(engine: &mut Engine, count: u64, has_text: bool) {
    let mut numbers = Numbers(99);
    let (mut changed, mut added) = (Vec::new(), Vec::new());
    for round in 0..2_000 {
        let mut fresh = document(numbers.below(count), count, has_text);
        fresh.version = 2 + round;
        fresh.columns[1] = Some(NOW_MS + round as i64);
        fresh.facets[0] = vec![STATUSES[numbers.below(6) as usize].to_owned()];
        let before = own_time();
        engine.apply(&fresh).expect("there is room");
        changed.push(own_time() - before);
        let fresh = document(count + round, count, has_text);
        let before = own_time();
        engine.apply(&fresh).expect("there is room");
        added.push(own_time() - before);
    }
    for (name, mut times) in [("a change", changed), ("a new document", added)] {
        times.sort_unstable();
        line(name, (times[times.len() / 2], times[times.len() * 99 / 100]), times.len() as u64);
        println!("{:34} {:>10.1} µs at most", "", times[times.len() - 1].as_secs_f64() * 1e6);
    }
}

fn snapshot(engine: &Engine, has_text: bool) {
    let mut longest = Duration::ZERO;
    let start = own_time();
    let (mut dump, mut bytes) = Dump::begin(&[engine], b"shapes");
    loop {
        let before = own_time();
        let next = dump.next(&[engine]);
        longest = longest.max(own_time() - before);
        match next {
            Next::Bytes(section) => bytes.write_all(&section).expect("memory takes it"),
            Next::Label => bytes.extend(dump.label(b"shapes")),
            Next::Nothing => break,
        }
    }
    println!(
        "snapshot: {:.1} MB in {:.2?}, longest lock {longest:.2?}",
        bytes.len() as f64 / 1e6,
        (own_time() - start)
    );
    // Several threads read: the time of all of them together, and that by the clock on the wall.
    let (start, clock) = (all_time(), Instant::now());
    let mut snapshot = open(bytes.as_slice(), vec![layout(has_text)]).expect("it was just written");
    let lists = snapshot.lists(&[Vec::new()]).expect("it was just written");
    let took = (all_time() - start, clock.elapsed());
    println!(
        "lists read back in {:.2?}, by the clock {:.2?}: {} documents",
        took.0,
        took.1,
        lists.engines[0].len()
    );
    let (start, clock) = (all_time(), Instant::now());
    let words = snapshot.words().expect("it was just written");
    let took = (all_time() - start, clock.elapsed());
    println!("words read back in {:.2?}, by the clock {:.2?}: {} engines", took.0, took.1, words.words.len());
}
