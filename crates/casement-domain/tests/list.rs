//! Lists against a naive restatement of contract sections 6, 7 and 11.7, written from its words.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use casement_domain::date::{DAY_MS, DateInput, Moment, Zone};
use casement_domain::id::{CaseId, FieldId};
use casement_domain::list::expression::Written;
use casement_domain::list::order::Order;
use casement_domain::list::query::{Deadline, Direction, ListQuery, SortKey};
use casement_domain::list::resolve::resolve;
use casement_domain::list::row::{Row, Work};
use casement_domain::workspace::{Reference, Workspace};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::queries::{Asked, TODAY, asked, asking, cases, expressed, one_part, rows};
use crate::world::{NOW, app_actor, workspace};

/// What the code answers: the ids in order.
fn answered(rows: &[Row], asked: &Asked, workspace: &Workspace) -> Vec<String> {
    let zone = Zone::from_javascript_minutes(asked.minutes).unwrap();
    let filter = resolve(&asked.query, workspace, &asking(asked), zone, NOW).unwrap();
    let order = Order::of(&asked.query.sort, &filter);
    let case_of = |id: &CaseId| cases().into_iter().find(|(case, _)| case == id).map(|(_, state)| state);
    let mut found: Vec<&Row> =
        rows.iter().filter(|row| filter.matches(row, workspace, NOW, case_of)).collect();
    found.sort_by(|left, right| order.compare(left, right, &filter, workspace));
    found.iter().map(|row| row.work.id().to_owned()).collect()
}

/// Folds the texts that these tests use.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('é', "e").replace('ü', "u")
}

/// Tells whether a folded word stands at the beginning of a word of a text.
fn begins_a_word(text: &str, word: &str) -> bool {
    let text = plain(text);
    let starts = text.match_indices(word).map(|(start, _)| start);
    let mut before = starts.map(|start| text[..start].chars().next_back());
    before.any(|before| before.is_none_or(|before| !before.is_alphanumeric()))
}

fn any_equal(wanted: &[String], candidates: &[&str]) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|wanted| {
            candidates.iter().any(|candidate| wanted.to_lowercase() == candidate.to_lowercase())
        })
}

fn local_day(moment: Moment, minutes: i32) -> i64 {
    (moment.ms() - i64::from(minutes) * 60_000).div_euclid(DAY_MS)
}

fn day_of(date: DateInput) -> Option<i64> {
    match date {
        DateInput::Day(date) => Zone::UTC.day(date).map(|(first, _)| first.ms().div_euclid(DAY_MS)),
        DateInput::Instant(_) | DateInput::Local(_) => None,
    }
}

/// Compares a moment with a date of a request: a plain date is a whole day.
fn compare_date(moment: Moment, date: DateInput, minutes: i32) -> Ordering {
    match (date, day_of(date)) {
        (_, Some(day)) => local_day(moment, minutes).cmp(&day),
        (DateInput::Instant(instant), None) => moment.cmp(&instant),
        (DateInput::Local(local), None) => {
            let utc = Zone::UTC.moment(local).unwrap();
            moment.ms().cmp(&(utc.ms() + i64::from(minutes) * 60_000))
        }
        (DateInput::Day(_), None) => panic!("a day"),
    }
}

