//! `cargo xtask bench overload`: what is still done in time when far more is asked than can be done.
//!
//! First the peak, in a closed loop. Then many clients offer a multiple of it: each sends at its own pace whatever became
//! of the requests before, as long as its connection is free, and gives up after [`DEADLINE`]. Goodput is what was
//! answered with success within that time. The requests are written as bytes and the answers only skimmed, since the
//! generator shares the machine's processors with the server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::load::Fleet;
use super::requests::{self, Job};
use super::stage::Stage;

/// How long a client waits for an answer before it gives up and takes another connection.
const DEADLINE: Duration = Duration::from_secs(1);

/// Clients in the closed loop that finds the peak.
const PEAK_CLIENTS: usize = 64;

/// Overload that does not count: the server finds its limit.
const SETTLE: Duration = Duration::from_secs(3);

/// How much is asked.
#[derive(clap::Args)]
pub struct Arguments {
    /// How long the peak and the overload are measured, in seconds each
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many times the peak is offered
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    factor: u32,
    /// How many clients offer it
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u16).range(1..=9_000))]
    clients: u16,
    /// How many cases are there before
    #[arg(long, default_value_t = 1_000)]
    cases: u64,
}

/// What sort of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Create,
    Update,
    List,
}

/// A request as bytes.
#[derive(Debug)]
struct Written {
    sort: Sort,
    bytes: Vec<u8>,
}

/// What became of the requests of one sort.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    offered: u64,
    sent: u64,
    /// Answered with success in time.
    good: u64,
    /// Told to come back.
    refused: u64,
    /// Answered with something else.
    failed: u64,
    /// Not answered in time, or cut off.
    late: u64,
}

/// Runs the measurement on a server of its own.
///
/// # Errors
/// When the server can't be driven, or answers with what is neither a success nor a 503.
pub async fn run(binary: &std::path::Path, folder: &std::path::Path, arguments: &Arguments) -> Result<()> {
    let stage = Stage::prepare(binary, folder, arguments.cases, None).await?;
    let mixed = mixed(&stage)?;
    let time = Duration::from_secs(arguments.seconds);
    let requests: Vec<_> = mixed.iter().map(|(_, request)| request.clone()).collect();
    let mut fleet = Fleet::connect(stage.server.address, &requests, PEAK_CLIENTS).await?;
    fleet.drive(SETTLE).await?;
    let turn = fleet.drive(time).await?;
    let peak_per_s = turn.latencies_us.len() as f64 / turn.time.as_secs_f64();
    drop(fleet);
    eprintln!("overload: the peak is {peak_per_s:.0}/s; offering {} times as much", arguments.factor);

    let mut written = Vec::new();
    for (sort, request) in mixed {
        written.push(write(sort, request).await?);
    }
    let offered_per_s = peak_per_s * f64::from(arguments.factor);
    let pause = Duration::from_secs_f64(f64::from(arguments.clients) / offered_per_s);
    let tallies = offer(stage.server.address, written.into(), arguments.clients, pause, time).await?;
    let memory_kb = stage.server.memory_kb()?;
    println!("{}", line(arguments, peak_per_s, &tallies, time, memory_kb));
    let failed: u64 = tallies.values().map(|tally| tally.failed).sum();
    ensure!(failed == 0, "{failed} answers were neither a success nor a 503");
    stage.server.stop().await
}

/// Creates, updates and lists by turns: two writes for each list.
fn mixed(stage: &Stage) -> Result<Vec<(Sort, Request<Full<Bytes>>)>> {
    let creates = requests::build(stage, Job::Create)?;
    let updates = requests::build(stage, Job::Update)?;
    let lists = [stage.installation.request("getCases", &json!({"status": ["In-Progress"]}))?];
    let list = lists.first().context("invariant: a list has a request")?;
    let turns = creates.into_iter().zip(updates.into_iter().cycle());
    Ok(turns
        .flat_map(|(create, update)| {
            [(Sort::Create, create), (Sort::Update, update), (Sort::List, list.clone())]
        })
        .collect())
}

/// Writes a request as HTTP/1.1.
async fn write(sort: Sort, request: Request<Full<Bytes>>) -> Result<Written> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut bytes = format!("{} {} HTTP/1.1\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(&body);
    Ok(Written { sort, bytes })
}

/// Offers the requests from so many clients for so long.
async fn offer(
    address: SocketAddr,
    requests: Arc<[Written]>,
    clients: u16,
    pause: Duration,
    time: Duration,
) -> Result<BTreeMap<Sort, Tally>> {
    let mut at_work = JoinSet::new();
    let begin = Instant::now() + Duration::from_secs(1);
    for number in 0..clients {
        let first = begin + pause * u32::from(number) / u32::from(clients);
        let client =
            Client { address, requests: Arc::clone(&requests), next: usize::from(number) * 7, pause };
        at_work.spawn(client.drive(first, begin + SETTLE, begin + SETTLE + time));
    }
    let mut tallies: BTreeMap<Sort, Tally> = BTreeMap::new();
    while let Some(own) = at_work.join_next().await {
        for (sort, own) in own? {
            tallies.entry(sort).or_default().add(own);
        }
    }
    Ok(tallies)
}

/// A client that sends at its own pace.
struct Client {
    address: SocketAddr,
    requests: Arc<[Written]>,
    next: usize,
    pause: Duration,
}

