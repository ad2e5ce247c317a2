//! `cargo xtask bench …`: how fast the server is, beside what the machine allows.
//!
//! The load generator is this process, the server is another, both built for release. In turns of a few seconds, so
//! that a drift of the machine hits all alike, it drives the server, a static responder of the same bytes through the
//! same HTTP stack, and (for writes) the same rows through the database without HTTP. [`stage`] sets up, [`load`] drives,
//! [`requests`] builds, [`overload`] asks for too much, [`responder`], [`raw_writer`] and [`raw_server`] are the limits, [`outcome`] sums up.
//! [`work`] measures the REST API on one case with much on it, and files; [`list`] measures lists by their [`shape`], on data that [`sampled`] keeps; [`plot`] draws what it printed.

mod list;
mod load;
mod outcome;
mod overload;
mod plot;
mod raw_round;
mod raw_server;
mod raw_writer;
pub mod requests;
pub mod responder;
mod sampled;
mod shape;
mod stage;
mod work;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;

use crate::workspace::Workspace;
use load::Fleet;
use outcome::Measured;
use raw_server::RawServer;
use raw_writer::RawWriter;
use requests::Job;
use responder::Responder;
use stage::Stage;

/// How long one turn lasts.
const TURN: Duration = Duration::from_secs(2);

/// How long each is driven before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// Measures the server beside the machine's own limits; prints one JSON line per measurement.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask bench create --clients 32 --seconds 10\n  \
                  cargo xtask bench update --clients 32 --cases 10000\n  \
                  cargo xtask bench create --clients 32 --cases 10000,1000000 --data /srv/bench\n  \
                  cargo xtask bench create --clients 32 --database-url postgres://casement@127.0.0.1/bench\n  \
                  cargo xtask bench list --cases 10000,100000\n  \
                  cargo xtask bench list --cases 100000 --clients 8 --writers 32 --shape all,count\n  \
                  cargo xtask bench overload --factor 4 --seconds 10\n  \
                  cargo xtask bench work --comments 10000 --events 1000\n  \
                  cargo xtask bench plot --from lists.jsonl --to docs/lists.svg")]
pub struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(clap::Subcommand)]
enum Bench {
    /// Creates cases
    Create(Load),
    /// Changes the description and priority of cases
    Update(Load),
    /// Lists cases in many shapes, of data made by `casement sample`
    List {
        /// How many connections list at once
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
        clients: u16,
        /// How many connections create cases meanwhile, on a copy of the data
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024))]
        writers: u16,
        /// How long each shape is measured, in seconds; its limit is measured as long again
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: u64,
        /// How many cases there are; several numbers are measured one after the other
        #[arg(long, value_delimiter = ',', default_value = "10000", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
        cases: Vec<u64>,
        /// The shapes by their names; all of them if none is named
        #[arg(long, value_delimiter = ',')]
        shape: Vec<String>,
        /// The folder that keeps the data; `bench-data` in the target directory if none is named
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Measure the same lists in this empty database of a PostgreSQL server too, beside one raw round of a fresh read; for
        /// one size
        #[arg(long, value_name = "URL", conflicts_with = "writers")]
        database_url: Option<String>,
    },
    /// Offers a multiple of what can be done, and counts what is done in time
    Overload(overload::Arguments),
    /// Gets a case, pages of its many comments, an earlier state behind its many events, and files up and down
    Work(work::Arguments),
    /// Draws the lines of `bench list` as a picture: time inside the server against the number of cases
    Plot(plot::Arguments),
}

