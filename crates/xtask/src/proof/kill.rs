//! `cargo xtask proof kill`: acknowledged writes survive SIGKILL at any moment.
//!
//! Per round: writers at work, SIGKILL, restart, and everything that was ever acknowledged must be there, with
//! reference numbers that neither repeat nor jump. Every few rounds the server is stopped and the hash chain of its log
//! verified. SIGKILL takes the process, not the machine: that data reaches the disk is for the store's own tests.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::ledger::{Ledger, Tally};
use super::listing::Listing;
use super::writer::{Shared, Writer};
use super::{chain, check};
use crate::client::Connection;
use crate::server::{Installation, Server};
use crate::workspace::Workspace;

/// The kill comes so many milliseconds after the round's first acknowledgement.
const KILL_AFTER_MS: std::ops::RangeInclusive<u64> = 50..=600;

/// How long a round may wait for its first acknowledgement.
const FIRST_ANSWER_WAIT: Duration = Duration::from_secs(30);

/// Every so many rounds the server is stopped and the hash chain verified.
const ROUNDS_PER_CHAIN_CHECK: u32 = 5;

/// After so many rounds a fresh directory is taken: each check reads everything, so the cost of a round grows.
const ROUNDS_PER_DIRECTORY: u32 = 25;

/// Violations printed in full; the rest is counted.
const VIOLATIONS_SHOWN_MAX: usize = 20;

/// Kills a server under load, again and again, and checks that nothing acknowledged is lost.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof kill --rounds 20\n  cargo xtask proof kill --rounds 200 --seed 7"
)]
pub struct Arguments {
    /// How many times the server is killed
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Repeats the random choices of a former run (not its timing)
    #[arg(long)]
    seed: Option<u64>,
    /// How many connections write at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=256))]
    writers: u64,
}

impl Arguments {
    /// The slice that `cargo xtask test` runs.
    pub fn slice(rounds: u32) -> Self {
        Self { rounds, seed: None, writers: 8 }
    }
}

/// Builds the server as the tests do and runs the proof.
///
/// # Errors
/// When the build fails or the promise is broken.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let binary = workspace.build_server()?;
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("proof kill: {} rounds, {} writers, seed {seed}", arguments.rounds, arguments.writers);
    crate::block_on(async {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut summary = Summary::default();
        let mut rounds_left = arguments.rounds;
        while rounds_left > 0 {
            let rounds = rounds_left.min(ROUNDS_PER_DIRECTORY);
            let folder = tempfile::Builder::new().prefix("proof-kill-").tempdir_in(&workspace.target)?;
            let outcome =
                prove(&binary, folder.path(), rounds, arguments.writers, &mut random, &mut summary).await;
            if let Err(error) = outcome {
                let kept = folder.keep();
                return Err(error.context(format!("seed {seed}; the directory is kept: {}", kept.display())));
            }
            rounds_left -= rounds;
        }
        println!("{summary}");
        Ok(())
    })
}

/// What the whole proof came to.
#[derive(Debug, Default)]
struct Summary {
    rounds: u32,
    acknowledged: Tally,
    resent: u64,
    repeated: u64,
    events_verified: u64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { cases, updates, tasks } = self.acknowledged;
        write!(
            formatter,
            "proof kill: {} kills survived; acknowledged {cases} cases, {updates} updates, {tasks} tasks, none lost; \
             {} sent again after a kill and {} repeated, each took effect once; hash chain of {} events whole",
            self.rounds, self.resent, self.repeated, self.events_verified
        )
    }
}

