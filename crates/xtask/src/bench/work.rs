//! How long the work on one case takes through the REST API: getting it, pages of its many comments, how it stood many events
//! ago, and files up and down.
//!
//! Files are measured beside what the file system does with the same bytes: in each round they are copied from file to
//! file by `std::io::copy` and synced, on the disk that the server has.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::WARM_UP;
use super::load::Fleet;
use super::outcome::{Answers, percentile};
use super::requests;
use crate::client::Connection;
use crate::server::{Installation, Server};

/// How many connections write the comments that are there before anything is measured.
const WRITERS: usize = 16;

/// Comments on a measured page, which is the most.
const PAGE: u64 = 100;

/// What is measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many comments the case has
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    comments: u64,
    /// How many changes the case has behind it
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    events: u64,
    /// How many bytes each file has, in MiB; at most what the server takes by default
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=50))]
    file_mib: u64,
    /// How often a file goes up and down, and is copied
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    files: u32,
    /// How long each read is measured, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

/// A server with the case that everything is asked of.
struct Stage<'a> {
    installation: Installation,
    server: Server,
    arguments: &'a Arguments,
    /// The path of the case below the stream.
    case: String,
}

/// Measures all and prints a line for each.
///
/// # Errors
/// When the server does not start, or anything but the expected answers comes back.
pub async fn run(binary: &Path, folder: &Path, arguments: &Arguments) -> Result<()> {
    let installation = Installation::create(binary, folder).await?;
    let server = installation.start_with(&["--server-timing", "true"]).await?;
    let mut stage = Stage { installation, server, arguments, case: String::new() };
    stage.case = format!("cases/{}", text(&stage.create().await?, "_id")?);
    eprintln!("work: {} events, then {} comments", arguments.events, arguments.comments);
    let (early, middle) = stage.change().await?;
    let deep = stage.comment().await?;
    stage.read("get", &stage.case).await?;
    stage.read("comments", &format!("{}/comments?limit={PAGE}", stage.case)).await?;
    stage.read("comments_deep", &format!("{}/comments?limit={PAGE}&before={deep}", stage.case)).await?;
    stage.read("as_of_middle", &format!("{}?asOf={middle}", stage.case)).await?;
    stage.read("as_of_first", &format!("{}?asOf={early}", stage.case)).await?;
    stage.files(folder).await?;
    stage.server.stop().await
}

