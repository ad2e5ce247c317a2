//! A client: writes and reads through both nodes and notes what it did and saw.
//!
//! Each write is sent under an idempotency key. A patient client sends what got no answer again, through either node,
//! until it knows; another leaves it unknown. What an answer means for the history stands in [`Settled`] and nowhere
//! else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue, IF_MATCH, RETRY_AFTER};
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use super::super::check::number;
use super::history::{Event, History, Operation, Outcome, Seen};
use crate::client::Connection;
use crate::server::Installation;

/// How long a connection may take to open.
const CONNECT_WAIT: Duration = Duration::from_secs(1);

/// How long an answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(8);

/// How long a patient client tries one write.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it goes on when the round is over.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two operations, in milliseconds.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 5..=60;

/// The pause before a write is sent again, or after a node gave no answer, in milliseconds.
const RETRY_MS: std::ops::RangeInclusive<u64> = 100..=400;

/// How many cases clients change at a time; few, so that they meet.
const POOL_CASES: usize = 8;

/// How many tags a case gets before another takes its place: it may have 100.
const TAGS_MAX: u32 = 40;

/// How many cases a list asks for.
const LIST_LIMIT: usize = 20;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the clients of a proof share.
#[derive(Debug)]
pub struct Shared {
    /// The workspace that they work on.
    pub installation: Installation,
    /// The nodes' names and addresses now.
    pub nodes: Mutex<Vec<(String, SocketAddr)>>,
    /// What they did.
    pub history: Mutex<History>,
    /// When the proof began.
    pub began: Instant,
    /// Told when the round is over.
    pub is_over: AtomicBool,
    /// When each node acknowledged writes: start of the last sending and end, by node.
    pub acknowledged: Mutex<BTreeMap<String, Vec<(u64, u64)>>>,
    /// Answers that nobody expected, with how often they came.
    pub surprises: Mutex<BTreeMap<String, u64>>,
    /// The cases that clients change.
    pool: Mutex<Vec<Open>>,
    /// Numbers what must be unique.
    serial: AtomicU64,
}

/// A case that is being changed.
#[derive(Clone, Debug)]
struct Open {
    id: String,
    reference: String,
    name: String,
    tags: u32,
}

impl Shared {
    /// For clients of a workspace, whose history begins now.
    pub fn new(installation: Installation, history: History) -> Self {
        Self {
            installation,
            nodes: Mutex::default(),
            history: Mutex::new(history),
            began: Instant::now(),
            is_over: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            surprises: Mutex::default(),
            pool: Mutex::default(),
            serial: AtomicU64::new(0),
        }
    }

    /// Microseconds since the proof began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The address of a node.
    fn node(&self, place: usize) -> Option<(String, SocketAddr)> {
        held(&self.nodes).get(place).cloned()
    }

    /// A text that nothing else in the proof carries.
    fn unique(&self, kind: &str) -> String {
        format!("{kind}-{}.", self.serial.fetch_add(1, Ordering::Relaxed))
    }
}

/// Takes a lock; nothing is left half done where one is held, so that a panic elsewhere spoils nothing.
pub fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client.
#[derive(Debug)]
pub struct Client {
    number: u64,
    is_patient: bool,
    /// Whether it asks one node alone, so that each node always has somebody who waits for no other.
    stays: bool,
    random: fastrand::Rng,
    /// The node that it asks now.
    node: usize,
    connections: Vec<Option<Connection>>,
    shared: Arc<Shared>,
}

/// What one sending came to.
enum Reply {
    /// Nothing was sent.
    NotSent,
    /// It was sent, and no answer came.
    Lost,
    /// An answer.
    Answer { status: StatusCode, tag: Option<HeaderValue>, comes_again: bool, body: Value },
}

/// What all sendings of one write came to.
struct Settled {
    node: String,
    start: u64,
    end: u64,
    outcome: Outcome,
    answer: Option<Value>,
}

/// What a client knows of a case that it is about to change.
struct Look {
    seen: Seen,
    version: Value,
    tag: HeaderValue,
}

impl Client {
    /// A client with random choices of its own. Of eight, the first four are patient; of four, two go from node to node
    /// and two stay, each at another.
    pub fn new(number: u64, seed: u64, shared: Arc<Shared>) -> Self {
        let random = fastrand::Rng::with_seed(seed.wrapping_add(number));
        let connections = held(&shared.nodes).iter().map(|_| None).collect();
        let node = usize::try_from(number).unwrap_or_default();
        let (is_patient, stays) = (number % 8 < 4, number % 4 >= 2);
        let mut client = Self { number, is_patient, stays, random, node, connections, shared };
        client.node %= client.connections.len().max(1);
        client
    }