/// Runs rounds on one fresh directory.
async fn prove(
    binary: &Path,
    folder: &Path,
    rounds: u32,
    writers: u64,
    random: &mut fastrand::Rng,
    summary: &mut Summary,
) -> Result<()> {
    let installation = Installation::create(binary, folder).await?;
    let shared = Arc::new(Shared {
        ledger: Mutex::new(Ledger::create(&folder.join("ledger.jsonl"))?),
        installation,
        killed: AtomicBool::new(false),
        acknowledged: Notify::new(),
    });
    let seed = random.u64(..);
    let mut writers: Vec<Writer> = (1..=writers).map(|number| Writer::new(number, seed)).collect();
    let mut server = shared.installation.start().await?;
    for round in 1..=rounds {
        let before = shared.ledger().acknowledged;
        let kill_after = Duration::from_millis(random.u64(KILL_AFTER_MS));
        writers = write_and_kill(&shared, writers, server, kill_after).await?;
        server = shared.installation.start().await.context("the restart after the kill failed")?;
        let line = check_everything(&shared, &server, before).await?;
        summary.rounds += 1;
        println!("round {:>3}: killed after {:>3} ms, {line}", summary.rounds, kill_after.as_millis());
        if round % ROUNDS_PER_CHAIN_CHECK == 0 || round == rounds {
            let events = verify_stopped(&shared.installation, server).await?;
            println!("           stopped; hash chain of {events} events whole");
            if round == rounds {
                summary.events_verified += events;
                break;
            }
            server = shared.installation.start().await?;
        }
    }
    let Tally { cases, updates, tasks } = shared.ledger().acknowledged;
    summary.resent += shared.ledger().resent;
    summary.repeated += shared.ledger().repeated;
    summary.acknowledged.cases += cases;
    summary.acknowledged.updates += updates;
    summary.acknowledged.tasks += tasks;
    Ok(())
}

/// Lets the writers work and kills the server in the midst of it; gives the writers back.
async fn write_and_kill(
    shared: &Arc<Shared>,
    writers: Vec<Writer>,
    server: Server,
    kill_after: Duration,
) -> Result<Vec<Writer>> {
    shared.killed.store(false, Ordering::SeqCst);
    let address = server.address;
    let mut at_work = JoinSet::new();
    for writer in writers {
        at_work.spawn(writer.run(Arc::clone(shared), address));
    }
    tokio::select! {
        first = tokio::time::timeout(FIRST_ANSWER_WAIT, shared.acknowledged.notified()) => {
            first.context("no write was acknowledged in this round")?;
        }
        Some(ended) = at_work.join_next() => {
            ended??;
            bail!("a writer ended before the server was killed");
        }
    }
    tokio::time::sleep(kill_after).await;
    shared.killed.store(true, Ordering::SeqCst);
    server.kill().await?;
    let mut writers = Vec::new();
    while let Some(ended) = at_work.join_next().await {
        writers.push(ended??);
    }
    // A permit that the last acknowledgement left would let the next round begin too early.
    let _ = tokio::time::timeout(Duration::ZERO, shared.acknowledged.notified()).await;
    Ok(writers)
}

/// Reads everything back and compares; gives the rest of the round's line.
async fn check_everything(shared: &Shared, server: &Server, before: Tally) -> Result<String> {
    let mut connection = Connection::open(server.address).await?;
    let cases = Listing::read(&shared.installation, &mut connection, "getCases").await?;
    let tasks = Listing::read(&shared.installation, &mut connection, "getTasks").await?;
    let mut ledger = shared.ledger();
    let violations = check::violations(&ledger, &cases, &tasks);
    for violation in violations.iter().take(VIOLATIONS_SHOWN_MAX) {
        println!("violation: {violation}");
    }
    if !violations.is_empty() {
        bail!("{} violations after a kill", violations.len());
    }
    let open = ledger.cases.open.len() + ledger.tasks.open.len();
    ledger.settle(&cases, &tasks);
    let now = ledger.acknowledged;
    Ok(format!(
        "acknowledged {} cases, {} updates, {} tasks, {open} creates in flight; present {} cases, {} tasks",
        now.cases - before.cases,
        now.updates - before.updates,
        now.tasks - before.tasks,
        cases.total,
        tasks.total,
    ))
}

/// Stops the server in peace and verifies the log that it leaves.
async fn verify_stopped(installation: &Installation, server: Server) -> Result<u64> {
    server.stop().await?;
    chain::verify(&installation.data).await
}