impl Client {
    /// Sends from `first` to `until`; counts from `counted` on.
    async fn drive(mut self, first: Instant, counted: Instant, until: Instant) -> BTreeMap<Sort, Tally> {
        let mut tallies: BTreeMap<Sort, Tally> = BTreeMap::new();
        let (mut connection, mut buffer) = (None, vec![0; 64 * 1024]);
        let mut due = first;
        loop {
            // What fell due while the connection was at work is offered and can't be sent.
            while due + self.pause < Instant::now() {
                let sort = self.take().0;
                if due >= counted {
                    tallies.entry(sort).or_default().offered += 1;
                }
                due += self.pause;
            }
            if due >= until {
                return tallies;
            }
            sleep_until(due).await;
            let (sort, place) = self.take();
            let Some(request) = self.requests.get(place) else { return tallies };
            let outcome =
                timeout(DEADLINE, ask(&mut connection, self.address, &request.bytes, &mut buffer)).await;
            let mut tally = Tally { offered: 1, sent: 1, ..Tally::default() };
            match outcome {
                Ok(Ok(200)) => tally.good = 1,
                Ok(Ok(503)) => tally.refused = 1,
                Ok(Ok(_)) => tally.failed = 1,
                Ok(Err(_)) | Err(_) => {
                    tally.late = 1;
                    connection = None;
                }
            }
            if due >= counted {
                tallies.entry(sort).or_default().add(tally);
            }
            due += self.pause;
        }
    }

    fn take(&mut self) -> (Sort, usize) {
        let place = self.next % self.requests.len().max(1);
        self.next += 1;
        (self.requests.get(place).map_or(Sort::List, |request| request.sort), place)
    }
}

/// Sends a request and skims the answer; gives its status.
async fn ask(
    connection: &mut Option<TcpStream>,
    address: SocketAddr,
    request: &[u8],
    buffer: &mut [u8],
) -> Result<u16> {
    let stream = match connection {
        Some(stream) => stream,
        None => connection.insert(TcpStream::connect(address).await?),
    };
    stream.write_all(request).await?;
    let mut filled = 0;
    let (status, mut left) = loop {
        let room =
            buffer.get_mut(filled..).filter(|room| !room.is_empty()).context("the head is too long")?;
        let count = stream.read(room).await?;
        ensure!(count > 0, "the connection was closed");
        filled += count;
        if let Some((status, whole)) = skim(buffer.get(..filled).unwrap_or_default()) {
            break (status, whole.saturating_sub(filled));
        }
    };
    while left > 0 {
        let room = left.min(buffer.len());
        let count = stream.read(buffer.get_mut(..room).unwrap_or_default()).await?;
        ensure!(count > 0, "the connection was closed");
        left -= count;
    }
    Ok(status)
}

/// Reads the status of an answer and how many bytes it has in all; `None`: its head is not whole.
fn skim(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some((status, end + length.parse::<usize>().ok()?))
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.offered += other.offered;
        self.sent += other.sent;
        self.good += other.good;
        self.refused += other.refused;
        self.failed += other.failed;
        self.late += other.late;
    }
}

fn line(
    arguments: &Arguments,
    peak_per_s: f64,
    tallies: &BTreeMap<Sort, Tally>,
    time: Duration,
    memory_kb: u64,
) -> String {
    let seconds = time.as_secs_f64();
    let mut all = Tally::default();
    tallies.values().for_each(|tally| all.add(*tally));
    let by_sort: serde_json::Map<String, Value> = tallies
        .iter()
        .map(|(sort, tally)| {
            let good = (tally.good as f64 / tally.sent.max(1) as f64 * 1000.0).round() / 1000.0;
            let counts = json!({"sent": tally.sent, "good": tally.good, "refused": tally.refused, "late": tally.late, "good_of_sent": good});
            (format!("{sort:?}").to_lowercase(), counts)
        })
        .collect();
    let goodput = all.good as f64 / seconds;
    json!({
        "bench": "overload",
        "cases": arguments.cases,
        "clients": arguments.clients,
        "peak_per_s": peak_per_s.round(),
        "offered_per_s": (all.offered as f64 / seconds).round(),
        "sent_per_s": (all.sent as f64 / seconds).round(),
        "goodput_per_s": goodput.round(),
        "ratio": (goodput / peak_per_s * 1000.0).round() / 1000.0,
        "memory_mb": memory_kb / 1024,
        "by_sort": by_sort,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_skimmed_when_its_head_is_whole() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\nx: y\r\n\r\nhello";
        assert_eq!(skim(answer), Some((503, answer.len())));
        assert_eq!(skim(&answer[..40]), None);
    }

    #[tokio::test]
    async fn a_request_is_written_as_http() {
        let request = Request::post("/x").header("host", "h").body(Full::new(Bytes::from("{}"))).unwrap();
        let written = write(Sort::Create, request).await.unwrap();
        assert_eq!(written.bytes, b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}");
    }

    #[test]
    fn the_line_tells_goodput_beside_the_peak() {
        let arguments = Arguments { seconds: 2, factor: 4, clients: 10, cases: 1 };
        let tally = Tally { offered: 800, sent: 400, good: 180, refused: 200, failed: 0, late: 20 };
        let tallies = BTreeMap::from([(Sort::Create, tally)]);
        let line: Value =
            serde_json::from_str(&line(&arguments, 100.0, &tallies, Duration::from_secs(2), 2048)).unwrap();
        assert_eq!(
            (&line["ratio"], &line["offered_per_s"], &line["memory_mb"]),
            (&json!(0.9), &json!(400.0), &json!(2))
        );
        assert_eq!(line["by_sort"]["create"]["good_of_sent"], json!(0.45));
    }
}
