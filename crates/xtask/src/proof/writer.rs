//! One of the writers: a connection that creates cases, changes some of them and adds tasks, until the server is killed.
//!
//! Each request is noted in the ledger before it is sent, each acknowledgement at once after it was read. A lost
//! connection is expected after the kill and a fault before it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
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
}

/// A case that this writer created.
#[derive(Clone, Debug)]
struct OwnCase {
    id: String,
    reference: String,
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
        Self { number, random: fastrand::Rng::with_seed(seed.wrapping_add(number)), sent: 0, own: Vec::new() }
    }

    /// Writes until the server is killed.
    ///
    /// # Errors
    /// When a request is refused, or the connection breaks while the server should be up.
    pub async fn run(mut self, shared: Arc<Shared>, address: SocketAddr) -> Result<Self> {
        let Some(mut connection) = unless_killed(&shared, Connection::open(address).await)? else {
            return Ok(self);
        };
        while let Outcome::Acknowledged = self.send_one(&shared, &mut connection).await? {
            shared.acknowledged.notify_one();
        }
        Ok(self)
    }

    /// Sends one request of a kind that chance picks.
    async fn send_one(&mut self, shared: &Shared, connection: &mut Connection) -> Result<Outcome> {
        let own = self.random.choice(&self.own).cloned();
        match (self.random.u8(..100), own) {
            (chance, Some(case)) if chance < UPDATES_PERCENT => {
                self.update_case(shared, connection, &case).await
            }
            (chance, Some(case)) if chance < UPDATES_PERCENT + TASKS_PERCENT => {
                self.create_task(shared, connection, &case).await
            }
            (_, _) => self.create_case(shared, connection).await,
        }
    }

    async fn create_case(&mut self, shared: &Shared, connection: &mut Connection) -> Result<Outcome> {
        let name = self.unique("case");
        let customer = self.random.u8(..);
        let body = json!({
            "caseTmp": shared.installation.case_template,
            "name": name,
            "desc": format!("as created by writer {}", self.number),
            "userInfo": {"name": format!("Customer {customer}")},
            "emailId": format!("customer-{customer}@example.com"),
            "source": "rtm",
            "dueDate": "2030-01-01T00:00:00.000Z",
        });
        shared.ledger().case_sent(&name)?;
        let Some(answer) = send(shared, connection, "createCase", &body).await? else {
            return Ok(Outcome::Cut);
        };
        let case = Listed::parse(&answer)?;
        ensure!(case.name == name, "createCase answered another case: {}", case.name);
        shared.ledger().case_acknowledged(&case)?;
        if self.own.len() == OWN_CASES_MAX {
            self.own.swap_remove(self.random.usize(..OWN_CASES_MAX));
        }
        self.own.push(OwnCase { id: case.id, reference: case.reference });
        Ok(Outcome::Acknowledged)
    }

    async fn update_case(
        &mut self,
        shared: &Shared,
        connection: &mut Connection,
        case: &OwnCase,
    ) -> Result<Outcome> {
        let value = self.unique("value");
        shared.ledger().value_sent(&case.id, &value)?;
        let operation = format!("updateCase/{}", case.id);
        let Some(answer) = send(shared, connection, &operation, &json!({"desc": value})).await? else {
            return Ok(Outcome::Cut);
        };
        let answered = Listed::parse(&answer)?;
        ensure!(answered.value == value, "updateCase answered {:?} for {value:?}", answered.value);
        shared.ledger().value_acknowledged(&case.id, &value)?;
        Ok(Outcome::Acknowledged)
    }

    async fn create_task(
        &mut self,
        shared: &Shared,
        connection: &mut Connection,
        case: &OwnCase,
    ) -> Result<Outcome> {
        let name = self.unique("task");
        let body = json!({
            "caseId": case.id,
            "caseRefId": case.reference,
            "taskTmp": shared.installation.task_template,
            "name": name,
            "userInfo": {"name": "Customer", "emailId": "customer-0@example.com"},
            "source": "rtm",
        });
        shared.ledger().task_sent(&case.id, &name)?;
        let Some(answer) = send(shared, connection, "createTask", &body).await? else {
            return Ok(Outcome::Cut);
        };
        let task = Listed::parse(&answer)?;
        ensure!(task.name == name, "createTask answered another task: {}", task.name);
        shared.ledger().task_acknowledged(&task)?;
        Ok(Outcome::Acknowledged)
    }

    /// A text that no other request of the proof carries.
    fn unique(&mut self, kind: &str) -> String {
        self.sent += 1;
        format!("{kind} {} of writer {}", self.sent, self.number)
    }
}

/// Sends a request; nothing when the connection broke after the kill.
async fn send(
    shared: &Shared,
    connection: &mut Connection,
    operation: &str,
    body: &Value,
) -> Result<Option<Value>> {
    let request = shared.installation.request(operation, body)?;
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
