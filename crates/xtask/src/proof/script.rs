//! The same requests each time: cases, changes and tasks, one after the other, noted in a ledger.
//!
//! For proofs that do something to the server or its disk at a chosen place of a run. An answer counts as one of three:
//! acknowledged, refused for good, or unknown (the server said so, or the connection broke).

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::ledger::{Ledger, Sent};
use super::listing::Listed;
use crate::client::Connection;
use crate::server::Installation;

/// How long an answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// How a script ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Requests that were acknowledged.
    pub acknowledged: u32,
    /// Requests that were refused for good.
    pub refused: u32,
    /// Requests whose outcome nobody knows.
    pub unknown: u32,
}

/// What an answer means.
enum Meaning {
    Acknowledged(Value),
    Refused,
    Unknown,
}

/// Sends so many requests; `name` makes their names unique. `note` is told each time that the ledger has changed.
///
/// # Errors
/// When an answer is none that a server may give.
pub async fn play(
    installation: &Installation,
    address: SocketAddr,
    requests: u32,
    name: &str,
    ledger: &mut Ledger,
    mut note: impl FnMut(&Sent, Option<&Listed>),
) -> Result<Played> {
    let mut played = Played::default();
    let mut last: Option<Listed> = None;
    let Ok(mut connection) = Connection::open(address).await else { return Ok(played) };
    for number in 0..requests {
        let sent = next(number, name, last.as_ref());
        note_sent(ledger, &sent)?;
        note(&sent, None);
        let (operation, body) = request(installation, &sent, last.as_ref());
        let answer = connection.send(installation.request(&operation, &body)?);
        let answer = tokio::time::timeout(ANSWER_WAIT, answer).await.context("no answer within 30 s")?;
        match meaning(&sent, answer)? {
            Meaning::Acknowledged(document) => {
                played.acknowledged += 1;
                let document = Listed::parse(&document)?;
                note_acknowledged(ledger, &sent, &document)?;
                note(&sent, Some(&document));
                if let Sent::Case { .. } = sent {
                    last = Some(document);
                }
            }
            Meaning::Refused => {
                played.refused += 1;
                ledger.refused(&sent);
            }
            Meaning::Unknown => {
                played.unknown += 1;
                match Connection::open(address).await {
                    Ok(opened) => connection = opened,
                    Err(_) => return Ok(played),
                }
            }
        }
    }
    Ok(played)
}

/// Every third request changes the last case, every fourth adds a task to it.
fn next(number: u32, name: &str, last: Option<&Listed>) -> Sent {
    match last {
        Some(case) if number % 3 == 2 => {
            Sent::Value { case: case.id.clone(), value: format!("{name}-value-{number}") }
        }
        Some(case) if number % 4 == 3 => {
            Sent::Task { case: case.id.clone(), name: format!("{name}-task-{number}") }
        }
        Some(_) | None => Sent::Case { name: format!("{name}-case-{number}") },
    }
}

fn request(installation: &Installation, sent: &Sent, last: Option<&Listed>) -> (String, Value) {
    match sent {
        Sent::Case { name } => (
            "createCase".to_owned(),
            json!({
                "caseTmp": installation.case_template,
                "name": name,
                "desc": "as created",
                "userInfo": {"name": "Customer"},
                "emailId": format!("{name}@example.com"),
                "source": "rtm",
                "dueDate": "2030-01-01T00:00:00.000Z",
            }),
        ),
        Sent::Value { case, value } => (format!("updateCase/{case}"), json!({"desc": value})),
        Sent::Task { case, name } => (
            "createTask".to_owned(),
            json!({
                "caseId": case,
                "caseRefId": last.map(|last| last.reference.as_str()),
                "taskTmp": installation.task_template,
                "name": name,
                "userInfo": {"name": "Customer", "emailId": "customer@example.com"},
                "source": "rtm",
            }),
        ),
    }
}

/// Notes in the ledger that something is about to be sent.
///
/// # Errors
/// When the ledger can't be written.
pub fn note_sent(ledger: &mut Ledger, sent: &Sent) -> Result<()> {
    match sent {
        Sent::Case { name } => ledger.case_sent(name),
        Sent::Value { case, value } => ledger.value_sent(case, value),
        Sent::Task { case, name } => ledger.task_sent(case, name),
    }
}

/// Notes in the ledger that it was acknowledged.
///
/// # Errors
/// When the ledger can't be written.
pub fn note_acknowledged(ledger: &mut Ledger, sent: &Sent, document: &Listed) -> Result<()> {
    match sent {
        Sent::Case { .. } => ledger.case_acknowledged(document),
        Sent::Value { case, value } => ledger.value_acknowledged(case, value),
        Sent::Task { .. } => ledger.task_acknowledged(document),
    }
}

/// A 200 acknowledges, a 503 refuses unless it says that it can't tell, and nothing else may come.
fn meaning(sent: &Sent, answer: Result<(hyper::StatusCode, bytes::Bytes)>) -> Result<Meaning> {
    // The connection broke: the server has gone.
    let Ok((status, body)) = answer else { return Ok(Meaning::Unknown) };
    let text = String::from_utf8_lossy(&body);
    if status.is_success() {
        let document = serde_json::from_slice(&body).with_context(|| format!("no JSON: {text}"))?;
        return Ok(Meaning::Acknowledged(document));
    }
    ensure!(status.as_u16() == 503, "{sent:?} was answered {status}: {text}");
    if text.contains("can't tell whether") {
        return Ok(Meaning::Unknown);
    }
    if text.contains("try again later") || text.contains("can't answer now") {
        return Ok(Meaning::Refused);
    }
    bail!("{sent:?} was answered by a 503 that says nothing about its outcome: {text}")
}
