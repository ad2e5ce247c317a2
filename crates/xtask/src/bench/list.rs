//! How long lists take, by shape and by how many cases there are: over HTTP, inside the server, and beside a static
//! responder of the same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use super::load::{Fleet, Turn};
use super::outcome::{Answers, percentile};
use super::raw_round::RawRound;
use super::responder::Responder;
use super::shape::{Facts, Shape};
use super::{WARM_UP, requests, sampled};
use crate::client::Connection;
use crate::server::{Installation, Server};

/// How long one turn lasts.
const TURN: Duration = Duration::from_secs(1);

/// The settings that the server is measured with.
const SETTINGS: [&str; 2] = ["--server-timing", "true"];

/// What is measured.
#[derive(Debug)]
pub struct Order<'a> {
    /// How many clients list at once.
    pub clients: usize,
    /// How many clients create meanwhile.
    pub writers: usize,
    /// How long each shape is measured.
    pub time: Duration,
    /// The sizes.
    pub cases: &'a [u64],
    /// Names of shapes; empty: all.
    pub shapes: &'a [String],
    /// Where the data is kept.
    pub data: &'a Path,
    /// An empty database of a PostgreSQL server: the same lists are measured there too.
    pub database_url: Option<&'a str>,
}

/// The p50 over HTTP and inside, in microseconds, of each shape at the smallest size.
type Smallest = BTreeMap<&'static str, (u32, u32)>;

/// A server on sampled data.
struct Stage {
    installation: Installation,
    server: Server,
    cases: u64,
    start: Duration,
    /// Where the data is on a database server.
    database_url: Option<String>,
}

/// Measures every shape at every size and prints a line for each.
///
/// # Errors
/// When a server does not start, or anything but the expected answers comes back.
pub async fn run(binary: &Path, folder: &Path, order: &Order<'_>) -> Result<()> {
    let mut sizes = order.cases.to_vec();
    sizes.sort_unstable();
    let mut smallest = Smallest::new();
    for cases in sizes {
        let installation = sampled::installation(binary, order.data, cases).await?;
        // Writers change the data: they get a copy.
        let copy = tempfile::Builder::new().prefix("bench-").tempdir_in(folder)?;
        let installation = if order.writers > 0 { installation.copy_to(copy.path())? } else { installation };
        let stage = Stage::start(installation.clone(), cases, None).await?;
        stage.measure_all(copy.path(), order, &mut smallest).await?;
        if let Some(url) = order.database_url {
            let moved = tempfile::Builder::new().prefix("bench-").tempdir_in(folder)?;
            let moved = installation.move_to(moved.path(), url).await?;
            let stage = Stage::start(moved, cases, Some(url.to_owned())).await?;
            stage.measure_all(copy.path(), order, &mut Smallest::new()).await?;
        }
    }
    Ok(())
}

/// The shapes with these names, or all.
fn chosen(shapes: Vec<Shape>, names: &[String]) -> Result<Vec<Shape>> {
    let known: Vec<&str> = shapes.iter().map(|shape| shape.name).collect();
    for name in names {
        ensure!(
            known.contains(&name.as_str()),
            "there is no shape {name:?}; there are: {}",
            known.join(", ")
        );
    }
    let is_chosen = |shape: &Shape| names.is_empty() || names.iter().any(|name| name == shape.name);
    Ok(shapes.into_iter().filter(is_chosen).collect())
}

impl Stage {
    async fn start(installation: Installation, cases: u64, database_url: Option<String>) -> Result<Self> {
        let database = database_url.iter().flat_map(|url| ["--database-url", url.as_str()]);
        let settings: Vec<&str> = SETTINGS.into_iter().chain(database).collect();
        let begun = Instant::now();
        let server = installation.start_with(&settings).await?;
        let start = begun.elapsed();
        server.wait_until_searched().await?;
        Ok(Self { installation, server, cases, start, database_url })
    }

    async fn measure_all(self, folder: &Path, order: &Order<'_>, smallest: &mut Smallest) -> Result<()> {
        for shape in chosen(self.shapes().await?, order.shapes)? {
            println!("{}", measure(&self, folder, &shape, order, smallest).await?);
        }
        self.server.stop().await
    }

