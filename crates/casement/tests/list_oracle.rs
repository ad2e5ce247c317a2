//! Lists through the router against the oracle: random workspaces, documents and queries.
//!
//! The oracle (`casement-proofs`) is written from the contract and knows the documents only as clients get them. The
//! moments lie around the nights in which clocks change: zones of requests are fixed offsets, so whatever a calendar
//! does there, instants stay what they are. Seeds are fixed; `CASEMENT_ORACLE_WORLDS` makes further worlds.

use std::collections::HashSet;

use casement_domain::date::Moment;
use casement_domain::id::FieldId;
use casement_domain::workspace::entries::Category;
use casement_domain::workspace::field::FieldSort;
use casement_proofs::oracle::{self, Asking, Said};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::harness::server::{HOUR_MS, Server};

/// Worlds that are always made, cases in each, and queries that each answers.
const WORLDS: u64 = 3;
const CASES: usize = 24;
const QUERIES: usize = 150;

/// Midnights, and the moments at which clocks change: in Europe, on the east coast of America (2026, spring and autumn),
/// on Lord Howe Island (by half an hour), and in the night of a leap day.
const EDGES: [&str; 8] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-03-08T02:00:00-05:00",
    "2026-11-01T02:00:00-04:00",
    "2026-04-05T02:00:00+11:00",
    "2028-02-29T00:00:00Z",
    "2026-10-25T00:00:00+02:00",
    "2026-03-29T00:00:00+01:00",
];
const NAMES: [&str; 7] =
    ["Café Münster", "cafe", "Printer on fire", "printers, three", "Zed 7", "CS000101 again", "Ärger"];
const QUEUES: [&str; 3] = ["Default", "Second", "Zoll"];
const AGENTS: [&str; 3] = ["Ann", "Ben", "Cleo"];
const STATUSES: [(&str, Category); 6] = [
    ("Fresh", Category::Open),
    ("Waiting", Category::OnHold),
    ("parked", Category::OnHold),
    ("Working", Category::InProgress),
    ("Solved", Category::Resolved),
    ("Archived", Category::Closed),
];
const FIELDS: [(&str, FieldSort); 3] =
    [("Colour", FieldSort::Input), ("Größe", FieldSort::Number), ("Seen", FieldSort::DateTime)];
const STATUS_NAMES: [&str; 11] = [
    "Open",
    "In-Progress",
    "On-Hold",
    "Resolved",
    "Closed",
    "Fresh",
    "Waiting",
    "parked",
    "Working",
    "Solved",
    "Archived",
];

/// A server with documents, and all of them as clients get them.
struct World {
    server: Server,
    cases: Vec<Value>,
    tasks: Vec<Value>,
    deleted_cases: HashSet<String>,
}

fn pick<'a, T>(random: &mut Rng, of: &'a [T]) -> &'a T {
    &of[random.usize(..of.len())]
}

/// A moment at or beside an edge.
fn moment_ms(random: &mut Rng) -> i64 {
    let edge = oracle::date::read(EDGES[random.usize(..EDGES.len())]).and_then(|date| date.span(0));
    let steps = [
        -24 * HOUR_MS,
        -HOUR_MS,
        -HOUR_MS / 2,
        -1,
        0,
        0,
        1,
        HOUR_MS / 2,
        HOUR_MS,
        24 * HOUR_MS,
        6 * 24 * HOUR_MS,
    ];
    edge.unwrap().0 + pick(random, &steps)
}

/// Spells a moment in a zone; `minutes` east of Greenwich.
fn spelled(ms: i64, minutes: i64) -> String {
    let local = Moment::from_ms(ms + minutes * 60_000).iso();
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{}{sign}{hours:02}:{rest:02}", local.trim_end_matches('Z'))
}

/// An offset from UTC in minutes, the furthest ones included.
fn offset(random: &mut Rng) -> i64 {
    match random.u8(..3) {
        0 => *pick(random, &[0, 60, 120, -240, -300, 330, 345, 630, 660, 720, 840, 1439, -1439]),
        _ => random.i64(-1439..=1439),
    }
}

/// A date as a client may spell it: an instant in any zone, a local time, or a day.
fn date(random: &mut Rng) -> String {
    let ms = moment_ms(random);
    let instant = spelled(ms, offset(random));
    match random.u8(..4) {
        0 | 1 => instant,
        2 => instant[..23].to_owned(),
        _ => instant[..10].to_owned(),
    }
}