    /// Works until the round is over.
    ///
    /// # Errors
    /// When the history can't be kept, or a request can't be put together.
    pub async fn run(mut self) -> Result<()> {
        while !self.shared.is_over.load(Ordering::SeqCst) {
            if self.random.u8(..4) == 0 {
                self.change_node();
            }
            let open = self.random.choice(&*held(&self.shared.pool)).cloned();
            match (self.random.u8(..100), open) {
                (0..30, _) | (_, None) => self.create().await?,
                (30..55, Some(open)) => self.update(&open).await?,
                (55..70, Some(open)) => self.tag(&open).await?,
                (70..90, Some(open)) => self.read(&open).await?,
                (_, Some(_)) => self.list().await?,
            }
            self.pause(PAUSE_MS).await;
        }
        Ok(())
    }

    async fn pause(&mut self, milliseconds: std::ops::RangeInclusive<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.u64(milliseconds))).await;
    }

    fn change_node(&mut self) {
        if self.stays {
            return;
        }
        self.node = (self.node + 1) % self.connections.len().max(1);
    }

    /// Makes a case; now and then sends the same once more, through the other node.
    async fn create(&mut self) -> Result<()> {
        let (name, value) = (self.shared.unique("case"), self.shared.unique("value"));
        let customer = self.random.u8(..);
        let body = json!({
            "caseTmp": self.shared.installation.case_template,
            "name": name,
            "desc": value,
            "userInfo": {"name": format!("Customer {customer}")},
            "emailId": format!("customer-{customer}@example.com"),
            "source": "rtm",
            "dueDate": "2030-01-01T00:00:00.000Z",
        });
        let key = self.shared.unique("key");
        let mut sendings = if self.random.u8(..10) == 0 { 2 } else { 1 };
        while sendings > 0 {
            sendings -= 1;
            let settled = self.write("createCase", &body, &key, None).await?;
            let seen = settled.answer.as_ref().map(parse).transpose()?;
            if let Some(seen) = seen.as_ref().filter(|_| settled.outcome == Outcome::Ok) {
                self.keep(seen);
            } else {
                // Only what was acknowledged is worth sending again.
                sendings = 0;
            }
            let operation = Operation::Create { name: name.clone(), value: value.clone(), seen };
            self.note(settled, &key, operation)?;
            self.change_node();
        }
        Ok(())
    }

    /// Keeps a case to be changed, while there is room.
    fn keep(&mut self, seen: &Seen) {
        let mut pool = held(&self.shared.pool);
        pool.retain(|open| open.tags < TAGS_MAX);
        let open = Open {
            id: seen.case.clone(),
            reference: format!("CS{:06}", seen.number),
            name: seen.name.clone(),
            tags: 0,
        };
        if pool.len() < POOL_CASES && pool.iter().all(|other| other.id != open.id) {
            pool.push(open);
        }
    }

    /// Changes the value, if the case still has the version that was looked at.
    async fn update(&mut self, open: &Open) -> Result<()> {
        let Some(look) = self.look(open).await? else { return Ok(()) };
        if self.random.bool() {
            self.change_node();
        }
        let (value, key) = (self.shared.unique("value"), self.shared.unique("key"));
        let operation = format!("updateCase/{}", open.id);
        let settled = self.write(&operation, &json!({"desc": value}), &key, Some(&look.tag)).await?;
        let seen = settled.answer.as_ref().map(parse).transpose()?;
        let operation = Operation::Update { case: open.id.clone(), former: look.seen.value, value, seen };
        self.note(settled, &key, operation)
    }

    /// Adds a tag to those of the version that was looked at; what others add meanwhile is merged.
    async fn tag(&mut self, open: &Open) -> Result<()> {
        let Some(look) = self.look(open).await? else { return Ok(()) };
        if self.random.bool() {
            self.change_node();
        }
        let (tag, key) = (self.shared.unique("tag"), self.shared.unique("key"));
        if let Some(open) = held(&self.shared.pool).iter_mut().find(|other| other.id == open.id) {
            open.tags += 1;
        }
        let tags = [look.seen.tags, vec![tag.clone()]].concat();
        let body = json!({"timestampValue": look.version, "tags": tags});
        let settled = self.write(&format!("updateCase/{}", open.id), &body, &key, None).await?;
        let seen = settled.answer.as_ref().map(parse).transpose()?;
        self.note(settled, &key, Operation::Tag { case: open.id.clone(), tag, seen })
    }

    /// Reads a case with its version, by an update that changes nothing.
    async fn look(&mut self, open: &Open) -> Result<Option<Look>> {
        let request = self
            .shared
            .installation
            .request(&format!("updateCase/{}", open.id), &json!({"name": open.name}))?;
        let (start, node) = (self.shared.now(), self.node_name());
        let reply = self.exchange(request).await;
        let end = self.shared.now();
        let mut look = None;
        let found = match reply {
            Reply::Answer { status: StatusCode::OK, tag: Some(tag), body, .. } => {
                let seen = parse(&body)?;
                let version = body.get("timestampValue").cloned().unwrap_or_default();
                look = Some(Look { seen: seen.clone(), version, tag });
                Some(vec![seen])
            }
            Reply::Answer { status: StatusCode::NOT_FOUND, .. } => Some(Vec::new()),
            Reply::Answer { status, body, .. } => {
                self.wonder("look", status, &body);
                None
            }
            Reply::NotSent | Reply::Lost => None,
        };
        self.note_read(node, start, end, &open.id, found)?;
        if look.is_none() {
            self.change_node();
            self.pause(RETRY_MS).await;
        }
        Ok(look)
    }

    /// Finds a case by its reference.
    async fn read(&mut self, open: &Open) -> Result<()> {
        let installation = &self.shared.installation;
        let path = format!("/api/v1/streams/{}/cases/search", installation.stream);
        let body = json!({"q": format!("id:{}", open.reference)}).to_string();
        let request = Request::post(path)
            .header(HOST, "127.0.0.1")
            .header(CONTENT_TYPE, "application/json")
            .header("AccountId", &installation.account)
            .header("auth", &installation.token)
            .body(Full::new(Bytes::from(body)))?;
        let (start, node) = (self.shared.now(), self.node_name());
        let reply = self.exchange(request).await;
        let end = self.shared.now();
        let found = self.page("read", reply)?.map(|(_, found)| found);
        let failed = found.is_none();
        self.note_read(node, start, end, &open.id, found)?;
        if failed {
            self.change_node();
            self.pause(RETRY_MS).await;
        }
        Ok(())
    }

    /// Lists the newest cases.
    async fn list(&mut self) -> Result<()> {
        let body = json!({"limit": LIST_LIMIT, "sortBy": {"refId": "desc"}});
        let request = self.shared.installation.request("getCases", &body)?;
        let (start, node) = (self.shared.now(), self.node_name());
        let reply = self.exchange(request).await;
        let end = self.shared.now();
        let Some((total, found)) = self.page("list", reply)? else {
            self.change_node();
            self.pause(RETRY_MS).await;
            return Ok(());
        };
        let operation = Operation::List { total, limit: LIST_LIMIT, found };
        let event =
            Event { client: self.number, node, key: None, start, end, outcome: Outcome::Ok, operation };
        held(&self.shared.history).add(event)
    }

    /// The page of a list's answer; nothing where there is no such answer.
    fn page(&mut self, what: &str, reply: Reply) -> Result<Option<(u64, Vec<Seen>)>> {
        match reply {
            Reply::Answer { status: StatusCode::OK, body, .. } => page(&body).map(Some),
            Reply::Answer { status, body, .. } => {
                self.wonder(what, status, &body);
                Ok(None)
            }
            Reply::NotSent | Reply::Lost => Ok(None),
        }
    }

    fn node_name(&self) -> String {
        self.shared.node(self.node).map(|(name, _)| name).unwrap_or_default()
    }

    fn note_read(
        &self,
        node: String,
        start: u64,
        end: u64,
        case: &str,
        found: Option<Vec<Seen>>,
    ) -> Result<()> {
        let outcome = if found.is_some() { Outcome::Ok } else { Outcome::Unknown };
        let operation = Operation::Read { case: case.to_owned(), found: found.unwrap_or_default() };
        let event = Event { client: self.number, node, key: None, start, end, outcome, operation };
        held(&self.shared.history).add(event)
    }

    fn note(&self, settled: Settled, key: &str, operation: Operation) -> Result<()> {
        let Settled { node, start, end, outcome, .. } = settled;
        let event =
            Event { client: self.number, node, key: Some(key.to_owned()), start, end, outcome, operation };
        held(&self.shared.history).add(event)
    }

    /// Sends a write, as often as this client's patience allows.
    async fn write(
        &mut self,
        operation: &str,
        body: &Value,
        key: &str,
        version: Option<&HeaderValue>,
    ) -> Result<Settled> {
        let started = Instant::now();
        let start = self.shared.now();
        let mut outcome = Outcome::Fail;
        loop {
            let mut request = self.shared.installation.request(operation, body)?;
            request.headers_mut().insert(IDEMPOTENCY_KEY, HeaderValue::from_str(key)?);
            if let Some(version) = version {
                request.headers_mut().insert(IF_MATCH, version.clone());
            }
            let (sent, node) = (self.shared.now(), self.node_name());
            let reply = self.exchange(request).await;
            let end = self.shared.now();
            let settled = |outcome, answer| Settled { node: node.clone(), start, end, outcome, answer };
            match reply {
                Reply::NotSent => {}
                Reply::Lost => outcome = Outcome::Unknown,
                Reply::Answer { status, body, .. } if status.is_success() => {
                    held(&self.shared.acknowledged).entry(node.clone()).or_default().push((sent, end));
                    return Ok(settled(Outcome::Ok, Some(body)));
                }
                Reply::Answer { status, comes_again, body, .. } => {
                    self.wonder(operation.split('/').next().unwrap_or_default(), status, &body);
                    let is_in_flight = status == StatusCode::CONFLICT && comes_again;
                    if !status.is_server_error() && !is_in_flight {
                        return Ok(settled(Outcome::Fail, None));
                    }
                    outcome = Outcome::Unknown;
                }
            }
            let is_over = self.shared.is_over.load(Ordering::SeqCst);
            let patience = if is_over { LAST_PATIENCE } else { PATIENCE };
            if !self.is_patient || started.elapsed() > patience {
                self.change_node();
                self.pause(RETRY_MS).await;
                return Ok(settled(outcome, None));
            }
            self.change_node();
            self.pause(RETRY_MS).await;
        }
    }

    /// Sends a request once through the node of the moment.
    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Reply {
        let (Some((_, address)), Some(place)) =
            (self.shared.node(self.node), self.connections.get_mut(self.node))
        else {
            return Reply::NotSent;
        };
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => match tokio::time::timeout(CONNECT_WAIT, Connection::open(address)).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(_)) | Err(_) => return Reply::NotSent,
            },
        };
        let answer = tokio::time::timeout(ANSWER_WAIT, connection.ask(request)).await;
        let Ok(Ok((head, body))) = answer else { return Reply::Lost };
        let Ok(body) = serde_json::from_slice(&body) else { return Reply::Lost };
        *place = Some(connection);
        let (tag, comes_again) = (head.headers.get(ETAG).cloned(), head.headers.contains_key(RETRY_AFTER));
        Reply::Answer { status: head.status, tag, comes_again, body }
    }

    /// Counts an answer without success, for the report.
    fn wonder(&self, what: &str, status: StatusCode, body: &Value) {
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default();
        let words: String = detail.chars().take(60).collect();
        *held(&self.shared.surprises).entry(format!("{what} {} {words}", status.as_u16())).or_default() += 1;
    }
}

