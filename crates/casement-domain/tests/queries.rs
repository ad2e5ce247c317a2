//! Random documents and queries whose values meet, for the tests of lists and of what answers them.

use casement_domain::actor::Actor;
use casement_domain::date::{DAY_MS, DateInput, Moment};
use casement_domain::id::{CaseId, FieldId, TaskTemplateId, UserId};
use casement_domain::list::expression::{Clause, Comparison, Operand, Subject, Written};
use casement_domain::list::filter::CaseState;
use casement_domain::list::query::{Deadline, Direction, ListQuery, SortKey};
use casement_domain::list::row::{Row, Work};
use casement_domain::workspace::Reference;
use proptest::prelude::*;
use serde_json::json;

use crate::documents::{self, NOW, app_actor};

/// The 29th of May 2025 counted from the first day of 1970.
pub const TODAY: i64 = 20_237;

/// Who asks, from which zone (in JavaScript's minutes), and what of.
#[derive(Debug, Clone)]
pub struct Asked {
    pub query: ListQuery,
    pub minutes: i32,
    pub agent: bool,
}

pub fn asking(asked: &Asked) -> Actor {
    let ann = || Actor {
        id: UserId::from_text("u-a"),
        name: "Ann Agent".to_owned(),
        image: "no-avatar".to_owned(),
    };
    if asked.agent { ann() } else { app_actor() }
}

/// The cases that the tasks belong to: the last one is deleted.
pub fn cases() -> [(CaseId, CaseState); 3] {
    [(0, 99, true), (1, 100, true), (2, 101, false)]
        .map(|(id, number, active)| (CaseId::fresh(id), CaseState { number, active }))
}

/// Gives moments beside the midnights of UTC, of India and of Los Angeles around today, and the time of the request.
fn edge() -> impl Strategy<Value = Moment> {
    let shift = prop::sample::select(vec![0_i64, -330, 480]);
    let beside = prop::sample::select(vec![-1_i64, 0, 1]);
    let midnight = (-2_i64..9, shift, beside)
        .prop_map(|(day, minutes, ms)| Moment::from_ms((TODAY + day) * DAY_MS + minutes * 60_000 + ms));
    let now = prop::sample::select(vec![-1_i64, 0, 1]).prop_map(|ms| NOW.plus_ms(ms));
    prop_oneof![4 => midnight, 1 => now]
}

const NAMES: [&str; 7] =
    ["Café Münster", "cafe", "Printer on fire", "printers", "John.Doe writes", "CS000101 again", "Zed"];

/// Gives a row whose values meet those that queries ask for.
fn row() -> impl Strategy<Value = Work> {
    let texts =
        (prop::sample::select(NAMES.to_vec()), prop::sample::select(vec!["", "A café", "the printer"]));
    let email = prop::sample::select(vec![None, Some("john.doe@example.com"), Some("x@y")]);
    let phone = prop::sample::select(vec![None, Some("+49 (30) 123-4"), Some("30")]);
    let source = prop::sample::select(vec!["rtm", "Email"]);
    let channels = prop::sample::select(vec![vec![], vec!["RTM"], vec!["voice", "email"]]);
    let colour = prop::sample::select(vec![
        None,
        Some(json!("red")),
        Some(json!(5)),
        Some(json!(5.0)),
        Some(json!(["red", "blue"])),
    ]);
    let tags = prop::sample::select(vec![vec![], vec!["VIP"], vec!["vip", "Été"]]);
    let labels = (tags, prop::sample::select(vec!["u-1", "u-2"]), any::<bool>(), any::<bool>());
    let is_task = (any::<bool>(), 0..3_u128);
    let dates = (prop::option::of(edge()), edge(), edge());
    let others = (labels, dates, prop::bool::weighted(0.9));
    (documents::case(), texts, (email, phone), (source, channels), colour, is_task, others).prop_map(
        |(
            mut case,
            texts,
            (email, phone),
            (source, channels),
            colour,
            (is_task, of),
            (labels, dates, active),
        )| {
            let item = &mut case.item;
            item.name = texts.0.to_owned();
            item.description = texts.1.to_owned();
            item.customer.email = email.map(str::to_owned);
            item.customer.phone = phone.map(str::to_owned);
            item.source = source.to_owned();
            item.channels = channels.into_iter().map(str::to_owned).collect();
            item.field_values.clear();
            item.field_values.extend(colour.map(|colour| (FieldId::from_text("fd-colour"), colour)));
            (item.due, item.created_at, item.updated_at) = dates;
            item.tags = labels.0.into_iter().map(str::to_owned).collect();
            item.customer.id = UserId::from_text(labels.1);
            item.breached = labels.2;
            item.active = active;
            if is_task {
                let id = casement_domain::id::TaskId::from_text(case.id.as_str().replace("ci-", "ti-"));
                Work::Task(casement_domain::task::Task {
                    id,
                    case: CaseId::fresh(of),
                    template: labels.3.then(|| TaskTemplateId::from_text("ttm-call")),
                    template_version: 1,
                    plan: casement_domain::task::plan::Plan::default(),
                    item: case.item,
                })
            } else {
                Work::Case(case)
            }
        },
    )
}