impl World {
    async fn make(random: &mut Rng) -> Self {
        let server = Server::start().await;
        for (name, category) in STATUSES {
            server.status(name, category, true).await;
        }
        for queue in &QUEUES[1..] {
            server.queue(queue).await;
        }
        for agent in AGENTS {
            server.agent(agent).await;
        }
        server.custom_fields_of(&FIELDS).await;
        let fields = FIELDS.map(|(name, _)| FieldId::from_text(format!("fd-{name}")));
        server
            .case_template("Lenient", |template| {
                template.closes_with_open_tasks = true;
                template.fields.extend(fields);
            })
            .await;
        let mut world = Self { server, cases: Vec::new(), tasks: Vec::new(), deleted_cases: HashSet::new() };
        for _ in 0..CASES {
            world.add_case(random).await;
        }
        world.read_all().await;
        world
    }

    /// Makes a case with some tasks, and changes each.
    async fn add_case(&mut self, random: &mut Rng) {
        self.server.set_clock(moment_ms(random));
        let case = self.server.create_case(new_values(random)).await;
        for _ in 0..random.usize(..3) {
            self.server.set_clock(moment_ms(random));
            let task = self.server.create_task(&case, new_values(random)).await;
            self.tasks.push(self.server.update_task(&task, changed_values(random)).await);
        }
        let mut changes = changed_values(random);
        changes["caseTmp"] = json!("Lenient");
        self.cases.push(self.server.update_case(&case, changes).await);
    }

    /// Reads each document as it is now, deleted ones too: an update of nothing answers with it.
    async fn read_all(&mut self) {
        for case in &mut self.cases {
            *case = self.server.update_case(case, json!({})).await;
            if case["isActive"] == false {
                self.deleted_cases.insert(case["_id"].as_str().unwrap().to_owned());
            }
        }
        for task in &mut self.tasks {
            *task = self.server.update_task(task, json!({})).await;
        }
    }

    /// Asks a list as an agent or as the app, and holds the answer against the oracle.
    async fn check(
        &self,
        operation: &str,
        body: &Map<String, Value>,
        agent: Option<&str>,
        minutes: i64,
    ) -> Value {
        let user = agent.map_or(self.server.jwt.user.to_string(), |agent| format!("u-{agent}"));
        let tasks = operation == "getTasks";
        let asking = Asking { now_ms: self.server.now_ms(), zone_minutes: -minutes, user, tasks };
        let documents = if tasks { &self.tasks } else { &self.cases };
        let mut call = self.server.call(operation).header("X-Timezone-Offset", &(-minutes).to_string());
        if let Some(agent) = agent {
            call = call.acting_as(&format!("u-{agent}"));
        }
        let answer = call.json(&Value::Object(body.clone())).send().await;
        match oracle::list(documents, &self.deleted_cases, body, &asking) {
            Said::Page(page) => {
                let (answer, expected) = (answer.document(), page.answer());
                assert_eq!(ids(&answer), ids(&expected), "{operation} {body:?} {asking:?}");
                assert_eq!(answer, expected, "{operation} {body:?} {asking:?}");
                answer
            }
            said => panic!("the oracle must know what {operation} {body:?} means: {said:?}"),
        }
    }
}

fn ids(page: &Value) -> Vec<&str> {
    page["results"].as_array().unwrap().iter().map(|found| found["_id"].as_str().unwrap()).collect()
}

/// Values of a new document.
fn new_values(random: &mut Rng) -> Value {
    let mut values = json!({
        "name": pick(random, &NAMES),
        "desc": pick(random, &["", "A cafe", "the printer burns"]),
        "source": pick(random, &["rtm", "Email"]),
        "channel": pick(random, &[json!([]), json!(["RTM"]), json!(["voice", "email"])]),
        "dueDate": date(random),
        "priority": pick(random, &["Low", "Medium", "High", "Critical"]),
        "status": pick(random, &["Open", "Fresh", "Waiting", "Working"]),
        "userInfo": pick(random, &[
            json!({"_id": "u-john", "name": "John", "emailId": "john@example.com"}),
            json!({"_id": "u-jane", "name": "Jané"}),
        ]),
    });
    values["fields"] = json!([
        {"name": "Colour", "selectedValue": pick(random, &[json!("red"), json!("Red"), json!(null)])},
        {"name": "größe", "selectedValue": pick(random, &[json!(5), json!(5.0), json!(-2.5), json!(null)])},
        {"name": "Seen", "selectedValue": date(random)},
    ]);
    match random.u8(..4) {
        0 => values["currAssignee"] = json!({"name": pick(random, &AGENTS)}),
        1 => values["queues"] = json!([pick(random, &QUEUES), pick(random, &QUEUES)]),
        2 => {
            values["currAssignee"] = json!({"name": pick(random, &AGENTS)});
            values["queues"] = json!([pick(random, &QUEUES)]);
        }
        _ => {}
    }
    values
}