fn is_listed(row: &Row, asked: &Asked, workspace: &Workspace) -> bool {
    let (query, item) = (&asked.query, row.work.item());
    let status = workspace.status(&item.status).unwrap();
    let priority = workspace.priority(&item.priority).unwrap();
    let agent = item.assignment.agent.as_ref().and_then(|id| workspace.agent(id));
    let over = ["resolved", "closed"].contains(&status.category.name());
    let today = local_day(NOW, asked.minutes);
    let first = format!("{} {}", item.name, row.work.reference_id(row.number));
    let email = item.customer.email.clone().unwrap_or_default();
    let second = format!("{} {} {}", item.description, item.customer.name, email);
    let words: Vec<String> = query
        .search_text
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(plain)
        .collect();
    let queues: Vec<&str> = item
        .assignment
        .queues
        .iter()
        .flat_map(|id| [id.as_str(), workspace.queue(id).unwrap().name.as_str()])
        .collect();
    let mut channels: Vec<&str> = item.channels.iter().map(String::as_str).collect();
    channels.push(&item.source);
    let mut who: Vec<&str> =
        agent.iter().flat_map(|agent| [agent.id.as_str(), agent.user.as_str()]).collect();
    who.sort_unstable();
    let (is_of_deleted, number) = match &row.work {
        Work::Case(_) => (false, row.number),
        Work::Task(task) => {
            let state = cases().into_iter().find(|(case, _)| *case == task.case).unwrap().1;
            (!state.active, state.number)
        }
    };
    item.active
        && !is_of_deleted
        && words.iter().all(|word| begins_a_word(&first, word) || begins_a_word(&second, word))
        && item.name.to_lowercase().contains(&query.name.to_lowercase())
        && (!query.unresolved || !over)
        && (!query.unassigned || agent.is_none())
        && (!query.mine || (asked.agent && agent.is_some_and(|agent| agent.user.as_str() == "u-a")))
        && any_equal(&query.priorities, &[priority.id.as_str(), &priority.name])
        && any_equal(&query.statuses, &[status.id.as_str(), &status.name, status.category.name()])
        && any_equal(&query.channels, &channels)
        && any_equal(&query.queues, &queues)
        && any_equal(&query.agents, &who)
        && query.created_from.is_none_or(|date| compare_date(item.created_at, date, asked.minutes).is_ge())
        && query.created_to.is_none_or(|date| compare_date(item.created_at, date, asked.minutes).is_le())
        && query
            .due
            .is_none_or(|date| item.due.is_some_and(|due| compare_date(due, date, asked.minutes).is_eq()))
        && (query.deadlines.is_empty()
            || query.deadlines.iter().any(|deadline| {
                let day = item.due.map(|due| local_day(due, asked.minutes) - today);
                match deadline {
                    Deadline::Overdue => item.due.is_some_and(|due| due < NOW) && !over,
                    Deadline::Today => day == Some(0),
                    Deadline::Tomorrow => day == Some(1),
                    Deadline::Week => day.is_some_and(|day| (0..7).contains(&day)),
                    Deadline::None => item.due.is_none(),
                }
            }))
        && query
            .fields
            .iter()
            .all(|(field, value)| shown_value(row, field.text(), workspace).as_ref() == Some(value))
        && (query.case.is_empty() || row.work.case().as_str() == query.case)
        && (query.case_reference.is_empty() || query.case_reference == format!("CS{number:06}"))
}

fn shown_value(row: &Row, field: &str, workspace: &Workspace) -> Option<Value> {
    let item = row.work.item();
    match field.to_lowercase().as_str() {
        "title" => Some(json!(item.name)),
        "colour" | "fd-colour" => item.field_values.get(&FieldId::from_text("fd-colour")).cloned(),
        _ => {
            assert!(workspace.find_field(&Reference::Name(field.to_owned())).is_none());
            None
        }
    }
}

fn sort_value(row: &Row, key: SortKey, workspace: &Workspace) -> Option<(i64, String)> {
    let item = row.work.item();
    let number = |number: i64| Some((number, String::new()));
    match key {
        SortKey::Created => number(item.created_at.ms()),
        SortKey::Updated => number(item.updated_at.ms()),
        SortKey::Due => number(item.due?.ms()),
        SortKey::Priority => number(workspace.priority(&item.priority).unwrap().score),
        SortKey::Status => {
            let status = workspace.status(&item.status).unwrap();
            let order = ["open", "in-progress", "on-hold", "resolved", "closed"];
            let place = order.iter().position(|name| *name == status.category.name()).unwrap();
            Some((place as i64, status.name.to_lowercase()))
        }
        SortKey::Name => Some((0, item.name.to_lowercase())),
        SortKey::Reference => number(row.number as i64),
    }
}