pub fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..25).prop_map(|works| {
        let committed = |(index, work)| Row::prepared(work).committed(1, 95 + index as u64);
        let mut seen = std::collections::HashSet::new();
        let distinct = works.into_iter().filter(|work| seen.insert(work.id().to_owned()));
        distinct.enumerate().map(committed).collect()
    })
}

fn some_of(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let chosen = prop::collection::vec(prop::sample::select(texts.to_vec()), 0..3);
    prop_oneof![
        3 => Just(Vec::new()),
        1 => chosen.prop_map(|texts| texts.into_iter().map(str::to_owned).collect()),
    ]
}

fn date() -> impl Strategy<Value = Option<DateInput>> {
    let zoned = prop_oneof![
        edge().prop_map(DateInput::Instant),
        edge().prop_map(|moment| DateInput::Day(moment.utc().date())),
        edge().prop_map(|moment| DateInput::Local(moment.utc())),
    ];
    prop_oneof![4 => Just(None), 1 => zoned.prop_map(Some)]
}

fn sort() -> impl Strategy<Value = Vec<(SortKey, Direction)>> {
    let key = prop::sample::select(vec![
        SortKey::Created,
        SortKey::Updated,
        SortKey::Due,
        SortKey::Priority,
        SortKey::Status,
        SortKey::Name,
        SortKey::Reference,
    ]);
    let direction = prop::sample::select(vec![Direction::Ascending, Direction::Descending]);
    prop::collection::vec((key, direction), 0..3)
}

pub fn asked() -> impl Strategy<Value = Asked> {
    let text = |texts: &'static [&'static str]| {
        prop_oneof![2 => Just(""), 1 => prop::sample::select(texts.to_vec())].prop_map(str::to_owned)
    };
    let texts = (
        text(&[
            "CAF",
            "café",
            "prin",
            "john.doe",
            "doe",
            "cs0001",
            "munster print",
            "example",
            "rinter",
            "?! …",
        ]),
        text(&["CAF", "MÜN", "e", "john.d", "nothing"]),
    );
    let yes = || prop::bool::weighted(0.15);
    let flags = (yes(), yes(), yes(), any::<bool>());
    let names = (
        some_of(&["high", "Medium", "pr-none", "LOW", "Critical"]),
        some_of(&["OPEN", "on-hold", "sts-waiting", "waiting", "Closed", "nothing", "in-progress"]),
        some_of(&["rtm", "EMAIL", "voice", "fax"]),
        some_of(&["default", "qu-r", "SECOND", "none", "qu-g"]),
        some_of(&["a-a", "u-b", "a-x", "a-o"]),
    );
    let dates = (date(), date(), date());
    let deadline = prop::sample::select(vec![
        Deadline::Overdue,
        Deadline::Today,
        Deadline::Tomorrow,
        Deadline::Week,
        Deadline::None,
    ]);
    let deadlines = prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(deadline, 1..3)];
    let field = prop::sample::select(vec![
        ("colour", json!("red")),
        ("COLOUR", json!(5)),
        ("Title", json!("cafe")),
        ("nothing", json!(null)),
    ]);
    let fields = prop_oneof![5 => Just(vec![]), 1 => prop::collection::vec(field, 1..3)];
    let cases = (
        prop_oneof![6 => Just(String::new()), 1 => Just(CaseId::fresh(1).to_string())],
        prop_oneof![6 => Just(""), 1 => prop::sample::select(vec!["CS000100", "CS000101", "cs000100"])],
    );
    let minutes = prop::sample::select(vec![0, -330, 480, 720, -840]);
    ((texts, flags, names), (dates, deadlines, fields, cases), sort(), minutes).prop_map(
        |((texts, flags, names), (dates, deadlines, fields, cases), sort, minutes)| Asked {
            query: ListQuery {
                search_text: texts.0,
                name: texts.1,
                unresolved: flags.0,
                unassigned: flags.1,
                mine: flags.2,
                priorities: names.0,
                statuses: names.1,
                channels: names.2,
                queues: names.3,
                agents: names.4,
                created_from: dates.0,
                created_to: dates.1,
                due: dates.2,
                deadlines,
                fields: fields
                    .into_iter()
                    .map(|(name, value)| (Reference::Name(name.to_owned()), value))
                    .collect(),
                case: cases.0,
                case_reference: cases.1.to_owned(),
                sort,
                ..ListQuery::default()
            },
            minutes,
            agent: flags.3,
        },
    )
}