    async fn shapes(&self) -> Result<Vec<Shape>> {
        let request = self.installation.request("getCases", &json!({"limit": 500}))?;
        let page = self.answer(request).await?;
        Facts::of(&serde_json::from_slice(&page)?)?.shapes()
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Bytes> {
        let (status, answer) = Connection::open(self.server.address).await?.send(request).await?;
        ensure!(status.is_success(), "the server answered {status}: {}", String::from_utf8_lossy(&answer));
        Ok(answer)
    }
}

/// Drives the server and the responder in turns with one shape.
async fn measure(
    stage: &Stage,
    folder: &Path,
    shape: &Shape,
    order: &Order<'_>,
    smallest: &mut Smallest,
) -> Result<Value> {
    let request = stage.installation.request("getCases", &shape.body)?;
    let requests = std::slice::from_ref(&request);
    let answer = stage.answer(request.clone()).await?;
    let matches = serde_json::from_slice::<Value>(&answer)?.get("totalResults").cloned();
    let mut ours = Fleet::connect(stage.server.address, requests, order.clients).await?;
    let responder = Responder::start(folder, &answer).await?;
    let mut limit = Fleet::connect(responder.address, requests, order.clients).await?;
    ours.drive(WARM_UP).await.context("the warm-up of the server")?;
    limit.drive(WARM_UP).await.context("the warm-up of the static responder")?;
    let mut writers = match order.writers {
        0 => None,
        writers => {
            let creates = requests::creates(&stage.installation)?;
            Some(Fleet::connect(stage.server.address, &creates, writers).await?)
        }
    };
    let mut rounds = match &stage.database_url {
        Some(url) => Some(RawRound::connect(url).await?),
        None => None,
    };
    let (mut lists, mut bytes, mut creates) = (Answers::default(), Answers::default(), Answers::default());
    let mut left = order.time;
    while !left.is_zero() {
        let turn = left.min(TURN);
        let (listed, created) = side_by_side(&mut ours, writers.as_mut(), turn).await?;
        lists.add(listed);
        creates.add(created);
        bytes.add(limit.drive(turn).await.context("the static responder")?);
        if let Some(rounds) = &mut rounds {
            rounds.drive(turn).await.context("rounds of the database")?;
        }
        left = left.saturating_sub(turn);
    }
    responder.stop().await?;
    let (http, inside) = (lists.sorted_us(), lists.sorted_inside_us());
    let (p50, inside_p50) = (percentile(&http, 50), percentile(&inside, 50));
    let (first, first_inside) = *smallest.entry(shape.name).or_insert((p50, inside_p50));
    let ratio = if bytes.per_s() > 0.0 { rounded(lists.per_s() / bytes.per_s()) } else { 0.0 };
    Ok(json!({
        "bench": "list",
        "store": if stage.database_url.is_some() { "postgresql" } else { "embedded" },
        "shape": shape.name,
        "cases": stage.cases,
        "clients": order.clients,
        "writers": order.writers,
        "matches": matches,
        "bytes": answer.len(),
        "ours_per_s": lists.per_s().round(),
        "p50_ms": ms(p50),
        "p99_ms": ms(percentile(&http, 99)),
        "inside_p50_ms": ms(inside_p50),
        "inside_p99_ms": ms(percentile(&inside, 99)),
        "limit_per_s": bytes.per_s().round(),
        "limit_p50_ms": ms(percentile(&bytes.sorted_us(), 50)),
        "ratio": ratio,
        "round_p50_ms": rounds.map(|rounds| ms(percentile(&rounds.sorted_us(), 50))),
        "growth": growth(p50, first),
        "inside_growth": growth(inside_p50, first_inside),
        "creates_per_s": creates.per_s().round(),
        "memory_mb": stage.server.memory_bytes()? / 1_000_000,
        "start_s": rounded(stage.start.as_secs_f64()),
    }))
}

/// Lists and, where there are writers, creates at the same time.
async fn side_by_side(
    lists: &mut Fleet,
    writers: Option<&mut Fleet>,
    turn: Duration,
) -> Result<(Turn, Turn)> {
    match writers {
        None => Ok((lists.drive(turn).await.context("the server")?, Turn::default())),
        Some(writers) => tokio::try_join!(lists.drive(turn), writers.drive(turn)).context("the server"),
    }
}

fn ms(us: u32) -> f64 {
    f64::from(us) / 1000.0
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// How many times as long as at the smallest size.
fn growth(us: u32, first: u32) -> f64 {
    if first == 0 { 0.0 } else { rounded(f64::from(us) / f64::from(first)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_is_not_there_is_told_with_those_that_are() {
        let shapes =
            || vec![Shape { name: "all", body: json!({}) }, Shape { name: "count", body: json!({}) }];
        assert_eq!(chosen(shapes(), &[]).unwrap().len(), 2);
        assert_eq!(chosen(shapes(), &["count".to_owned()]).unwrap()[0].name, "count");
        let told = chosen(shapes(), &["counts".to_owned()]).unwrap_err().to_string();
        assert!(told.contains("all, count"), "{told}");
    }

    #[test]
    fn growth_is_beside_the_smallest_size() {
        assert!((growth(300, 200) - 1.5).abs() < 1e-9);
        assert!(growth(300, 0).abs() < 1e-9);
    }
}