fn comes_first(left: &Row, right: &Row, asked: &Asked, workspace: &Workspace) -> Ordering {
    let newest = vec![(SortKey::Created, Direction::Descending)];
    let searched = asked.query.search_text.chars().any(char::is_alphanumeric);
    let keys = if asked.query.sort.is_empty() { &newest } else { &asked.query.sort };
    if asked.query.sort.is_empty() && searched {
        let rank = |row: &Row| {
            let first = format!("{} {}", row.work.item().name, row.work.reference_id(row.number));
            asked
                .query
                .search_text
                .split_whitespace()
                .filter(|word| begins_a_word(&first, &plain(word)))
                .count()
        };
        let by_rank = rank(right).cmp(&rank(left));
        if by_rank.is_ne() {
            return by_rank;
        }
    }
    for (key, direction) in keys {
        let values = (sort_value(left, *key, workspace), sort_value(right, *key, workspace));
        let ordering = match values {
            (Some(one), Some(other)) => match direction {
                Direction::Ascending => one.cmp(&other),
                Direction::Descending => other.cmp(&one),
            },
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    match keys[0].1 {
        Direction::Ascending => left.work.id().cmp(right.work.id()),
        Direction::Descending => right.work.id().cmp(left.work.id()),
    }
}

fn expected(rows: &[Row], asked: &Asked, workspace: &Workspace) -> Vec<String> {
    let mut found: Vec<&Row> = rows.iter().filter(|row| is_listed(row, asked, workspace)).collect();
    found.sort_by(|left, right| comes_first(left, right, asked, workspace));
    found.iter().map(|row| row.work.id().to_owned()).collect()
}

/// What an expression finds, by lists of each of its parts alone.
fn of_parts(written: &Written, rows: &[Row], asked: &Asked, workspace: &Workspace) -> BTreeSet<String> {
    let alone = |expression: Option<Written>| {
        let asked = Asked { query: ListQuery { expression, ..ListQuery::default() }, ..asked.clone() };
        answered(rows, &asked, workspace).into_iter().collect::<BTreeSet<String>>()
    };
    let parts = |parts: &[Written]| {
        parts.iter().map(|part| of_parts(part, rows, asked, workspace)).collect::<Vec<_>>().into_iter()
    };
    match written {
        Written::All(all) => parts(all).fold(alone(None), |found, part| &found & &part),
        Written::Any(any) => parts(any).fold(BTreeSet::new(), |found, part| &found | &part),
        Written::Not(part) => &alone(None) - &of_parts(part, rows, asked, workspace),
        Written::Words(_) | Written::Clause(_) => alone(Some(written.clone())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_list_by_one_filter_is_what_the_contract_says(rows in rows(), asked in one_part()) {
        let workspace = workspace();
        prop_assert_eq!(answered(&rows, &asked, &workspace), expected(&rows, &asked, &workspace));
    }

    #[test]
    fn a_list_by_several_filters_is_what_the_contract_says(rows in rows(), asked in asked()) {
        let workspace = workspace();
        prop_assert_eq!(answered(&rows, &asked, &workspace), expected(&rows, &asked, &workspace));
    }

    #[test]
    fn an_expression_finds_what_its_parts_find(rows in rows(), asked in expressed()) {
        let workspace = workspace();
        let Some(written) = &asked.query.expression else { return Ok(()) };
        let found: BTreeSet<String> = answered(&rows, &asked, &workspace).into_iter().collect();
        prop_assert_eq!(found, of_parts(written, &rows, &asked, &workspace));
    }

    #[test]
    fn the_order_is_total(rows in rows(), asked in asked()) {
        let workspace = workspace();
        let filter = resolve(&asked.query, &workspace, &app_actor(), Zone::UTC, NOW).unwrap();
        let order = Order::of(&asked.query.sort, &filter);
        let compare = |left, right| order.compare(left, right, &filter, &workspace);
        for (place, left) in rows.iter().enumerate() {
            for (other, right) in rows.iter().enumerate() {
                prop_assert_eq!(compare(left, right), compare(right, left).reverse());
                prop_assert_eq!(compare(left, right).is_eq(), place == other);
            }
        }
    }
}

fn work(name: &str, description: &str, id: u128, made_ms: i64) -> Row {
    let workspace = workspace();
    let mut case = crate::world::stored_case(&workspace).value;
    case.id = CaseId::fresh(id);
    case.item.name = name.to_owned();
    case.item.description = description.to_owned();
    case.item.created_at = Moment::from_ms(made_ms);
    Row::prepared(Work::Case(case)).committed(1, 100)
}

fn plain_query(query: ListQuery) -> Asked {
    Asked { query, minutes: 0, agent: false }
}

#[test]
fn words_in_the_name_rank_before_those_elsewhere_and_equals_are_newest_first() {
    let rows = [
        work("other", "the printer", 1, 50),
        work("printer", "", 2, 10),
        work("printer", "", 3, 20),
        work("nothing", "", 4, 99),
    ];
    let asked = plain_query(ListQuery { search_text: "Print".to_owned(), ..ListQuery::default() });
    let ids: Vec<String> = [3, 2, 1].map(|id| CaseId::fresh(id).to_string()).to_vec();
    assert_eq!(answered(&rows, &asked, &workspace()), ids);
    let sorted = ListQuery { sort: vec![(SortKey::Created, Direction::Descending)], ..asked.query };
    let ids: Vec<String> = [1, 3, 2].map(|id| CaseId::fresh(id).to_string()).to_vec();
    assert_eq!(answered(&rows, &plain_query(sorted), &workspace()), ids, "a sort is kept");
}

#[test]
fn a_name_is_contained_in_any_case_also_where_lower_case_depends_on_the_place() {
    let rows = [work("ΟΔΟΣΑ", "", 1, 1)];
    let asked = plain_query(ListQuery { name: "οδος".to_owned(), ..ListQuery::default() });
    assert_eq!(answered(&rows, &asked, &workspace()).len(), 1);
}

#[test]
fn the_days_of_deadlines_begin_and_end_at_the_midnights_of_the_request_s_zone() {
    // The zone in JavaScript's minutes; its today began that many minutes from the midnight of UTC.
    for (minutes, day) in [(0, TODAY), (-330, TODAY), (480, TODAY), (-840, TODAY + 1), (720, TODAY)] {
        let midnight = |days: i64| (day + days) * DAY_MS + i64::from(minutes) * 60_000;
        let listed = |deadline: Deadline, due_ms: i64| {
            let mut row = work("a", "", 1, 1);
            match &mut row.work {
                Work::Case(case) => case.item.due = Some(Moment::from_ms(due_ms)),
                Work::Task(_) => panic!("a case"),
            }
            let query = ListQuery { deadlines: vec![deadline], ..ListQuery::default() };
            !answered(&[row], &Asked { query, minutes, agent: false }, &workspace()).is_empty()
        };
        for (deadline, first, days) in
            [(Deadline::Today, 0, 1), (Deadline::Tomorrow, 1, 1), (Deadline::Week, 0, 7)]
        {
            let edges =
                [midnight(first) - 1, midnight(first), midnight(first + days) - 1, midnight(first + days)];
            let found = edges.map(|due_ms| listed(deadline, due_ms));
            assert_eq!(found, [false, true, true, false], "{deadline:?} in {minutes}");
        }
        let now = NOW.ms();
        assert_eq!(
            [now - 1, now, now + 1].map(|due_ms| listed(Deadline::Overdue, due_ms)),
            [true, false, false]
        );
    }
}

#[test]
fn dates_of_a_query_include_both_their_ends() {
    let row = |made_ms: i64| work("a", "", 1, made_ms);
    let (start, end) = (TODAY * DAY_MS - 330 * 60_000, (TODAY + 1) * DAY_MS - 330 * 60_000 - 1);
    let day = DateInput::parse("2025-05-29");
    let listed = |query: ListQuery, made_ms: i64| {
        !answered(&[row(made_ms)], &Asked { query, minutes: -330, agent: false }, &workspace()).is_empty()
    };
    let from = ListQuery { created_from: day, ..ListQuery::default() };
    let to = ListQuery { created_to: day, ..ListQuery::default() };
    let both = ListQuery { created_from: day, created_to: day, ..ListQuery::default() };
    let instant = DateInput::parse("2025-05-29T10:00:00.5Z");
    let exact = ListQuery { created_from: instant, created_to: instant, ..ListQuery::default() };
    let ten = TODAY * DAY_MS + 36_000_500;
    let rows = [
        (from, [start - 1, start, end, end + 1], [false, true, true, true]),
        (to, [start - 1, start, end, end + 1], [true, true, true, false]),
        (both, [start - 1, start, end, end + 1], [false, true, true, false]),
        (exact, [ten - 1, ten, ten, ten + 1], [false, true, true, false]),
    ];
    for (query, moments, expected) in rows {
        assert_eq!(moments.map(|made_ms| listed(query.clone(), made_ms)), expected, "{query:?}");
    }
}

#[test]
fn an_unknown_name_beside_a_known_one_adds_nothing_and_alone_matches_nothing() {
    let rows = [work("a", "", 1, 1)];
    let count = |statuses: &[&str]| {
        let statuses = statuses.iter().map(|text| (*text).to_owned()).collect();
        answered(&rows, &plain_query(ListQuery { statuses, ..ListQuery::default() }), &workspace()).len()
    };
    assert_eq!((count(&["nothing", "open"]), count(&["nothing"]), count(&[])), (1, 0, 1));
}