/// What happens to a document later.
fn changed_values(random: &mut Rng) -> Value {
    let mut values = json!({"status": pick(random, &STATUS_NAMES)});
    if random.u8(..3) == 0 {
        values["dueDate"] = Value::Null;
    }
    if random.u8(..8) == 0 {
        values["isActive"] = json!(false);
    }
    values
}

/// Some of these, each spelled in any case.
fn some(random: &mut Rng, of: &[&str]) -> Value {
    let entries = (0..random.usize(1..3)).map(|_| match (pick(random, of), random.bool()) {
        (entry, true) => entry.to_uppercase(),
        (entry, false) => (*entry).to_owned(),
    });
    entries.collect()
}

/// The keys that filter, each with how a random value of it is made.
fn filter(random: &mut Rng, key: &str) -> Value {
    match key {
        "searchText" => {
            json!(pick(random, &["caf", "MÜN printer", "cs0001", "john", "jane fire", "7", "?", "rinter"]))
        }
        "name" => json!(pick(random, &["E", "MÜN", "printer", "ä", "nothing"])),
        "unresolved" | "unassigned" | "mycase" | "mytask" => json!(random.u8(..5) > 0),
        "priority" => some(random, &["Low", "Medium", "High", "Critical", "none"]),
        "status" => some(random, &[&STATUS_NAMES[..], &["on-hold", "open", "closed", "none"]].concat()),
        "channel" => some(random, &["rtm", "email", "voice", "fax"]),
        "queues" => some(random, &QUEUES),
        "agents" => json!([pick(random, &["a-Ann", "u-Ben", "a-Cleo", "a-none"])]),
        "startDate" | "endDate" | "dueDate" => json!(date(random)),
        "ETAlist" => json!([pick(random, &["overdue", "today", "tomorrow", "week", "none"]), "today"]),
        "customFields" => {
            let wanted = [
                json!({"name": "colour", "value": "red"}),
                json!({"_id": "fd-Colour", "value": 5}),
                json!({"name": "GRÖßE", "value": 5}),
                json!({"_id": "fd-Größe", "value": 5.0}),
                json!({"name": "größe", "value": "5"}),
                json!({"name": "seen", "value": date(random)}),
                json!({"name": "Due Date", "value": date(random)}),
                json!({"name": "Title", "value": "cafe"}),
                json!({"name": "none", "value": 1}),
            ];
            json!([pick(random, &wanted)])
        }
        other => panic!("{other}"),
    }
}

const FILTERS: [&str; 15] = [
    "searchText",
    "name",
    "unresolved",
    "unassigned",
    "mycase",
    "priority",
    "status",
    "channel",
    "queues",
    "agents",
    "startDate",
    "endDate",
    "dueDate",
    "ETAlist",
    "customFields",
];
const SORTS: [&str; 10] = [
    "createdDate",
    "createdAt",
    "updatedDate",
    "updatedAt",
    "dueDate",
    "ETA",
    "priority",
    "status",
    "name",
    "refId",
];