/// A query with one part of a random one, so that much is listed and each part decides.
pub fn one_part() -> impl Strategy<Value = Asked> {
    (asked(), 0..16_usize).prop_map(|(asked, part)| {
        let given = asked.query;
        let mut query = ListQuery { sort: given.sort, ..ListQuery::default() };
        match part {
            0 => query.search_text = given.search_text,
            1 => query.name = given.name,
            2 => query.unresolved = true,
            3 => query.unassigned = true,
            4 => query.mine = true,
            5 => query.priorities = given.priorities,
            6 => query.statuses = given.statuses,
            7 => query.channels = given.channels,
            8 => query.queues = given.queues,
            9 => query.agents = given.agents,
            10 => query.created_from = given.created_from,
            11 => query.created_to = given.created_to,
            12 => query.due = given.due,
            13 => query.deadlines = given.deadlines,
            14 => query.fields = given.fields,
            _ => (query.case, query.case_reference) = (given.case, given.case_reference),
        }
        Asked { query, ..asked }
    })
}

/// One comparison of the query language whose value some row has.
fn clause() -> impl Strategy<Value = Written> {
    const DATES: &[&str] = &[
        "now",
        "today",
        "tomorrow",
        "yesterday",
        "3d",
        "-1d",
        "12h",
        "2025-05-29",
        "..today",
        "yesterday..1d",
    ];
    const ORDERED: [(Subject, &[&str]); 4] = [
        (Subject::Created, DATES),
        (Subject::Updated, DATES),
        (Subject::Due, DATES),
        (Subject::Priority, &["high", "Medium", "LOW"]),
    ];
    const OTHERS: [(Subject, &[&str]); 16] = [
        (Subject::Due, &["none"]),
        (Subject::Status, &["open", "on-hold", "Waiting", "closed"]),
        (Subject::Queue, &["none", "default", "SECOND"]),
        (Subject::Assignee, &["none", "me", "Ben Agent", "a-a", "u-o"]),
        (Subject::Watcher, &["me", "Ben Agent", "a-a"]),
        (Subject::Channel, &["rtm", "EMAIL", "voice", "fax"]),
        (Subject::Tag, &["none", "vip", "ÉTÉ", "other"]),
        (Subject::Customer, &["u-1", "John.Doe@example.com", "x@y", "nobody"]),
        (Subject::Template, &["general", "Queued", "Call"]),
        (Subject::Name, &["CAF", "MÜN", "e", "nothing"]),
        (Subject::Comment, &["refu", "café", "refund café", "blue cafe", "nothing"]),
        (Subject::Id, &["CS000097", "ts000099", "cs000100", "nothing"]),
        (Subject::Case, &["CS000100", "cs000101", "ci-1"]),
        (
            Subject::Is,
            &["open", "overdue", "breached", "assigned", "unassigned", "mine", "unresolved", "Closed"],
        ),
        (Subject::Has, &["due", "assignee", "queue", "tag"]),
        (Subject::Tag, &["none", "vip"]),
    ];
    let of = |subject: Subject, comparison: Comparison, texts: Vec<&str>| {
        let operand = |text: &&str| Operand { text: (*text).to_owned(), quoted: false, at: 0 };
        let values = texts.iter().map(operand).collect();
        Written::Clause(Clause { subject, comparison, values, at: 0 })
    };
    let comparison = prop::sample::select(vec![
        Comparison::Before,
        Comparison::UpTo,
        Comparison::After,
        Comparison::From,
        Comparison::Is,
    ]);
    let ordered = (prop::sample::select(ORDERED.to_vec()), comparison).prop_flat_map(
        move |((subject, texts), compare)| {
            // A span of time can only be lain in.
            let texts: Vec<&str> = texts
                .iter()
                .copied()
                .filter(|text| compare == Comparison::Is || !text.contains(".."))
                .collect();
            prop::sample::select(texts).prop_map(move |text| of(subject.clone(), compare, vec![text]))
        },
    );
    let others = prop::sample::select(OTHERS.to_vec()).prop_flat_map(move |(subject, texts)| {
        let texts = prop::collection::vec(prop::sample::select(texts.to_vec()), 1..3);
        texts.prop_map(move |texts| of(subject.clone(), Comparison::Is, texts))
    });
    let colour = prop::sample::select(vec!["none", "red", "blue", "5"]);
    let field =
        colour.prop_map(move |text| of(Subject::Field("Colour".to_owned()), Comparison::Is, vec![text]));
    let words = prop::sample::select(vec![
        "caf",
        "prin",
        "doe",
        "nothing",
        "cs0001",
        "?!",
        "vip",
        "ete",
        "re",
        "blue 5",
        "49301",
        "30",
        "refund",
        "refund caf",
    ]);
    prop_oneof![
        3 => ordered.boxed(),
        6 => others.boxed(),
        1 => field.boxed(),
        2 => words.prop_map(|text| Written::Words(text.to_owned())).boxed(),
    ]
}

/// A query with an expression alone.
pub fn expressed() -> impl Strategy<Value = Asked> {
    let expression = clause().boxed().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Written::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Written::Any),
            inner.prop_map(|part| Written::Not(Box::new(part))),
        ]
    });
    (asked().boxed(), expression).prop_map(|(asked, expression)| {
        let query =
            ListQuery { sort: asked.query.sort, expression: Some(expression), ..ListQuery::default() };
        Asked { query, ..asked }
    })
}
