//! SQLite and PostgreSQL give the same answers: random operations on both, compared after mapping ids.

use std::collections::HashMap;

use casement_app::deadline::mark_passed;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::server::{DAY_MS, HOUR_MS, Server, update_of};

/// One operation. Numbers choose among what there is at the time.
#[derive(Clone, Debug)]
enum Step {
    Create { name: u8, customer: u8, key: Option<u8> },
    CreateTask { case: u8 },
    Update { case: u8, change: u8, tag: Option<u8> },
    UpdateTask { task: u8, change: u8 },
    List { tasks: bool, filter: u8, skip: u8 },
    Search { words: u8 },
    Wrong { what: u8 },
    Wait { hours: u8 },
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let small = 0..4u8;
    prop_oneof![
        4 => (0..8u8, small.clone(), prop::option::weighted(0.3, 0..3u8))
            .prop_map(|(name, customer, key)| Step::Create { name, customer, key }),
        2 => any::<u8>().prop_map(|case| Step::CreateTask { case }),
        5 => (any::<u8>(), 0..7u8, prop::option::weighted(0.3, 0..3u8))
            .prop_map(|(case, change, tag)| Step::Update { case, change, tag }),
        2 => (any::<u8>(), 0..3u8).prop_map(|(task, change)| Step::UpdateTask { task, change }),
        4 => (any::<bool>(), 0..6u8, 0..3u8).prop_map(|(tasks, filter, skip)| Step::List { tasks, filter, skip }),
        2 => small.clone().prop_map(|words| Step::Search { words }),
        2 => small.prop_map(|what| Step::Wrong { what }),
        1 => (1..100u8).prop_map(|hours| Step::Wait { hours }),
        1 => Just(Step::Sweep),
    ]
}

/// One side, with what it was given so far.
struct Side {
    server: Server,
    cases: Vec<Value>,
    tasks: Vec<Value>,
    ids: HashMap<String, String>,
}

impl Side {
    fn new(server: Server) -> Self {
        Self { server, cases: Vec::new(), tasks: Vec::new(), ids: HashMap::new() }
    }