/// A random query; most filter by one or two keys, so that something is left to sort.
fn query(random: &mut Rng, tasks: bool, world: &World) -> Map<String, Value> {
    let mut body = Map::new();
    for _ in 0..*pick(random, &[0, 1, 1, 2, 2, 3, 5]) {
        let key = *pick(random, &FILTERS);
        body.insert(key.to_owned(), filter(random, key));
    }
    if tasks && random.u8(..4) == 0 {
        let case = pick(random, &world.cases);
        match random.u8(..3) {
            0 => body.insert("caseId".to_owned(), case["_id"].clone()),
            1 => body.insert("caseRefId".to_owned(), case["refId"].clone()),
            _ => body.insert("mytask".to_owned(), json!(true)),
        };
    }
    match random.u8(..4) {
        0 => {}
        1 => {
            body.insert("sortBy".to_owned(), json!(pick(random, &SORTS)));
        }
        _ => {
            let keys = (0..random.usize(1..4))
                .map(|_| (pick(random, &SORTS).to_string(), json!(pick(random, &["asc", "desc"]))));
            body.insert("sortBy".to_owned(), Value::Object(keys.collect()));
        }
    }
    if random.u8(..6) == 0 {
        body.insert(
            "selectedColumns".to_owned(),
            json!(["name", "refId", pick(random, &["status", "none"])]),
        );
    }
    body
}

/// Walks through all pages of a query: together they are the whole list, each once.
async fn walk(world: &World, operation: &str, body: &Map<String, Value>, minutes: i64, limit: usize) {
    let mut whole = body.clone();
    whole.insert("limit".to_owned(), json!(500));
    let all = world.check(operation, &whole, None, minutes).await;
    let (mut walked, mut skip) = (Vec::new(), 0);
    loop {
        let mut part = body.clone();
        part.extend([("skip".to_owned(), json!(skip)), ("limit".to_owned(), json!(limit))]);
        let page = world.check(operation, &part, None, minutes).await;
        walked.extend(ids(&page).into_iter().map(str::to_owned));
        if page["hasMore"] == false {
            break;
        }
        skip += limit;
    }
    assert_eq!(walked, ids(&all), "{operation} {body:?} by pages of {limit}");
    assert_eq!(all["totalResults"], walked.len());
}

async fn check_world(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let world = World::make(&mut random).await;
    let mut listed = 0;
    for number in 0..QUERIES {
        world.server.set_clock(moment_ms(&mut random));
        let operation = *pick(&mut random, &["getCases", "getTasks"]);
        let body = query(&mut random, operation == "getTasks", &world);
        let minutes = offset(&mut random);
        let agent = if random.bool() { None } else { Some(*pick(&mut random, &AGENTS)) };
        let page = world.check(operation, &body, agent, minutes).await;
        listed += ids(&page).len();
        if number % 10 == 0 {
            walk(&world, operation, &body, minutes, random.usize(1..8)).await;
        }
    }
    assert!(listed > QUERIES, "the queries of world {seed} list next to nothing: {listed}");
}

#[tokio::test]
async fn lists_of_random_worlds_are_what_the_oracle_says_page_by_page() {
    let further = std::env::var("CASEMENT_ORACLE_WORLDS").ok().and_then(|count| count.parse().ok());
    for seed in 0..further.unwrap_or(WORLDS) {
        println!("world {seed}");
        check_world(seed).await;
    }
}

#[tokio::test]
async fn an_hour_that_clocks_show_twice_is_two_instants_in_every_zone() {
    let server = Server::start().await;
    // Half past two in Berlin, before and after the clocks went back; and half past two in spring, which no clock shows.
    let twice = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"];
    for (name, due) in ["first", "second"].into_iter().zip(twice) {
        server.create_case(json!({"name": name, "dueDate": due})).await;
    }
    server.create_case(json!({"name": "spring", "dueDate": "2026-03-29T02:30:00+01:00"})).await;
    for (due, minutes, found) in [
        (twice[0], "0", vec!["first"]),
        (twice[1], "-120", vec!["second"]),
        ("2026-10-25T00:30:00Z", "300", vec!["first"]),
        ("2026-10-25T02:30:00", "-120", vec!["first"]),
        ("2026-10-25T02:30:00", "-60", vec!["second"]),
        ("2026-10-25", "-120", vec!["first", "second"]),
        ("2026-03-29T02:30:00", "-60", vec!["spring"]),
        ("2026-03-29T03:30:00", "-120", vec!["spring"]),
        ("2026-03-29", "720", vec![]),
    ] {
        let call = server.call("getCases").header("X-Timezone-Offset", minutes);
        let body = json!({"dueDate": due, "sortBy": {"dueDate": "asc"}});
        let page = call.json(&body).send().await.document();
        let names: Vec<&str> =
            page["results"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!(names, found, "{due} {minutes}");
    }
}
