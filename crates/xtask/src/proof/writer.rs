//! One of the writers: a connection that creates cases, changes some of them and adds tasks, until the server is killed.
//! What the kill left without an answer is sent again after the restart, under the same idempotency key.
//!
//! Each request is noted in the ledger before it is sent, each acknowledgement at once after it was read. A lost
//! connection is expected after the kill and a fault before it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::ledger::Ledger;
use super::listing::Listed;
use crate::client::Connection;
use crate::server::Installation;

/// How long an answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// How many of its own cases a writer remembers, to change them and to add tasks.
const OWN_CASES_MAX: usize = 64;

/// Of a hundred requests so many change a case.
const UPDATES_PERCENT: u8 = 25;

/// Of a hundred requests so many add a task.
const TASKS_PERCENT: u8 = 15;

/// Of a hundred acknowledged requests so many are sent once more.
const REPEATS_PERCENT: u8 = 10;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the writers of one installation share.
#[derive(Debug)]
pub struct Shared {
    /// The installation that they write to.
    pub installation: Installation,
    /// What they sent and what was acknowledged.
    pub ledger: Mutex<Ledger>,
    /// Set just before the server is killed: from then on connections may break.
    pub killed: AtomicBool,
    /// Told at each acknowledgement, for whoever waits for the round's first.
    pub acknowledged: Notify,
}

impl Shared {
    /// The ledger; it is never held across an await.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("invariant: no writer panics while it holds the ledger")
    }
}

/// A writer and what it remembers from round to round.
#[derive(Debug)]
pub struct Writer {
    number: u64,
    random: fastrand::Rng,
    sent: u64,
    own: Vec<OwnCase>,
    /// What was sent before a kill and has no answer.
    unanswered: Option<Write>,
}

/// A case that this writer created.
#[derive(Clone, Debug)]
struct OwnCase {
    id: String,
    reference: String,
}

/// A write that was put together once and is sent as often as it takes.
#[derive(Clone, Debug)]
struct Write {
    effect: Effect,
    operation: String,
    body: Value,
    /// Its idempotency key: however often it is sent, it takes effect once.
    key: String,
}

/// What a write does.
#[derive(Clone, Debug)]
enum Effect {
    Case { name: String },
    Value { case: String, value: String },
    Task { case: String, name: String },
}

/// What one request came to.
enum Outcome {
    Acknowledged,
    /// The connection broke after the kill.
    Cut,
}