    /// Gives what was answered, comparable with the other side's answer.
    async fn play(&mut self, step: &Step) -> (u16, Value) {
        match step {
            Step::Create { name, customer, key } => {
                let body = self.server.case_body(json!({
                    "name": format!("printer {name}"),
                    "userInfo": {"_id": format!("u-{customer}"), "name": format!("John {customer}")},
                    "emailId": format!("john{customer}@example.com"),
                }));
                let mut call = self.server.call("createCase").json(&body);
                if let Some(key) = key {
                    call = call.header("idempotency-key", &format!("key-{key}"));
                }
                let answer = call.send().await;
                let (status, body) = (answer.status, answer.json());
                if status == 200 {
                    self.cases.push(body.clone());
                }
                (status, self.mapped(body))
            }
            Step::CreateTask { case } => {
                let Some(case) = chosen(&self.cases, *case).cloned() else { return (0, Value::Null) };
                let answer = self.server.post("createTask", self.server.task_body(&case, json!({}))).await;
                let (status, body) = (answer.status, answer.json());
                if status == 200 {
                    self.tasks.push(body.clone());
                }
                (status, self.mapped(body))
            }
            Step::Update { case, change, tag } => {
                let Some(case) = chosen(&self.cases, *case).cloned() else { return (0, Value::Null) };
                let change = match change {
                    0 => json!({"name": "another name"}),
                    1 => json!({"tags": ["a", "b"]}),
                    2 => json!({"status": "Closed"}),
                    3 => json!({"priority": "Low"}),
                    4 => json!({"dueDate": "2026-11-23T00:00:00Z"}),
                    5 => json!({"emailId": "john1@example.com"}),
                    _ => json!({"deleted": true, "name": ""}),
                };
                let mut call = self.server.call(&update_of("updateCase", &case)).json(&change);
                if let Some(version) = tag {
                    call = call.header("If-Match", &format!("\"v{version}\""));
                }
                let answer = call.send().await;
                (answer.status, self.mapped(answer.json()))
            }
            Step::UpdateTask { task, change } => {
                let Some(task) = chosen(&self.tasks, *task).cloned() else { return (0, Value::Null) };
                let change = match change {
                    0 => json!({"name": "call again"}),
                    1 => json!({"status": "Closed"}),
                    _ => json!({"tags": ["done"]}),
                };
                let answer = self.server.post(&update_of("updateTask", &task), change).await;
                (answer.status, self.mapped(answer.json()))
            }
            Step::List { tasks, filter, skip } => {
                let mut query = match filter {
                    0 => json!({}),
                    1 => json!({"filter": {"tags": ["a"]}}),
                    2 => json!({"sort": {"name": 1}}),
                    3 => json!({"filter": {"name": "print"}}),
                    4 => json!({"filter": {"isBreached": true}}),
                    _ => json!({"limit": 2, "sort": {"dueDate": -1}}),
                };
                query["skip"] = json!(skip);
                let operation = if *tasks { "getTasks" } else { "getCases" };
                let answer = self.server.post(operation, query).await;
                (answer.status, self.mapped(answer.json()))
            }
            Step::Search { words } => {
                let text = ["printer", "another", "call", "nothing"][usize::from(*words)];
                let answer = self.server.post("getCases", json!({"searchText": text})).await;
                (answer.status, self.mapped(answer.json()))
            }
            Step::Wrong { what } => {
                let answer = match what {
                    0 => self.server.post("createCase", json!({"name": 7})).await,
                    1 => self.server.post("updateCase/ci-nothing", json!({"name": "x"})).await,
                    2 => self.server.post("getCases", json!({"limit": 0})).await,
                    _ => self.server.call("getCases").without("auth").send().await,
                };
                (answer.status, self.mapped(answer.json()))
            }
            Step::Wait { hours } => {
                self.server.advance(i64::from(*hours) * HOUR_MS);
                (0, json!(mark_passed(&self.server.app).await))
            }
            Step::Sweep => {
                self.server.advance(8 * DAY_MS);
                casement_app::sweep::sweep(&self.server.app).await.unwrap();
                (0, Value::Null)
            }
        }
    }

    /// Names each id by the order in which this side showed it first.
    fn mapped(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) if is_id(&text) => {
                let next = format!("id {}", self.ids.len());
                Value::String(self.ids.entry(text).or_insert(next).clone())
            }
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|value| self.mapped(value)).collect())
            }
            Value::Object(entries) => {
                Value::Object(entries.into_iter().map(|(key, value)| (key, self.mapped(value))).collect())
            }
            plain => plain,
        }
    }
}

fn chosen(all: &[Value], choice: u8) -> Option<&Value> {
    all.get(usize::from(choice) % all.len().max(1))
}

/// Ids that the server makes: a short prefix and a UUID.
fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(prefix, rest)| {
        prefix.len() <= 4 && rest.len() == 36 && rest.bytes().filter(|byte| *byte == b'-').count() == 4
    })
}

async fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut embedded = Side::new(Server::start_embedded().await);
    let mut served = Side::new(Server::start_on_server().await);
    for (place, step) in steps.iter().enumerate() {
        let (left, right) = (embedded.play(step).await, served.play(step).await);
        prop_assert_eq!(left, right, "step {}: {:?}", place, step);
    }
    let stream = crate::harness::server::STREAM;
    let head = async |side: &Side| side.server.store.workspace(stream).await.unwrap().unwrap();
    prop_assert_eq!(head(&embedded).await, head(&served).await);
    for side in [&embedded, &served] {
        prop_assert_eq!(side.server.store.verify(stream).await.unwrap().fault, None);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_engines_give_the_same_answers(steps in prop::collection::vec(step(), 10..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(&steps))?;
    }
}