impl Stage<'_> {
    fn request(&self, method: Method, path: &str, body: &Value) -> Result<Request<Full<Bytes>>> {
        self.installation.rest(method, path, Bytes::from(body.to_string()))
    }

    async fn create(&self) -> Result<Value> {
        let request = requests::creates(&self.installation)?.swap_remove(0);
        let mut connection = Connection::open(self.server.address).await?;
        answered(&mut connection, request).await
    }

    /// Changes the case so often; gives the moments of the first change and of the one in the middle.
    async fn change(&self) -> Result<(String, String)> {
        let mut connection = Connection::open(self.server.address).await?;
        let mut moments = Vec::new();
        for number in 0..self.arguments.events {
            let change =
                json!({"desc": format!("The customer called {number} times."), "tags": [number.to_string()]});
            let changed =
                answered(&mut connection, self.request(Method::PATCH, &self.case, &change)?).await?;
            moments.push(text(&changed, "updatedAt")?);
        }
        let first = moments.first().context("invariant: there is a change")?.clone();
        let middle = moments.get(moments.len() / 2).context("invariant: there is a change")?.clone();
        Ok((first, middle))
    }

    /// Writes the comments; gives the id of one in the middle.
    async fn comment(&self) -> Result<String> {
        let path = format!("{}/comments", self.case);
        let mut at_work = JoinSet::new();
        for writer in 0..WRITERS {
            let mut connection = Connection::open(self.server.address).await?;
            let numbers = (writer as u64..self.arguments.comments).step_by(WRITERS);
            let requests = numbers.map(|number| {
                let text =
                    format!("Called again ({number}): the **papers** came, and a colleague looks at them.");
                self.request(Method::POST, &path, &json!({"text": text}))
            });
            let requests: Vec<_> = requests.collect::<Result<_>>()?;
            at_work.spawn(async move {
                let mut ids = Vec::with_capacity(requests.len());
                for request in requests {
                    ids.push(text(&answered(&mut connection, request).await?, "_id")?);
                }
                anyhow::Ok(ids)
            });
        }
        let mut ids = Vec::new();
        while let Some(written) = at_work.join_next().await {
            ids.extend(written??);
        }
        ids.sort_unstable();
        let middle = ids.get(ids.len() / 2).context("invariant: there is a comment")?;
        Ok(middle.clone())
    }

    /// Measures a read by one client and prints its line.
    async fn read(&self, what: &str, path: &str) -> Result<()> {
        let request = self.installation.rest(Method::GET, path, Bytes::new())?;
        let (_, answer) = Connection::open(self.server.address).await?.send(request.clone()).await?;
        let mut fleet = Fleet::connect(self.server.address, &[request], 1).await?;
        fleet.drive(WARM_UP).await.with_context(|| format!("the warm-up of {what}"))?;
        let mut answers = Answers::default();
        answers.add(fleet.drive(Duration::from_secs(self.arguments.seconds)).await?);
        let (http, inside) = (answers.sorted_us(), answers.sorted_inside_us());
        let line = json!({
            "bench": "work",
            "what": what,
            "comments": self.arguments.comments,
            "events": self.arguments.events,
            "bytes": answer.len(),
            "ours_per_s": answers.per_s().round(),
            "p50_ms": ms(percentile(&http, 50)),
            "p99_ms": ms(percentile(&http, 99)),
            "inside_p50_ms": ms(percentile(&inside, 50)),
            "inside_p99_ms": ms(percentile(&inside, 99)),
        });
        println!("{line}");
        Ok(())
    }

    /// Measures files up and down in turns with copies, and prints a line for each way.
    async fn files(&self, folder: &Path) -> Result<()> {
        let bytes = Bytes::from(noise(self.arguments.file_mib * 1024 * 1024));
        let (source, copy) = (folder.join("source"), folder.join("copy"));
        std::fs::write(&source, &bytes)?;
        let mut connection = Connection::open(self.server.address).await?;
        let (mut up, mut down, mut copied) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..=self.arguments.files {
            let took = tokio::task::block_in_place(|| copy_synced(&source, &copy))?;
            let path = format!("{}/attachments?name=file-{number}.bin", self.case);
            let upload = self.installation.rest(Method::POST, &path, bytes.clone())?;
            let begun = Instant::now();
            let added = answered(&mut connection, upload).await?;
            let uploaded = begun.elapsed();
            let path = format!("{}/attachments/{}/content", self.case, text(&added, "_id")?);
            let download = self.installation.rest(Method::GET, &path, Bytes::new())?;
            let begun = Instant::now();
            let (status, got) = connection.pour(download).await?;
            let downloaded = begun.elapsed();
            ensure!(status.is_success() && got == bytes.len() as u64, "{status} with {got} bytes");
            // The first round warms up.
            if number > 0 {
                copied.push(took);
                up.push(uploaded);
                down.push(downloaded);
            }
        }
        let limit = rate(bytes.len(), &mut copied);
        for (what, times) in [("upload", &mut up), ("download", &mut down)] {
            let ours = rate(bytes.len(), times);
            let line = json!({
                "bench": "work",
                "what": what,
                "bytes": bytes.len(),
                "files": self.arguments.files,
                "ours_mb_per_s": ours.round(),
                "limit_mb_per_s": limit.round(),
                "ratio": (ours / limit * 1000.0).round() / 1000.0,
            });
            println!("{line}");
        }
        Ok(())
    }
}

/// Sends a request and reads the document of its answer.
async fn answered(connection: &mut Connection, request: Request<Full<Bytes>>) -> Result<Value> {
    let (status, answer) = connection.send(request).await?;
    ensure!(status.is_success(), "the server answered {status}: {}", String::from_utf8_lossy(&answer));
    Ok(serde_json::from_slice(&answer)?)
}

fn text(document: &Value, key: &str) -> Result<String> {
    Ok(document
        .get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("an answer has no {key}"))?
        .to_owned())
}

/// Copies a file, syncs the copy, removes it, and gives how long the copy and the sync took.
fn copy_synced(source: &Path, copy: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let mut target = File::create(copy)?;
    std::io::copy(&mut File::open(source)?, &mut target)?;
    target.sync_all()?;
    let took = begun.elapsed();
    std::fs::remove_file(copy)?;
    Ok(took)
}

/// Megabytes a second of the middle one of some times.
fn rate(bytes: usize, times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64);
    if middle > 0.0 { bytes as f64 / 1_000_000.0 / middle } else { 0.0 }
}

/// Bytes that nothing can press together: a linear congruential generator, so that each run has the same.
fn noise(length: u64) -> Vec<u8> {
    let mut state: u64 = 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()
    };
    (0..length / 8).flat_map(next).collect()
}

fn ms(us: u32) -> f64 {
    f64::from(us) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_middle_time() {
        let mut times = [4, 1, 2].map(Duration::from_secs);
        assert!((rate(10_000_000, &mut times) - 5.0).abs() < 1e-9);
        assert!(rate(1, &mut []).abs() < f64::EPSILON);
    }

    #[test]
    fn a_copy_has_the_bytes_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
        std::fs::write(&source, noise(4096)).unwrap();
        assert!(copy_synced(&source, &copy).unwrap() > Duration::ZERO);
        assert!(!copy.exists());
        assert_eq!(noise(4096).len(), 4096);
        assert_ne!(noise(4096)[..2048], noise(4096)[2048..]);
    }
}