/// The case in an answer.
///
/// # Errors
/// When it lacks a key.
pub fn parse(document: &Value) -> Result<Seen> {
    let text = |key: &str| -> Result<String> {
        let value = document.get(key).and_then(Value::as_str);
        Ok(value.with_context(|| format!("a case without {key}: {document}"))?.to_owned())
    };
    let reference = text("refId")?;
    let tags = document.get("tags").and_then(Value::as_array).context("a case without tags")?;
    Ok(Seen {
        case: text("_id")?,
        number: number(&reference).with_context(|| format!("{reference} is no reference"))?,
        name: text("name")?,
        value: text("desc")?,
        tags: tags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

/// The total and the cases of a page.
///
/// # Errors
/// When it is no page of cases.
pub fn page(answer: &Value) -> Result<(u64, Vec<Seen>)> {
    let total = answer.get("totalResults").and_then(Value::as_u64).context("a page without totalResults")?;
    let rows = answer.get("results").and_then(Value::as_array).context("a page without results")?;
    Ok((total, rows.iter().map(parse).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read_from_an_answer_and_one_that_lacks_something_is_refused() {
        let whole = json!({"_id": "ci-1", "refId": "CS000107", "name": "n", "desc": "v", "tags": ["a", "b"]});
        let seen = parse(&whole).unwrap();
        assert_eq!((seen.number, seen.tags.len()), (107, 2));
        for key in ["_id", "refId", "name", "desc", "tags"] {
            let mut lacking = whole.clone();
            lacking.as_object_mut().unwrap().remove(key);
            assert!(parse(&lacking).is_err(), "{key}");
        }
        assert_eq!(page(&json!({"totalResults": 1, "results": [whole]})).unwrap().0, 1);
        assert!(page(&json!({"results": []})).is_err());
    }
}