impl Writer {
    /// A writer with random choices of its own.
    pub fn new(number: u64, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed.wrapping_add(number));
        Self { number, random, sent: 0, own: Vec::new(), unanswered: None }
    }

    /// Sends again what the last kill left without an answer, then writes until the server is killed.
    ///
    /// # Errors
    /// When a request is refused, a repetition is answered differently, or the connection breaks while the server
    /// should be up.
    pub async fn run(mut self, shared: Arc<Shared>, address: SocketAddr) -> Result<Self> {
        let Some(mut connection) = unless_killed(&shared, Connection::open(address).await)? else {
            return Ok(self);
        };
        loop {
            let write = match self.unanswered.take() {
                Some(write) => {
                    shared.ledger().resent += 1;
                    write
                }
                None => self.next(&shared.installation),
            };
            self.unanswered = Some(write.clone());
            let Outcome::Acknowledged = self.send(&shared, &mut connection, &write).await? else {
                return Ok(self);
            };
            self.unanswered = None;
            shared.acknowledged.notify_one();
        }
    }

    /// Puts together a write of a kind that chance picks.
    fn next(&mut self, installation: &Installation) -> Write {
        let own = self.random.choice(&self.own).cloned();
        let write = match (self.random.u8(..100), own) {
            (chance, Some(case)) if chance < UPDATES_PERCENT => self.update_case(&case),
            (chance, Some(case)) if chance < UPDATES_PERCENT + TASKS_PERCENT => {
                self.create_task(installation, &case)
            }
            (_, _) => self.create_case(installation),
        };
        let key = self.unique("key");
        Write { key, ..write }
    }

    fn create_case(&mut self, installation: &Installation) -> Write {
        let name = self.unique("case");
        let customer = self.random.u8(..);
        let body = json!({
            "caseTmp": installation.case_template,
            "name": name,
            "desc": format!("as created by writer {}", self.number),
            "userInfo": {"name": format!("Customer {customer}")},
            "emailId": format!("customer-{customer}@example.com"),
            "source": "rtm",
            "dueDate": "2030-01-01T00:00:00.000Z",
        });
        Write::new(Effect::Case { name }, "createCase", body)
    }

    fn update_case(&mut self, case: &OwnCase) -> Write {
        let value = self.unique("value");
        let body = json!({"desc": value});
        let operation = format!("updateCase/{}", case.id);
        Write::new(Effect::Value { case: case.id.clone(), value }, &operation, body)
    }

    fn create_task(&mut self, installation: &Installation, case: &OwnCase) -> Write {
        let name = self.unique("task");
        let body = json!({
            "caseId": case.id,
            "caseRefId": case.reference,
            "taskTmp": installation.task_template,
            "name": name,
            "userInfo": {"name": "Customer", "emailId": "customer-0@example.com"},
            "source": "rtm",
        });
        Write::new(Effect::Task { case: case.id.clone(), name }, "createTask", body)
    }

    /// Sends a write; now and then once more, which must be answered the same.
    async fn send(&mut self, shared: &Shared, connection: &mut Connection, write: &Write) -> Result<Outcome> {
        match &write.effect {
            Effect::Case { name } => shared.ledger().case_sent(name)?,
            Effect::Value { case, value } => shared.ledger().value_sent(case, value)?,
            Effect::Task { case, name } => shared.ledger().task_sent(case, name)?,
        }
        let Some(answer) = send(shared, connection, write).await? else { return Ok(Outcome::Cut) };
        let document = Listed::parse(&answer)?;
        match &write.effect {
            Effect::Case { name } => {
                ensure!(document.name == *name, "createCase answered another case: {}", document.name);
                shared.ledger().case_acknowledged(&document)?;
                if self.own.len() == OWN_CASES_MAX {
                    self.own.swap_remove(self.random.usize(..OWN_CASES_MAX));
                }
                self.own.push(OwnCase { id: document.id, reference: document.reference });
            }
            Effect::Value { case, value } => {
                ensure!(document.value == *value, "updateCase answered {:?} for {value:?}", document.value);
                shared.ledger().value_acknowledged(case, value)?;
            }
            Effect::Task { name, .. } => {
                ensure!(document.name == *name, "createTask answered another task: {}", document.name);
                shared.ledger().task_acknowledged(&document)?;
            }
        }
        if self.random.u8(..100) >= REPEATS_PERCENT {
            return Ok(Outcome::Acknowledged);
        }
        let Some(again) = send(shared, connection, write).await? else { return Ok(Outcome::Acknowledged) };
        ensure!(again == answer, "{} was answered differently when it was repeated", write.operation);
        shared.ledger().repeated += 1;
        Ok(Outcome::Acknowledged)
    }

    /// A text that no other request of the proof carries.
    fn unique(&mut self, kind: &str) -> String {
        self.sent += 1;
        format!("{kind} {} of writer {}", self.sent, self.number)
    }
}

impl Write {
    fn new(effect: Effect, operation: &str, body: Value) -> Self {
        Self { effect, operation: operation.to_owned(), body, key: String::new() }
    }
}

/// Sends a write; nothing when the connection broke after the kill.
async fn send(shared: &Shared, connection: &mut Connection, write: &Write) -> Result<Option<Value>> {
    let Write { operation, body, key, .. } = write;
    let mut request = shared.installation.request(operation, body)?;
    request.headers_mut().insert(IDEMPOTENCY_KEY, HeaderValue::from_str(key)?);
    let answer = tokio::time::timeout(ANSWER_WAIT, connection.send(request)).await;
    let answer = answer.with_context(|| format!("{operation}: no answer within {ANSWER_WAIT:?}"))?;
    let Some((status, answer)) = unless_killed(shared, answer)? else { return Ok(None) };
    if !status.is_success() {
        bail!("{operation} answered {status}: {}", String::from_utf8_lossy(&answer));
    }
    serde_json::from_slice(&answer).map(Some).with_context(|| format!("{operation} answered no JSON"))
}

/// Forgives a broken connection once the server was killed.
fn unless_killed<T>(shared: &Shared, outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(_) if shared.killed.load(Ordering::SeqCst) => Ok(None),
        Err(error) => Err(error.context("the connection broke while the server should be up")),
    }
}