/// How much is driven at what.
#[derive(clap::Args)]
struct Load {
    /// How many connections send at once, each its next request after the answer to the last
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    clients: u16,
    /// How long the server is measured, in seconds; each limit is measured as long again
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How many cases are there before; several numbers make several measurements
    #[arg(long, value_delimiter = ',', default_value = "1000")]
    cases: Vec<u64>,
    /// Begin with data made by `casement sample`, kept in this folder; for `create`
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    data: Option<PathBuf>,
    /// Keep the data in this empty database of a PostgreSQL server; for `create`
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

/// Runs the benchmark; a debug build builds everything for release and becomes that.
///
/// # Errors
/// When a build fails, or anything but the expected answers comes back.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if let Bench::Plot(arguments) = &arguments.bench {
        return plot::run(arguments);
    }
    if cfg!(debug_assertions) {
        return become_release(workspace);
    }
    let binary = workspace.binary("release", "casement")?;
    crate::block_on(async {
        let (load, job) = match &arguments.bench {
            Bench::Plot(_) => return Ok(()),
            Bench::Overload(arguments) => {
                let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&workspace.target)?;
                return overload::run(&binary, folder.path(), arguments).await;
            }
            Bench::Work(arguments) => {
                let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&workspace.target)?;
                return work::run(&binary, folder.path(), arguments).await;
            }
            Bench::Create(load) => (load, Job::Create),
            Bench::Update(load) => (load, Job::Update),
            Bench::List { clients, writers, seconds, cases, shape, data, database_url } => {
                ensure!(
                    database_url.is_none() || cases.len() == 1,
                    "--database-url: an empty database takes one size"
                );
                let kept = workspace.target.join("bench-data");
                let order = list::Order {
                    clients: usize::from(*clients),
                    writers: usize::from(*writers),
                    time: Duration::from_secs(*seconds),
                    cases,
                    shapes: shape,
                    data: data.as_deref().unwrap_or(&kept),
                    database_url: database_url.as_deref(),
                };
                return list::run(&binary, &workspace.target, &order).await;
            }
        };
        for cases in &load.cases {
            let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&workspace.target)?;
            let stage = match &load.data {
                Some(data) => Stage::sampled(&binary, data, folder.path(), *cases).await?,
                None => Stage::prepare(&binary, folder.path(), *cases, load.database_url.as_deref()).await?,
            };
            let measured = measure(&stage, folder.path(), job, load).await?;
            eprintln!("{}", measured.explained());
            println!("{}", measured.line());
            stage.server.stop().await?;
        }
        Ok(())
    })
}

/// Builds the server and this program for release and goes on as that.
fn become_release(workspace: &Workspace) -> Result<()> {
    for package in ["casement", "xtask"] {
        let status = workspace.cargo().args(["build", "--release", "-p", package]).status()?;
        ensure!(status.success(), "cargo build --release -p {package} failed");
    }
    let program = workspace.binary("release", "xtask")?;
    let error = std::process::Command::new(&program).args(std::env::args_os().skip(1)).exec();
    Err(error).with_context(|| format!("{} could not be started", program.display()))
}

/// Drives the server and its limits in turns.
async fn measure(stage: &Stage, folder: &Path, job: Job, load: &Load) -> Result<Measured> {
    let clients = usize::from(load.clients);
    eprintln!("{}: {} cases, {clients} clients, {} s", job.name(), stage.cases, load.seconds);
    let requests = requests::build(stage, job)?;
    let mut ours = Fleet::connect(stage.server.address, &requests, clients).await?;
    ours.drive(WARM_UP).await.context("the warm-up of the server")?;

    let answer = one_answer(stage, job).await?;
    let responder = Responder::start(folder, &answer).await?;
    let mut responder_fleet = Fleet::connect(responder.address, &requests, clients).await?;
    responder_fleet.drive(WARM_UP).await.context("the warm-up of the static responder")?;

    let mut raw_writer = match &load.database_url {
        Some(url) => RawLimit::Server(Box::new(RawServer::connect(url, clients).await?)),
        None => {
            let copy = RawWriter::copy(&stage.database()?, &folder.join("raw.db"), clients)?;
            RawLimit::Embedded(Box::new(copy))
        }
    };
    raw_writer.drive(WARM_UP).await?;

    let mut measured = Measured::new(job, stage.cases, clients);
    let mut left = Duration::from_secs(load.seconds);
    while !left.is_zero() {
        let turn = left.min(TURN);
        measured.ours.add(ours.drive(turn).await.context("the server")?);
        measured.responder.add(responder_fleet.drive(turn).await.context("the static responder")?);
        let (sets, time) = raw_writer.drive(turn).await?;
        measured.raw_writer.add(sets, time);
        left = left.saturating_sub(turn);
    }
    responder.stop().await?;
    drop(raw_writer);
    RawWriter::remove(&folder.join("raw.db"))?;
    Ok(measured)
}

/// The rows of writes without HTTP, on the engine that the server has.
enum RawLimit {
    Embedded(Box<RawWriter>),
    Server(Box<RawServer>),
}

impl RawLimit {
    async fn drive(&mut self, time: Duration) -> Result<(u64, Duration)> {
        match self {
            Self::Embedded(writer) => tokio::task::block_in_place(|| writer.drive(time)),
            Self::Server(server) => server.drive(time).await,
        }
    }
}

/// One real answer of the server, whose bytes the static responder repeats.
async fn one_answer(stage: &Stage, job: Job) -> Result<Bytes> {
    let requests = requests::build(stage, job)?;
    let request = requests.last().context("invariant: every job has requests")?.clone();
    let (status, answer) = crate::client::Connection::open(stage.server.address).await?.send(request).await?;
    ensure!(status.is_success(), "the server answered {status}: {}", String::from_utf8_lossy(&answer));
    Ok(answer)
}
